"""Reads the header rows of a table: one, or several as survey tools export them.

Qualtrics: names, questions, ``{"ImportId": ...}``. SurveyMonkey: questions, then the kind of answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback_nlp.ingest.headers import HeaderColumn
from feedback_nlp.ingest.synonyms import header_key, ranks

MOST_HEADER_ROWS = 5


@dataclass(frozen=True)
class Header:
    """A table's columns, and how many rows the header took."""

    columns: tuple[HeaderColumn, ...]
    rows: int


def count_header_rows(rows: Sequence[Sequence[str]]) -> int:
    """Count header rows from a table's first rows, at least 1."""
    for position, row in enumerate(rows[:3]):
        if any(cell.lstrip().startswith('{"ImportId"') for cell in row):
            return position + 1
    if len(rows) > 1 and rows[1] and not rows[1][0].strip():
        answers = ranks("surveys", "answers")
        if any(header_key(cell) in answers for cell in rows[1]):
            return 2
    return 1


def _names(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Name each column by the first row; one left blank under a wide question takes the question and its label."""
    answers = ranks("surveys", "answers")
    question = ""
    names = []
    for place in range(width):
        column = [row[place].strip() if place < len(row) else "" for row in rows]
        label = next((cell for cell in column[1:] if cell), "")
        spans = len(rows) > 1 and place + 1 < len(rows[0]) and not rows[0][place + 1].strip()
        question = column[0] or question
        if column[0] and (not spans or not label or header_key(label) in answers):
            names.append(column[0])
        else:
            names.append(" - ".join(part for part in (question, label) if part and len(rows) > 1))
    return names


def _unique(names: Sequence[str]) -> list[str]:
    used: set[str] = set()
    result = []
    for place, name in enumerate(names, start=1):
        base = name or f"column_{place}"
        found, count = base, 1
        while found in used:
            count += 1
            found = f"{base} ({count})"
        used.add(found)
        result.append(found)
    return result


def read_header(rows: Sequence[Sequence[str]], header_rows: int | None) -> Header:
    """Read a header.

    :param rows: the table's first rows, up to ``MOST_HEADER_ROWS``; at least one.
    :param header_rows: how many of them are the header, 0 for none; None to find out.
    :returns: columns with unique names; a column without a name is ``column_N``.
    """
    count = count_header_rows(rows) if header_rows is None else min(header_rows, len(rows))
    head = rows[:count]
    width = max(len(row) for row in (head or rows[:1]))
    written = _names(head, width) if head else [""] * width
    columns = []
    for place, (name, base) in enumerate(zip(_unique(written), written, strict=True)):
        labels = [row[place].strip() for row in head if place < len(row)]
        # One cell of a matrix question ("Please rate: - Staff") is not what its label alone would say.
        labels = [label for label in labels if label] if base in labels else []
        columns.append(HeaderColumn(name, tuple(dict.fromkeys([name, *labels]))))
    return Header(tuple(columns), count)
