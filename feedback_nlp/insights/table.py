"""Reading a table of comments: Arrow or pandas in, root causes row by row, values of the dump's other columns."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import (
    DRIVER_SPANS,
    INTENT,
    META,
    OTHER_CAUSE_LIST,
    RESULT_COLUMNS,
    SENTIMENT,
    Column,
)
from feedback_nlp.core.errors import BadDataError

if TYPE_CHECKING:
    import pandas as pd

NPS = "nps"
NPS_LOW, NPS_HIGH = 0.0, 10.0

Bools = npt.NDArray[np.bool_]


def as_table(comments: "pa.Table | pd.DataFrame") -> pa.Table:
    """Return comments as an Arrow table with the declared column types.

    :raises BadDataError: when the DataFrame's values do not fit the declared types.
    """
    if isinstance(comments, pa.Table):
        return comments
    fields = [(column.name, column.dtype) for column in RESULT_COLUMNS if column.name in comments.columns]
    try:
        return pa.Table.from_pandas(comments, schema=pa.schema(fields), preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BadDataError(f"The DataFrame is no table of comments: {str(error).splitlines()[0]}.") from error


def column(table: pa.Table, wanted: Column) -> pa.Array:
    """Return a column in one chunk.

    :raises BadDataError: when the table lacks it.
    """
    if wanted.name not in table.column_names:
        raise BadDataError(f"The comments have no column '{wanted.name}'. They have: {', '.join(table.column_names)}.")
    values = table.column(wanted.name)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def strings(values: pa.Array) -> npt.NDArray[np.object_]:
    """Return a string array as NumPy objects, nulls as the empty string."""
    return np.asarray(pc.fill_null(values, "").to_numpy(zero_copy_only=False), dtype=object)


def driver_rows(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return the root causes, one row a comment, driver, cause and sign.

    Named twice in a comment, the mention with the higher score stays.

    :returns: columns row (position of the comment), driver, cause, sign, score, start, end; ordered by row, driver,
        cause and sign.
    """
    import pandas as pd

    lists = column(as_table(comments), DRIVER_SPANS)
    mentions = pc.list_flatten(lists)
    parents = pc.list_parent_indices(lists)
    frame = pd.DataFrame({"row": np.asarray(parents, dtype=np.int64)})
    for name in ("driver", "cause", "sign"):
        frame[name] = pd.Series(strings(mentions.field(name)), dtype="str")
    frame["score"] = np.asarray(mentions.field("score").to_numpy(zero_copy_only=False), dtype=np.float64)
    for name in ("start", "end"):
        frame[name] = np.asarray(mentions.field(name), dtype=np.int64)
    keys = ["row", "driver", "cause", "sign"]
    frame = frame.sort_values([*keys, "score", "start"], ascending=[True] * 4 + [False, True], kind="stable")
    return frame.drop_duplicates(keys).reset_index(drop=True)


def meta_values(comments: "pa.Table | pd.DataFrame", keys: Sequence[str]) -> "pd.DataFrame":
    """Return values of the dump's other columns, read from ``meta``.

    :param keys: names within the JSON object.
    :returns: one string column a key, one row a comment in order; missing where the comment has no (or an empty) value.
    """
    import pandas as pd

    table = as_table(comments)
    found: dict[str, list[str | None]] = {key: [] for key in keys}
    raw = table.column(META.name).to_pylist() if META.name in table.column_names else [None] * table.num_rows
    for text in raw:
        values = _parse_meta(text)
        for key in keys:
            found[key].append(_as_text(values.get(key)))
    return pd.DataFrame({key: pd.Series(values, dtype="str") for key, values in found.items()})


def _parse_meta(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip() or None


def nps_values(comments: "pa.Table | pd.DataFrame") -> npt.NDArray[np.float64]:
    """Return each comment's likelihood to recommend, 0 to 10; NaN where the dump has none or another number."""
    import pandas as pd

    values = pd.to_numeric(meta_values(comments, [NPS])[NPS], errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    inside = (values >= NPS_LOW) & (values <= NPS_HIGH)
    return np.where(inside, values, np.nan)


def marks(comments: "pa.Table | pd.DataFrame") -> dict[str, Bools]:
    """Return what each comment carries, as boolean arrays of one value a comment.

    :returns: ``policy-``, ``employee-``, ``policy+``, ``employee+`` (named at least once), ``complaint`` and ``praise``
        (either driver), ``other`` (product or external cause), ``negative`` and ``positive`` sentiment, ``churn`` and
        ``loyal``.
    """
    table = as_table(comments)
    rows = driver_rows(table)
    found: dict[str, Bools] = {}
    for driver in ("policy", "employee"):
        for sign in ("-", "+"):
            flags = np.zeros(table.num_rows, dtype=bool)
            flags[rows.loc[(rows["driver"] == driver) & (rows["sign"] == sign), "row"].to_numpy()] = True
            found[driver + sign] = flags
    found["complaint"] = found["policy-"] | found["employee-"]
    found["praise"] = found["policy+"] | found["employee+"]
    found["other"] = np.asarray(pc.greater(pc.fill_null(pc.list_value_length(column(table, OTHER_CAUSE_LIST)), 0), 0))
    for name, of in (("negative", SENTIMENT), ("positive", SENTIMENT), ("churn", INTENT), ("loyal", INTENT)):
        found[name] = strings(column(table, of)) == name
    return found
