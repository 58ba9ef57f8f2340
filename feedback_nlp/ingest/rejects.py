"""Rows that cannot become comments: why, and where they are written."""

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

MISSING_TEXT = "missing_text"
BLANK_TEXT = "blank_text"
TEXT_TOO_LONG = "text_too_long"
MALFORMED_ROW = "malformed_row"
ROW_TOO_LONG = "row_too_long"
UNDECODABLE = "undecodable"
DUPLICATE_ROW = "duplicate_row"
DUPLICATE_ID = "duplicate_id"

REASONS = {
    MISSING_TEXT: "the row has no text",
    BLANK_TEXT: "the text has only blanks, zero-width or control characters",
    TEXT_TOO_LONG: "the text is longer than ingest.max_text_length",
    MALFORMED_ROW: "the row is not what the file's format asks for",
    ROW_TOO_LONG: "the row is longer than is held in memory, four times ingest.max_text_length and more",
    UNDECODABLE: "the row has bytes that are no text in the file's encoding",
    DUPLICATE_ROW: "the same comment with the same id stands in the input already",
    DUPLICATE_ID: "another comment has the same id",
}

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
        pa.field("comment_id", pa.string()),
        pa.field("text", pa.string()),
    ]
)
_SHOWN = 500
_FLUSH = 8192


class Reject(NamedTuple):
    """One rejected row.

    :param row: 1-based number of the data row within the file or sheet.
    :param reason: a key of ``REASONS``.
    :param detail: what was found, without the customer's words; may be empty.
    :param text: the text or raw row, cut to 500 characters when written.
    """

    file: str
    row: int
    reason: str
    detail: str = ""
    comment_id: str | None = None
    text: str | None = None


def _writable(text: str | None) -> str | None:
    return None if text is None else text[:_SHOWN].encode("utf-8", "replace").decode("utf-8")


class RejectWriter:
    """Writes rejects to a Parquet file as they come, and counts them by reason."""

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._writer = pq.ParquetWriter(path, SCHEMA)
        self._waiting: list[Reject] = []

    def add(self, reject: Reject) -> None:
        """Take one reject."""
        self.counts[reject.reason] += 1
        self._waiting.append(reject._replace(text=_writable(reject.text), comment_id=_writable(reject.comment_id)))
        if len(self._waiting) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        columns = list(zip(*self._waiting, strict=True)) or [()] * len(SCHEMA)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        self._writer.write_table(pa.table(arrays, schema=SCHEMA))
        self._waiting = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
