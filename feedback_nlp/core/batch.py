"""CommentBatch: an immutable Arrow table with one row a comment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import (
    COMMENT_ID,
    CREATED_AT,
    INPUT_COLUMNS,
    META,
    PROBLEMS,
    SOURCE,
    TEXT,
    VECTOR,
    Column,
)
from feedback_nlp.core.errors import StageContractError


def _as_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _check_allowed(column: Column, array: pa.Array, who: str) -> None:
    known = pa.array([*(column.allowed or ()), None], pa.string())
    wrong = pc.filter(array, pc.invert(pc.is_in(array, value_set=known)))
    if len(wrong):
        raise StageContractError(
            f"{who}: '{column.name}' has {len(wrong)} values outside {list(column.allowed or ())} "
            f"(e.g. {wrong[0].as_py()!r})."
        )


def _check_range(column: Column, array: pa.Array, who: str) -> None:
    found = pc.min_max(array.cast(pa.float64())).as_py()
    nan = pa.types.is_floating(array.type) and pc.any(pc.is_nan(array)).as_py()
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    if nan or (found["min"] is not None and (found["min"] < low or found["max"] > high)):
        shown = "NaN" if nan else f"{found['min']}..{found['max']}"
        raise StageContractError(f"{who}: '{column.name}' must lie in {low}..{high}, got {shown}.")


def check_column(column: Column, values: pa.Array | pa.ChunkedArray, rows: int, who: str) -> pa.Array:
    """Check an array against its declaration.

    :param values: array of ``rows`` values.
    :param who: the stage named in an error.
    :returns: the array, in one chunk.
    :raises StageContractError: on a wrong length, type, null, value or range.
    """
    array = _as_array(values)
    if len(array) != rows:
        raise StageContractError(f"{who}: '{column.name}' has {len(array)} values for {rows} comments.")
    if not column.accepts(array.type):
        raise StageContractError(f"{who}: '{column.name}' must be {column.dtype}, got {array.type}.")
    if array.null_count and not column.nullable:
        raise StageContractError(f"{who}: '{column.name}' has {array.null_count} nulls and may have none.")
    if column.allowed is not None:
        _check_allowed(column, array, who)
    if column.low is not None or column.high is not None:
        _check_range(column, array, who)
    return array


@dataclass(frozen=True)
class CommentBatch:
    """An immutable table of comments; rows are never dropped, added or reordered.

    :param table: Arrow table with at least the input columns, in one chunk a column.
    """

    table: pa.Table

    @classmethod
    def from_columns(cls, columns: Mapping[Column, pa.Array], *, who: str) -> "CommentBatch":
        """Make a batch from checked input columns.

        :raises StageContractError: when an input column is missing or breaks its declaration.
        """
        missing = [column.name for column in INPUT_COLUMNS if column not in columns]
        if missing:
            raise StageContractError(f"{who}: input columns missing: {', '.join(missing)}.")
        rows = len(next(iter(columns.values())))
        arrays = {column.name: check_column(column, values, rows, who) for column, values in columns.items()}
        return cls(pa.table(arrays))

    @classmethod
    def from_texts(cls, texts: Iterable[str], *, source: str = "memory") -> "CommentBatch":
        """Make a batch from bare texts; ids are their positions as strings, from ``0``."""
        values = list(texts)
        rows = len(values)
        return cls.from_columns(
            {
                COMMENT_ID: pa.array([str(i) for i in range(rows)], pa.string()),
                TEXT: pa.array(values, pa.string()),
                CREATED_AT: pa.nulls(rows, CREATED_AT.dtype),
                SOURCE: pa.array([source] * rows, pa.string()),
                META: pa.nulls(rows, pa.string()),
            },
            who="from_texts",
        )

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __contains__(self, column: Column) -> bool:
        return column.name in self.table.column_names

    def __getitem__(self, column: Column) -> pa.Array:
        """Return a column as one Arrow array.

        :raises StageContractError: when no stage has made it yet.
        """
        if column not in self:
            raise StageContractError(
                f"'{column.name}' has not been made yet. The batch has: {', '.join(self.table.column_names)}."
            )
        return _as_array(self.table.column(column.name))

    def values(self, column: Column) -> list[Any]:
        """Return a column as a list of Python values, nulls as None."""
        return self[column].to_pylist()  # type: ignore[no-any-return]

    def vectors(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the vectors as float32 array of shape (rows, width); a null vector is a row of zeros."""
        array = self[VECTOR]
        width = array.type.list_size
        if not array.null_count:
            return np.asarray(array.flatten().to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, width)
        out = np.zeros((len(self), width), dtype=np.float32)
        valid = np.asarray(array.is_valid().to_numpy(zero_copy_only=False))
        out[valid] = np.asarray(array.drop_null().flatten().to_numpy(zero_copy_only=False)).reshape(-1, width)
        return out

    def adding(self, new: Mapping[Column, pa.Array], *, who: str) -> "CommentBatch":
        """Return a batch with further columns, each checked against its declaration.

        ``problems`` may be added by several stages: its lists are joined row by row.

        :raises StageContractError: when a column exists already or breaks its declaration.
        """
        table = self.table
        for column, values in new.items():
            array = check_column(column, values, len(self), who)
            if column.name not in table.column_names:
                table = table.append_column(column.name, array)
            elif column == PROBLEMS:
                joined = [a + b for a, b in zip(self.values(PROBLEMS), array.to_pylist(), strict=True)]
                at = table.column_names.index(column.name)
                table = table.set_column(at, column.name, pa.array(joined, PROBLEMS.dtype))
            else:
                raise StageContractError(f"{who}: '{column.name}' exists already; a stage may not overwrite it.")
        return CommentBatch(table)


def vector_array(vectors: np.ndarray[Any, np.dtype[np.float32]], valid: np.ndarray[Any, Any] | None = None) -> pa.Array:
    """Pack vectors of shape (rows, width) as a fixed-size list array; rows where ``valid`` is False become null."""
    rows, width = vectors.shape
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    mask = None if valid is None else pa.array(~np.asarray(valid, dtype=bool))
    array = pa.FixedSizeListArray.from_arrays(flat, width, mask=mask)
    if len(array) != rows:
        raise StageContractError(f"vectors: {len(array)} packed for {rows} rows.")
    return array
