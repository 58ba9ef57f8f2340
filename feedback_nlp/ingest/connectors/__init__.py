"""One file a format: each opens an input as a :class:`~feedback_nlp.ingest.connectors.base.RawTable`."""

from collections.abc import Callable
from importlib import import_module

from feedback_nlp.ingest.connectors.base import RawTable
from feedback_nlp.ingest.inputs import DELIMITED, JSON, PARQUET, WORKBOOK, InputFile
from feedback_nlp.ingest.settings import IngestSettings

_OPENERS = {
    DELIMITED: "delimited",
    JSON: "jsonlines",
    PARQUET: "parquet",
    WORKBOOK: "workbook",
}


def open_table(file: InputFile, settings: IngestSettings) -> RawTable:
    """Open an input file as a table.

    :raises BadDataError: when it cannot be read as what it claims to be.
    """
    module = import_module(f"feedback_nlp.ingest.connectors.{_OPENERS[file.format]}")
    opener: Callable[[InputFile, IngestSettings], RawTable] = module.open_table
    return opener(file, settings)


__all__ = ["RawTable", "open_table"]
