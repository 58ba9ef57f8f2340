"""The decision layer: what analysts decide is added to a log, undone and redone by further rows, and seen at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from feedback_nlp.core.decisions import Decided
from feedback_nlp.core.errors import ConfigError, ConflictError, FeedbackError
from feedback_nlp.store.database import Database, take_turns
from feedback_nlp.store.decisions_acts import NameSplit, Ready, Request, prepare
from feedback_nlp.store.decisions_corrections import corrections_of, newest_texts
from feedback_nlp.store.decisions_desk import Desk
from feedback_nlp.store.decisions_overlay import (
    REVERSALS,
    keep,
    replayed,
    stored,
    stored_comments,
    stored_topics,
    undone_acts,
)
from feedback_nlp.store.decisions_state import Act, Standing
from feedback_nlp.store.decisions_view import first_free, topic_counts
from feedback_nlp.store.decisions_words import LONGEST_AUTHOR, words_of
from feedback_nlp.store.runs import as_text, readable_run, rfc3339
from feedback_nlp.store.schema import DECISION_SUBJECTS, DECISIONS

if TYPE_CHECKING:
    import pyarrow as pa

NOTES = ("note", "confirm")


@dataclass(frozen=True)
class Decision:
    """One row of the log.

    :param decision: its number; later ones are higher.
    :param at: when, RFC 3339 in UTC.
    :param author: who.
    :param act: what: ``rename``, ``merge``, …, or ``undo`` and ``redo``.
    :param topic_id: the topic it is about, None for acts on comments.
    :param comment_id: the comment it is about, where it is exactly one.
    :param before: what stood before, by name.
    :param after: what stands after it, by name.
    :param undoes: for an undo the act undone, for a redo the undo.
    :param stands: whether an act is in force; True for undo and redo.
    """

    decision: int
    at: str
    author: str
    act: str
    topic_id: int | None
    comment_id: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undoes: int | None
    stands: bool

    @property
    def new_topic(self) -> int | None:
        """The topic that a split made, None for other acts."""
        return int(self.after["topic_id"]) if self.act == "split" else None

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return asdict(self)


def _decision(row: Row[Any], out: set[int]) -> Decision:
    values = dict(row._mapping) | {"before": json.loads(row.before), "after": json.loads(row.after)}
    return Decision(**values, stands=row.decision not in out)


class DecisionLog:
    """Decisions of a store. Each is one short transaction that needs no lease, also while a run is being written.

    :param database: an open database of the newest schema.

    ``name_split``, where it is set, names topics that are split off without a name.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.name_split: NameSplit | None = None

    def decide(
        self,
        act: str,
        *,
        author: str,
        topic_id: int | None = None,
        comment_id: str | None = None,
        comment_ids: Sequence[str] = (),
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        expected: int | None = None,
        at: datetime | None = None,
    ) -> Decision | None:
        """Record an act of an analyst; readers see it from the end of the call on.

        :param act: ``rename``, ``merge``, ``split``, ``move``, ``lock``, ``unlock``, ``hide``, ``show``, ``note``,
            ``assign`` on a topic; ``wrong_driver``, ``correct_driver``, ``correct_evidence``, ``correct_sentiment``,
            ``confirm`` (its readings are right), ``note``, ``assign`` on a comment.
        :param before: for acts on a driver, the entry that is meant.
        :param after: what shall stand: labels by language; ``into``; ``comment_ids``, ``subtopic`` or ``search``; …
        :param expected: the last decision that the caller has seen, 0 for none; None does not look for newer ones.
        :param at: when, with a time zone; None takes now.
        :returns: the row; None where the act would change nothing, and nothing is recorded.
        :raises ConfigError: when the topic or comment does not exist or a value is wrong.
        :raises ConflictError: when there is a decision on the same topics or comments newer than ``expected``.
        :raises FeedbackError: when no run is published yet.
        """
        ids = [comment_id] if comment_id is not None else [str(each) for each in comment_ids]
        request = Request(act, topic_id, ids, before, after or {}, self.name_split)
        who, when = words_of(author, "The author", LONGEST_AUTHOR), rfc3339(at or datetime.now(UTC))
        with self._database.writing() as connection:
            take_turns(connection)
            ready = prepare(Desk(connection), request)
            self._no_newer(connection, ready.topics, ready.comments, expected)
            if not _changes(connection, ready):
                return None
            return _add(connection, ready, who, when)

    def undo(
        self, decision: int | None = None, *, author: str, expected: int | None = None, at: datetime | None = None
    ) -> Decision:
        """Take an act back; what was decided after it stands.

        :param decision: the act; None takes the author's latest that stands.
        :raises ConfigError: when there is no such act, or it is undone already.
        :raises ConflictError: as for :meth:`decide`.
        :raises FeedbackError: when later decisions hide it, so that nothing would change.
        """
        return self._reverse("undo", decision, author, expected, at)

    def redo(
        self, decision: int | None = None, *, author: str, expected: int | None = None, at: datetime | None = None
    ) -> Decision:
        """Let an undone act stand again, at its old place in the order.

        :param decision: the act; None takes the one that the author undid last.
        :raises ConfigError: when there is no such act, or it stands.
        :raises ConflictError: as for :meth:`decide`.
        :raises FeedbackError: when nothing would change.
        """
        return self._reverse("redo", decision, author, expected, at)

    def history(
        self,
        *,
        topic_id: int | None = None,
        comment_id: str | None = None,
        author: str | None = None,
        act: str | None = None,
        after: int = 0,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Decision]:
        """Return decisions in order.

        :param topic_id: only those that touch this topic; likewise ``comment_id``, ``author`` and ``act``.
        :param after: only those with a higher number.
        :param limit: at most so many.
        """
        query = select(DECISIONS).where(DECISIONS.c.decision > after)
        for name, value in (("author", author), ("act", act)):
            query = query if value is None else query.where(DECISIONS.c[name] == value)
        for name, subject in (("topic_id", topic_id), ("comment_id", comment_id)):
            if subject is not None:
                touching = select(DECISION_SUBJECTS.c.decision).where(DECISION_SUBJECTS.c[name] == subject)
                query = query.where(DECISIONS.c.decision.in_(touching))
        order = DECISIONS.c.decision.desc() if newest_first else DECISIONS.c.decision
        with self._database.reading() as connection:
            out = undone_acts(connection)
            return [_decision(row, out) for row in connection.execute(query.order_by(order).limit(limit))]

    def last_decision(self, *, topic_id: int | None = None, comment_id: str | None = None) -> int:
        """Return the number of the last decision that touches a topic or a comment, of all where neither is named.

        :returns: 0 where there is none.
        """
        query = select(func.max(DECISIONS.c.decision))
        if topic_id is not None or comment_id is not None:
            query = select(func.max(DECISION_SUBJECTS.c.decision))
        for name, subject in (("topic_id", topic_id), ("comment_id", comment_id)):
            query = query if subject is None else query.where(DECISION_SUBJECTS.c[name] == subject)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one() or 0)

    def decided(self) -> Decided:
        """Return everything that stands decided."""
        with self._database.reading() as connection:
            return stored(connection)

    def corrections(self) -> "pa.Table":
        """Return every standing correction as training data, in the order decided.

        :returns: columns comment_id, text, lang, field (``driver``, ``sentiment`` or ``topic``), before and after
            (JSON; null = none), author, at. Comments that no run holds any more, or whose text has changed since, are
            left out.
        """
        with self._database.reading() as connection:
            return corrections_of(connection)

    def topic_counts(self, run_id: str | None = None) -> dict[int, int]:
        """Return the number of comments by topic as decided, -1 for those without.

        :param run_id: None takes the current run.
        """
        with self._database.reading() as connection:
            return topic_counts(connection, readable_run(connection, run_id))

    def texts_of(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return clean text and language of comments by id, from the newest run that holds each; others are missing."""
        with self._database.reading() as connection:
            found = newest_texts(connection, ids)
        return {comment: (clean, lang or "und") for comment, (_, clean, lang) in found.items() if clean}

    def first_free_topic(self) -> int:
        """Return a number above every topic of the current run and every one decided on; 0 in a new store.

        Topics that analysts split off are numbered apart.
        """
        with self._database.reading() as connection:
            return first_free(connection)

    def rebuild_overlay(self) -> int:
        """Work out anew, from the decisions alone, what stands decided.

        :returns: how many rows differed; 0 unless somebody changed the database by other means.
        """
        with self._database.writing() as connection:
            take_turns(connection)
            return keep(connection, stored(connection), replayed(connection))

    def _reverse(
        self, act: str, decision: int | None, author: str, expected: int | None, at: datetime | None
    ) -> Decision:
        who, when = words_of(author, "The author", LONGEST_AUTHOR), rfc3339(at or datetime.now(UTC))
        with self._database.writing() as connection:
            take_turns(connection)
            out = undone_acts(connection)
            number = _latest(connection, act, who, out) if decision is None else decision
            row = _reversible(connection, act, number, out)
            touched = connection.execute(select(DECISION_SUBJECTS).where(DECISION_SUBJECTS.c.decision == number)).all()
            topics = [subject.topic_id for subject in touched if subject.topic_id is not None]
            comments = [subject.comment_id for subject in touched if subject.comment_id is not None]
            self._no_newer(connection, topics, comments, expected)
            told = (json.loads(row.after), json.loads(row.before))
            before, after = told if act == "undo" else told[::-1]
            ready = Ready(act, row.topic_id, row.comment_id, before, after, topics, comments)
            undoes = number if act == "undo" else _last_reversal(connection, number)
            old = stored(connection)
            added = _add(connection, ready, who, when, undoes)
            new = replayed(connection)
            if new == old and row.act not in NOTES:
                raise FeedbackError(
                    f"{act.capitalize()} of decision {number} changes nothing: later decisions hide it.",
                    fault="reversal_hidden",
                )
            keep(connection, old, new)
            return added

    def _no_newer(
        self, connection: Connection, topics: Sequence[int], comments: Sequence[str], expected: int | None
    ) -> None:
        if expected is None:
            return
        subjects, newest = DECISION_SUBJECTS, 0
        for column, touched in ((subjects.c.topic_id, topics), (subjects.c.comment_id, comments)):
            for start in range(0, len(touched), 500):
                query = select(func.max(DECISIONS.c.decision)).join(
                    subjects, subjects.c.decision == DECISIONS.c.decision
                )
                query = query.where(DECISIONS.c.decision > expected, DECISIONS.c.act.not_in(NOTES))
                found = connection.execute(query.where(column.in_(touched[start : start + 500]))).scalar_one()
                newest = max(newest, int(found or 0))
        if newest:
            row = connection.execute(select(DECISIONS).where(DECISIONS.c.decision == newest)).one()
            newer = _decision(row, undone_acts(connection))
            raise ConflictError(
                f"{newer.author} decided on it meanwhile ({newer.act}, decision {newer.decision}). Look again.", newer
            )


def _changes(connection: Connection, ready: Ready) -> bool:
    """Bring the overlay up to date with an act, and tell whether it changes anything."""
    if ready.act in NOTES:
        return True
    if {key: value for key, value in ready.after.items() if key != "text"} == ready.before:
        return False
    old = Decided(stored_topics(connection), stored_comments(connection, ready.comments))
    standing = Standing(dict(old.topics), dict(old.comments))
    standing.carry_out(Act(ready.act, ready.topic_id, ready.comment_id, ready.before, ready.after))
    new = standing.decided()
    return new != old and keep(connection, old, new) > 0


def _add(connection: Connection, ready: Ready, author: str, at: str, undoes: int | None = None) -> Decision:
    number = int(connection.execute(select(func.max(DECISIONS.c.decision))).scalar_one() or 0) + 1
    values = {"topic_id": ready.topic_id, "comment_id": ready.comment_id, "undoes": undoes}
    told = {"before": as_text(dict(ready.before)), "after": as_text(dict(ready.after))}
    connection.execute(insert(DECISIONS).values(decision=number, at=at, author=author, act=ready.act, **values, **told))
    touched: list[dict[str, Any]] = [{"topic_id": topic, "comment_id": None} for topic in ready.topics]
    touched += [{"topic_id": None, "comment_id": comment} for comment in ready.comments]
    rows = [{"decision": number, "position": at, **subject} for at, subject in enumerate(touched)]
    if rows:
        connection.execute(insert(DECISION_SUBJECTS), rows)
    row = connection.execute(select(DECISIONS).where(DECISIONS.c.decision == number)).one()
    return _decision(row, set())


def _latest(connection: Connection, act: str, author: str, out: set[int]) -> int:
    """Return the act that an author would undo or redo next.

    :raises FeedbackError: when there is none.
    """
    if act == "undo":
        query = select(DECISIONS.c.decision).where(DECISIONS.c.author == author, DECISIONS.c.act.not_in(REVERSALS))
        acts = connection.execute(query.order_by(DECISIONS.c.decision.desc())).scalars()
        found = next((number for number in acts if number not in out), None)
    else:
        query = select(DECISIONS.c.undoes).where(DECISIONS.c.author == author, DECISIONS.c.act == "undo")
        acts = connection.execute(query.order_by(DECISIONS.c.decision.desc())).scalars()
        found = next((number for number in acts if number in out), None)
    if found is None:
        raise FeedbackError(f"{author} has nothing to {act}.", fault=f"nothing_to_{act}")
    return int(found)


def _reversible(connection: Connection, act: str, number: int, out: set[int]) -> Row[Any]:
    row = connection.execute(select(DECISIONS).where(DECISIONS.c.decision == number)).one_or_none()
    if row is None:
        told = f"No decision {number}. `feedback-nlp topics history` shows them."
        raise ConfigError(told, fault="decision_unknown")
    if row.act in REVERSALS:
        raise ConfigError(f"Decision {number} is an {row.act} itself. Name the act.".replace("an redo", "a redo"))
    if act == "undo" and number in out:
        raise ConfigError(f"Decision {number} is undone already.", fault="undone_already")
    if act == "redo" and number not in out:
        raise ConfigError(f"Decision {number} stands; there is nothing to redo.", fault="stands_already")
    return row


def _last_reversal(connection: Connection, number: int) -> int:
    query = select(func.max(DECISIONS.c.decision)).where(DECISIONS.c.undoes == number, DECISIONS.c.act == "undo")
    return int(connection.execute(query).scalar_one())
