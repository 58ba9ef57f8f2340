"""Excel workbooks (.xlsx, .xlsm), one sheet."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from feedback_nlp.core.archives import BROKEN_ARCHIVE
from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.connectors.base import RawRow
from feedback_nlp.ingest.headers import HeaderColumn
from feedback_nlp.ingest.inputs import InputFile
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.surveys import MOST_HEADER_ROWS, read_header

_BATCH = 2048


def _check_archive(file: InputFile, settings: IngestSettings) -> None:
    """Refuse a damaged archive and one that would unpack beyond the limit, before anything is unpacked in memory."""
    limit = settings.max_workbook_mb << 20
    try:
        with zipfile.ZipFile(file.path) as archive:
            names = archive.namelist()
            size = sum(entry.file_size for entry in archive.infolist())
            if size > limit:
                raise BadDataError(
                    f"{file.source} unpacks to {size >> 20} MiB, more than ingest.max_workbook_mb "
                    f"({settings.max_workbook_mb}). Raise it if you trust the file, or export as CSV."
                )
            # Sizes stated in an archive may be lies: reading each entry (in small pieces) up to its stated size and
            # comparing its checksum finds both lies and damage.
            damaged = archive.testzip()
    except BROKEN_ARCHIVE as error:
        raise BadDataError(f"{file.source} is a damaged or cut-off workbook; save or copy it again.") from error
    if damaged is not None:
        raise BadDataError(f"{file.source} is a damaged or cut-off workbook; save or copy it again.")
    if "xl/workbook.xml" not in names:
        raise BadDataError(f"{file.source} is a zip archive but no .xlsx workbook; unpack it, or save it as .xlsx.")


def _load_sheet(file: InputFile, settings: IngestSettings) -> pa.RecordBatch:
    import fastexcel

    try:
        book = fastexcel.read_excel(file.path)
        names = book.sheet_names
        wanted = settings.sheet or (names[0] if names else "")
        if wanted not in names:
            raise BadDataError(f"{file.source} has no sheet {wanted!r}. It has: {', '.join(map(repr, names))}.")
        sheet: Any = book.load_sheet(wanted, header_row=None, dtypes="string")
        return sheet.to_arrow()
    except fastexcel.FastExcelError as error:
        raise BadDataError(f"{file.source} cannot be read as a workbook; save it again as .xlsx.") from error


def _row_cells(batch: pa.RecordBatch, start: int, count: int) -> list[list[str | None]]:
    part = batch.slice(start, count)
    return [list(cells) for cells in zip(*(column.to_pylist() for column in part.columns), strict=True)]


def _blank(cells: list[str | None]) -> bool:
    return not any(cells)


@dataclass(frozen=True)
class WorkbookTable:
    """One sheet; see :class:`~feedback_nlp.ingest.connectors.base.RawTable`. Blank rows count, but are no rows."""

    columns: tuple[HeaderColumn, ...]
    first_row: int
    sheet: pa.RecordBatch = field(repr=False)
    format: str = "xlsx"
    encoding: None = None
    delimiter: None = None

    def rows(self) -> Iterator[RawRow]:
        """Read all rows from the start."""
        names = [column.name for column in self.columns]
        for start in range(self.first_row, self.sheet.num_rows, _BATCH):
            for place, cells in enumerate(_row_cells(self.sheet, start, _BATCH), start=start):
                if not _blank(cells):
                    yield RawRow(place - self.first_row + 1, dict(zip(names, cells, strict=True)))


def open_table(file: InputFile, settings: IngestSettings) -> WorkbookTable:
    """Open a sheet of a workbook; the sheet is held in memory.

    :raises BadDataError: when the workbook is damaged, too large unpacked, has no such sheet, or the sheet no row.
    """
    _check_archive(file, settings)
    sheet = _load_sheet(file, settings)
    start = settings.skip_rows
    head = _row_cells(sheet, start, MOST_HEADER_ROWS + 1)
    while head and _blank(head[0]):
        start += 1
        head = _row_cells(sheet, start, MOST_HEADER_ROWS + 1)
    if not head:
        raise BadDataError(f"{file.source}: the sheet is empty. Name another with ingest.sheet.")
    header = read_header([[cell or "" for cell in cells] for cells in head], settings.header_rows)
    return WorkbookTable(header.columns, start + header.rows, sheet)
