"""The whole table at a glance: counts, language mix, sentiment by group."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import (
    LANG,
    LANG_SCRIPT,
    LANGS,
    PROBLEMS,
    REDACTIONS,
    SCRIPTS,
    SENTIMENT,
    SENTIMENT_ABSTAINED,
    SENTIMENTS,
)
from feedback_nlp.insights.groups import group_values
from feedback_nlp.insights.intervals import wilson
from feedback_nlp.insights.table import Bools, as_table, column, marks, strings

if TYPE_CHECKING:
    import pandas as pd


def shares(counts: Mapping[str, int], of: Mapping[str, int], label: str) -> "pd.DataFrame":
    """Return counts with their shares: columns ``label``, comments, of, share, low, high."""
    import pandas as pd

    frame = pd.DataFrame({label: list(counts), "comments": list(counts.values()), "of": [of[name] for name in counts]})
    frame["share"] = frame["comments"] / frame["of"].where(frame["of"] > 0)
    frame["low"], frame["high"] = wilson(frame["comments"], frame["of"])
    return frame


def overview(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return the headline counts.

    :returns: columns measure, comments, of, share, low, high. Sentiments are of the ``judged``; ``abstained`` too; all
        other measures are of all comments. ``complaint`` and ``praise`` name policy or employee behaviour;
        ``policy_only``, ``employee_only`` and ``both`` split the complaints, with ``_praise`` behind them the praise.
    """
    table = as_table(comments)
    found = marks(table)
    sentiment = strings(column(table, SENTIMENT))
    judged = sentiment != ""
    flags: dict[str, Bools] = {"all": np.ones(table.num_rows, dtype=bool), "judged": judged}
    for name in SENTIMENTS:
        flags[name] = sentiment == name
    flags["abstained"] = np.asarray(pc.fill_null(column(table, SENTIMENT_ABSTAINED), False)) & judged
    for family, sign, suffix in (("complaint", "-", ""), ("praise", "+", "_praise")):
        policy, employee = found["policy" + sign], found["employee" + sign]
        flags[family] = found[family]
        flags["policy_only" + suffix] = policy & ~employee
        flags["employee_only" + suffix] = employee & ~policy
        flags["both" + suffix] = policy & employee
    flags["other_only"] = found["other"] & ~found["complaint"] & ~found["praise"]
    flags["no_cause"] = ~found["other"] & ~found["complaint"] & ~found["praise"]
    flags["churn"], flags["loyal"] = found["churn"], found["loyal"]
    for name, lists in (("redacted", REDACTIONS), ("problems", PROBLEMS)):
        lengths = pc.fill_null(pc.list_value_length(column(table, lists)), 0)
        flags[name] = np.asarray(pc.greater(lengths, 0))
    counts = {name: int(flag.sum()) for name, flag in flags.items()}
    of_judged = {*SENTIMENTS, "abstained"}
    return shares(counts, {name: counts["judged" if name in of_judged else "all"] for name in counts}, "measure")


def language_mix(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return how many comments stand in each language and script.

    :returns: columns lang, script, comments, share; pairs that occur, in the order of the declarations.
    """
    import pandas as pd

    table = as_table(comments)
    lang, script = strings(column(table, LANG)), strings(column(table, LANG_SCRIPT))
    pairs = [(one, other, int(((lang == one) & (script == other)).sum())) for one in LANGS for other in SCRIPTS]
    frame = pd.DataFrame([pair for pair in pairs if pair[2]], columns=["lang", "script", "comments"])
    frame["share"] = frame["comments"] / max(table.num_rows, 1)
    return frame


def sentiment_by(comments: "pa.Table | pd.DataFrame", by: str = "lang") -> "pd.DataFrame":
    """Return the sentiment of each group.

    :param by: a string column of the table, or a key of ``meta``.
    :returns: columns group, comments, judged, abstained, negative, neutral, positive, mixed (counts), then share, low
        and high of the negative among the judged; ordered by falling comments, then group.
    """
    import pandas as pd

    table = as_table(comments)
    sentiment = strings(column(table, SENTIMENT))
    values = pd.DataFrame({"group": group_values(table, by), "judged": sentiment != ""})
    values["abstained"] = np.asarray(pc.fill_null(column(table, SENTIMENT_ABSTAINED), False)) & (sentiment != "")
    for name in SENTIMENTS:
        values[name] = sentiment == name
    grouped = values.groupby("group", sort=True, observed=True)
    frame = grouped.sum().astype("int64")
    frame.insert(0, "comments", grouped.size())
    frame = frame.reset_index().sort_values(["comments", "group"], ascending=[False, True], kind="stable")
    frame["share"] = frame["negative"] / frame["judged"].where(frame["judged"] > 0)
    frame["low"], frame["high"] = wilson(frame["negative"], frame["judged"])
    return frame.reset_index(drop=True)
