"""What an act is checked against: the topics and comments there are, and what stands decided about them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, func, select

from feedback_nlp.core.decisions import FIRST_SPLIT, NO_TOPIC, Decided, corrected_drivers, text_key
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.store.decisions_overlay import stored_comments, stored_topics
from feedback_nlp.store.decisions_view import in_topic, labels_of_topics
from feedback_nlp.store.runs import readable_run
from feedback_nlp.store.schema import COMMENTS, DECISION_SUBJECTS

_BLOCK = 500
_FEW = 5


@dataclass(frozen=True)
class Subject:
    """A comment that is decided on.

    :param topic_id: its topic as decided.
    :param sentiment: likewise.
    :param drivers: likewise.
    """

    comment_id: str
    text: str
    topic_id: int
    sentiment: str | None
    drivers: list[dict[str, Any]]


class Desk:
    """The current run, as decided until now.

    :param connection: a connection in the transaction that the act belongs to.
    :raises FeedbackError: when no run is published yet.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.run = readable_run(connection, None)

    @cached_property
    def decided(self) -> Decided:
        """What stands decided about topics."""
        return Decided(stored_topics(self.connection))

    @cached_property
    def topics(self) -> dict[int, dict[str, Any]]:
        """The run's topics as decided, by id."""
        rows = labels_of_topics(self.connection, self.run)
        return {row["topic_id"]: row for row in rows if "topic_id" in row}

    def topic(self, topic_id: object, name: str = "topic_id") -> int:
        """Return a topic's id.

        :raises ConfigError: when it is no topic, was merged away, or is a split that was undone.
        """
        if not isinstance(topic_id, int) or isinstance(topic_id, bool):
            raise ConfigError(f"{name}: a topic's number is needed, got {topic_id!r}.")
        state = self.decided.topics.get(topic_id)
        if state is not None and state.gone:
            told = f"Topic {topic_id} was split off, and that was undone. Redo it first."
            raise ConfigError(told, fault="topic_undone", topic=topic_id)
        if (root := self.decided.root(topic_id)) != topic_id:
            told = f"Topic {topic_id} was merged into {root}. Name {root}, or undo the merge first."
            raise ConfigError(told, fault="topic_merged", topic=topic_id, into=root)
        if topic_id not in self.topics:
            told = f"No topic {topic_id} in the current run. `feedback-nlp topics list` shows them."
            raise ConfigError(told, fault="topic_unknown", topic=topic_id)
        return topic_id

    def comments(self, ids: Sequence[str]) -> dict[str, Subject]:
        """Return comments by id, in the order given, each once.

        :raises ConfigError: when one is not in the current run.
        """
        wanted = list(dict.fromkeys(ids))
        states = stored_comments(self.connection, wanted)
        columns = [COMMENTS.c[name] for name in ("comment_id", "text", "topic_id", "sentiment", "drivers")]
        found = {}
        for start in range(0, len(wanted), _BLOCK):
            query = select(*columns).where(
                COMMENTS.c.run == self.run, COMMENTS.c.comment_id.in_(wanted[start : start + _BLOCK])
            )
            for row in self.connection.execute(query):
                found[row.comment_id] = row
        missing = [comment for comment in wanted if comment not in found]
        if missing:
            more = f" and {len(missing) - _FEW} more" if len(missing) > _FEW else ""
            told = f"No comment {', '.join(missing[:_FEW])}{more} in the current run."
            raise ConfigError(told, fault="comment_unknown", comment=missing[0])
        return {comment: self._subject(found[comment], states.get(comment)) for comment in wanted}

    def _subject(self, row: Any, state: Any) -> Subject:  # noqa: ANN401 - SQLAlchemy's row; CommentState or None
        placed = None if state is None else state.topic_id
        found = placed if placed is not None else row.topic_id
        sentiment, drivers = row.sentiment, json.loads(row.drivers or "[]")
        if state is not None and state.text == text_key(row.text):
            sentiment = state.sentiment or sentiment
            drivers = corrected_drivers(drivers, state.drivers)
        topic = NO_TOPIC if found is None else self.decided.root(found)
        return Subject(row.comment_id, row.text, topic, sentiment, drivers)

    def assigned(self, comment_id: str) -> Mapping[str, str] | None:
        """Return who follows a comment up, None where nobody does."""
        state = stored_comments(self.connection, [comment_id]).get(comment_id)
        return None if state is None else state.assigned

    def ids_in(self, topic_id: int, *, subtopic: int | None = None) -> list[str]:
        """Return the ids of a topic's comments, in the order of the run.

        :param subtopic: only those of this sub-topic; None takes all.
        """
        here = select(COMMENTS.c.comment_id).where(COMMENTS.c.run == self.run, in_topic(self.connection, topic_id))
        here = here if subtopic is None else here.where(COMMENTS.c.subtopic_id == subtopic)
        return list(self.connection.execute(here.order_by(COMMENTS.c.chunk, COMMENTS.c.row)).scalars())

    def texts_in(self, topic_id: int) -> list[tuple[str, str, str | None]]:
        """Return id, text and clean text of a topic's comments, in the order of the run."""
        columns = (COMMENTS.c.comment_id, COMMENTS.c.text, COMMENTS.c.clean)
        here = select(*columns).where(COMMENTS.c.run == self.run, in_topic(self.connection, topic_id))
        rows = self.connection.execute(here.order_by(COMMENTS.c.chunk, COMMENTS.c.row))
        return [(row.comment_id, row.text, row.clean) for row in rows]

    def said_in(self, topic_id: int) -> list[tuple[str, tuple[str, str]]]:
        """Return of each of a topic's comments its id, its text without personal data, and its language."""
        columns = [COMMENTS.c[name] for name in ("comment_id", "text", "redactions", "lang")]
        here = select(*columns).where(COMMENTS.c.run == self.run, in_topic(self.connection, topic_id))
        rows = self.connection.execute(here.order_by(COMMENTS.c.chunk, COMMENTS.c.row))
        return [(row.comment_id, (_without(row.text, row.redactions), row.lang or "und")) for row in rows]

    def next_split(self) -> int:
        """Return the number of the next topic that is split off; none is used twice."""
        used = self.connection.execute(select(func.max(DECISION_SUBJECTS.c.topic_id))).scalar_one()
        return max(FIRST_SPLIT, 1 + int(used or 0))


def _without(text: str, redactions: str | None) -> str:
    """Cut personal data out of a text."""
    for span in reversed(json.loads(redactions or "[]")):
        text = f"{text[: span['start']]} {text[span['end'] :]}"
    return text
