"""Arrow arrays as JSON texts and back, exactly: one text a row, null as null."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.errors import FeedbackError, StageContractError

_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_ESCAPED = r'[\x00-\x1f"\\]'
_NULL = "null"


def to_json(array: pa.Array) -> pa.Array:
    """Write each value as one JSON text.

    A float32 is written with the digits of its double, so that reading gives the same bits.

    :param array: strings, finite numbers, booleans, and lists and structs of them.
    :returns: string array of the same length, null where the value is null.
    :raises StageContractError: for a value JSON has no word for.
    """
    return pc.if_else(array.is_valid(), _written(array), pa.scalar(None, pa.string()))


def _written(array: pa.Array) -> pa.Array:
    """Write values column by column in Arrow, some thirty times as fast as one by one; a null becomes ``null``."""
    kind = array.type
    if pa.types.is_struct(kind):
        texts = _structs(array)
    elif pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        texts = _lists(array)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = _strings(array.cast(pa.string()))
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        texts = array.cast(pa.string())
    elif pa.types.is_floating(kind):
        texts = _numbers(array)
    elif pa.types.is_null(kind):
        texts = array.cast(pa.string())
    else:
        raise StageContractError(f"A value of type {kind} cannot be stored as JSON.")
    return pc.if_else(array.is_valid(), texts, _NULL)


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _strings(array: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(array, _ESCAPED)).as_py():
        return pa.array([None if value is None else _ENCODE(value) for value in array.to_pylist()], pa.string())
    return _joined('"', array, '"')


def _numbers(array: pa.Array) -> pa.Array:
    if not pc.all(pc.is_finite(array)).as_py() and array.null_count < len(array):
        raise StageContractError(f"A value of type {array.type} cannot be stored as JSON: it is no finite number.")
    texts = array.cast(pa.float64()).cast(pa.string())
    # 1 would come back as an integer, and -0 without its sign.
    return pc.if_else(
        pc.match_substring_regex(texts, r"^-?[0-9]+$"), pc.binary_join_element_wise(texts, ".0", ""), texts
    )


def _structs(array: pa.Array) -> pa.Array:
    parts: list[pa.Array | str] = []
    for place, field in enumerate(array.type):
        lead = "," if place else "{"
        parts += [f"{lead}{_ENCODE(field.name)}:", _written(array.field(place))]
    if not parts:
        return pa.array(["{}"] * len(array), pa.string())
    return _joined(*parts, "}")


def _lists(array: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    elements = _written(array.flatten())
    return _joined("[", pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), elements), ","), "]")


def from_json(texts: Sequence[str | None], dtype: pa.DataType) -> pa.Array:
    """Read texts written by :func:`to_json` back into an array of the same type.

    :raises FeedbackError: when a text is no longer what was written.
    """
    try:
        return pa.array(json.loads("[" + ",".join(_NULL if text is None else text for text in texts) + "]"), dtype)
    except (ValueError, pa.ArrowException) as error:
        # Without the error's own words: they may quote a comment.
        raise FeedbackError("The store is damaged: a value is no JSON of its type. Bring a copy back.") from error
