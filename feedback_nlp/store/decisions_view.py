"""How readers see a run's comments and topics through what stands decided, in SQL that keeps to the indexes."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, or_, select

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
from feedback_nlp.core.decidedtopics import decided_topics
from feedback_nlp.core.decisions import FIRST_SPLIT, NOTHING, Decided, honoured
from feedback_nlp.store.decisions_overlay import stored, stored_topics
from feedback_nlp.store.records import read_records
from feedback_nlp.store.rows import from_values
from feedback_nlp.store.runs import current_number
from feedback_nlp.store.schema import COMMENT_STATES, COMMENTS, DECISION_SUBJECTS, TOPIC_STATES, TOPICS

_ALL_AT_ONCE = 2000
_BLOCK = 500


def overlaid() -> FromClause:
    """Return the comments joined with what stands decided about them; for use with :func:`decided_topic`."""
    found = func.coalesce(COMMENT_STATES.c.topic_id, COMMENTS.c.topic_id)
    comments = COMMENTS.outerjoin(COMMENT_STATES, COMMENT_STATES.c.comment_id == COMMENTS.c.comment_id)
    return comments.outerjoin(TOPIC_STATES, TOPIC_STATES.c.topic_id == found)


def decided_topic() -> ColumnElement[int]:
    """Return the SQL expression of a comment's topic as decided, over :func:`overlaid`."""
    return func.coalesce(TOPIC_STATES.c.root, COMMENT_STATES.c.topic_id, COMMENTS.c.topic_id)


def in_topic(connection: Connection, topic_id: int) -> ColumnElement[bool]:
    """Return the condition that a row of ``comments`` belongs to a topic as decided.

    :param topic_id: -1 for comments without a topic; a topic that was merged away has no comments.
    """
    roots = Decided(stored_topics(connection)).roots()
    found = [topic for topic, root in roots.items() if root == topic_id]
    found += [topic_id] if topic_id not in roots else []
    state = select(COMMENT_STATES.c.comment_id)
    placed, here = (
        state.where(COMMENT_STATES.c.topic_id.is_not(None)),
        state.where(COMMENT_STATES.c.topic_id.in_(found)),
    )
    return or_(
        and_(COMMENTS.c.topic_id.in_(found), COMMENTS.c.comment_id.not_in(placed)), COMMENTS.c.comment_id.in_(here)
    )


def topic_counts(connection: Connection, run: int) -> dict[int, int]:
    """Return the number of a run's comments by topic as decided, -1 for those without; in order of topic."""
    topics = stored_topics(connection)
    decided = Decided(topics)
    counts: dict[int, int] = {}

    def add(topic: int | None, count: int) -> None:
        if topic is not None:
            root = decided.root(topic)
            counts[root] = counts.get(root, 0) + count

    here = COMMENTS.c.run == run
    query = select(COMMENTS.c.topic_id, func.count()).where(here).group_by(COMMENTS.c.topic_id)
    for topic, count in connection.execute(query):
        add(topic, count)
    for (found, _, placed), count in _moved(connection, run).items():
        add(found, -count)
        add(placed, count)
    return {topic: count for topic, count in sorted(counts.items()) if count}


def _subtopic_counts(connection: Connection, run: int, found: pa.Table, decided: Decided) -> dict[int, int]:
    """Return the number of a run's comments by sub-topic as decided: those put into another topic have none."""
    counts = {part["subtopic_id"]: part["size"] for part in _parts(found)}
    for (topic, subtopic, placed), count in _moved(connection, run).items():
        if topic is not None and subtopic in counts and decided.root(topic) != decided.root(placed):
            counts[subtopic] -= count
    return counts


def _parts(topics: pa.Table) -> list[dict[str, Any]]:
    if "subtopics" not in topics.column_names:
        return []
    return pc.list_flatten(topics.column("subtopics")).to_pylist()  # type: ignore[no-any-return]


def _moved(connection: Connection, run: int) -> dict[tuple[int | None, int | None, int], int]:
    """Count placed comments by the topic and sub-topic that the run gave them and the topic they were put into."""
    query = select(COMMENT_STATES.c.comment_id, COMMENT_STATES.c.topic_id)
    placed = {row[0]: row[1] for row in connection.execute(query.where(COMMENT_STATES.c.topic_id.is_not(None)))}
    ids, counts = list(placed), Counter[tuple[int | None, int | None, int]]()
    columns = (COMMENTS.c.comment_id, COMMENTS.c.topic_id, COMMENTS.c.subtopic_id)
    # By blocks of ids, as a join may be carried out from the wrong end, over all comments of the run.
    for start in range(0, len(ids), _BLOCK):
        block = COMMENTS.c.comment_id.in_(ids[start : start + _BLOCK])
        for comment, found, subtopic in connection.execute(select(*columns).where(COMMENTS.c.run == run, block)):
            counts[found, subtopic, placed[comment]] += 1
    return dict(counts)


def labels_of_topics(connection: Connection, run: int) -> list[dict[str, Any]]:
    """Return a run's topics as decided, one dictionary each, without counting their comments."""
    return decided_topics(read_records(connection, TOPICS, run), stored(connection), {}).to_pylist()  # type: ignore[no-any-return]


def topics_of(connection: Connection, run: int) -> pa.Table:
    """Return a run's topics as decided; see :func:`feedback_nlp.core.decidedtopics.decided_topics`."""
    found, decided = read_records(connection, TOPICS, run), stored(connection)
    if not decided:
        return decided_topics(found, decided, {})
    langs = {topic: _languages(connection, run, topic) for topic in _changed(connection, run, decided)}
    subtopics = _subtopic_counts(connection, run, found, decided)
    return decided_topics(found, decided, topic_counts(connection, run), langs, subtopics)


def _changed(connection: Connection, run: int, decided: Decided) -> list[int]:
    """Return the topics that hold other comments than the run gave them."""
    changed = set(decided.roots().values()) | set(decided.splits())
    for topic, _, placed in _moved(connection, run):
        changed |= {decided.root(each) for each in (topic, placed) if each is not None}
    return sorted(changed)


def _languages(connection: Connection, run: int, topic_id: int) -> dict[str, int]:
    query = select(COMMENTS.c.lang, func.count()).where(COMMENTS.c.run == run, in_topic(connection, topic_id))
    return {lang: count for lang, count in connection.execute(query.group_by(COMMENTS.c.lang)) if lang is not None}


def first_free(connection: Connection) -> int:
    """Return a number above every topic and sub-topic of the current run and every topic decided on, splits aside."""
    run = current_number(connection)
    found = pa.table({}) if run is None else read_records(connection, TOPICS, run)
    ids = found.column("topic_id").to_pylist() if "topic_id" in found.column_names else []
    ids += [part["subtopic_id"] for part in _parts(found)]
    touched = select(func.max(DECISION_SUBJECTS.c.topic_id)).where(DECISION_SUBJECTS.c.topic_id < FIRST_SPLIT)
    ids.append(connection.execute(touched).scalar_one())
    return 1 + max((topic for topic in ids if topic is not None and topic < FIRST_SPLIT), default=-1)


class Seen:
    """How one reader sees a run's comments.

    :param connection: the reader's.
    :param run: the run's number.
    :param decided: as analysts decided; False shows what the machine found.
    """

    def __init__(self, connection: Connection, run: int, *, decided: bool) -> None:
        self._connection = connection
        self._run = run
        self._decided = stored(connection) if decided else NOTHING

    def columns(self, chosen: Sequence[Column]) -> list[Column]:
        """Return the columns that must be read to show the chosen ones: these, and those that decisions hang on."""
        names = {column.name for column in chosen}
        needed = list(chosen)
        if self._decided:
            bearing = [COMMENT_ID, TEXT, TOPIC_ID, *_DECIDED] if self._decided.comments else [TOPIC_ID]
            needed += [column for column in bearing if column.name not in names and _bears_on(column, names)]
        return needed

    def table(self, comments: pa.Table) -> pa.Table:
        """Return comments as decided."""
        return honoured(comments, self._decided)

    def where(self, name: str, value: object) -> ColumnElement[bool]:
        """Return the condition that a column has a value, as decided.

        :param name: ``topic_id``, or any other column of the comments.
        """
        if name == TOPIC_ID.name and self._decided:
            return in_topic(self._connection, int(str(value)))
        stands = COMMENTS.c[name] == value
        if name not in (SENTIMENT.name, ROOT_CAUSE.name) or not self._decided.comments:
            return stands
        all_ids, found = self._corrected(name, value)
        return or_(and_(stands, COMMENTS.c.comment_id.not_in(all_ids)), COMMENTS.c.comment_id.in_(found))

    def _corrected(self, name: str, value: object) -> tuple[list[str], list[str]]:
        """Return the ids of all corrected comments, and of those that have the value now."""
        ids = [comment for comment, state in self._decided.comments.items() if state.text is not None]
        columns = (COMMENT_ID, TEXT, *_DECIDED)
        query = select(*[COMMENTS.c[column.name] for column in columns]).where(COMMENTS.c.run == self._run)
        rows: list[Any] = []
        for start in range(0, len(ids), _ALL_AT_ONCE):
            rows += self._connection.execute(query.where(COMMENTS.c.comment_id.in_(ids[start : start + _ALL_AT_ONCE])))
        values = [from_values([row[at] for row in rows], column) for at, column in enumerate(columns)]
        seen = self.table(pa.Table.from_arrays(values, names=[column.name for column in columns]))
        pairs = zip(seen.column(COMMENT_ID.name).to_pylist(), seen.column(name).to_pylist(), strict=True)
        return ids, [comment for comment, has in pairs if has == value]


_DECIDED = (SENTIMENT, DRIVER_SPANS, OTHER_CAUSE_LIST, ROOT_CAUSE)
_BEARING = {
    COMMENT_ID.name: {column.name for column in (TOPIC_ID, TOPIC_SCORE, TOPICS_ALSO, SUBTOPIC_ID)}
    | {SENTIMENT.name, DRIVER_SPANS.name}
    | {SENTIMENT_SCORE.name, SENTIMENT_ABSTAINED.name, ROOT_CAUSE.name},
    TEXT.name: {SENTIMENT.name, SENTIMENT_SCORE.name, SENTIMENT_ABSTAINED.name, DRIVER_SPANS.name, ROOT_CAUSE.name},
    TOPIC_ID.name: {TOPICS_ALSO.name, SUBTOPIC_ID.name},
    DRIVER_SPANS.name: {ROOT_CAUSE.name},
    OTHER_CAUSE_LIST.name: {ROOT_CAUSE.name},
}


def _bears_on(column: Column, names: Collection[str]) -> bool:
    return not _BEARING.get(column.name, set()).isdisjoint(names)
