"""Topics at the level that a report shows them on: themes, topics or sub-topics."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import SUBTOPIC_ID, TOPIC_ID, TOPICS_ALSO
from feedback_nlp.core.decisions import NO_TOPIC
from feedback_nlp.lang.pack import CODES

Row = dict[str, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]

LEVELS = ("theme", "topic", "subtopic")
_NONE: Row = {}


def at_level(comments: pa.Table, topics: pa.Table | None, level: str) -> tuple[Ints, dict[int, Row]]:
    """Return the group of each comment at a level, -1 for none, and what is known of each group.

    A topic without a theme stands among themes by itself, an undivided one among sub-topics. Comments of hidden topics
    are in no group.

    :param topics: table of topics; None or an older one knows no themes or sub-topics.
    :param level: one of ``LEVELS``.
    :returns: int64 array (comments,); by group its labels and keywords, ``above`` (labels of what it is part of, or
        empty), ``parts`` (labels and ``share`` of what it falls into) and, at the level of topics, the table's columns
        and ``also``, how many comments of other topics speak of it too.
    """
    rows: dict[int, Row] = {} if topics is None else {row["topic_id"]: row for row in topics.to_pylist()}
    ids = np.asarray(pc.fill_null(comments.column(TOPIC_ID.name), NO_TOPIC), dtype=np.int64)
    shown = np.array([not rows.get(topic, _NONE).get("hidden") for topic in ids.tolist()], dtype=bool)
    ids = np.where(shown, ids, NO_TOPIC)
    if level == "theme":
        return _themes(ids, rows)
    if level == "subtopic":
        return _subtopics(ids, comments, rows)
    also = _also(comments)
    return ids, {
        topic: row
        | {"above": _labels(row, "parent_label_"), "parts": row.get("subtopics") or (), "also": also.get(topic, 0)}
        for topic, row in rows.items()
    }


def _labels(row: Mapping[str, Any], prefix: str) -> Row:
    found = {f"label_{lang}": row.get(f"{prefix}{lang}") for lang in CODES}
    return found if any(found.values()) else {}


def _also(comments: pa.Table) -> dict[int, int]:
    """Count, by topic, the comments of other topics that speak of it too."""
    if TOPICS_ALSO.name not in comments.column_names:
        return {}
    counts = pc.value_counts(pc.list_flatten(comments.column(TOPICS_ALSO.name))).to_pylist()
    return {each["values"]: each["counts"] for each in counts}


def _themes(ids: Ints, rows: Mapping[int, Row]) -> tuple[Ints, dict[int, Row]]:
    # Themes and topics are numbered apart, so that topics standing alone are counted on from behind the last theme.
    first = 1 + max((row["parent_id"] for row in rows.values() if row.get("parent_id") is not None), default=-1)
    group: dict[int, int] = {NO_TOPIC: NO_TOPIC}
    known: dict[int, Row] = {}
    parts: dict[int, list[Row]] = {}
    sizes = dict(zip(*(part.tolist() for part in np.unique(ids, return_counts=True)), strict=True))
    for topic in sorted(sizes, key=lambda each: (-sizes[each], each)):
        if topic == NO_TOPIC:
            continue
        row = rows.get(topic, _NONE)
        theme = row.get("parent_id")
        group[topic] = at = first + topic if theme is None else theme
        known.setdefault(at, row if theme is None else _labels(row, "parent_label_"))
        parts.setdefault(at, []).append({**row, "size": sizes[topic]})
    for at, own in parts.items():
        whole = sum(part["size"] for part in own)
        shares = [{**_labels(part, "label_"), "share": part["size"] / whole} for part in own]
        known[at] = {**known[at], "above": {}, "parts": shares if len(own) > 1 else ()}
    return np.array([group[topic] for topic in ids.tolist()], dtype=np.int64), known


def _subtopics(ids: Ints, comments: pa.Table, rows: Mapping[int, Row]) -> tuple[Ints, dict[int, Row]]:
    last = 1 + max(rows, default=-1)
    known: dict[int, Row] = {topic: {**row, "above": {}, "parts": ()} for topic, row in rows.items()}
    for row in rows.values():
        for part in row.get("subtopics") or ():
            known[last + part["subtopic_id"]] = {**part, "above": _labels(row, "label_"), "parts": ()}
    if SUBTOPIC_ID.name not in comments.column_names:
        return ids, known
    own = np.asarray(pc.fill_null(comments.column(SUBTOPIC_ID.name), NO_TOPIC), dtype=np.int64)
    return np.where((ids != NO_TOPIC) & (own != NO_TOPIC), last + own, ids), known
