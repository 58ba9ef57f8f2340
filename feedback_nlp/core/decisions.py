"""What analysts decided about topics and comments, as a value, and how a table of results honours it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from feedback_nlp.core.columns import (
    COMMENT_ID,
    DRIVER_SPANS,
    OTHER_CAUSE_LIST,
    ROOT_CAUSE,
    SENTIMENT,
    SENTIMENT_ABSTAINED,
    SENTIMENT_SCORE,
    SUBTOPIC_ID,
    TEXT,
    TOPIC_ID,
    TOPIC_SCORE,
    TOPICS_ALSO,
    Column,
)

NO_TOPIC = -1
FIRST_SPLIT = 1_000_000
"""Topics that analysts split off are numbered from here, so that no run ever gives one of theirs to another topic."""

_DRIVER_KEY = ("driver", "cause", "sign", "start", "end")

Driver = Mapping[str, Any]


@dataclass(frozen=True)
class TopicState:
    """What stands decided about one topic.

    :param into: the topic it was merged into, or, for a split that was undone, the one it came from; None otherwise.
    :param gone: whether it is a split that was undone.
    :param hidden: left out of reports.
    :param locked: keeps its core, name and number.
    :param labels: names given to it, by language.
    :param split_from: the topic it was split off, None for a topic that a run found.
    :param assigned: who follows it up: ``to``, ``due``, ``state``; None where nobody does.
    """

    into: int | None = None
    gone: bool = False
    hidden: bool = False
    locked: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    split_from: int | None = None
    assigned: Mapping[str, str] | None = None


@dataclass(frozen=True)
class CommentState:
    """What stands decided about one comment.

    :param topic_id: the topic it was put into, -1 for none; None where it was never moved.
    :param sentiment: its sentiment, None where it was not corrected.
    :param drivers: corrections of its drivers in order, each with ``before`` and ``after``, one of which may be None.
    :param text: key of the text that sentiment and drivers were corrected for; see :func:`text_key`.
    :param assigned: as for topics.
    """

    topic_id: int | None = None
    sentiment: str | None = None
    drivers: tuple[Mapping[str, Driver | None], ...] = ()
    text: str | None = None
    assigned: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Decided:
    """Everything that stands decided.

    :param topics: by topic id; topics nobody decided on are missing.
    :param comments: by comment id, likewise.
    """

    topics: Mapping[int, TopicState] = field(default_factory=dict)
    comments: Mapping[str, CommentState] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.topics or self.comments)

    def root(self, topic_id: int) -> int:
        """Return the topic that a topic's comments belong to after all merges."""
        seen = {topic_id}
        while (state := self.topics.get(topic_id)) is not None and state.into is not None and state.into not in seen:
            topic_id = state.into
            seen.add(topic_id)
        return topic_id

    def roots(self) -> dict[int, int]:
        """Return the final topic of every topic that was merged away, or split off and undone."""
        return {topic: self.root(topic) for topic, state in self.topics.items() if state.into is not None}

    def splits(self) -> list[int]:
        """Return the topics that analysts split off and that stand by themselves, in order."""
        return sorted(
            topic for topic, state in self.topics.items() if state.split_from is not None and state.into is None
        )

    def placed(self) -> dict[str, int]:
        """Return the topic of every comment that was moved or split off, merges followed."""
        return {
            comment: self.root(state.topic_id) for comment, state in self.comments.items() if state.topic_id is not None
        }

    def fingerprint(self) -> str:
        """Return the sha256 of all that bears on a run's result; empty where nothing does."""
        topics = {str(topic): asdict(state) | {"assigned": None} for topic, state in self.topics.items()}
        comments = {comment: asdict(state) | {"assigned": None} for comment, state in self.comments.items()}
        nothing = asdict(TopicState()), asdict(CommentState())
        topics = {topic: state for topic, state in topics.items() if state != nothing[0]}
        comments = {comment: state for comment, state in comments.items() if state != nothing[1]}
        if not topics and not comments:
            return ""
        text = json.dumps([topics, comments], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


NOTHING = Decided()


def text_key(text: str) -> str:
    """Return 16 hexadecimal digits that tell one text from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def same_driver(one: Driver, other: Driver) -> bool:
    """Tell whether two entries name the same driver, cause and sign with the same evidence."""
    return all(one[key] == other[key] for key in _DRIVER_KEY)


def corrected_drivers(
    drivers: Sequence[Driver] | None, corrections: Sequence[Mapping[str, Driver | None]]
) -> list[dict[str, Any]]:
    """Return drivers with corrections carried out in order; one that removes what is not there changes nothing."""
    found = [dict(driver) for driver in drivers or ()]
    for correction in corrections:
        before, after = correction["before"], correction["after"]
        found = [driver for driver in found if before is None or not same_driver(driver, before)]
        if after is not None and not any(same_driver(driver, after) for driver in found):
            found.append({"score": 1.0, **after})
            found.sort(key=lambda driver: (driver["start"], driver["end"]))
    return found


def whole_cause(drivers: Sequence[Driver], others: Sequence[str]) -> str:
    """Name the cause of a comment as a whole: complaints before praise, drivers before other causes.

    :param drivers: rows of the column ``drivers``.
    :param others: other causes.
    :returns: one of ``ROOT_CAUSES``.
    """
    for sign in "-+":
        named = {driver["driver"] for driver in drivers if driver["sign"] == sign}
        if named:
            return "both" if len(named) > 1 else str(next(iter(named)))
    return "other" if others else "none"


def honoured(table: pa.Table, decided: Decided) -> pa.Table:
    """Return a table of comments as analysts decided: topics, sentiment, drivers and root cause.

    Only the columns it has are touched; ``comment_id`` is needed for decisions on comments, ``text`` for corrections.
    A comment that analysts placed or corrected carries the score 1.

    :param table: comments as the machine judged them.
    """
    if not decided or not table.num_rows:
        return table
    rows = _decided_rows(table, decided)
    table = _with_topics(table, decided, rows)
    rows = _with_text_unchanged(table, rows)
    return _with_drivers(_with_sentiment(table, rows), rows) if rows else table


Rows = dict[int, CommentState]


def _decided_rows(table: pa.Table, decided: Decided) -> Rows:
    if not decided.comments or COMMENT_ID.name not in table.column_names:
        return {}
    ids = table.column(COMMENT_ID.name).to_pylist()
    return {row: decided.comments[comment] for row, comment in enumerate(ids) if comment in decided.comments}


def _with_topics(table: pa.Table, decided: Decided, rows: Rows) -> pa.Table:
    placed = {row: decided.root(state.topic_id) for row, state in rows.items() if state.topic_id is not None}
    if TOPIC_ID.name in table.column_names:
        roots = decided.roots()
        topics = [roots.get(topic, topic) for topic in table.column(TOPIC_ID.name).to_pylist()]
        table = _without_subtopic(table, [row for row, topic in placed.items() if topics[row] != topic])
        for row, topic in placed.items():
            topics[row] = topic
        table = _replacing(table, TOPIC_ID, topics)
    if placed and TOPIC_SCORE.name in table.column_names:
        scores = table.column(TOPIC_SCORE.name).to_pylist()
        for row, topic in placed.items():
            scores[row] = 0.0 if topic == NO_TOPIC else 1.0
        table = _replacing(table, TOPIC_SCORE, scores)
    return _with_further_topics(table, decided) if TOPICS_ALSO.name in table.column_names else table


def _without_subtopic(table: pa.Table, rows: list[int]) -> pa.Table:
    """Take the sub-topic off comments that were put into another topic."""
    if not rows or SUBTOPIC_ID.name not in table.column_names:
        return table
    subtopics = table.column(SUBTOPIC_ID.name).to_pylist()
    for row in rows:
        subtopics[row] = None
    return _replacing(table, SUBTOPIC_ID, subtopics)


def _with_further_topics(table: pa.Table, decided: Decided) -> pa.Table:
    """Follow merges in the further topics; each stands once, and not beside itself as the comment's topic."""
    roots = decided.roots()
    also = table.column(TOPICS_ALSO.name).to_pylist()
    first = table.column(TOPIC_ID.name).to_pylist() if TOPIC_ID.name in table.column_names else [None] * len(also)
    followed = [each and list(dict.fromkeys(roots.get(topic, topic) for topic in each)) for each in also]
    apart = [each and [topic for topic in each if topic != own] for each, own in zip(followed, first, strict=True)]
    return table if apart == also else _replacing(table, TOPICS_ALSO, apart)


def _with_text_unchanged(table: pa.Table, rows: Rows) -> Rows:
    """Keep the corrections that were made for the text that stands in the table."""
    rows = {row: state for row, state in rows.items() if state.text is not None}
    if not rows or TEXT.name not in table.column_names:
        return {}
    texts = table.column(TEXT.name)
    return {row: state for row, state in rows.items() if text_key(texts[row].as_py()) == state.text}


def _with_sentiment(table: pa.Table, rows: Rows) -> pa.Table:
    found = {row: state.sentiment for row, state in rows.items() if state.sentiment is not None}
    sure = ((SENTIMENT, None), (SENTIMENT_SCORE, 1.0), (SENTIMENT_ABSTAINED, False))
    for column, value in sure if found else ():
        if column.name in table.column_names:
            values = table.column(column.name).to_pylist()
            for row, sentiment in found.items():
                values[row] = sentiment if value is None else value
            table = _replacing(table, column, values)
    return table


def _with_drivers(table: pa.Table, rows: Rows) -> pa.Table:
    found = {row: state.drivers for row, state in rows.items() if state.drivers}
    if not found or DRIVER_SPANS.name not in table.column_names:
        return table
    drivers = table.column(DRIVER_SPANS.name).to_pylist()
    for row, corrections in found.items():
        drivers[row] = corrected_drivers(drivers[row], corrections)
    table = _replacing(table, DRIVER_SPANS, drivers)
    if ROOT_CAUSE.name in table.column_names and OTHER_CAUSE_LIST.name in table.column_names:
        causes, others = table.column(ROOT_CAUSE.name).to_pylist(), table.column(OTHER_CAUSE_LIST.name)
        for row in found:
            causes[row] = whole_cause(drivers[row], others[row].as_py() or ())
        table = _replacing(table, ROOT_CAUSE, causes)
    return table


def _replacing(table: pa.Table, column: Column, values: pa.Array | list[Any]) -> pa.Table:
    array = values if isinstance(values, pa.Array) else pa.array(values, column.dtype)
    at = table.column_names.index(column.name)
    return table.set_column(at, table.schema.field(at), array)
