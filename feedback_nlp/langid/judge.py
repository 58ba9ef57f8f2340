"""What a language judge gives for a batch, whatever it is built on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from feedback_nlp.langid.tokens import Ints, TokenTable

Floats = np.ndarray[Any, np.dtype[np.float32]]

JUDGED = ("ar", "fa", "en", "other")


@dataclass(frozen=True)
class Judgement:
    """A judge's findings on a batch.

    :param tokens: the words of all texts.
    :param probabilities: float32 array (rows, 4), calibrated, over ``JUDGED``; a row without words has any values.
    :param token_langs: int64 array (words,), language of each word as position in ``core.columns.SPAN_LANGS``.
    """

    tokens: TokenTable
    probabilities: Floats
    token_langs: Ints


class Judge(Protocol):
    """Tells the language of comments and of the words in them."""

    def judge(self, texts: Sequence[str]) -> Judgement:
        """Judge each text by itself."""
