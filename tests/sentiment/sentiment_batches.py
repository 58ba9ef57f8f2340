"""Batches with the columns that sentiment requires, made without the rooms that usually make them."""

import functools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import CLAUSE_SPANS, CLEAN, CLEAN_ENDS, CLEAN_STARTS, LANG, VECTOR
from feedback_nlp.embed import Encoder, open_encoder
from feedback_nlp.embed.settings import StaticBackend

WIDTH = 256


@functools.cache
def _encoder() -> Encoder:
    return open_encoder(StaticBackend())


def _vectors(texts: Sequence[str], width: int) -> np.ndarray:
    """Return the shipped encoder's vectors; ones for another width."""
    ones = np.ones((len(texts), width), dtype=np.float32)
    return _encoder().encode(texts) if width == _encoder().width and texts else ones


def batch_of(
    texts: Sequence[str | None], langs: Sequence[str] | None = None, *, width: int = WIDTH, cut: str = "."
) -> CommentBatch:
    """Return a batch whose clean text is the text itself, cut into clauses at ``cut``; None has no clean text."""
    batch = CommentBatch.from_texts([text or "" for text in texts])
    starts = [None if text is None else list(range(len(text))) for text in texts]
    ends = [None if text is None else list(range(1, len(text) + 1)) for text in texts]
    clauses: list[list[dict[str, int]]] = []
    for text in texts:
        spans, at = [], 0
        for piece in (text or "").split(cut):
            if piece.strip():
                lead = len(piece) - len(piece.lstrip())
                spans.append({"start": at + lead, "end": at + len(piece.rstrip())})
            at += len(piece) + len(cut)
        clauses.append(spans)
    columns = {
        LANG: pa.array(list(langs) if langs else ["en"] * len(texts), pa.string()),
        CLEAN: pa.array(texts, pa.string()),
        CLEAN_STARTS: pa.array(starts, CLEAN_STARTS.dtype),
        CLEAN_ENDS: pa.array(ends, CLEAN_ENDS.dtype),
        CLAUSE_SPANS: pa.array(clauses, CLAUSE_SPANS.dtype),
        VECTOR: vector_array(_vectors([text or "" for text in texts], width)),
    }
    return batch.adding(columns, who="test")
