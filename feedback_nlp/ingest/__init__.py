"""Ingest: dumps of any usual format -> comments in one canonical order, and rejects with their reasons."""

from feedback_nlp.ingest.rejects import REASONS
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.spool import FileSummary, Spool, check_reject_share
from feedback_nlp.ingest.spooling import spool

__all__ = ["REASONS", "FileSummary", "IngestSettings", "Spool", "check_reject_share", "spool"]
