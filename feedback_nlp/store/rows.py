"""A table of results as SQL rows and back, without any loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import COMMENT_ID, DRIVER_SPANS, TEXT, Column
from feedback_nlp.store.jsontext import from_json, to_json

if TYPE_CHECKING:
    import pandas as pd

DRIVER_NAMES = ("row", "position", "comment_id", "driver", "cause", "sign", "score", "start", "end", "evidence")
FRAME_NAMES = DRIVER_NAMES[2:]


def to_values(array: pa.Array) -> list[Any]:
    """Return an array as values a SQL column can hold: times as RFC 3339 in UTC, nested values as JSON."""
    if pa.types.is_nested(array.type):
        return to_json(array)
    if pa.types.is_timestamp(array.type):
        return pc.strftime(array, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()  # type: ignore[no-any-return]
    return array.to_pylist()  # type: ignore[no-any-return]


def from_values(values: Sequence[Any], column: Column) -> pa.Array:
    """Return values made by :func:`to_values` as the column's array."""
    if pa.types.is_nested(column.dtype):
        return from_json(values, column.dtype)
    if pa.types.is_timestamp(column.dtype):
        return pa.array(values, pa.string()).cast(column.dtype)
    return pa.array(values, column.dtype)


def driver_rows(table: pa.Table) -> list[Sequence[Any]]:
    """Return the drivers of a table of results as columns in the order of ``DRIVER_NAMES``, one row a driver.

    ``row`` is the comment's place in the table, ``position`` the driver's place in the comment.
    """
    rows: list[tuple[Any, ...]] = []
    ids = table.column(COMMENT_ID.name).to_pylist()
    texts = table.column(TEXT.name).to_pylist()
    for row, found in enumerate(table.column(DRIVER_SPANS.name).to_pylist()):
        for position, span in enumerate(found or ()):
            start, end = span["start"], span["end"]
            named = (span["driver"], span["cause"], span["sign"], span["score"])
            rows.append((row, position, ids[row], *named, start, end, texts[row][start:end]))
    return list(zip(*rows, strict=True)) if rows else [()] * len(DRIVER_NAMES)


def as_frame(columns: Sequence[Sequence[Any]]) -> "pd.DataFrame":
    """Return columns in the order of ``FRAME_NAMES`` as a DataFrame of one row a driver."""
    import pandas as pd

    frame = pd.DataFrame(dict(zip(FRAME_NAMES, columns, strict=True)), columns=list(FRAME_NAMES))
    texts = dict.fromkeys(("comment_id", "driver", "cause", "sign", "evidence"), "str")
    return frame.astype({**texts, "score": "float32", "start": "int32", "end": "int32"})


def driver_frame(table: pa.Table) -> "pd.DataFrame":
    """Return the drivers of a table of results as one row a driver, in order.

    :returns: comment_id, driver, cause, sign, score, start, end (code points of the text) and evidence, verbatim.
    """
    return as_frame(driver_rows(table)[2:])
