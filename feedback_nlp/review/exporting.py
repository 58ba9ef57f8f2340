"""Exporting: the comments or topics of a view as rows of a file, personal data covered."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.core.redaction import redact
from feedback_nlp.core.spreadsheet import Sheet, write_workbook
from feedback_nlp.review.corpus import FIELDS, Ints
from feedback_nlp.review.listing import Entry
from feedback_nlp.review.snapshot import Row, Snapshot
from feedback_nlp.review.words import Words

COMMENT_COLUMNS: dict[str, pa.DataType] = {
    "comment_id": pa.string(),
    "created_at": pa.timestamp("us", "UTC"),
    "source": pa.string(),
    **dict.fromkeys(FIELDS, pa.string()),
    "lang": pa.string(),
    "text": pa.string(),
    "sentiment": pa.string(),
    "sentiment_score": pa.float32(),
    "topic_id": pa.int32(),
    "topic": pa.string(),
    "topic_score": pa.float32(),
    "topics_also": pa.string(),
    "subtopic": pa.string(),
    "root_cause": pa.string(),
    "causes": pa.string(),
    "evidence": pa.string(),
}
TOPIC_COLUMNS: dict[str, pa.DataType] = {
    "topic_id": pa.int32(),
    "label_en": pa.string(),
    "label_ar": pa.string(),
    "label_fa": pa.string(),
    "status": pa.string(),
    "locked": pa.bool_(),
    "comments": pa.int64(),
    "share": pa.float64(),
    "negative_share": pa.float64(),
    "policy_only": pa.int64(),
    "employee_only": pa.int64(),
    "both": pa.int64(),
    "praise": pa.int64(),
}
_AT_ONCE = 2_000


def comment_rows(snapshot: Snapshot, rows: Ints, lang: str) -> Iterator[tuple[Any, ...]]:
    """Yield comments in the order of ``rows`` with the values of ``COMMENT_COLUMNS``.

    :param lang: language of the topics' names.
    """
    for first in range(0, len(rows), _AT_ONCE):
        for comment in snapshot.take(rows[first : first + _AT_ONCE]):
            yield _comment(snapshot, comment, lang)


def _comment(snapshot: Snapshot, comment: Row, lang: str) -> tuple[Any, ...]:
    row, spans = comment["row"], comment["redactions"] or ()
    text = redact(comment["text"], spans)
    covered = redact(comment["text"], spans, keep_length=True)
    drivers = comment["drivers"] or ()
    topic = snapshot.topics.get(comment["topic_id"], {})
    fields = snapshot.corpus.fields
    return (
        comment["comment_id"],
        comment["created_at"],
        comment["source"],
        *[fields[name].values[fields[name].codes[row]] or None for name in FIELDS],
        comment["lang"],
        text,
        comment["sentiment"],
        comment["sentiment_score"],
        comment["topic_id"],
        _name(topic, lang) if topic else None,
        comment["topic_score"],
        "; ".join(_name(snapshot.topics[each], lang) for each in comment["topics_also"]) or None,
        snapshot.subtopic_name(comment, lang) or None,
        comment["root_cause"],
        "; ".join(f"{one['driver']}.{one['cause']}{one['sign']}" for one in drivers) or None,
        "; ".join(covered[one["start"] : one["end"]] for one in drivers) or None,
    )


def _name(topic: Row, lang: str) -> str:
    return str(topic.get(f"label_{lang}") or topic["topic_id"])


def topic_rows(entries: Sequence[Entry]) -> Iterator[tuple[Any, ...]]:
    """Yield topics with the values of ``TOPIC_COLUMNS``."""
    for entry in entries:
        counts = entry.counts
        yield (
            entry.id,
            *[entry.name(lang) or None for lang in ("en", "ar", "fa")],
            entry.topic.get("status"),
            bool(entry.topic.get("locked")),
            counts.comments,
            counts.share,
            counts.negative_share,
            counts.policy,
            counts.employee,
            counts.both,
            counts.praise,
        )


def as_parquet(columns: dict[str, pa.DataType], rows: Iterator[tuple[Any, ...]]) -> bytes:
    """Return a table as a Parquet file."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(list(each), dtype) for each, dtype in zip(values, columns.values(), strict=True)]
    sink = BytesIO()
    pq.write_table(pa.table(arrays, names=list(columns)), sink, compression="zstd")
    return sink.getvalue()


def as_workbook(ui: Words, name: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> bytes:
    """Return a table as an Excel workbook with headings in the reader's language."""
    sink = BytesIO()
    write_workbook(sink, [Sheet(name, headings(ui, columns), rows, rtl=ui.rtl)])
    return sink.getvalue()


def headings(ui: Words, columns: Sequence[str]) -> list[str]:
    """Return the columns' names in the reader's language."""
    return [ui.spoken(ui.label("column", column)) for column in columns]
