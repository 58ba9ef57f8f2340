"""Covers personal data in what leaves the store: pages, exports, listings.

The column ``text`` keeps comments as given; whoever shows them elsewhere covers the spans of ``redactions`` with
:func:`redact`, or, where a page is made of pieces, goes by :func:`covers_of`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

BLOCK = "█"


class Cover(NamedTuple):
    """Personal data to cover: ``text[start:end]`` is of this kind."""

    start: int
    end: int
    kind: str


def covers_of(spans: Iterable[tuple[int, int, str] | Mapping[str, Any]]) -> list[Cover]:
    """Return spans in order, empty ones dropped, overlapping ones joined under the first one's kind.

    :param spans: rows of the column ``redactions``, or tuples of start, end, kind.
    """
    given = sorted(
        Cover(int(span["start"]), int(span["end"]), str(span["kind"])) if isinstance(span, Mapping) else Cover(*span)
        for span in spans
    )
    covers: list[Cover] = []
    for cover in given:
        if cover.start >= cover.end:
            continue
        if covers and cover.start < covers[-1].end:
            covers[-1] = covers[-1]._replace(end=max(covers[-1].end, cover.end))
        else:
            covers.append(cover)
    return covers


def redact(text: str, spans: Iterable[tuple[int, int, str] | Mapping[str, Any]], *, keep_length: bool = False) -> str:
    """Cover personal data: ``call 0912…`` becomes ``call ‹phone›``.

    :param spans: rows of the column ``redactions``, or tuples of start, end, kind.
    :param keep_length: cover each code point with a block instead, so that offsets into the text still hold.
    """
    parts: list[str] = []
    at = 0
    for start, end, kind in covers_of(spans):
        parts += (text[at:start], BLOCK * (min(end, len(text)) - start) if keep_length else f"‹{kind}›")
        at = end
    return "".join([*parts, text[at:]])


def redact_table(table: pa.Table) -> pa.Table:
    """Return a table of results with personal data covered by blocks; all offsets still hold.

    :param table: with columns ``text`` and ``redactions``; ``clean``, where there, becomes null in rows that hold
        personal data.
    """
    spans = table["redactions"].to_pylist()
    texts = [
        redact(text, found or (), keep_length=True)
        for text, found in zip(table["text"].to_pylist(), spans, strict=True)
    ]
    changed: dict[str, list[str | None]] = {"text": [*texts]}
    if "clean" in table.column_names:
        cleans = table["clean"].to_pylist()
        changed["clean"] = [None if found else clean for clean, found in zip(cleans, spans, strict=True)]
    for name, values in changed.items():
        at = table.column_names.index(name)
        table = table.set_column(at, table.field(at), pa.array(values, table.field(at).type))
    return table
