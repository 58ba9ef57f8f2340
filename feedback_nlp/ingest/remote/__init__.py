"""Inputs that are not files on this machine: databases and object stores."""

from feedback_nlp.ingest.remote.fetch import fetch
from feedback_nlp.ingest.remote.settings import ConnectSettings, SqlSource, StorageSource

__all__ = ["ConnectSettings", "SqlSource", "StorageSource", "fetch"]
