"""The ways to judge sentiment; each is one file behind :class:`Judge`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from feedback_nlp.sentiment.settings import LinearSentiment, TransformersSentiment

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Clauses:
    """Clauses of a batch of texts, in order.

    :param rows: int64 array (m,), the text each lies in, never falling.
    :param starts: int64 array (m,), first code point in its text.
    :param ends: int64 array (m,), end, exclusive.
    """

    rows: Ints
    starts: Ints
    ends: Ints

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Readings:
    """What a reading encoder says of the texts.

    :param known: bool array (texts,), whether a text was read.
    :param scores: float32 array (texts, READING_LABELS), 0 where not read.
    :param clause_scores: float32 array (clauses, READING_LABELS), 0 where the text was not read.
    """

    known: Flags
    scores: Floats
    clause_scores: Floats


@dataclass(frozen=True)
class Given:
    """What is judged: texts with their clauses, and what other stages found in them.

    :param texts: normalised texts.
    :param langs: language of each text.
    :param clauses: their clauses.
    :param vectors: float32 array (texts, width), rows of zeros where a text has none; None where not used.
    :param readings: None where no encoder has read the texts.
    """

    texts: Sequence[str]
    langs: Sequence[str]
    clauses: Clauses
    vectors: Floats | None = None
    readings: Readings | None = None


@dataclass(frozen=True)
class Judgement:
    """What a judge finds.

    :param probs: float32 array (texts, 3), calibrated, in the order of ``POLARITIES``; rows sum to 1.
    :param mixed: float32 array (texts,), probability that praise and complaint stand side by side.
    :param mixed_from: float32 array (texts,), probability from which a text counts as mixed.
    :param clause_probs: float32 array (clauses, 3).
    :param neutral_times: float32 array (texts,), what the probability of neutral is multiplied with before the
        likeliest label is taken: 1 for the most right labels, more where neutral is rare and shall not be missed.
    """

    probs: Floats
    mixed: Floats
    mixed_from: Floats
    clause_probs: Floats
    neutral_times: Floats


class Judge(Protocol):
    """Judges normalised texts; a text's result never depends on its neighbours."""

    @property
    def wants_vectors(self) -> bool:
        """Tell whether the texts' vectors must be given."""

    @property
    def wants_readings(self) -> bool:
        """Tell whether readings are used where they are given."""

    def judge(self, given: Given) -> Judgement:
        """Judge texts and their clauses."""


def open_judge(settings: LinearSentiment | TransformersSentiment) -> Judge:
    """Open the backend that the settings name, with its model.

    :raises ModelError: when the model is missing, damaged or of another kind.
    :raises ConfigError: when the backend's extra is not installed, its revision is not pinned, or its labels are not
        understood.
    """
    if isinstance(settings, TransformersSentiment):
        from feedback_nlp.sentiment.backends.transformers import TransformersJudge

        return TransformersJudge.open(settings)
    from feedback_nlp.sentiment.backends.linear import LinearJudge

    return LinearJudge.open(settings.model, vectors=settings.vectors)
