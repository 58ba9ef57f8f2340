"""A table of results as SQL rows and back, without any loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import COMMENT_ID, DRIVER_SPANS, RESULT_COLUMNS, TEXT, Column
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.store.jsontext import from_json, to_json

if TYPE_CHECKING:
    import pandas as pd

DRIVER_NAMES = ("row", "position", "comment_id", "driver", "cause", "sign", "score", "start", "end", "evidence")
FRAME_NAMES = DRIVER_NAMES[2:]

_BY_NAME = {column.name: column for column in RESULT_COLUMNS}

# PostgreSQL's texts hold every character but NUL; U+FDD0 is no character, and free for a program's own use.
_MARK, _NUL = "\ufdd0", "\x00"
_MARK_WORD, _NUL_WORD = f"{_MARK}1", f"{_MARK}0"


def _without_nul(array: pa.Array) -> pa.Array:
    if not pc.any(pc.or_(pc.match_substring(array, _NUL), pc.match_substring(array, _MARK))).as_py():
        return array
    return pc.replace_substring(pc.replace_substring(array, _MARK, _MARK_WORD), _NUL, _NUL_WORD)


def _with_nul(array: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring(array, _MARK)).as_py():
        return array
    return pc.replace_substring(pc.replace_substring(array, _NUL_WORD, _NUL), _MARK_WORD, _MARK)


def to_values(array: pa.Array) -> pa.Array:
    """Return an array as values a SQL column can hold: times as RFC 3339 in UTC, nested values as JSON."""
    if pa.types.is_nested(array.type):
        return to_json(array)
    if pa.types.is_timestamp(array.type):
        return pc.strftime(array, format="%Y-%m-%dT%H:%M:%SZ")
    return _without_nul(array) if pa.types.is_string(array.type) else array


def from_values(values: Sequence[Any], column: Column) -> pa.Array:
    """Return values made by :func:`to_values` as the column's array.

    :raises FeedbackError: when a value is no longer what was written.
    """
    if pa.types.is_nested(column.dtype):
        return from_json(values, column.dtype)
    if pa.types.is_timestamp(column.dtype):
        return pa.array(values, pa.string()).cast(column.dtype)
    array = pa.array(values, column.dtype)
    return _with_nul(array) if pa.types.is_string(column.dtype) else array


def comment_rows(results: pa.Table) -> pa.Table:
    """Return a table of results as SQL rows: ``row``, the comment's place in the table, and the result columns."""
    places = pa.array(np.arange(results.num_rows, dtype=np.int32))
    values = [to_values(results.column(column.name).combine_chunks()) for column in RESULT_COLUMNS]
    return pa.Table.from_arrays([places, *values], names=["row", *(column.name for column in RESULT_COLUMNS)])


def placed(rows: pa.Table, run: int, chunk: int) -> pa.Table:
    """Return SQL rows with the numbers of their run and chunk in front."""
    for place, (name, value) in enumerate({"run": run, "chunk": chunk}.items()):
        rows = rows.add_column(place, name, pa.array(np.full(rows.num_rows, value, dtype=np.int32)))
    return rows


def chosen_columns(names: Sequence[str] | None) -> list[Column]:
    """Return result columns by their names, in that order; None takes all.

    :raises ConfigError: when there is no such column, or no name is given.
    """
    chosen = list(_BY_NAME) if names is None else list(names)
    strangers = [name for name in chosen if name not in _BY_NAME]
    if strangers or not chosen:
        raise ConfigError(f"No result column '{', '.join(strangers)}'. There are: {', '.join(_BY_NAME)}.")
    return [_BY_NAME[name] for name in chosen]


def decoded(block: Sequence[Any], columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    """Return stored rows as the columns they were made from.

    :param block: rows with one value a column.
    :raises FeedbackError: when a value is no longer what was written.
    """
    values = zip(*block, strict=True)
    arrays = [from_values(column, declared) for column, declared in zip(values, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _drivers(results: pa.Table) -> tuple[pa.Array, pa.Array, pa.Table]:
    """Return each driver's comment's place in the table, its own place in the comment, and the drivers' columns."""
    spans = results.column(DRIVER_SPANS.name).combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(spans), 0).to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    position = (np.arange(len(row)) - first).astype(np.int32)
    found = spans.flatten()
    ids = results.column(COMMENT_ID.name).combine_chunks().take(pa.array(row))
    texts = results.column(TEXT.name).to_pylist()
    starts, ends = found.field("start"), found.field("end")
    places = zip(row.tolist(), starts.to_pylist(), ends.to_pylist(), strict=True)
    evidence = pa.array([texts[at][start:end] for at, start, end in places], pa.string())
    named = [found.field(name) for name in ("driver", "cause", "sign", "score")]
    table = pa.Table.from_arrays([ids, *named, starts, ends, evidence], names=list(FRAME_NAMES))
    return pa.array(row), pa.array(position), table


def driver_rows(results: pa.Table) -> pa.Table:
    """Return the drivers of a table of results as SQL rows with the columns ``DRIVER_NAMES``, one row a driver.

    ``row`` is the comment's place in the table, ``position`` the driver's place in the comment.
    """
    row, position, table = _drivers(results)
    values = [to_values(column.combine_chunks()) for column in table.columns]
    return pa.Table.from_arrays([row, position, *values], names=list(DRIVER_NAMES))


def as_frame(columns: Sequence[Sequence[Any]]) -> "pd.DataFrame":
    """Return stored columns in the order of ``FRAME_NAMES`` as a DataFrame of one row a driver."""
    ids, *rest, evidence = columns
    texts = (_with_nul(pa.array(values, pa.string())).to_pylist() for values in (ids, evidence))
    return _frame([next(texts), *rest, next(texts)])


def _frame(columns: Sequence[Sequence[Any]]) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.DataFrame(dict(zip(FRAME_NAMES, columns, strict=True)), columns=list(FRAME_NAMES))
    texts = dict.fromkeys(("comment_id", "driver", "cause", "sign", "evidence"), "str")
    return frame.astype({**texts, "score": "float32", "start": "int32", "end": "int32"})


def driver_frame(table: pa.Table) -> "pd.DataFrame":
    """Return the drivers of a table of results as one row a driver, in order.

    :returns: comment_id, driver, cause, sign, score, start, end (code points of the text) and evidence, verbatim.
    """
    return _frame([column.to_pylist() for column in _drivers(table)[2].columns])
