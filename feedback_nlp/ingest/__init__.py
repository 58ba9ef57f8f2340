"""Ingest: dumps of any usual format -> comments in one canonical order, and rejects with their reasons."""

from feedback_nlp.ingest.rejects import REASONS
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.spool import FileSummary, Spool
from feedback_nlp.ingest.spooling import spool

__all__ = ["REASONS", "FileSummary", "IngestSettings", "Spool", "spool"]
