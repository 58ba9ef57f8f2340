"""Erases a comment from the database, and remembers by a keyed hash alone that it never comes back."""

import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from feedback_nlp.store.runs import as_text
from feedback_nlp.store.schema import (
    CHUNKS,
    COMMENT_STATES,
    COMMENTS,
    DECISION_SUBJECTS,
    DECISIONS,
    DRIVERS,
    ERASED,
    REJECTS,
    SECRETS,
    TOPICS,
)

TOUCHED = tuple(table.name for table in (COMMENTS, DRIVERS, REJECTS, TOPICS, DECISIONS, COMMENT_STATES))
"""The tables that a comment may be erased from."""

_KEY = "erasure"
_STAND_IN = "erased-"


class Erased:
    """The comments that were erased; it knows the hash of their ids alone.

    :param key: what ids are hashed with; empty where nothing was erased yet.
    :param marks: their hashes.
    """

    def __init__(self, key: bytes, marks: frozenset[str]) -> None:
        self._key = key
        self._marks = marks

    def __contains__(self, comment_id: object) -> bool:
        return isinstance(comment_id, str) and bool(self._marks) and _mark(self._key, comment_id) in self._marks

    def __len__(self) -> int:
        return len(self._marks)


def read_erased(connection: Connection) -> Erased:
    """Return what was erased so far."""
    key = connection.execute(select(SECRETS.c.value).where(SECRETS.c.name == _KEY)).scalar_one_or_none()
    marks = connection.execute(select(ERASED.c.mark)).scalars()
    return Erased(bytes.fromhex(key or ""), frozenset(marks))


def erase(connection: Connection, comment_id: str, at: str) -> dict[str, int]:
    """Erase a comment from every run, from topics' examples and from the words of decisions; mark it erased.

    Analysts' decisions stand, with a stand-in for its id.

    :returns: rows erased or rewritten, by table.
    """
    mark = _mark(_need_key(connection), comment_id)
    if connection.execute(select(ERASED.c.mark).where(ERASED.c.mark == mark)).one_or_none() is None:
        connection.execute(insert(ERASED).values(mark=mark, at=at))
    found = {
        "comments": _comments(connection, comment_id),
        "drivers": _deleted(connection, DRIVERS, comment_id),
        "rejects": _records(connection, REJECTS, comment_id, lambda body: None),
        "topics": _records(connection, TOPICS, comment_id, lambda body: without_examples(body, comment_id)),
        "decisions": _decisions(connection, comment_id, f"{_STAND_IN}{mark[:16]}"),
    }
    return {name: count for name, count in found.items() if count}


def without_examples(body: dict[str, Any], comment_id: str) -> dict[str, Any]:
    """Return a topic without a comment among its representative ones."""

    def kept(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, list):
            return [kept(one) for one in value if not (isinstance(one, dict) and one.get("comment_id") == comment_id)]
        return {name: kept(one) for name, one in value.items()} if isinstance(value, dict) else value

    return {name: kept(value) for name, value in body.items()}


def _mark(key: bytes, comment_id: str) -> str:
    return hmac.new(key, comment_id.encode(), "sha256").hexdigest()


def _need_key(connection: Connection) -> bytes:
    key = connection.execute(select(SECRETS.c.value).where(SECRETS.c.name == _KEY)).scalar_one_or_none()
    if key is None:
        key = secrets.token_hex(32)
        connection.execute(insert(SECRETS).values(name=_KEY, value=key))
    return bytes.fromhex(key)


def _comments(connection: Connection, comment_id: str) -> int:
    where = COMMENTS.c.comment_id == comment_id
    places = connection.execute(select(COMMENTS.c.run, COMMENTS.c.chunk).where(where)).all()
    for run, chunk in places:
        ledger = update(CHUNKS).where(CHUNKS.c.run == run, CHUNKS.c.chunk == chunk)
        connection.execute(ledger.values(rows=CHUNKS.c.rows - 1))
    connection.execute(delete(COMMENTS).where(where))
    return len(places)


def _deleted(connection: Connection, table: Table, comment_id: str) -> int:
    return connection.execute(delete(table).where(table.c.comment_id == comment_id)).rowcount


def _records(
    connection: Connection, table: Table, comment_id: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> int:
    """Change the records that hold an id as a whole value; those that ``change`` returns None for are deleted."""
    quoted = json.dumps(comment_id, ensure_ascii=False)
    rows = connection.execute(select(table).where(table.c.body.contains(quoted, autoescape=True))).all()
    changed = 0
    for row in rows:
        body = json.loads(row.body)
        new = change(body) if _holds(body, comment_id) else body
        if new == body:
            continue
        where = (table.c.run == row.run) & (table.c.position == row.position)
        written = None if new is None else json.dumps(new, ensure_ascii=False, separators=(",", ":"))
        act = delete(table).where(where) if written is None else update(table).where(where).values(body=written)
        connection.execute(act)
        changed += 1
    return changed


def _holds(value: Any, comment_id: str) -> bool:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return value.get("comment_id") == comment_id or any(_holds(one, comment_id) for one in value.values())
    return isinstance(value, list) and any(_holds(one, comment_id) for one in value)


def _decisions(connection: Connection, comment_id: str, stand_in: str) -> int:
    """Put a stand-in for the id, and take out notes on the comment."""
    about = select(DECISION_SUBJECTS.c.decision).where(DECISION_SUBJECTS.c.comment_id == comment_id)
    quoted = json.dumps(comment_id, ensure_ascii=False)
    named = [column.contains(quoted, autoescape=True) for column in (DECISIONS.c.before, DECISIONS.c.after)]
    where = (DECISIONS.c.comment_id == comment_id) | DECISIONS.c.decision.in_(about) | named[0] | named[1]
    rows = connection.execute(select(DECISIONS).where(where)).all()
    for row in rows:
        own = row.comment_id == comment_id
        values = {name: _renamed(json.loads(row._mapping[name]), comment_id, stand_in) for name in ("before", "after")}
        if own and row.act == "note":
            values = {name: value | {"text": ""} if "text" in value else value for name, value in values.items()}
        written: dict[str, Any] = {name: as_text(value) for name, value in values.items()}
        written["comment_id"] = stand_in if own else row.comment_id
        connection.execute(update(DECISIONS).where(DECISIONS.c.decision == row.decision).values(**written))
    for table in (DECISION_SUBJECTS, COMMENT_STATES):
        connection.execute(update(table).where(table.c.comment_id == comment_id).values(comment_id=stand_in))
    return len(rows)


def _renamed(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {new if name == old else name: _renamed(one, old, new) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, old, new) for one in value]
    return new if value == old else value
