"""Choosing comments worth reading: short, confident, diverse in language, the same ones every time."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import COMMENT_ID, LANG, TEXT
from feedback_nlp.insights.table import as_table, column, strings

if TYPE_CHECKING:
    import pandas as pd

GOOD_LENGTHS = (25, 160)
_PER_CHARACTER = 1 / 400


def worth_reading(comments: "pa.Table | pd.DataFrame", candidates: "pd.DataFrame", *, count: int = 3) -> "pd.DataFrame":
    """Choose a few comments for each group.

    Comments of a readable length with a high score come first; languages take turns, so a group's examples speak as
    many languages as the group does; the same words are shown once.

    :param candidates: columns group, row (position of a comment) and score.
    :param count: most examples a group.
    :returns: columns group, rank (from 0), row, comment_id, lang; ordered by group and rank.
    """
    table = as_table(comments)
    frame = candidates[["group", "row", "score"]].copy()
    rows = frame["row"].to_numpy(dtype=np.int64)
    text = pc.take(column(table, TEXT), pa.array(rows))
    frame["comment_id"] = strings(pc.take(column(table, COMMENT_ID), pa.array(rows)))
    frame["lang"] = strings(pc.take(column(table, LANG), pa.array(rows)))
    frame["words"] = strings(pc.utf8_trim_whitespace(pc.utf8_lower(text)))
    length = np.asarray(pc.utf8_length(text), dtype=np.float64)
    short, long = GOOD_LENGTHS
    excess = np.maximum(short - length, 0) * 8 + np.maximum(length - long, 0)
    frame["quality"] = frame["score"].fillna(0.0) - excess * _PER_CHARACTER
    best_first = [False, True]
    frame = frame.sort_values(["group", "quality", "comment_id"], ascending=[True, *best_first], kind="stable")
    frame = frame.drop_duplicates(["group", "words"])
    frame["turn"] = frame.groupby(["group", "lang"], sort=False).cumcount()
    order = ["group", "turn", "quality", "comment_id"]
    frame = frame.sort_values(order, ascending=[True, True, *best_first], kind="stable")
    frame["rank"] = frame.groupby("group", sort=False).cumcount()
    return frame.loc[frame["rank"] < count, ["group", "rank", "row", "comment_id", "lang"]].reset_index(drop=True)
