"""SentimentStage: a label with calibrated probabilities a comment, and a polarity a clause."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    CLAUSE_READINGS,
    CLAUSE_SPANS,
    CLAUSES,
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    LANG,
    POLARITIES,
    PROBLEMS,
    READING,
    SENTIMENT,
    SENTIMENT_ABSTAINED,
    SENTIMENT_PROBS,
    SENTIMENT_SCORE,
    SENTIMENTS,
    TEXT,
    VECTOR,
    Column,
)
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.core.reading import READING_LABELS
from feedback_nlp.sentiment.backends import Clauses, Floats, Given, Judge, Judgement, Readings, open_judge
from feedback_nlp.sentiment.settings import SentimentSettings

MIXED, NEUTRAL = SENTIMENTS.index("mixed"), POLARITIES.index("neutral")
NO_TEXT = "sentiment: no text to judge"
_NEEDS = (TEXT, LANG, CLEAN, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS)

Spans = list[tuple[int, int, int]]


class SentimentStage:
    """Judges each comment and its clauses."""

    name: ClassVar[str] = "sentiment"
    provides: ClassVar[tuple[Column, ...]] = (
        SENTIMENT,
        SENTIMENT_PROBS,
        SENTIMENT_SCORE,
        SENTIMENT_ABSTAINED,
        CLAUSES,
        PROBLEMS,
    )

    def __init__(self, settings: SentimentSettings, judge: Judge) -> None:
        self._settings = settings
        self._judge = judge

    @property
    def requires(self) -> tuple[Column, ...]:
        """Columns that must stand in the batch; the vector only where the backend uses it."""
        return (*_NEEDS, VECTOR) if self._judge.wants_vectors else _NEEDS

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Compute the provided columns; a comment without normalised text gets nulls and a reason."""
        cleans = batch.values(CLEAN)
        langs = batch.values(LANG)
        rows = [row for row, clean in enumerate(cleans) if clean is not None and clean.strip()]
        clauses, spans, places = self._clauses(batch, rows)
        given = Given(
            [cleans[row] for row in rows],
            [langs[row] for row in rows],
            clauses,
            batch.vectors()[rows] if self._judge.wants_vectors else None,
            _readings(batch, rows, spans, places) if self._judge.wants_readings else None,
        )
        judged = self._judge.judge(given)
        labels, scores = decide(judged)
        usable = np.zeros(len(batch), dtype=bool)
        usable[rows] = True
        return {
            SENTIMENT: _spread(pa.array(np.asarray(SENTIMENTS)[labels], pa.string()), rows, len(batch)),
            SENTIMENT_PROBS: _spread(_structs(judged.probs), rows, len(batch)),
            SENTIMENT_SCORE: _spread(pa.array(scores, pa.float32()), rows, len(batch)),
            SENTIMENT_ABSTAINED: self._abstained(scores, usable),
            CLAUSES: _clause_lists(spans, judged.clause_probs, len(batch)),
            PROBLEMS: pa.array([[] if ok else [NO_TEXT] for ok in usable], PROBLEMS.dtype),
        }

    def _clauses(self, batch: CommentBatch, rows: list[int]) -> tuple[Clauses, Spans, list[int]]:
        """Return clauses in normalised texts, as (row, start, end) in texts as given, and their places in the row."""
        inner: Spans = []
        outer: Spans = []
        places: list[int] = []
        if self._settings.clauses:
            every = batch.values(CLAUSE_SPANS)
            lengths = [len(text) for text in batch.values(TEXT)]
            starts, ends = batch[CLEAN_STARTS], batch[CLEAN_ENDS]
            for position, row in enumerate(rows):
                offsets = OffsetMap(_positions(starts, row), _positions(ends, row), lengths[row])
                for place, span in enumerate(every[row]):
                    low, high = offsets.to_clean(span["start"], span["end"])
                    if high > low:
                        inner.append((position, low, high))
                        outer.append((row, span["start"], span["end"]))
                        places.append(place)
        table = np.array(inner, dtype=np.int64).reshape(-1, 3)
        return Clauses(table[:, 0], table[:, 1], table[:, 2]), outer, places

    def _abstained(self, scores: Floats, usable: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
        abstained = np.zeros(len(usable), dtype=bool)
        abstained[usable] = scores < self._settings.min_score
        return pa.array(abstained)


def decide(judged: Judgement) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Floats]:
    """Return each text's label as index into ``SENTIMENTS``, and the score of that label."""
    mixed = judged.mixed >= judged.mixed_from
    polarity = weighed(judged).argmax(axis=1)
    labels = np.where(mixed, MIXED, polarity).astype(np.int64)
    found = judged.probs[np.arange(len(polarity)), polarity] * (1 - judged.mixed)
    return labels, np.where(mixed, judged.mixed, found).astype(np.float32)


def weighed(judged: Judgement) -> Floats:
    """Return the probabilities whose likeliest is a text's label where it is not mixed, float32 array (texts, 3)."""
    probs = judged.probs.copy()
    probs[:, NEUTRAL] *= judged.neutral_times
    return probs


def _readings(batch: CommentBatch, rows: list[int], spans: Spans, places: list[int]) -> Readings | None:
    """Return what an encoder has read in some of the comments; None where it has read none."""
    if READING not in batch or batch[READING].null_count == len(batch):
        return None
    known = np.asarray(batch[READING].is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    scores = np.zeros((len(batch), len(READING_LABELS)), dtype=np.float32)
    scores[known] = _table(batch[READING].drop_null().flatten())
    owners = np.array([row for row, _, _ in spans], dtype=np.int64)
    clause_scores = np.zeros((len(spans), len(READING_LABELS)), dtype=np.float32)
    there = known[owners]
    if there.any():
        lists = batch[CLAUSE_READINGS]
        counts = np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(), dtype=np.int64)
        at = (np.cumsum(counts) - counts)[owners] + np.array(places, dtype=np.int64)
        clause_scores[there] = _table(lists.drop_null().flatten().flatten())[at[there]]
    return Readings(known[rows], scores[rows], clause_scores)


def _table(values: pa.Array) -> Floats:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, len(READING_LABELS))


def _positions(array: pa.Array, row: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.asarray(array[row].values.to_numpy(), dtype=np.int32)


def _structs(probs: Floats) -> pa.Array:
    return pa.StructArray.from_arrays(
        [pa.array(np.ascontiguousarray(probs[:, k]), pa.float32()) for k in range(len(POLARITIES))], list(POLARITIES)
    )


def _spread(values: pa.Array, rows: list[int], total: int) -> pa.Array:
    """Put values at their rows, nulls elsewhere."""
    places: list[int | None] = [None] * total
    for position, row in enumerate(rows):
        places[row] = position
    return values.take(pa.array(places, pa.int64()))


def _clause_lists(spans: Spans, probs: Floats, total: int) -> pa.Array:
    rows: list[list[dict[str, Any]]] = [[] for _ in range(total)]
    best = probs.argmax(axis=1) if len(probs) else np.empty(0, dtype=np.int64)
    for (row, start, end), label, scores in zip(spans, best, probs, strict=True):
        rows[row].append({"start": start, "end": end, "sentiment": POLARITIES[label], "score": scores[label]})
    return pa.array(rows, CLAUSES.dtype)


def open_stage(settings: SentimentSettings) -> SentimentStage:
    """Open the stage with the model that its settings name.

    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    return SentimentStage(settings, open_judge(settings.backend))
