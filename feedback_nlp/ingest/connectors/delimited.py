"""CSV, TSV and other delimited text."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.connectors.base import RawRow, record_limit
from feedback_nlp.ingest.dialect import SINGLE_COLUMN, Dialect, Record, choose_dialect, read_records
from feedback_nlp.ingest.encoding import detect_encoding
from feedback_nlp.ingest.headers import HeaderColumn
from feedback_nlp.ingest.inputs import InputFile
from feedback_nlp.ingest.lines import decoded_blocks, split_lines
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.surveys import MOST_HEADER_ROWS, read_header

_SAMPLE_LINES = 500
_SAMPLE_CHARACTERS = 1 << 20


def _lines(file: InputFile, encoding: str, limit: int, skip: int) -> Iterator[str]:
    with file.open() as stream:
        lines = split_lines(decoded_blocks(stream, encoding), limit)
        first = next(islice(lines, skip, None), "")
        # Excel's hint line is no data.
        if first and not first.lower().startswith("sep="):
            yield first
        yield from lines


def _sample(lines: Iterator[str]) -> list[str]:
    """Take whole lines from the start."""
    sample: list[str] = []
    size = 0
    for line in islice(lines, _SAMPLE_LINES):
        sample.append(line)
        size += len(line)
        if size > _SAMPLE_CHARACTERS:
            break
    return sample


@dataclass(frozen=True)
class DelimitedTable:
    """Delimited text; see :class:`~feedback_nlp.ingest.connectors.base.RawTable`."""

    file: InputFile
    encoding: str
    dialect: Dialect
    columns: tuple[HeaderColumn, ...]
    header_rows: int
    skip_rows: int
    limit: int

    @property
    def format(self) -> str:
        """Tsv where cells are cut at tabs, else csv."""
        return "tsv" if self.dialect.delimiter == "\t" else "csv"

    @property
    def delimiter(self) -> str | None:
        """The cell delimiter, None for a single column."""
        return None if self.dialect.delimiter == SINGLE_COLUMN else self.dialect.delimiter

    def rows(self) -> Iterator[RawRow]:
        """Read all data rows from the start."""
        names = [column.name for column in self.columns]
        lines = _lines(self.file, self.encoding, self.limit, self.skip_rows)
        records = read_records(lines, self.dialect, self.limit)
        for number, record in enumerate(islice(records, self.header_rows, None), start=1):
            yield _row(number, record, names)


def _row(number: int, record: Record, names: list[str]) -> RawRow:
    cells = record.cells
    if cells is None:
        return RawRow(number, None, record.fault, record.raw, record.reason)
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(names):
        fault = f"{len(cells)} cells where the header has {len(names)}"
        return RawRow(number, None, fault, " | ".join(cells)[:1000])
    return RawRow(number, dict(zip(names, cells, strict=True)))


def open_table(file: InputFile, settings: IngestSettings) -> DelimitedTable:
    """Open delimited text: find encoding, dialect and header.

    :raises BadDataError: when there is no header to read.
    """
    limit = record_limit(settings.max_text_length)
    with file.open() as stream:
        encoding = settings.encoding or detect_encoding(stream)
    sample = _sample(_lines(file, encoding, limit, settings.skip_rows))
    dialect = choose_dialect(sample, settings.delimiter, settings.quotes, limit)
    head: list[list[str]] = []
    for record in islice(read_records(sample, dialect, limit), MOST_HEADER_ROWS):
        if record.cells is None:
            break
        head.append(record.cells)
    if not head:
        raise BadDataError(f"{file.source} has no header row that can be read; is it a text file with one row a line?")
    header = read_header(head, settings.header_rows)
    return DelimitedTable(file, encoding, dialect, header.columns, header.rows, settings.skip_rows, limit)
