"""What the tables mean: pure functions from a table of comments to small tables.

Comments come as the Arrow table of a result (``core.columns.RESULT_COLUMNS``) or the same as a DataFrame; every
function returns a DataFrame in a fixed order. A share always comes with the 95 % Wilson interval, ``low`` and ``high``,
so a small number never looks like a finding.
"""

from feedback_nlp.insights.causes import (
    affected,
    attach_actions,
    co_occurrence,
    drivers_table,
    nps_by_cause,
    root_cause_split,
)
from feedback_nlp.insights.examples import worth_reading
from feedback_nlp.insights.groups import BREAKDOWN_MEASURES, breakdown, nps_by, tail_gap
from feedback_nlp.insights.intervals import mean_interval, sidak_z, wilson
from feedback_nlp.insights.overview import language_mix, overview, sentiment_by
from feedback_nlp.insights.readings import journey, readings, stage_by_pyramid
from feedback_nlp.insights.table import as_table, driver_rows, marks, meta_values, nps_values
from feedback_nlp.insights.topics import topic_table

__all__ = [
    "BREAKDOWN_MEASURES",
    "affected",
    "as_table",
    "attach_actions",
    "breakdown",
    "co_occurrence",
    "driver_rows",
    "drivers_table",
    "journey",
    "language_mix",
    "marks",
    "mean_interval",
    "meta_values",
    "nps_by",
    "nps_by_cause",
    "nps_values",
    "overview",
    "readings",
    "root_cause_split",
    "sentiment_by",
    "sidak_z",
    "stage_by_pyramid",
    "tail_gap",
    "topic_table",
    "wilson",
    "worth_reading",
]
