"""RootCauseStage: drivers with evidence, the cause of the comment as a whole, and the other readings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    CLAUSE_READINGS,
    CLAUSE_SPANS,
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    DRIVER_SPANS,
    EFFORT,
    EFFORT_SCORE,
    EMOTION,
    EMOTION_SCORE,
    INTENT,
    INTENT_SCORE,
    LANG,
    OTHER_CAUSE_LIST,
    PROBLEMS,
    PYRAMID,
    PYRAMID_SCORE,
    READING,
    READINGS,
    REDACTIONS,
    RESOLVED,
    RESOLVED_SCORE,
    ROOT_CAUSE,
    STAGE,
    STAGE_SCORE,
    TEXT,
    TOKEN_READINGS,
    TOKEN_SPANS,
    VECTOR,
    Column,
)
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.core.reading import READING_LABELS, TOKEN_LABELS
from feedback_nlp.core.redaction import redact
from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Found, Read, Reading, Tagger, open_tagger
from feedback_nlp.rootcause.cues import CueFinder
from feedback_nlp.rootcause.evidence import trim
from feedback_nlp.rootcause.prototypes import Encode, PrototypeFinder, fit_prototypes, needs_encoder
from feedback_nlp.rootcause.settings import RootCauseSettings
from feedback_nlp.rootcause.taxonomy import Taxonomy, open_taxonomy

NO_TEXT = "rootcause: no text to judge"
_READING_COLUMNS = {
    "emotion": (EMOTION, EMOTION_SCORE),
    "effort": (EFFORT, EFFORT_SCORE),
    "resolved": (RESOLVED, RESOLVED_SCORE),
    "intent": (INTENT, INTENT_SCORE),
    "stage": (STAGE, STAGE_SCORE),
    "pyramid": (PYRAMID, PYRAMID_SCORE),
}
_NEEDS = (TEXT, LANG, CLEAN, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS)


@dataclass(frozen=True)
class _Judged:
    """The comments of a batch that have a text.

    :param rows: their rows in the batch.
    :param comments: what the tagger takes, in the same order.
    :param offsets: how each normalised text lies on its text.
    """

    rows: list[int]
    comments: Comments
    offsets: list[OffsetMap]


class RootCauseStage:
    """Finds what the company or its people did well or badly, and where the comment says so."""

    name: ClassVar[str] = "rootcause"
    provides: ClassVar[tuple[Column, ...]] = (DRIVER_SPANS, ROOT_CAUSE, OTHER_CAUSE_LIST, *READINGS, PROBLEMS)

    def __init__(
        self, settings: RootCauseSettings, tagger: Tagger, taxonomy: Taxonomy, own: PrototypeFinder | None = None
    ) -> None:
        self._settings = settings
        self._tagger = tagger
        self._own = own
        # What leaves this machine has personal data covered, in place, so that evidence still lies where it lay.
        self._covers = settings.backend.kind == "llm"
        self._drivers = {cause.id: cause.driver for cause in taxonomy.causes}
        self._cues = CueFinder.of([cause for cause in taxonomy.causes if cause.id not in tagger.causes])

    @property
    def requires(self) -> tuple[Column, ...]:
        """Columns that must stand in the batch; the vector only where the backend uses it."""
        needs = (*_NEEDS, VECTOR) if self._settings.backend.vectors else _NEEDS
        return (*needs, REDACTIONS) if self._covers else needs

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Compute the provided columns; a comment without normalised text gets nulls and a reason."""
        judged = self._judged(batch)
        tags = self._tagger.tag(judged.comments)
        found = self._with_own(list(tags.found), judged.comments)
        drivers: list[list[dict[str, Any]]] = [[] for _ in range(len(batch))]
        texts = batch.values(TEXT)
        for position, pieces in groupby(found, key=lambda piece: piece.row):
            row = judged.rows[position]
            drivers[row] = self._spans(texts[row], judged.offsets[position], list(pieces))
        others: list[list[str]] = [[] for _ in range(len(batch))]
        for position, row in enumerate(judged.rows):
            others[row] = list(tags.others[position])
        usable = np.zeros(len(batch), dtype=bool)
        usable[judged.rows] = True
        causes = [whole_cause(d, o) if ok else None for d, o, ok in zip(drivers, others, usable, strict=True)]
        return {
            DRIVER_SPANS: pa.array(drivers, DRIVER_SPANS.dtype),
            ROOT_CAUSE: pa.array(causes, pa.string()),
            OTHER_CAUSE_LIST: pa.array(others, OTHER_CAUSE_LIST.dtype),
            **_reading_arrays(tags.readings, judged.rows, len(batch)),
            PROBLEMS: pa.array([[] if ok else [NO_TEXT] for ok in usable], PROBLEMS.dtype),
        }

    def _with_own(self, found: list[Found], comments: Comments) -> list[Found]:
        """Add the causes that the tagger does not know: by examples, and where these find none, by cues."""
        near = [] if self._own is None else self._own.find(comments)
        seen = {(piece.row, piece.cause, piece.sign) for piece in near}
        cued = [piece for piece in self._cues.find(comments.texts) if (piece.row, piece.cause, piece.sign) not in seen]
        return sorted([*found, *near, *cued], key=lambda piece: piece.row)

    def _judged(self, batch: CommentBatch) -> _Judged:
        cleans = batch.values(CLEAN)
        rows = [row for row, clean in enumerate(cleans) if clean is not None and clean.strip()]
        hidden = batch.values(REDACTIONS) if self._covers else None
        every, starts, ends = batch.values(CLAUSE_SPANS), batch[CLEAN_STARTS], batch[CLEAN_ENDS]
        lengths = [len(text) for text in batch.values(TEXT)]
        offsets, clauses, numbers = [], [], []
        for position, row in enumerate(rows):
            offsets.append(OffsetMap(_positions(starts, row), _positions(ends, row), lengths[row]))
            if hidden is not None:
                spans = [(*offsets[-1].to_clean(one["start"], one["end"]), one["kind"]) for one in hidden[row]]
                cleans[row] = redact(cleans[row], spans, keep_length=True)
            for number, span in enumerate(every[row]):
                low, high = offsets[-1].to_clean(span["start"], span["end"])
                if high > low:
                    clauses.append((position, low, high))
                    numbers.append((row, number))
        table = np.array(clauses, dtype=np.int64).reshape(-1, 3)
        vectors = batch.vectors()[rows] if self._settings.backend.vectors else None
        read = _read(batch, rows, numbers) if READING in batch else None
        return _Judged(rows, Comments([cleans[row] for row in rows], vectors, table, read), offsets)

    def _spans(self, text: str, offsets: OffsetMap, found: Sequence[Found]) -> list[dict[str, Any]]:
        """Return a comment's findings as rows of ``drivers``; causes that the taxonomy lacks are left out."""
        spans = []
        for piece in found:
            start, end = trim(text, *offsets.to_text(piece.start, piece.end))
            if (
                piece.cause not in self._drivers
                or piece.score < self._settings.min_score
                or not text[start:end].strip()
            ):
                continue
            spans.append(
                {
                    "driver": self._drivers[piece.cause],
                    "cause": piece.cause,
                    "sign": piece.sign,
                    "score": piece.score,
                    "start": start,
                    "end": end,
                }
            )
        return spans


def whole_cause(drivers: Sequence[Mapping[str, Any]], others: Sequence[str]) -> str:
    """Name the cause of a comment as a whole: complaints before praise, drivers before other causes.

    :param drivers: rows of the column ``drivers``.
    :param others: other causes.
    :returns: one of ``ROOT_CAUSES``.
    """
    for sign in "-+":
        named = {driver["driver"] for driver in drivers if driver["sign"] == sign}
        if named:
            return "both" if len(named) > 1 else str(next(iter(named)))
    return "other" if others else "none"


def _positions(array: pa.Array, row: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.asarray(array[row].values.to_numpy(), dtype=np.int32)


def _read(batch: CommentBatch, rows: Sequence[int], clauses: Sequence[tuple[int, int]]) -> Read | None:
    """Return what a reading encoder says of some comments; None where it read none of them.

    :param rows: the comments, by row.
    :param clauses: row and number of each clause wanted.
    """
    readings, of_clauses = batch[READING], batch.values(CLAUSE_READINGS)
    spans, tokens = batch.values(TOKEN_SPANS), batch[TOKEN_READINGS]
    known = np.array([readings[row].is_valid for row in rows], dtype=bool)
    if not known.any():
        return None
    width = len(READING_LABELS)
    wholes = np.zeros((len(rows), width), dtype=np.float32)
    for position in np.flatnonzero(known).tolist():
        wholes[position] = readings[rows[position]].values.to_numpy()
    none = [0.0] * width
    by_clause = [none if of_clauses[row] is None else of_clauses[row][number] for row, number in clauses]
    places, scores = [], []
    for position, row in enumerate(rows):
        if known[position]:
            places += [(position, span["start"], span["end"]) for span in spans[row]]
            scores.append(tokens[row].values.flatten().to_numpy())
    return Read(
        known,
        wholes,
        np.array(by_clause, dtype=np.float32).reshape(-1, width),
        np.array(places, dtype=np.int64).reshape(-1, 3),
        np.concatenate(scores).reshape(-1, len(TOKEN_LABELS)).astype(np.float32),
    )


def _reading_arrays(readings: Mapping[str, Reading], rows: list[int], total: int) -> dict[Column, pa.Array]:
    places: list[int | None] = [None] * total
    for position, row in enumerate(rows):
        places[row] = position
    taken = pa.array(places, pa.int64())
    arrays = {}
    for name, (label_column, score_column) in _READING_COLUMNS.items():
        reading = readings[name]
        if label_column is PYRAMID:
            labels = pa.array(reading.labels.astype(np.int8), pa.int8())
        else:
            labels = pa.array([READING_VALUES[name][label] for label in reading.labels], pa.string())
        arrays[label_column] = labels.take(taken)
        arrays[score_column] = pa.array(reading.scores, pa.float32()).take(taken)
    return arrays


def open_stage(settings: RootCauseSettings, open_encode: Callable[[], Encode] | None = None) -> RootCauseStage:
    """Open the stage with the model and the taxonomy that its settings name.

    :param open_encode: opens the encoder that ``settings.own.model`` names; called only where the taxonomy has causes
        of the user's own that are told by examples.
    :raises ModelError: when the model is missing, damaged or of another kind.
    :raises ConfigError: when the taxonomy has faults, or has examples to compare and there is no encoder.
    :raises MissingInputError: when the taxonomy does not exist.
    """
    taxonomy = open_taxonomy(settings.taxonomy, settings.own.file)
    tagger = open_tagger(settings.backend, evidence_words=settings.evidence_words, taxonomy=taxonomy)
    if not needs_encoder(taxonomy):
        return RootCauseStage(settings, tagger, taxonomy)
    if open_encode is None:
        raise ConfigError("rootcause.own: causes told by examples need an encoder to compare with; give open_encode.")
    encode = open_encode()
    own = PrototypeFinder(fit_prototypes(taxonomy, encode), encode, settings.evidence_words)
    return RootCauseStage(settings, tagger, taxonomy, own)
