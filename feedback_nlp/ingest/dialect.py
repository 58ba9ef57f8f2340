"""Delimited text as records, with recovery after a malformed one, and the choice of delimiter and quoting."""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from feedback_nlp.ingest.lines import Oversize
from feedback_nlp.ingest.rejects import MALFORMED_ROW, ROW_TOO_LONG

DELIMITERS = (",", ";", "\t", "|")
SINGLE_COLUMN = "\x1f"
QUOTES = ("double", "backslash", "none")
_SAMPLE_RECORDS = 300
_ESCAPED = re.compile(r'\\(["\\])')
_UNCLOSED = "a quote that is never closed"


@dataclass(frozen=True)
class Dialect:
    """How records are written.

    :param delimiter: one character; ``SINGLE_COLUMN`` where each line is one cell.
    :param quotes: how a quoted cell writes a quote, one of ``QUOTES``; ``none`` = quotes mean nothing.
    """

    delimiter: str
    quotes: str = "double"


class Record(NamedTuple):
    """One record: its cells, or None and what is wrong with it."""

    cells: list[str] | None
    fault: str = ""
    raw: str = ""
    reason: str = MALFORMED_ROW


class _TooLongError(Exception):
    """A record, or a line, takes more room than allowed."""


class _Feed:
    """Gives lines to the csv reader, remembers those of the record under way, and can give them again."""

    def __init__(self, lines: Iterable[str], limit: int) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._limit = limit
        self._room = limit
        self.taken: list[str] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        self._room -= len(line)
        if self._room < 0 or isinstance(line, Oversize):
            raise _TooLongError
        return line

    def begin(self) -> None:
        self.taken = []
        self._room = self._limit

    def give_again(self) -> None:
        """Put all but the first line of the failed record back, so that one bad quote costs one line."""
        self._again.extendleft(reversed(self.taken[1:]))


def _reader(feed: _Feed, dialect: Dialect, limit: int) -> Iterator[list[str]]:
    # The csv module has one limit a process; raising it only lets our own, smaller limits speak.
    csv.field_size_limit(max(csv.field_size_limit(), limit + 1))
    if dialect.quotes == "none":
        return csv.reader(feed, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(feed, delimiter=dialect.delimiter, strict=True)


def _doubled(lines: Iterable[str]) -> Iterator[str]:
    """Write escaped quotes doubled: the csv module checks what follows a closing quote only for doubled ones."""
    for line in lines:
        if "\\" in line and not isinstance(line, Oversize):
            yield _ESCAPED.sub(lambda found: '""' if found[1] == '"' else "\\", line)
        else:
            yield line


def read_records(lines: Iterable[str], dialect: Dialect, limit: int) -> Iterator[Record]:
    """Read records; blank lines are none.

    :param limit: most characters of one record. A longer one (an unclosed quote) and one that breaks the quoting
        rules costs its first line only: reading goes on with the next line.
    """
    feed = _Feed(_doubled(lines) if dialect.quotes == "backslash" else lines, limit)
    reader = _reader(feed, dialect, limit)
    while True:
        feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLongError:
            if isinstance(feed.taken[0], Oversize):
                yield Record(None, f"more than {limit} characters", feed.taken[0], ROW_TOO_LONG)
            else:
                yield Record(None, _UNCLOSED, feed.taken[0])
            feed.give_again()
        except csv.Error as error:
            unclosed = "unexpected end of data" in str(error)
            yield Record(None, _UNCLOSED if unclosed else str(error), feed.taken[0])
            feed.give_again()
        else:
            if cells:
                yield Record(cells)


def _score(lines: Sequence[str], dialect: Dialect, limit: int) -> tuple[float, int]:
    """Score a dialect on a sample: share of records as wide as most are, then that width."""
    records = islice(read_records(lines, dialect, limit), _SAMPLE_RECORDS)
    widths = [0 if record.cells is None else len(record.cells) for record in records]
    if not widths:
        return 0.0, 0
    usual, count = max(Counter(widths).items(), key=lambda item: (item[1], item[0]))
    good = count / len(widths) if usual > 1 else 0.0
    return (round(good, 2), usual) if widths[0] > 1 else (0.0, 1)


def _ways(lines: Sequence[str], quotes: str | None) -> list[str]:
    """List the ways of quoting worth trying: doubled quotes are presumed, escaped ones need a trace."""
    if quotes is not None:
        return [quotes]
    escaped = any('\\"' in line for line in lines)
    return [way for way in QUOTES if way != "backslash" or escaped]


def _bare_quotes(lines: Sequence[str], delimiter: str, limit: int) -> bool:
    """Tell whether most quotes at the edge of cells stand alone, so that they are the writers' own."""
    pairs = opened = closed = 0
    for record in islice(read_records(lines, Dialect(delimiter, "none"), limit), _SAMPLE_RECORDS):
        for cell in map(str.strip, record.cells or ()):
            starts, ends = cell.startswith('"'), cell.endswith('"') and len(cell) > 1
            pairs += starts and ends
            opened += starts and not ends
            closed += ends and not starts
    return opened > closed and opened > pairs + closed


def choose_dialect(lines: Sequence[str], delimiter: str | None, quotes: str | None, limit: int) -> Dialect:
    """Choose the dialect that reads a sample best.

    :param lines: whole physical lines from the file's start.
    :param delimiter: the delimiter where it is known.
    :param quotes: one of ``QUOTES`` where the way of quoting is known.
    :returns: the dialect; one column where no delimiter cuts at least half of the sample evenly.
    """
    found = [
        (*_score(lines, dialect, limit), -order, -place, dialect)
        for order, way in enumerate(_ways(lines, quotes))
        for place, cut in enumerate(DELIMITERS if delimiter is None else (delimiter,))
        if way != "none" or quotes or _bare_quotes(lines, cut, limit)
        for dialect in [Dialect(cut, way)]
    ]
    best = max(found, key=lambda item: item[:4])
    if best[0] >= 0.5 or delimiter is not None:
        return best[4]
    bare = quotes is None and _bare_quotes(lines, SINGLE_COLUMN, limit)
    return Dialect(SINGLE_COLUMN, quotes or ("none" if bare else "double"))
