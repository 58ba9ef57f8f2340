"""The ways to judge sentiment; each is one file behind :class:`Judge`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from feedback_nlp.sentiment.settings import LinearSentiment

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


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
class Judgement:
    """What a judge finds.

    :param probs: float32 array (texts, 3), calibrated, in the order of ``POLARITIES``; rows sum to 1.
    :param mixed: float32 array (texts,), probability that praise and complaint stand side by side.
    :param mixed_from: probability from which a text counts as mixed.
    :param clause_probs: float32 array (clauses, 3).
    """

    probs: Floats
    mixed: Floats
    mixed_from: float
    clause_probs: Floats


class Judge(Protocol):
    """Judges normalised texts; a text's result never depends on its neighbours."""

    def judge(
        self, texts: Sequence[str], langs: Sequence[str], clauses: Clauses, vectors: Floats | None = None
    ) -> Judgement:
        """Judge texts and their clauses.

        :param texts: normalised texts.
        :param langs: language of each text.
        :param vectors: float32 array (texts, width), rows of zeros where a text has none; None where not used.
        """


def open_judge(settings: LinearSentiment) -> Judge:
    """Open the backend that the settings name, with its model.

    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    from feedback_nlp.sentiment.backends.linear import LinearJudge

    return LinearJudge.open(settings.model)
