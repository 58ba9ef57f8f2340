"""Arrow arrays as JSON texts and back, exactly: one text a row, null as None."""

import json
from collections.abc import Sequence

import pyarrow as pa

from feedback_nlp.core.errors import StageContractError

_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def to_json(array: pa.Array) -> list[str | None]:
    """Write each value as one JSON text.

    A float32 is written with the digits of its double, so that reading gives the same bits.

    :param array: strings, finite numbers, booleans, and lists and structs of them.
    :raises StageContractError: for a value JSON has no word for.
    """
    try:
        return [None if value is None else _ENCODE(value) for value in array.to_pylist()]
    except (TypeError, ValueError) as error:
        raise StageContractError(f"A value of type {array.type} cannot be stored as JSON: {error}.") from error


def from_json(texts: Sequence[str | None], dtype: pa.DataType) -> pa.Array:
    """Read texts written by :func:`to_json` back into an array of the same type."""
    return pa.array(json.loads("[" + ",".join("null" if text is None else text for text in texts) + "]"), dtype)
