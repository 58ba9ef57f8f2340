"""JSON Lines, one object a line, and a JSON array of objects."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.connectors.base import RawRow, record_limit
from feedback_nlp.ingest.encoding import detect_encoding
from feedback_nlp.ingest.headers import HeaderColumn
from feedback_nlp.ingest.inputs import InputFile
from feedback_nlp.ingest.lines import Oversize, decoded_blocks, split_lines
from feedback_nlp.ingest.rejects import ROW_TOO_LONG
from feedback_nlp.ingest.settings import IngestSettings

_MOST_KEYS = 10_000
_BLANK = " \t\r\n"


def _object_row(number: int, found: object, raw: str) -> RawRow:
    if not isinstance(found, dict):
        return RawRow(number, None, "no JSON object", raw)
    return RawRow(number, found)


def _line_rows(lines: Iterable[str], limit: int) -> Iterator[RawRow]:
    number = 0
    for line in lines:
        if not line.strip(_BLANK):
            continue
        number += 1
        if isinstance(line, Oversize):
            yield RawRow(number, None, f"more than {limit} characters", line, ROW_TOO_LONG)
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            yield RawRow(number, None, f"no valid JSON: {error.msg} at character {error.pos}", line)
        except (ValueError, RecursionError):
            yield RawRow(number, None, "JSON with a number or nesting beyond all measure", line)
        else:
            yield _object_row(number, found, line)


class _ArrayText:
    """A window over an array's text that slides forward and never grows beyond a limit."""

    def __init__(self, blocks: Iterable[str], limit: int) -> None:
        self._blocks = iter(blocks)
        self._limit = limit
        self.text = ""
        self.place = 0

    def more(self) -> bool:
        """Read on; False at the end of the text or of the allowed room."""
        if len(self.text) - self.place > self._limit:
            return False
        block = next(self._blocks, None)
        if block is None:
            return False
        self.text = self.text[self.place :] + block
        self.place = 0
        return True

    def skip(self, characters: str) -> str:
        """Pass over characters and return the next one, empty at the end."""
        while True:
            while self.place < len(self.text) and self.text[self.place] in characters:
                self.place += 1
            if self.place < len(self.text):
                return self.text[self.place]
            if not self.more():
                return ""


def _next_element(window: _ArrayText) -> tuple[bool, object]:
    """Decode the element at the window's place; (False, None) when it is damaged, cut off or too long."""
    decoder = json.JSONDecoder()
    while True:
        try:
            found, end = decoder.raw_decode(window.text, window.place)
        except (ValueError, RecursionError):
            if not window.more():
                return False, None
            continue
        # A number may go on in the next block.
        if end < len(window.text) or not window.more():
            window.place = end
            return True, found


def _array_rows(blocks: Iterable[str], limit: int, source: str) -> Iterator[RawRow]:
    window = _ArrayText(blocks, limit)
    window.skip(_BLANK)
    window.place += 1
    number = 0
    while (char := window.skip(_BLANK + ",")) != "]":
        number += 1
        whole, found = _next_element(window) if char else (False, None)
        if not whole:
            raise BadDataError(
                f"{source}: element {number} of the JSON array is damaged, cut off or longer than {limit} characters. "
                "Export the file again, or as JSON Lines, where one bad row costs only itself."
            )
        yield _object_row(number, found, "")


@dataclass(frozen=True)
class JsonTable:
    """JSON objects; see :class:`~feedback_nlp.ingest.connectors.base.RawTable`."""

    file: InputFile
    encoding: str
    is_array: bool
    limit: int
    columns: tuple[HeaderColumn, ...] = ()
    delimiter: None = None

    @property
    def format(self) -> str:
        """Json for an array, else jsonl."""
        return "json" if self.is_array else "jsonl"

    def rows(self) -> Iterator[RawRow]:
        """Read all objects from the start."""
        with self.file.open() as stream:
            blocks = decoded_blocks(stream, self.encoding)
            if self.is_array:
                yield from _array_rows(blocks, self.limit, self.file.source)
            else:
                yield from _line_rows(split_lines(blocks, self.limit), self.limit)


def _is_array(file: InputFile, encoding: str) -> bool:
    with file.open() as stream:
        for block in decoded_blocks(stream, encoding):
            start = block.lstrip(_BLANK)
            if start:
                return start[0] == "["
    raise BadDataError(f"{file.source} holds nothing but blanks; export it again or leave it out.")


def _keys(table: JsonTable) -> tuple[HeaderColumn, ...]:
    """Collect the keys of all objects, sorted, so that the order of rows cannot matter."""
    keys: set[str] = set()
    for row in table.rows():
        keys.update(row.cells or ())
        if len(keys) > _MOST_KEYS:
            raise BadDataError(f"{table.file.source} has more than {_MOST_KEYS} different keys; that is no table.")
    return tuple(HeaderColumn(key, (key,)) for key in sorted(keys))


def open_table(file: InputFile, settings: IngestSettings) -> JsonTable:
    """Open JSON Lines or a JSON array; the whole file is read once to learn its keys.

    :raises BadDataError: when there is nothing in it, or an array is damaged.
    """
    limit = record_limit(settings.max_text_length)
    with file.open() as stream:
        encoding = settings.encoding or detect_encoding(stream)
    table = JsonTable(file, encoding, _is_array(file, encoding), limit)
    return JsonTable(file, encoding, table.is_array, limit, _keys(table))
