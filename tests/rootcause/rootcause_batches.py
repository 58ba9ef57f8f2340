"""Batches with the columns that root causes require, and a tagger that finds what it is told to."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import CLAUSE_SPANS, CLEAN, CLEAN_ENDS, CLEAN_STARTS, LANG, VECTOR
from feedback_nlp.embed import Encoder, open_encoder
from feedback_nlp.embed.settings import StaticBackend
from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Found, Reading, Tags


@functools.cache
def _encoder() -> Encoder:
    return open_encoder(StaticBackend())


def _vectors(texts: Sequence[str], width: int) -> np.ndarray:
    """Return the shipped encoder's vectors; zeros for another width."""
    zeros = np.zeros((len(texts), width), dtype=np.float32)
    return _encoder().encode(texts) if width == _encoder().width and texts else zeros


def clauses_of(texts: Sequence[str]) -> np.ndarray:
    """Return each text as one clause of its own, int64 array (n, 3)."""
    return np.array([(row, 0, len(text)) for row, text in enumerate(texts)], dtype=np.int64).reshape(-1, 3)


def batch_of(texts: Sequence[str | None], *, width: int = 256) -> CommentBatch:
    """Return a batch whose clean text is the text itself, one clause a sentence; None has no clean text."""
    batch = CommentBatch.from_texts([text or "" for text in texts])
    clauses: list[list[dict[str, int]]] = []
    for text in texts:
        spans, at = [], 0
        for piece in (text or "").split("."):
            lead = len(piece) - len(piece.lstrip())
            if piece.strip():
                spans.append({"start": at + lead, "end": at + len(piece.rstrip())})
            at += len(piece) + 1
        clauses.append(spans)
    columns = {
        LANG: pa.array(["en"] * len(texts), pa.string()),
        CLEAN: pa.array(texts, pa.string()),
        CLEAN_STARTS: pa.array([None if t is None else list(range(len(t))) for t in texts], CLEAN_STARTS.dtype),
        CLEAN_ENDS: pa.array([None if t is None else list(range(1, len(t) + 1)) for t in texts], CLEAN_ENDS.dtype),
        CLAUSE_SPANS: pa.array(clauses, CLAUSE_SPANS.dtype),
        VECTOR: vector_array(_vectors([text or "" for text in texts], width)),
    }
    return batch.adding(columns, who="test")


@dataclass(frozen=True)
class ToldTagger:
    """Finds the same causes in every comment.

    :param told: findings; their row is ignored.
    :param other: other causes of every comment.
    """

    told: Sequence[Found] = ()
    other: Sequence[str] = ()
    causes: frozenset[str] = field(default=frozenset({"tools", "attitude", "operations"}))

    def tag(self, comments: Comments) -> Tags:
        """Tag comments as told."""
        rows = range(len(comments))
        found = [
            Found(row, piece.cause, piece.sign, piece.score, piece.start, piece.end)
            for row in rows
            for piece in self.told
        ]
        labels = np.zeros(len(comments), dtype=np.int64)
        readings = {name: Reading(labels, np.full(len(comments), 0.5, dtype=np.float32)) for name in READING_VALUES}
        return Tags(found, [list(self.other) for _ in rows], readings)


PHRASES = (
    ("P.tools", "-", "the app crashes"),
    ("E.attitude", "-", "rude waiter"),
    ("E.attitude", "+", "kind waiter"),
    ("P.pricing", "+", "good price"),
    ("P.operations", "-", "late delivery"),
)


def annotated_row(number: int, source: str) -> dict[str, Any]:
    code, sign, words = PHRASES[number % len(PHRASES)]
    return {
        "id": f"en-{number}",
        "lang": "en",
        "source": source,
        "text": f"Well, {words} today. Visit {number}",
        "s": "neg" if sign == "-" else "pos",
        "d": [[code, sign, words]] if number % 6 else [],
        "o": ["product"] if number % 2 else [],
        "j": ("use", "delivery")[number % 2],
        "g": number % 3,
        "em": ("anger", "joy", "none")[number % 3],
        "ef": "na",
        "rs": ("no", "na")[number % 2],
        "ch": "na",
        "ok": 1,
    }
