"""The ways to find root causes; each is one file behind :class:`Tagger`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from feedback_nlp.core.columns import EFFORTS, EMOTIONS, INTENTS, RESOLUTIONS, STAGES
from feedback_nlp.rootcause.settings import LinearRootCause

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

READING_VALUES: Mapping[str, tuple[str, ...]] = {
    "emotion": EMOTIONS,
    "effort": EFFORTS,
    "resolved": RESOLUTIONS,
    "intent": INTENTS,
    "stage": STAGES,
    "pyramid": tuple(map(str, range(6))),
}


@dataclass(frozen=True)
class Comments:
    """Normalised comments as a tagger takes them.

    :param texts: normalised texts, n of them.
    :param vectors: float32 array (n, width), rows of zeros where there is none; None where vectors are not used.
    :param clauses: int64 array (m, 3) of text, start, end in the normalised texts, in order.
    """

    texts: Sequence[str]
    vectors: Floats | None
    clauses: Ints

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Found:
    """A cause found in a comment.

    :param row: position of the comment.
    :param cause: cause, for example ``tools``.
    :param sign: ``-`` complaint, ``+`` praise.
    :param score: calibrated probability.
    :param start: first code point of the evidence in the normalised text.
    :param end: end of the evidence, exclusive.
    """

    row: int
    cause: str
    sign: str
    score: float
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """One reading of every comment.

    :param labels: int64 array (n,), index into the reading's ``READING_VALUES``.
    :param scores: float32 array (n,), calibrated probability of the label given.
    """

    labels: Ints
    scores: Floats


@dataclass(frozen=True)
class Tags:
    """What a tagger finds in a batch of comments.

    :param found: causes, by comment in rising order, the likeliest first within a comment.
    :param others: for each comment the other causes, of ``OTHER_CAUSES``.
    :param readings: a reading for each key of ``READING_VALUES``.
    """

    found: Sequence[Found]
    others: Sequence[Sequence[str]]
    readings: Mapping[str, Reading]


class Tagger(Protocol):
    """Finds causes and readings; a comment's result never depends on its neighbours."""

    @property
    def causes(self) -> frozenset[str]:
        """The causes that it knows."""

    def tag(self, comments: Comments) -> Tags:
        """Tag comments."""


def open_tagger(settings: LinearRootCause, *, evidence_words: int) -> Tagger:
    """Open the backend that the settings name, with its model.

    :param evidence_words: the longest evidence, in words.
    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    from feedback_nlp.rootcause.backends.linear import LinearTagger

    return LinearTagger.open(settings.model, evidence_words=evidence_words)
