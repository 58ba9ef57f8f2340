"""EmbedStage: the vector of each comment, and what a reading encoder reads in it."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import (
    CLAUSE_READINGS,
    CLAUSE_SPANS,
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    READER_COLUMNS,
    READING,
    TEXT,
    TOKEN_READINGS,
    TOKEN_SPANS,
    VECTOR,
    Column,
)
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.embed.backends.reader import ReaderEncoder, Readings
from feedback_nlp.embed.encoder import Encoder, open_encoder
from feedback_nlp.embed.pieces import Ints
from feedback_nlp.embed.settings import EmbedSettings

_NEEDS = (CLEAN,)
_READING_NEEDS = (TEXT, CLEAN, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS)


class EmbedStage:
    """Gives each comment its vector; null where ``clean`` is null or has no known token.

    A reading encoder gives its readings in the same pass; with any other one they are null.

    :param encoder: any encoder.
    """

    name: ClassVar[str] = "embed"
    provides: ClassVar[tuple[Column, ...]] = (VECTOR, *READER_COLUMNS)

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._reader = encoder if isinstance(encoder, ReaderEncoder) and encoder.reads else None

    @property
    def requires(self) -> tuple[Column, ...]:
        """Columns that must stand in the batch; clauses only where they are read."""
        return _NEEDS if self._reader is None else _READING_NEEDS

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Return ``vector`` and the columns of a reading."""
        texts = [text or "" for text in batch.values(CLEAN)]
        if self._reader is None:
            vectors = self._encoder.encode(texts)
            nothing = {column: pa.nulls(len(batch), column.dtype) for column in READER_COLUMNS}
            return {VECTOR: vector_array(vectors, np.asarray(vectors.any(axis=1))), **nothing}
        clauses = _clauses_in_clean(batch)
        readings = self._reader.read(texts, clauses)
        valid = np.asarray(readings.vectors.any(axis=1))
        return {VECTOR: vector_array(readings.vectors, valid), **_reading_arrays(readings, clauses, ~valid)}


def _clauses_in_clean(batch: CommentBatch) -> Ints:
    """Return all clauses, in order, as int64 array (clauses, 3) of row, start and end in ``clean``."""
    starts, ends = batch[CLEAN_STARTS], batch[CLEAN_ENDS]
    found = []
    for row, (text, spans) in enumerate(zip(batch.values(TEXT), batch.values(CLAUSE_SPANS), strict=True)):
        if not spans:
            continue
        none = np.empty(0, dtype=np.int32)
        there = starts[row].is_valid
        offsets = OffsetMap(
            starts[row].values.to_numpy() if there else none, ends[row].values.to_numpy() if there else none, len(text)
        )
        found += [(row, *offsets.to_clean(span["start"], span["end"])) for span in spans]
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def _offsets(owners: Ints, rows: int) -> pa.Array:
    """Return where each row's values begin among values in the order of rows."""
    return pa.array(np.searchsorted(owners, np.arange(rows + 1)).astype(np.int32))


def _lists(values: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> pa.Array:
    """Pack an array (lists, width) as a list array."""
    ends = np.arange(len(values) + 1, dtype=np.int32) * np.int32(values.shape[1])
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(np.ascontiguousarray(values).reshape(-1)))


def _reading_arrays(
    readings: Readings, clauses: Ints, empty: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> dict[Column, pa.Array]:
    mask, rows = pa.array(empty), len(empty)
    by_clause, by_token = _offsets(clauses[:, 0], rows), _offsets(readings.token_owners, rows)
    spans = pa.StructArray.from_arrays(
        [pa.array(readings.token_bounds[:, side].astype(np.int32)) for side in (0, 1)], ["start", "end"]
    )
    width = np.int32(readings.scores.shape[1])
    whole = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return {
        READING: pa.ListArray.from_arrays(whole, pa.array(readings.scores.reshape(-1)), mask=mask),
        CLAUSE_READINGS: pa.ListArray.from_arrays(by_clause, _lists(readings.clause_scores), mask=mask),
        TOKEN_SPANS: pa.ListArray.from_arrays(by_token, spans, mask=mask),
        TOKEN_READINGS: pa.ListArray.from_arrays(by_token, _lists(readings.token_scores), mask=mask),
    }


def open_stage(settings: EmbedSettings) -> EmbedStage:
    """Open the encoder that the settings name.

    :raises ModelError: when its files are missing, damaged or of the wrong kind.
    """
    return EmbedStage(open_encoder(settings.backend))
