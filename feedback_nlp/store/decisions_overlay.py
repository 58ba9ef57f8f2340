"""The overlay: what stands decided, kept in two small tables beside the decisions that it follows from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select

from feedback_nlp.core.decisions import CommentState, Decided, TopicState
from feedback_nlp.store.decisions_state import Act, standing_after
from feedback_nlp.store.runs import as_text
from feedback_nlp.store.schema import COMMENT_STATES, DECISIONS, TOPIC_STATES

_BLOCK = 500
REVERSALS = ("undo", "redo")


def undone(rows: Iterable[Any]) -> set[int]:
    """Return the numbers of the acts that do not stand, given all undos and redos in order.

    :param rows: rows with decision, act and undoes.
    """
    targets: dict[int, int] = {}
    out: set[int] = set()
    for row in rows:
        # A redo undoes an undo; what both speak of is the act that the undo names.
        targets[row.decision] = act = row.undoes if row.act == "undo" else targets[row.undoes]
        if row.act == "undo":
            out.add(act)
        else:
            out.discard(act)
    return out


def undone_acts(connection: Connection) -> set[int]:
    """Return the numbers of the acts that do not stand."""
    query = select(DECISIONS.c.decision, DECISIONS.c.act, DECISIONS.c.undoes).where(DECISIONS.c.undoes.is_not(None))
    return undone(connection.execute(query.order_by(DECISIONS.c.decision)).all())


def replayed(connection: Connection) -> Decided:
    """Return what stands decided, worked out from the decisions alone."""
    out = undone_acts(connection)
    query = select(DECISIONS).where(DECISIONS.c.act.not_in(REVERSALS)).order_by(DECISIONS.c.decision)
    return standing_after(as_act(row, stands=row.decision not in out) for row in connection.execute(query))


def as_act(row: Row[Any], *, stands: bool = True) -> Act:
    """Return a row of decisions as the act it records."""
    return Act(row.act, row.topic_id, row.comment_id, json.loads(row.before), json.loads(row.after), stands)


def stored_topics(connection: Connection) -> dict[int, TopicState]:
    """Return the overlay's topics."""
    rows = connection.execute(select(TOPIC_STATES).order_by(TOPIC_STATES.c.topic_id))
    return {
        row.topic_id: TopicState(
            into=row.into,
            gone=row.gone,
            hidden=row.hidden,
            locked=row.locked,
            labels=json.loads(row.labels),
            split_from=row.split_from,
            assigned=None if row.assigned is None else json.loads(row.assigned),
        )
        for row in rows
    }


def stored_comments(connection: Connection, ids: Sequence[str] | None = None) -> dict[str, CommentState]:
    """Return the overlay's comments.

    :param ids: only these; None takes all.
    """
    query = select(COMMENT_STATES).order_by(COMMENT_STATES.c.comment_id)
    if ids is None:
        rows = list(connection.execute(query))
    else:
        rows = []
        for start in range(0, len(ids), _BLOCK):
            rows += connection.execute(query.where(COMMENT_STATES.c.comment_id.in_(ids[start : start + _BLOCK])))
    return {row.comment_id: _comment_state(row) for row in rows}


def _comment_state(row: Row[Any]) -> CommentState:
    return CommentState(
        topic_id=row.topic_id,
        sentiment=row.sentiment,
        drivers=() if row.drivers is None else tuple(json.loads(row.drivers)),
        text=row.text,
        assigned=None if row.assigned is None else json.loads(row.assigned),
    )


def stored(connection: Connection) -> Decided:
    """Return what stands decided, as the overlay has it."""
    return Decided(stored_topics(connection), stored_comments(connection))


def keep(connection: Connection, old: Decided, new: Decided) -> int:
    """Turn the overlay from one state into another.

    :param old: what the overlay holds of the subjects concerned.
    :returns: rows that differed.
    """
    # A merge far down a chain changes the final topic of those above it, so all topics' rows are compared whole.
    before, after = _topic_rows(old), _topic_rows(new)
    changed = _replace(connection, TOPIC_STATES, "topic_id", before, after)
    left, right = _comment_rows(old.comments), _comment_rows(new.comments)
    return changed + _replace(connection, COMMENT_STATES, "comment_id", left, right)


def _replace(
    connection: Connection, table: Table, key: str, old: Mapping[Any, dict[str, Any]], new: Mapping[Any, dict[str, Any]]
) -> int:
    stale = [subject for subject in old if old[subject] != new.get(subject)]
    fresh = [new[subject] for subject in new if new[subject] != old.get(subject)]
    for start in range(0, len(stale), _BLOCK):
        connection.execute(delete(table).where(table.c[key].in_(stale[start : start + _BLOCK])))
    if fresh:
        connection.execute(insert(table), fresh)
    return len({*stale, *(row[key] for row in fresh)})


def _topic_rows(decided: Decided) -> dict[int, dict[str, Any]]:
    return {
        topic: {
            "topic_id": topic,
            "into": state.into,
            "root": decided.root(topic),
            "gone": state.gone,
            "hidden": state.hidden,
            "locked": state.locked,
            "labels": as_text(dict(state.labels)),
            "split_from": state.split_from,
            "assigned": None if state.assigned is None else as_text(dict(state.assigned)),
        }
        for topic, state in decided.topics.items()
    }


def _comment_rows(comments: Mapping[str, CommentState]) -> dict[str, dict[str, Any]]:
    return {
        comment: {
            "comment_id": comment,
            "topic_id": state.topic_id,
            "sentiment": state.sentiment,
            "drivers": as_text(list(state.drivers)) if state.drivers else None,
            "text": state.text,
            "assigned": None if state.assigned is None else as_text(dict(state.assigned)),
        }
        for comment, state in comments.items()
    }
