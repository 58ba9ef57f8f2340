"""The report of a run: one self-contained HTML file in English, Arabic and Persian, or its tables as a workbook."""

from feedback_nlp.report.content import ReportInput
from feedback_nlp.report.page import render_report, write_report

__all__ = ["ReportInput", "render_report", "write_report"]
