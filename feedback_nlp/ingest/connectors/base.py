"""What every connector gives: columns, and rows that can be read again from the start."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from feedback_nlp.ingest.headers import HeaderColumn
from feedback_nlp.ingest.rejects import MALFORMED_ROW


class RawRow(NamedTuple):
    """One data row.

    :param number: 1-based number of the data row within the file or sheet.
    :param cells: values by column name; None when the row is malformed.
    :param fault: what is wrong with a malformed row, without its words.
    :param raw: the malformed row's first characters.
    :param reason: the reject's reason, of the keys of ``REASONS``.
    """

    number: int
    cells: dict[str, object] | None
    fault: str = ""
    raw: str = ""
    reason: str = MALFORMED_ROW


class RawTable(Protocol):
    """An opened input."""

    @property
    def format(self) -> str:
        """The format found: csv, tsv, jsonl, json, parquet or xlsx."""

    @property
    def encoding(self) -> str | None:
        """Codec name of a text format, None otherwise."""

    @property
    def delimiter(self) -> str | None:
        """Cell delimiter of a delimited text with several columns, None otherwise."""

    @property
    def columns(self) -> tuple[HeaderColumn, ...]:
        """The table's columns in order."""

    def rows(self) -> Iterator[RawRow]:
        """Read all data rows from the start."""


def record_limit(max_text_length: int) -> int:
    """Return the most characters held for one row: room for a text over the limit, so that its reason is true."""
    return 4 * max_text_length + (1 << 16)
