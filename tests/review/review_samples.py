"""A small store for the review page's tests: two nights, three languages, awkward words, users of every role."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from argon2 import PasswordHasher

from feedback_nlp.core.columns import RESULT_COLUMNS
from feedback_nlp.store import Store, open_store

PASSWORD = "correct horse battery"
# Cheap on purpose: the parameters of a hash say how long checking it takes.
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
ROLES = ("viewer", "analyst", "admin")
SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)> late delivery"
FORMULA = '=HYPERLINK("http://evil.example","late delivery")'
PHONE = "Call me on 0912 345 6789 about the late delivery"
START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)

SAID: tuple[dict[str, Any], ...] = (
    {"id": "a1", "text": "كتاب جميل وسعره مناسب", "lang": "ar", "sentiment": "positive", "topic": 1},
    {"id": "a2", "text": "el ketab wesel met2akher", "clean": "الكتاب وصل متأخر", "lang": "ar", "script": "latin"},
    {"id": "f1", "text": "کتاب پاره بود و پشتیبانی جواب نداد", "lang": "fa", "sentiment": "negative", "topic": 1},
    {"id": "f2", "text": "kharab bood", "clean": "خراب بود", "lang": "fa", "script": "latin", "topic": 2},
    {"id": "e1", "text": SCRIPT, "lang": "en", "sentiment": "negative", "topic": 2},
    {"id": "e2", "text": FORMULA, "lang": "en", "sentiment": "negative", "topic": 2},
    {
        "id": "e3",
        "text": PHONE,
        "lang": "en",
        "sentiment": "negative",
        "topic": 2,
        "redactions": [{"start": 11, "end": 24, "kind": "phone"}],
        "drivers": [{"driver": "policy", "cause": "operations", "sign": "-", "score": 0.9, "start": 35, "end": 48}],
    },
    {
        "id": "e4",
        "text": "The agent was rude and the return rules are absurd",
        "lang": "en",
        "sentiment": "negative",
        "topic": 3,
        "part": 31,
        "also": [2, 99, 1],
        "drivers": [
            {"driver": "employee", "cause": "attitude", "sign": "-", "score": 0.8, "start": 4, "end": 18},
            {"driver": "policy", "cause": "returns", "sign": "-", "score": 0.7, "start": 27, "end": 50},
        ],
    },
    {
        "id": "e5",
        "text": "Sara was kind and patient",
        "lang": "en",
        "sentiment": "positive",
        "topic": 3,
        "part": 31,
        "drivers": [{"driver": "employee", "cause": "attitude", "sign": "+", "score": 0.9, "start": 9, "end": 25}],
    },
    {"id": "e/6 ?&", "text": "Nothing to add", "lang": "en", "sentiment": "neutral", "topic": -1},
)
LINEAGE = [
    {"change": "split_from", "topic_id": 2, "day": "2026-11-03"},
    {"change": "merged_from", "topic_id": 77, "day": None},
]
NAMES = {1: ("كتب", "کتاب", "books"), 2: ("تأخير", "تأخیر", "late delivery"), 3: ("الموظفون", "کارکنان", "staff")}


def _cause(drivers: Sequence[Mapping[str, Any]]) -> str:
    named = {each["driver"] for each in drivers if each["sign"] == "-"} or {each["driver"] for each in drivers}
    return "none" if not named else "both" if len(named) > 1 else next(iter(named))


def said(extra: int = 50) -> list[dict[str, Any]]:
    """Return the comments, and further plain ones about staff."""
    more = [
        {
            "id": f"x{at:05d}",
            "text": f"waited {at} minutes at the desk",
            "lang": "en",
            "sentiment": "negative",
            "topic": 3,
            "part": 32,
        }
        for at in range(extra)
    ]
    return [*map(dict, SAID), *more]


def table(comments: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return comments as a table of results."""
    rows = []
    for at, each in enumerate(comments):
        drivers = each.get("drivers", [])
        sure = each.get("sentiment")
        rows.append(
            {
                "comment_id": each["id"],
                "text": each["text"],
                "created_at": START + timedelta(days=at % 20),
                "source": "night.csv",
                "meta": f'{{"branch":"B{at % 3}","product":"phone","channel":"app"}}',
                "lang": each["lang"],
                "lang_script": each.get("script", "native"),
                "lang_score": 0.9,
                "lang_spans": [],
                "clean": each.get("clean", each["text"]),
                "redactions": each.get("redactions", []),
                "sentiment": sure,
                "sentiment_score": 0.5 + (at % 5) / 10 if sure else None,
                "sentiment_abstained": at % 4 == 0,
                "clauses": [],
                "topic_id": each.get("topic", -1),
                "topic_score": 0.3 + (at % 7) / 10 if each.get("topic", -1) >= 0 else 0.0,
                "topics_also": each.get("also"),
                "subtopic_id": each.get("part"),
                "drivers": drivers,
                "root_cause": _cause(drivers),
                "other_causes": [],
                "problems": [],
            }
        )
    arrays = [pa.array([row.get(column.name) for row in rows], column.dtype) for column in RESULT_COLUMNS]
    return pa.Table.from_arrays(arrays, schema=pa.schema([(column.name, column.dtype) for column in RESULT_COLUMNS]))


def _parts(own: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the sub-topics of topic 3."""
    found = []
    for part, (ar, fa, en) in {31: ("السلوك", "رفتار", "manners"), 32: ("الانتظار", "انتظار", "waiting")}.items():
        size = sum(each.get("part") == part for each in own)
        names = {"label_ar": ar, "label_fa": fa, "label_en": en}
        words = {"keywords_ar": [ar], "keywords_fa": [fa], "keywords_en": [en, "desk"]}
        found.append({"subtopic_id": part, "size": size, "share": size / max(len(own), 1), **names, **words})
    return found


def topics(comments: Sequence[Mapping[str, Any]], ids: Sequence[int] = (1, 2, 3)) -> pa.Table:
    """Return a table of topics as a run writes it."""
    rows = []
    for topic in ids:
        own = [each for each in comments if each.get("topic", -1) == topic]
        ar, fa, en = NAMES.get(topic, (f"م{topic}", f"م{topic}", f"topic {topic}"))
        shown = [{"comment_id": each["id"], "text": each["text"]} for each in own[:2]]
        rows.append(
            {
                "topic_id": topic,
                "size": len(own),
                "share": len(own) / max(len(comments), 1),
                "parent_id": 0 if topic != 2 else 1,
                "status": "emerging" if topic == 3 else "standing",
                "radius": 0.2,
                "label_ar": ar,
                "label_fa": fa,
                "label_en": en,
                "keywords_ar": [ar],
                "keywords_fa": [fa],
                "keywords_en": en.split(),
                "share_ar": 0.3,
                "share_fa": 0.3,
                "share_en": 0.4,
                "representatives_ar": [],
                "representatives_fa": [],
                "representatives_en": shown,
                "first_seen": "2026-11-02" if topic == 3 else None,
                "growth": 3.25 if topic == 3 else None,
                "lineage": LINEAGE if topic == 3 else [],
                "subtopics": _parts(own) if topic == 3 else [],
                "parent_label_ar": "محور",
                "parent_label_fa": "خانواده",
                "parent_label_en": "theme",
            }
        )
    said_type = pa.list_(pa.struct([("comment_id", pa.string()), ("text", pa.string())]))
    frame = pa.Table.from_pylist(rows)
    for lang in ("ar", "fa", "en"):
        at = frame.column_names.index(f"representatives_{lang}")
        frame = frame.set_column(
            at, f"representatives_{lang}", pa.array([r[f"representatives_{lang}"] for r in rows], said_type)
        )
    at = frame.column_names.index("topic_id")
    return frame.set_column(at, "topic_id", frame.column("topic_id").cast(pa.int32()))


def add_run(store: Store, run_id: str, comments: Sequence[Mapping[str, Any]], day: int) -> None:
    """Write a finished, published run."""
    at = START + timedelta(days=day)
    store.begin_run(
        run_id,
        fingerprint=run_id,
        input_fingerprint=run_id,
        config={},
        models={},
        code_version="0",
        inputs=["night.csv"],
        started_at=at,
    )
    store.write_chunk(run_id, 0, table(comments))
    store.write_topics(run_id, topics(comments))
    store.finish_run(run_id, {"counts": {}}, at + timedelta(minutes=5))


def make_store(folder: Path, *, extra: int = 50) -> Store:
    """Make a store of two nights with a user of each role, all with the same password."""
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    add_run(store, "night1", said(0), 0)
    add_run(store, "night2", said(extra), 1)
    book = store.user_book()
    for role in ROLES:
        book.add(role, role, HASHED, START)  # type: ignore[arg-type]
    return store
