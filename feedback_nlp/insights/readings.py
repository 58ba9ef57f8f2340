"""Journey stages, emotion, effort, resolution, intent and the pyramid."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import LANG, LANGS, PYRAMID, READINGS, STAGE, STAGES, Column
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.insights.intervals import wilson
from feedback_nlp.insights.table import as_table, column, marks, strings

if TYPE_CHECKING:
    import pandas as pd

READING_COLUMNS: dict[str, Column] = {each.name: each for each in READINGS if each.allowed is not None}
LEVELS = tuple(range(6))


def readings(comments: "pa.Table | pd.DataFrame", of: str) -> "pd.DataFrame":
    """Return how often each value of a reading was found.

    :param of: ``emotion``, ``effort``, ``resolved``, ``intent`` or ``stage``.
    :returns: columns value, comments, share (of the comments read), low, high and one count a language; values in
        declared order, those that never occur too.
    :raises ConfigError: when there is no such reading.
    """
    import pandas as pd

    if of not in READING_COLUMNS:
        raise ConfigError(f"'{of}' is no reading. Known: {', '.join(READING_COLUMNS)}.")
    table = as_table(comments)
    values, langs = strings(column(table, READING_COLUMNS[of])), strings(column(table, LANG))
    allowed = READING_COLUMNS[of].allowed or ()
    frame = pd.DataFrame({"value": allowed, "comments": [int((values == name).sum()) for name in allowed]})
    judged = int((values != "").sum())
    frame["share"] = frame["comments"] / max(judged, 1)
    frame["low"], frame["high"] = wilson(frame["comments"], np.full(len(frame), judged))
    for lang in LANGS:
        frame[lang] = [int(((values == name) & (langs == lang)).sum()) for name in allowed]
    return frame


def journey(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return the friction at each stage of the journey.

    :returns: columns stage, comments, negative, policy_complaint, employee_complaint, churn (counts), then share, low
        and high of the negative; in journey order, ``none`` last.
    """
    import pandas as pd

    table = as_table(comments)
    found = marks(table)
    values = strings(column(table, STAGE))
    counted = {
        "negative": "negative",
        "policy_complaint": "policy-",
        "employee_complaint": "employee-",
        "churn": "churn",
    }
    rows = []
    for stage in STAGES:
        here = values == stage
        rows.append([stage, int(here.sum()), *[int((here & found[mark]).sum()) for mark in counted.values()]])
    frame = pd.DataFrame(rows, columns=["stage", "comments", *counted])
    frame["share"] = frame["negative"] / frame["comments"].where(frame["comments"] > 0)
    frame["low"], frame["high"] = wilson(frame["negative"], frame["comments"])
    return frame


def stage_by_pyramid(comments: "pa.Table | pd.DataFrame") -> "pd.DataFrame":
    """Return comments by journey stage and level of the CX pyramid.

    :returns: columns stage, pyramid (0 to 5), comments, negative; every pair, in journey order.
    """
    import pandas as pd

    table = as_table(comments)
    stages = strings(column(table, STAGE))
    levels = np.asarray(pc.fill_null(column(table, PYRAMID).cast(pa.int32()), -1))
    negative = marks(table)["negative"]
    rows = []
    for stage in STAGES:
        for level in LEVELS:
            here = (stages == stage) & (levels == level)
            rows.append((stage, level, int(here.sum()), int((here & negative).sum())))
    return pd.DataFrame(rows, columns=["stage", "pyramid", "comments", "negative"])
