"""The ways to find root causes; each is one file behind :class:`Tagger`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from feedback_nlp.core.columns import EFFORTS, EMOTIONS, INTENTS, RESOLUTIONS, STAGES
from feedback_nlp.rootcause.settings import Backend, LinearRootCause, LlmRootCause, ZeroShotRootCause

if TYPE_CHECKING:
    from feedback_nlp.rootcause.taxonomy import Taxonomy

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
class Read:
    """What a reading encoder says of comments; see :mod:`feedback_nlp.core.reading` for the order of scores.

    :param known: bool array (n,), whether it read the comment at all; the scores of the others are zeros.
    :param wholes: float32 array (n, READING_LABELS), scores of each comment.
    :param clauses: float32 array (m, READING_LABELS), scores of each clause, parallel to ``Comments.clauses``.
    :param spans: int64 array (t, 3) of text, start, end of the tokens read, in order.
    :param tokens: float32 array (t, TOKEN_LABELS), scores of each token.
    """

    known: np.ndarray[Any, np.dtype[np.bool_]]
    wholes: Floats
    clauses: Floats
    spans: Ints
    tokens: Floats

    def part(self, rows: slice, clauses: slice) -> "Read":
        """Return what it says of some comments, numbered anew.

        :param rows: the comments.
        :param clauses: their clauses.
        """
        low, high = np.searchsorted(self.spans[:, 0], (rows.start, rows.stop))
        spans = self.spans[low:high] - np.array([rows.start, 0, 0])
        return Read(self.known[rows], self.wholes[rows], self.clauses[clauses], spans, self.tokens[low:high])


@dataclass(frozen=True)
class Comments:
    """Normalised comments as a tagger takes them.

    :param texts: normalised texts, n of them.
    :param vectors: float32 array (n, width), rows of zeros where there is none; None where vectors are not used.
    :param clauses: int64 array (m, 3) of text, start, end in the normalised texts, in order.
    :param read: what a reading encoder says of them; None where none has read them.
    """

    texts: Sequence[str]
    vectors: Floats | None
    clauses: Ints
    read: Read | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, first: int, last: int) -> "Comments":
        """Return the comments from ``first`` to before ``last``, numbered anew."""
        low, high = (int(edge) for edge in np.searchsorted(self.clauses[:, 0], (first, last)))
        rows, clauses = slice(first, last), slice(low, high)
        return Comments(
            self.texts[rows],
            None if self.vectors is None else self.vectors[rows],
            self.clauses[clauses] - np.array([first, 0, 0]),
            None if self.read is None else self.read.part(rows, clauses),
        )


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


def open_tagger(settings: Backend, *, evidence_words: int, taxonomy: "Taxonomy") -> Tagger:
    """Open the backend that the settings name, with its model.

    :param evidence_words: the longest evidence, in words.
    :param taxonomy: the causes that are looked for without training.
    :raises ModelError: when the model is missing, damaged or of another kind.
    :raises ConfigError: when what a backend needs is not installed, or its model is not pinned.
    """
    from feedback_nlp.rootcause.backends.linear import LinearTagger

    linear = settings if isinstance(settings, LinearRootCause) else settings.base
    base = LinearTagger.open(linear.model, evidence_words=evidence_words)
    if isinstance(settings, ZeroShotRootCause):
        from feedback_nlp.rootcause.backends.entailment import TransformersEntailment
        from feedback_nlp.rootcause.backends.zero_shot import ZeroShotTagger

        return ZeroShotTagger(TransformersEntailment.open(settings), taxonomy, base, threshold=settings.threshold)
    if isinstance(settings, LlmRootCause):
        from feedback_nlp.core.chat import ChatClient
        from feedback_nlp.rootcause.backends.llm import LlmTagger

        return LlmTagger(ChatClient(settings.endpoint), taxonomy, base)
    return base
