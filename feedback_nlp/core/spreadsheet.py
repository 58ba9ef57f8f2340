"""Writes tables as CSV or as an Excel workbook, so that no cell is ever taken for a formula or a link."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import IO, Any

from feedback_nlp.core.errors import ConfigError

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_LONGEST_CELL = 32_767
_MOST_ROWS = 1_048_575
_NOT_IN_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
_CREATED = datetime(2000, 1, 1)
_BOM = "\ufeff"


@dataclass(frozen=True)
class Sheet:
    """One table.

    :param name: of the sheet.
    :param columns: headings.
    :param rows: values: texts, numbers, booleans, datetimes with a zone, or None.
    :param rtl: whether its first column stands on the right.
    :param widths: of the columns, in characters; by the headings where none are given.
    """

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    rtl: bool = False
    widths: Sequence[int] = ()


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield a table as CSV, a piece at a time, with a mark that tells Excel that it is UTF-8.

    A text that a spreadsheet would take for a formula gets an apostrophe before it
    (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    yield _BOM
    for number, row in enumerate(_headed(columns, rows)):
        writer.writerow([_csv_cell(value) for value in row])
        if number % 500 == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _headed(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield columns
    yield from rows


def _taken(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _csv_cell(value: Any) -> Any:  # noqa: ANN401 - any value of a cell
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    text = value.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_workbook(stream: IO[bytes], sheets: Sequence[Sheet]) -> None:
    """Write an Excel workbook; the same tables give the same bytes.

    Cells hold at most 32,767 characters and sheets 1,048,575 rows, as Excel allows; what is longer is cut, and further
    rows go to further sheets.

    :raises ConfigError: when the package that writes workbooks is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise ConfigError("An Excel workbook needs xlsxwriter: pip install 'feedback-nlp[review]'.") from error

    book = xlsxwriter.Workbook(
        stream, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    )
    book.set_properties({"created": _CREATED})
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "valign": "top"})
    for sheet in sheets:
        rows = iter(sheet.rows)
        part = 1
        while _fill(book, sheet, part, rows, (heading, wrapped, moment)):
            part += 1
    book.close()


def _fill(book: Any, sheet: Sheet, part: int, rows: Iterator[Sequence[Any]], formats: tuple[Any, Any, Any]) -> bool:  # noqa: ANN401
    """Write one sheet; tell whether rows are left for another."""
    heading, wrapped, moment = formats
    page = book.add_worksheet(sheet.name if part == 1 else f"{sheet.name[:27]} {part}")
    if sheet.rtl:
        page.right_to_left()
    page.freeze_panes(1, 0)
    for column, name in enumerate(sheet.columns):
        width = sheet.widths[column] if sheet.widths else min(max(len(name) + 2, 12), 60)
        page.set_column(column, column, width)
        page.write_string(0, column, name, heading)
    for number in range(1, _MOST_ROWS + 1):
        row = next(rows, None)
        if row is None:
            return False
        for column, value in enumerate(row):
            _put(page, (number, column), value, wrapped, moment)
    return True


def _put(page: Any, place: tuple[int, int], value: Any, wrapped: Any, moment: Any) -> None:  # noqa: ANN401
    if value is None or value != value:  # noqa: PLR0124 - only a NaN differs from itself
        return
    if isinstance(value, datetime):
        page.write_datetime(*place, value.astimezone(UTC).replace(tzinfo=None), moment)
    elif isinstance(value, bool):
        page.write_boolean(*place, value)
    elif isinstance(value, int | float):
        page.write_number(*place, value)
    else:
        text = str(value).encode("utf-8", "replace").decode("utf-8").translate(_NOT_IN_XML)
        page.write_string(*place, text[:_LONGEST_CELL], wrapped)
