"""What the report says, before any language or layout: tables of a run turned into rows for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp import insights
from feedback_nlp.core.columns import CREATED_AT, DRIVERS, TOPIC_ID
from feedback_nlp.core.decisions import NO_TOPIC
from feedback_nlp.report.levels import at_level
from feedback_nlp.report.quotes import Quote, quote
from feedback_nlp.rootcause.taxonomy import Taxonomy, open_taxonomy

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

PLACES = ("branch", "product", "channel", "employee")
MOST_GROUPS = 12
MOST_TOPICS = 40
_NO_RUN: Row = {
    "run_id": "",
    "version": "",
    "finished_at": "",
    "files": [],
    "stages": {},
    "models": [],
    "config": {},
    "config_fingerprint": "",
    "input_fingerprint": "",
}
_QUOTED = (
    "comment_id",
    "text",
    "lang",
    "lang_script",
    "redactions",
    "drivers",
    "sentiment",
    "sentiment_abstained",
    "source",
)


@dataclass(frozen=True)
class ReportInput:
    """What a report is made from.

    :param comments: result table, the columns of ``core.columns.RESULT_COLUMNS``.
    :param run: the run's summary. Known keys, all optional: run_id, version, finished_at (RFC 3339), files (a list with
        name, format, encoding, rows_in, accepted, rejected, dates_unread), stages (seconds of CPU time by stage),
        models (a list with name, version, fingerprint), config (nested settings), config_fingerprint and
        input_fingerprint.
    :param topics: table of topics: topic_id, label_xx and keywords_xx by language, status; None where the run has none.
    :param rejects: table of rejected rows: file and reason.
    :param taxonomy: names, owners and actions of the causes; the shipped one where not given.
    :param topic_level: one of ``levels.LEVELS``: what the section on topics shows.
    """

    comments: pa.Table
    run: Mapping[str, Any]
    topics: pa.Table | None = None
    rejects: pa.Table | None = None
    taxonomy: Taxonomy = field(default_factory=open_taxonomy)
    topic_level: str = "topic"


@dataclass(frozen=True)
class Place:
    """One comparison of groups.

    :param by: the key the groups come from.
    :param rows: the groups shown.
    :param groups: how many there are in all.
    :param flagged: rows called high or low in complaints about either driver.
    :param gap: the row of ``insights.tail_gap``, or None.
    """

    by: str
    rows: list[Row]
    groups: int
    flagged: list[Row]
    gap: Row | None


@dataclass(frozen=True)
class Content:
    """Everything the templates show; rows are dictionaries named as in ``insights``."""

    run: Mapping[str, Any]
    taxonomy: Taxonomy
    period: tuple[str, str] | None
    counts: dict[str, Row]
    affected: dict[str, Row]
    causes: list[Row]
    together: list[Row]
    languages: list[Row]
    sentiment: list[Row]
    places: list[Place]
    topics: list[Row]
    topic_names: dict[int, Row]
    topics_in_all: int
    without_topic: int
    journey: list[Row]
    heat: dict[tuple[str, int], Row]
    readings: dict[str, list[Row]]
    nps: Row
    nps_causes: list[Row]
    churn: Row
    files: list[Row]

    @property
    def comments(self) -> int:
        """Number of comments read."""
        return int(self.counts["all"]["comments"])

    @property
    def rejected(self) -> int:
        """Number of rows rejected."""
        return sum(int(row["rejected"]) for row in self.files)


def _records(frame: "pd.DataFrame") -> list[Row]:
    return frame.to_dict("records")  # type: ignore[return-value]


def _by_name(frame: "pd.DataFrame", name: str) -> dict[str, Row]:
    return {row[name]: row for row in _records(frame)}


def _quotes(comments: pa.Table, rows: Sequence[int], only: tuple[str, str, str] | None = None) -> list[Quote]:
    picked = comments.select(list(_QUOTED)).take(pa.array(rows, pa.int64()))
    return [quote(row, only=only) for row in picked.to_pylist()]


def _causes(comments: pa.Table) -> list[Row]:
    rows = _records(insights.drivers_table(comments))
    for row in rows:
        row["quotes"] = _quotes(comments, row["example_rows"], (row["driver"], row["cause"], row["sign"]))
    return rows


def _topics(comments: pa.Table, topics: pa.Table | None, level: str, most: int | None) -> list[Row]:
    groups, known = at_level(comments, topics, level)
    rows = [row for row in _records(insights.topic_table(comments, groups=groups)) if row["topic_id"] != NO_TOPIC]
    for row in rows[:most]:
        row["about"] = known.get(row["topic_id"], {})
        row["quotes"] = _quotes(comments, row["example_rows"])
    return rows


def _topic_names(topics: pa.Table | None) -> dict[int, Row]:
    return {} if topics is None else {row["topic_id"]: row for row in topics.to_pylist()}


def _without_topic(comments: pa.Table) -> int:
    return int(pc.sum(pc.less(pc.fill_null(comments.column(TOPIC_ID.name), NO_TOPIC), 0)).as_py() or 0)


def _place(comments: pa.Table, by: str, most: int | None) -> Place | None:
    frame = insights.breakdown(comments, by)
    # A key with (nearly) a value a comment is an id, and no comparison of one group with itself says anything.
    if not 2 <= len(frame) <= max(comments.num_rows // 2, 2):
        return None
    flags = frame["policy_complaint_flag"].ne("") | frame["employee_complaint_flag"].ne("")
    shown = frame if most is None else frame[(np.arange(len(frame)) < most) | flags]
    gap = _records(insights.tail_gap(frame, "employee_complaint"))
    return Place(by, _records(shown), len(frame), _records(frame[flags]), gap[0] if gap else None)


def _period(comments: pa.Table) -> tuple[str, str] | None:
    ends = pc.min_max(comments.column(CREATED_AT.name)).as_py()
    return None if ends["min"] is None else (f"{ends['min']:%Y-%m-%d}", f"{ends['max']:%Y-%m-%d}")


def _files(run: Mapping[str, Any], rejects: pa.Table | None) -> list[Row]:
    reasons: dict[str, dict[str, int]] = {}
    if rejects is not None:
        for file, reason in zip(rejects.column("file").to_pylist(), rejects.column("reason").to_pylist(), strict=True):
            counted = reasons.setdefault(file, {})
            counted[reason] = counted.get(reason, 0) + 1
    blank = {"format": "", "encoding": None, "rows_in": 0, "accepted": 0, "rejected": 0, "dates_unread": 0}
    rows = [{**blank, **file} for file in run.get("files", ())]
    for row in rows:
        row["reasons"] = sorted(reasons.get(row["name"], {}).items(), key=lambda item: (-item[1], item[0]))
    return rows


def _affected(comments: pa.Table) -> dict[str, Row]:
    return {row["driver"] + row["sign"]: row for row in _records(insights.affected(comments))}


def _churn(comments: pa.Table) -> Row:
    found = insights.marks(comments)
    return {driver: int((found["churn"] & found[f"{driver}-"]).sum()) for driver in DRIVERS}


def gather(given: ReportInput, *, whole: bool = False) -> Content:
    """Compute everything a report shows.

    :param whole: whether all topics and groups are there, or the largest.
    """
    comments = given.comments
    most_topics, most_groups = (None, None) if whole else (MOST_TOPICS, MOST_GROUPS)
    topics = _topics(comments, given.topics, given.topic_level, most_topics)
    counts = _by_name(insights.overview(comments), "measure")
    return Content(
        run={**_NO_RUN, **given.run},
        taxonomy=given.taxonomy,
        period=_period(comments),
        counts=counts,
        affected=_affected(comments),
        causes=_causes(comments),
        together=_records(insights.co_occurrence(comments)),
        languages=_records(insights.language_mix(comments)),
        sentiment=_records(insights.sentiment_by(comments, "lang")),
        places=[place for place in (_place(comments, by, most_groups) for by in PLACES) if place is not None],
        topics=topics[:most_topics],
        topic_names=_topic_names(given.topics),
        topics_in_all=len(topics),
        without_topic=_without_topic(comments),
        journey=[row for row in _records(insights.journey(comments)) if row["comments"]],
        heat={(row["stage"], row["pyramid"]): row for row in _records(insights.stage_by_pyramid(comments))},
        readings={of: _records(insights.readings(comments, of)) for of in ("emotion", "effort", "resolved", "intent")},
        nps=insights.nps_by(insights.nps_values(comments)),
        nps_causes=_records(insights.nps_by_cause(comments)),
        churn=_churn(comments),
        files=_files(given.run, given.rejects),
    )
