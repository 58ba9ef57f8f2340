"""Topics: size, languages, sentiment, root causes and examples of each."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import LANG, LANGS, SENTIMENT, SENTIMENTS, TOPIC_ID, TOPIC_SCORE
from feedback_nlp.insights.examples import worth_reading
from feedback_nlp.insights.intervals import wilson
from feedback_nlp.insights.table import as_table, column, marks, strings

if TYPE_CHECKING:
    import pandas as pd

NO_TOPIC = -1


def topic_table(
    comments: "pa.Table | pd.DataFrame",
    *,
    examples: int = 3,
    groups: "np.ndarray[Any, np.dtype[np.int64]] | None" = None,
) -> "pd.DataFrame":
    """Return every topic that has comments.

    :param examples: most example comments a topic.
    :param groups: int64 array (comments,), what stands in place of each comment's topic (a theme, say), -1 for none.
    :returns: columns topic_id, comments, share (of all comments), one count a language, one count a sentiment, judged,
        policy_complaint, employee_complaint, praise (counts), negative_share, low, high (of the judged), example_rows
        and example_ids (lists); by falling comments, then id, comments without a topic (-1) last.
    """
    import pandas as pd

    table = as_table(comments)
    ids = np.asarray(pc.fill_null(column(table, TOPIC_ID), NO_TOPIC), dtype=np.int64) if groups is None else groups
    found, lang, sentiment = marks(table), strings(column(table, LANG)), strings(column(table, SENTIMENT))
    flags = pd.DataFrame({"topic_id": ids, "comments": 1})
    for name in LANGS:
        flags[name] = lang == name
    for name in SENTIMENTS:
        flags[name] = sentiment == name
    flags["judged"] = sentiment != ""
    for name, mark in (("policy_complaint", "policy-"), ("employee_complaint", "employee-"), ("praise", "praise")):
        flags[name] = found[mark]
    frame = flags.groupby("topic_id", sort=True).sum().astype("int64").reset_index()
    frame.insert(2, "share", frame["comments"] / max(table.num_rows, 1))
    frame["negative_share"] = frame["negative"] / frame["judged"].where(frame["judged"] > 0)
    frame["low"], frame["high"] = wilson(frame["negative"], frame["judged"])
    scores = np.asarray(pc.fill_null(column(table, TOPIC_SCORE), 0.0), dtype=np.float64)
    candidates = pd.DataFrame({"group": ids, "row": np.arange(len(ids)), "score": scores})
    chosen = worth_reading(table, candidates[candidates["group"] != NO_TOPIC], count=examples).groupby(
        "group", sort=True
    )
    for name, of in (("example_rows", "row"), ("example_ids", "comment_id")):
        lists = {group: list(part[of]) for group, part in chosen}
        frame[name] = pd.Series([lists.get(group, []) for group in frame["topic_id"]], dtype="object")
    frame["none"] = frame["topic_id"] == NO_TOPIC
    frame = frame.sort_values(["none", "comments", "topic_id"], ascending=[True, False, True], kind="stable")
    return frame.drop(columns="none").reset_index(drop=True)
