"""Tables of results for the store's tests: every column, nulls, three scripts, awkward characters."""

import numpy as np
import pyarrow as pa

from feedback_nlp.core import columns as c
from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import RESULT_COLUMNS, Column

TEXTS = (
    "الموظف كان وقحا، لكن السعر جيد",
    "کارمند پشت باجه اصلاً جواب نداد و سیاست مرجوعی خیلی سخت است",
    "The staff were great but the return policy is awful 😡",
    "",
    'quotes " and \\ and \n newline \x07 \u200c \U0001f9d1\u200d\U0001f4bb',
)


def _scores(rng: np.random.Generator, rows: int) -> pa.Array:
    return pa.array(rng.random(rows, dtype=np.float32))


def _readings(rng: np.random.Generator, rows: int) -> dict[Column, pa.Array]:
    found: dict[Column, pa.Array] = {}
    for column in c.READINGS:
        if column.allowed is not None:
            found[column] = pa.array(
                [
                    None if pick == 0 else column.allowed[pick % len(column.allowed)]
                    for pick in rng.integers(0, 9, rows)
                ],
                pa.string(),
            )
        elif column is c.PYRAMID:
            found[column] = pa.array(rng.integers(0, 6, rows).astype(np.int8), mask=rng.random(rows) < 0.1)
        else:
            found[column] = _scores(rng, rows)
    return found


def results(rows: int, *, seed: int = 0, first: int = 0) -> pa.Table:
    """Make rows of results with ids from ``first`` on."""
    rng = np.random.default_rng(seed + first)
    texts = [TEXTS[(first + i) % len(TEXTS)] for i in range(rows)]
    score = rng.random((rows, 4), dtype=np.float32)
    made: dict[Column, object] = {
        c.COMMENT_ID: [f"c{first + i:08d}" for i in range(rows)],
        c.TEXT: texts,
        c.CREATED_AT: [None if i % 7 == 0 else 1_790_000_000_123_456 + i * 977 for i in range(rows)],
        c.SOURCE: ["comments.csv"] * rows,
        c.META: [None if i % 5 == 0 else f'{{"branch":"تهران","nps":{i % 11}}}' for i in range(rows)],
        c.LANG: [c.LANGS[i % 5] for i in range(rows)],
        c.LANG_SCRIPT: [c.SCRIPTS[i % 3] for i in range(rows)],
        c.LANG_SCORE: score[:, 0],
        c.LANG_SPANS: [[{"start": 0, "end": len(t), "lang": "ar"}] if t else [] for t in texts],
        c.CLEAN: [t or None for t in texts],
        c.REDACTIONS: [
            [{"start": 0, "end": 4, "kind": "phone"}] if i % 9 == 0 and texts[i] else [] for i in range(rows)
        ],
        c.SENTIMENT: [None if not t else c.SENTIMENTS[i % 4] for i, t in enumerate(texts)],
        c.SENTIMENT_PROBS: [
            {"negative": p[0], "neutral": p[1], "positive": p[2]} if t else None
            for p, t in zip(score, texts, strict=True)
        ],
        c.SENTIMENT_SCORE: score[:, 1],
        c.SENTIMENT_ABSTAINED: [i % 3 == 0 for i in range(rows)],
        c.CLAUSES: [
            [
                {"start": 0, "end": 5, "sentiment": "negative", "score": p[2]},
                {"start": 5, "end": len(t), "sentiment": None, "score": p[3]},
            ]
            if t
            else []
            for p, t in zip(score, texts, strict=True)
        ],
        c.TOPIC_ID: rng.integers(-1, 40, rows).astype(np.int32),
        c.TOPIC_SCORE: score[:, 2],
        c.TOPICS_ALSO: [None if i % 4 == 0 else [i % 3] * (i % 2) for i in range(rows)],
        c.SUBTOPIC_ID: [None if i % 3 == 0 else i % 5 for i in range(rows)],
        c.DRIVER_SPANS: [
            [
                {"driver": c.DRIVERS[k], "cause": "returns", "sign": "-", "score": p[k], "start": k, "end": k + 7}
                for k in range(i % 3)
            ]
            if t
            else []
            for i, (p, t) in enumerate(zip(score, texts, strict=True))
        ],
        c.ROOT_CAUSE: [None if not t else c.ROOT_CAUSES[i % 5] for i, t in enumerate(texts)],
        c.OTHER_CAUSE_LIST: [["product"] if i % 6 == 0 else [] for i in range(rows)],
        c.PROBLEMS: [[] if t else ["nothing to read", 'a "quoted" \\ reason'] for t in texts],
        **_readings(rng, rows),
    }
    arrays = [
        made[column] if isinstance(made[column], pa.Array) else pa.array(made[column], column.dtype)
        for column in RESULT_COLUMNS
    ]
    return pa.Table.from_arrays(
        arrays, schema=pa.schema([pa.field(column.name, column.dtype) for column in RESULT_COLUMNS])
    )


def with_internal_columns(table: pa.Table, width: int = 16) -> CommentBatch:
    """Add the columns that pass between stages, a null vector where there is no text."""
    rows = table.num_rows
    texts = table.column("text").to_pylist()
    vectors = np.random.default_rng(rows).standard_normal((rows, width)).astype(np.float32)
    valid = np.array([bool(text) for text in texts], dtype=bool)
    return CommentBatch(table).adding(
        {
            c.CLEAN_STARTS: pa.array([list(range(len(t))) if t else None for t in texts], c.CLEAN_STARTS.dtype),
            c.CLEAN_ENDS: pa.array([list(range(1, len(t) + 1)) if t else None for t in texts], c.CLEAN_ENDS.dtype),
            c.CLAUSE_SPANS: pa.array([[{"start": 0, "end": len(t)}] if t else [] for t in texts], c.CLAUSE_SPANS.dtype),
            c.VECTOR: vector_array(vectors, valid),
        },
        who="test",
    )
