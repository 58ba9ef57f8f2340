"""Root causes: how many comments each affects, what goes with what, and what to do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.columns import INTENT, LANG, LANGS, ROOT_CAUSE, ROOT_CAUSES
from feedback_nlp.insights.examples import worth_reading
from feedback_nlp.insights.groups import nps_by
from feedback_nlp.insights.intervals import wilson
from feedback_nlp.insights.table import as_table, column, driver_rows, marks, nps_values, strings

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["driver", "cause", "sign"]
Actions = Mapping[str, Mapping[str, Any]]


def affected(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return how many comments name each driver, with either sign.

    :returns: columns driver, sign, comments, share, low, high; policy before employee, complaints before praise.
    """
    import pandas as pd

    table = as_table(comments)
    found = marks(table)
    rows = [(driver, sign, int(found[driver + sign].sum())) for sign in "-+" for driver in ("policy", "employee")]
    frame = pd.DataFrame(rows, columns=["driver", "sign", "comments"])
    frame["share"] = frame["comments"] / max(table.num_rows, 1)
    frame["low"], frame["high"] = wilson(frame["comments"], np.full(len(frame), table.num_rows))
    return frame


def root_cause_split(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return the comments by root cause as a whole.

    :returns: columns root_cause, comments, share, low, high; in declared order.
    """
    import pandas as pd

    values = strings(column(as_table(comments), ROOT_CAUSE))
    counts = [int((values == name).sum()) for name in ROOT_CAUSES]
    frame = pd.DataFrame({"root_cause": ROOT_CAUSES, "comments": counts})
    judged = sum(counts)
    frame["share"] = frame["comments"] / max(judged, 1)
    frame["low"], frame["high"] = wilson(frame["comments"], np.full(len(frame), judged))
    return frame


def drivers_table(comments: "pa.Table | pd.DataFrame", *, examples: int = 3) -> "pd.DataFrame":
    """Return every root cause found, with the comments it affects.

    :param examples: most example comments a row.
    :returns: columns driver, cause, sign, comments, share (of all comments), low, high, one count a language of LANGS,
        churn (comments that say the writer will leave), score (mean), example_rows and example_ids (lists); complaints
        first, then by falling comments, driver and cause.
    """
    import pandas as pd

    table = as_table(comments)
    rows = driver_rows(table)
    langs = strings(column(table, LANG))[rows["row"].to_numpy()]
    for lang in LANGS:
        rows[lang] = (langs == lang).astype(np.int64)
    rows["churn"] = (strings(column(table, INTENT))[rows["row"].to_numpy()] == "churn").astype(np.int64)
    grouped = rows.groupby(KEYS, sort=True)
    frame = grouped[[*LANGS, "churn"]].sum()
    frame.insert(0, "comments", grouped.size())
    frame["score"] = grouped["score"].mean()
    frame = frame.reset_index()
    frame["share"] = frame["comments"] / max(table.num_rows, 1)
    frame["low"], frame["high"] = wilson(frame["comments"], np.full(len(frame), table.num_rows))
    candidates = pd.DataFrame({"group": grouped.ngroup(), "row": rows["row"], "score": rows["score"]})
    chosen = worth_reading(table, candidates, count=examples).groupby("group", sort=True)
    for name, of in (("example_rows", "row"), ("example_ids", "comment_id")):
        lists = {group: list(part[of]) for group, part in chosen}
        frame[name] = pd.Series([lists.get(group, []) for group in range(len(frame))], dtype="object")
    frame["complaint"] = frame["sign"] == "-"
    frame = frame.sort_values(
        ["complaint", "comments", "driver", "cause"], ascending=[False, False, True, True], kind="stable"
    )
    order = [*KEYS, "comments", "share", "low", "high", *LANGS, "churn", "score", "example_rows", "example_ids"]
    return frame[order].reset_index(drop=True)


def attach_actions(causes: "pd.DataFrame", actions: Actions, lang: str) -> "pd.DataFrame":
    """Return a table of causes with their name, owner department and recommended action.

    :param causes: has a column cause.
    :param actions: cause -> ``name``, ``owner`` and ``action``, each a text by language code.
    :returns: the table with the columns name, owner and action; a cause unknown to ``actions`` keeps its code as name
        and has empty texts.
    """
    frame = causes.copy()
    entries = [actions.get(cause, {}) for cause in frame["cause"]]
    for field in ("name", "owner", "action"):
        frame[field] = [str(entry.get(field, {}).get(lang, "")) for entry in entries]
    frame["name"] = frame["name"].where(frame["name"] != "", frame["cause"])
    return frame


def nps_by_cause(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return likelihood to recommend among the comments that name each cause.

    :returns: columns driver, cause, sign, n, mean, low, high, promoters, detractors, score (see ``nps_by``) and gap,
        the mean less the mean of all answers; only causes with an answer, lowest mean first.
    """
    import pandas as pd

    table = as_table(comments)
    nps = nps_values(table)
    overall = nps_by(nps)["mean"]
    rows = driver_rows(table)
    found = [
        dict(zip(KEYS, key, strict=True)) | nps_by(nps[part["row"].to_numpy()])
        for key, part in rows.groupby(KEYS, sort=True)
    ]
    columns = [*KEYS, "n", "mean", "low", "high", "promoters", "detractors", "score"]
    frame = pd.DataFrame(found, columns=columns)
    frame = frame[frame["n"] > 0].astype({"n": "int64"})
    frame["gap"] = frame["mean"] - overall
    return frame.sort_values(["mean", *KEYS], kind="stable").reset_index(drop=True)


def co_occurrence(comments: "pa.Table | pd.DataFrame", *, sign: str = "-") -> "pd.DataFrame":
    """Return which policy causes and employee causes are named in the same comment.

    :param sign: ``-`` for complaints, ``+`` for praise.
    :returns: columns policy, employee, comments, expected (were the two independent) and lift (comments / expected);
        pairs that occur, by falling comments, then names.
    """
    table = as_table(comments)
    rows = driver_rows(table)
    rows = rows[rows["sign"] == sign]
    policy = rows.loc[rows["driver"] == "policy", ["row", "cause"]]
    employee = rows.loc[rows["driver"] == "employee", ["row", "cause"]]
    pairs = policy.merge(employee, on="row", suffixes=("_policy", "_employee"))
    frame = (
        pairs.groupby(["cause_policy", "cause_employee"], sort=True)
        .size()
        .rename("comments")
        .reset_index()
        .rename(columns={"cause_policy": "policy", "cause_employee": "employee"})
    )
    for name, part in (("policy", policy), ("employee", employee)):
        frame[f"{name}_size"] = frame[name].map(part["cause"].value_counts()).astype("float64")
    frame["expected"] = frame["policy_size"] * frame["employee_size"] / max(table.num_rows, 1)
    frame["lift"] = frame["comments"] / frame["expected"]
    order = ["comments", "policy", "employee"]
    frame = frame.sort_values(order, ascending=[False, True, True], kind="stable").reset_index(drop=True)
    return frame[["policy", "employee", "comments", "expected", "lift"]]
