"""Small stores with topics and comments in three languages, for the decision layer's tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from store_tables import results

from feedback_nlp.core.columns import COMMENT_ID, TEXT, TOPIC_ID, TOPIC_SCORE
from feedback_nlp.store import Store

NIGHT = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
LABELS = {
    0: ("التوصيل", "تحویل", "delivery"),
    1: ("الطعام", "غذا", "food"),
    2: ("السعر", "قیمت", "price"),
    3: ("الموظف", "کارمند", "staff"),
}
TEXTS = (
    "المندوب متأخر والطرد مكسور",
    "پیک دیر آمد و بسته شکسته بود",
    "the courier came late again",
    "کتاب من هنوز نرسیده است",
)


def topics_table(ids: Sequence[int] = tuple(LABELS)) -> pa.Table:
    """Return topics of the machine, one row each."""
    rows = [
        {
            "topic_id": topic,
            "size": 10,
            "share": 0.25,
            "parent_id": topic // 2,
            "status": "standing",
            "label_ar": LABELS.get(topic, ("؟",) * 3)[0],
            "label_fa": LABELS.get(topic, ("؟",) * 3)[1],
            "label_en": LABELS.get(topic, ("?",) * 3)[2],
            "keywords_fa": [LABELS.get(topic, ("؟",) * 3)[1]],
            "representatives_fa": [{"comment_id": "c00000000", "text": "متن"}],
        }
        for topic in ids
    ]
    comment = pa.struct([("comment_id", pa.string()), ("text", pa.string())])
    fields = [("topic_id", pa.int32()), ("size", pa.int64()), ("share", pa.float32()), ("parent_id", pa.int32())]
    fields += [("status", pa.string()), *((f"label_{lang}", pa.string()) for lang in ("ar", "fa", "en"))]
    fields += [("keywords_fa", pa.list_(pa.string())), ("representatives_fa", pa.list_(comment))]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def comments_table(rows: int = 40, *, topics: int = 4, texts: Sequence[str] = TEXTS) -> pa.Table:
    """Return comments; the i-th, ``c0000000i``, is in topic i modulo 4, every 13th in none."""
    table = results(rows)
    ids = np.array([-1 if at % 13 == 12 else at % topics for at in range(rows)], dtype=np.int32)
    words = [f"{texts[at // topics % len(texts)]} {at}" for at in range(rows)]
    for column, values in ((TOPIC_ID, ids), (TEXT, words), (TOPIC_SCORE, np.where(ids < 0, 0, 0.5))):
        at = table.column_names.index(column.name)
        table = table.set_column(at, table.schema.field(at), pa.array(values, column.dtype))
    return table


def add_run(
    store: Store, run_id: str = "r1", *, comments: pa.Table | None = None, topics: pa.Table | None = None
) -> None:
    """Store and publish a run."""
    store.begin_run(
        run_id,
        fingerprint="f",
        input_fingerprint="i",
        config={},
        models={},
        code_version="",
        inputs=[],
        started_at=NIGHT,
    )
    store.write_chunk(run_id, 0, comments_table() if comments is None else comments)
    store.write_topics(run_id, topics_table() if topics is None else topics)
    store.finish_run(run_id, {}, NIGHT)


def topics_by_comment(store: Store) -> dict[str, int]:
    """Return each comment's topic as decided."""
    table = store.comments(columns=[COMMENT_ID.name, TOPIC_ID.name])
    return dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))


def rows_by_topic(store: Store) -> dict[int, dict[str, object]]:
    """Return the topics as decided, by id."""
    return {row["topic_id"]: row for row in store.topics().to_pylist()}
