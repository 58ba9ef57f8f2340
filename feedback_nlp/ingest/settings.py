"""Settings of ingest."""

import codecs
from typing import Literal

from pydantic import Field, field_validator

from feedback_nlp.core.settings import Settings

FieldName = Literal[
    "text", "comment_id", "created_at", "branch", "employee", "channel", "product", "nps", "rating", "revenue"
]


class IngestSettings(Settings):
    """How dumps are read. The defaults find encoding, delimiter, header and columns by themselves."""

    columns: dict[FieldName, str] = Field(default_factory=dict)
    """The dump's column for a field of ours, where the name is not found by itself: ``{text: "Q7 other"}``."""
    text_columns: tuple[str, ...] = ()
    """Columns whose non-blank cells are joined by line breaks into one text; overrides ``columns.text``."""
    encoding: str | None = None
    """Encoding of text files, a Python codec name such as ``cp1256``; null = detect each file's."""
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    """Cell delimiter of CSV and TSV files, one character; null = detect each file's among , ; tab and |."""
    quotes: Literal["double", "backslash", "none"] | None = None
    """A quote in a quoted cell is doubled or follows a backslash; none = quotes mean nothing; null = detect."""
    skip_rows: int = Field(0, ge=0, le=1000)
    """Rows above the header to pass over, 0 to 1000."""
    header_rows: int | None = Field(None, ge=0, le=5)
    """Header rows, 0 (columns become column_1, column_2 ...) to 5; null = detect, survey exports included."""
    sheet: str | None = None
    """Sheet of a workbook to read; null = the first."""
    date_order: Literal["dmy", "mdy"] = "dmy"
    """How 05/10/2026 reads: day first or month first. Dates that begin with the year need no setting."""
    ids_per_file: bool = False
    """True where ids are unique within a file only: the file's name is put before each id."""
    max_text_length: int = Field(100_000, ge=1, le=10_000_000)
    """Longest text accepted, in characters, 1 to 10,000,000; a longer one is a reject."""
    max_workbook_mb: int = Field(1024, ge=1, le=65_536)
    """Largest workbook accepted, in MiB after decompression, 1 to 65,536."""
    max_reject_share: float = Field(0.05, ge=0, le=1)
    """Share of rows that may be rejected before the run counts as failed, 0 to 1."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        """Refuse a name that is no text encoding."""
        if value is not None:
            try:
                "a".encode(value)
                codecs.getincrementaldecoder(value)
            except LookupError as error:
                raise ValueError("is no known text encoding; try utf-8, utf-16, cp1256 or cp1252") from error
        return value
