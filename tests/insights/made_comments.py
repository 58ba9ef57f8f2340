"""Small result tables with just what a test says, everything else at rest."""

import json
from typing import Any

import pyarrow as pa

from feedback_nlp.core.columns import RESULT_COLUMNS

SCHEMA = pa.schema([(column.name, column.dtype) for column in RESULT_COLUMNS])


def driver(code: str, *, score: float = 0.9, start: int = 0, end: int = 4) -> dict[str, Any]:
    """Return a mention written as ``policy.returns-``."""
    family, cause = code[:-1].split(".")
    return {"driver": family, "cause": cause, "sign": code[-1], "score": score, "start": start, "end": end}


def comment(
    at: int, *drivers: str | dict[str, Any], meta: dict[str, Any] | None = None, **values: Any
) -> dict[str, Any]:
    """Return one row; ``values`` are columns of the result."""
    row: dict[str, Any] = {
        "comment_id": f"c{at:03d}",
        "text": f"comment number {at}",
        "created_at": None,
        "source": "a.csv",
        "meta": None if meta is None else json.dumps(meta),
        "lang": "en",
        "lang_script": "native",
        "lang_score": 1.0,
        "lang_spans": [],
        "clean": None,
        "redactions": [],
        "sentiment": "neutral",
        "sentiment_probs": None,
        "sentiment_score": 0.8,
        "sentiment_abstained": False,
        "clauses": [],
        "topic_id": -1,
        "topic_score": 0.0,
        "drivers": [each if isinstance(each, dict) else driver(each) for each in drivers],
        "root_cause": "none",
        "other_causes": [],
        "problems": [],
    }
    return row | values


def table(*rows: dict[str, Any]) -> pa.Table:
    """Return rows as a result table; columns left out are null."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)
