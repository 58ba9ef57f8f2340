"""The table of topics: one row a topic, with its theme beside it and its sub-topics inside it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.topic import Topic

if TYPE_CHECKING:
    from feedback_nlp.topics.model import TopicModel

Row = dict[str, Any]


def topic_schema() -> pa.Schema:
    """Return the columns of ``topics.parquet``."""
    comment = pa.struct([("comment_id", pa.string()), ("text", pa.string())])
    event = pa.struct([("change", pa.string()), ("topic_id", pa.int32()), ("day", pa.string())])
    fields = [
        pa.field("topic_id", pa.int32(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
        pa.field("parent_id", pa.int32()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("radius", pa.float32(), nullable=False),
        pa.field("first_seen", pa.string()),
        pa.field("growth", pa.float32()),
        pa.field("lineage", pa.list_(event)),
    ]
    fields += [pa.field(f"label_{lang}", pa.string(), nullable=False) for lang in CODES]
    fields += [pa.field(f"keywords_{lang}", pa.list_(pa.string())) for lang in CODES]
    fields += [pa.field(f"share_{lang}", pa.float32(), nullable=False) for lang in CODES]
    fields += [pa.field(f"representatives_{lang}", pa.list_(comment)) for lang in CODES]
    fields += [pa.field(f"parent_label_{lang}", pa.string()) for lang in CODES]
    return pa.schema([*fields, pa.field("subtopics", pa.list_(_subtopic()))])


def _subtopic() -> pa.DataType:
    """Return the type of a sub-topic: its share is that of its topic's comments."""
    labels = [(f"label_{lang}", pa.string()) for lang in CODES]
    keywords = [(f"keywords_{lang}", pa.list_(pa.string())) for lang in CODES]
    return pa.struct([("subtopic_id", pa.int32()), ("size", pa.int64()), ("share", pa.float32()), *labels, *keywords])


def topic_table(model: "TopicModel") -> pa.Table:
    """Return one row a topic, in the columns of :func:`topic_schema`; dormant ones too."""
    themes = {theme.id: theme for theme in model.themes}
    rows = []
    for topic, radius in zip(model.topics, model.places.radii.tolist(), strict=True):
        row = _row(topic, themes.get(-1 if topic.parent_id is None else topic.parent_id))
        row |= {"share": topic.size / model.comments if model.comments else 0.0, "radius": radius}
        row["subtopics"] = [
            _subtopic_row(model.subtopics.entries[at], topic.size) for at in model.subtopics.of(topic.id).tolist()
        ]
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=topic_schema())


def _row(topic: Topic, theme: Topic | None) -> Row:
    row: Row = {
        "topic_id": topic.id,
        "size": topic.size,
        "parent_id": topic.parent_id,
        "status": topic.status,
        "first_seen": topic.first_seen,
        "growth": topic.growth,
        "lineage": [asdict(event) for event in topic.lineage],
        **_named(topic),
    }
    for lang in CODES:
        row[f"parent_label_{lang}"] = None if theme is None else theme.labels.get(lang, "")
        row[f"share_{lang}"] = topic.shares.get(lang, 0.0)
        row[f"representatives_{lang}"] = [asdict(one) for one in topic.representatives.get(lang, ())]
    return row


def _subtopic_row(subtopic: Topic, whole: int) -> Mapping[str, Any]:
    share = subtopic.size / whole if whole else 0.0
    return {"subtopic_id": subtopic.id, "size": subtopic.size, "share": share, **_named(subtopic)}


def _named(topic: Topic) -> Row:
    labels = {f"label_{lang}": topic.labels.get(lang, "") for lang in CODES}
    return labels | {f"keywords_{lang}": list(topic.keywords.get(lang, ())) for lang in CODES}
