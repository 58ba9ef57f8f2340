"""Analysts' corrections as training data."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, select

from feedback_nlp.core.decisions import text_key
from feedback_nlp.store.decisions_overlay import undone_acts
from feedback_nlp.store.runs import as_text
from feedback_nlp.store.schema import COMMENTS, DECISIONS

SCHEMA = pa.schema(
    [
        pa.field("comment_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("lang", pa.string()),
        pa.field("field", pa.string(), nullable=False),
        pa.field("before", pa.string()),
        pa.field("after", pa.string()),
        pa.field("author", pa.string(), nullable=False),
        pa.field("at", pa.string(), nullable=False),
    ]
)
_OF_DRIVERS = ("wrong_driver", "correct_driver", "correct_evidence")
_OF_TOPICS = ("move", "split")
_BLOCK = 500


def corrections_of(connection: Connection) -> pa.Table:
    """Return standing corrections; see :meth:`feedback_nlp.store.decisions.DecisionLog.corrections`."""
    acts = (*_OF_DRIVERS, *_OF_TOPICS, "correct_sentiment")
    out = undone_acts(connection)
    query = select(DECISIONS).where(DECISIONS.c.act.in_(acts)).order_by(DECISIONS.c.decision)
    found = [piece for row in connection.execute(query) if row.decision not in out for piece in _pieces(row)]
    texts = newest_texts(connection, [piece["comment_id"] for piece in found])
    rows = []
    for piece in found:
        text, _, lang = texts.get(piece["comment_id"], (None, None, None))
        key = piece.pop("key")
        if text is not None and key in (None, text_key(text)):
            rows.append({**piece, "text": text, "lang": lang})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _pieces(row: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - SQLAlchemy's row
    """Return one entry a comment that a decision corrects."""
    before, after = json.loads(row.before), json.loads(row.after)
    told = {"author": row.author, "at": row.at}
    if row.act in _OF_TOPICS:
        topic = after["topic_id"] if row.act == "split" else row.topic_id
        return [
            told
            | {"comment_id": each, "field": "topic", "before": _json(before["topics"].get(each)), "key": None}
            | {"after": _json(topic)}
            for each in after["comment_ids"]
        ]
    field = "sentiment" if row.act == "correct_sentiment" else "driver"
    values = {"before": _json(before[field]), "after": _json(after[field])}
    return [told | values | {"comment_id": row.comment_id, "field": field, "key": after["text"]}]


def _json(value: object) -> str | None:
    return None if value is None else as_text(value)


def newest_texts(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, str | None, str | None]]:
    """Return text, clean text and language of comments, as the newest run that holds them has them."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, tuple[str, str | None, str | None]] = {}
    for start in range(0, len(wanted), _BLOCK):
        here = COMMENTS.c.comment_id.in_(wanted[start : start + _BLOCK])
        newest = select(COMMENTS.c.comment_id, func.max(COMMENTS.c.run).label("run")).where(here)
        last = newest.group_by(COMMENTS.c.comment_id).subquery()
        columns = [COMMENTS.c[name] for name in ("comment_id", "text", "clean", "lang")]
        query = select(*columns).join(
            last, (COMMENTS.c.comment_id == last.c.comment_id) & (COMMENTS.c.run == last.c.run)
        )
        for row in connection.execute(query):
            found[row.comment_id] = (row.text, row.clean, row.lang)
    return found
