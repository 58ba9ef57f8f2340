"""The noisy channel: how likely a native word is spelled with these Latin symbols.

A native letter, by its place in the word (first, inner, last), is written as a symbol or not at all; between letters a
symbol may be put in, mostly a short vowel. Costs are negative logarithms of probabilities learnt by expectation
maximisation (see train/romanised.py); the cheapest alignment counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.normalise.deromanise.symbols import SYMBOL_IDS

Costs = np.ndarray[Any, np.dtype[np.float32]]
Ids = np.ndarray[Any, np.dtype[np.int32]]

LETTERS = "ءابپتثجچحخدذرزژسشصضطظعغفقکگلمنهویڤ"
LETTER_IDS = {letter: at for at, letter in enumerate(LETTERS)}
PLACES = 3
GAPS = 3


def place_codes(word: str) -> list[int]:
    """Return each letter of a folded native word with its place, as ``3 * letter + place``; others are skipped."""
    ids = [LETTER_IDS[letter] for letter in word if letter in LETTER_IDS]
    last = len(ids) - 1
    return [PLACES * one + (0 if at == 0 else 2 if at == last else 1) for at, one in enumerate(ids)]


@dataclass(frozen=True)
class Channel:
    """Learnt costs.

    :param write: float32 of shape (3 * letters, symbols): a letter written as a symbol.
    :param skip: float32 of shape (3 * letters,): a letter not written.
    :param put: float32 of shape (3, symbols): a symbol put in before, between or after the letters.
    """

    write: Costs
    skip: Costs
    put: Costs

    def costs(self, symbols: Sequence[str], codes: Ids, lengths: Ids) -> Costs:
        """Return the cost of each candidate.

        :param symbols: the Latin word, taken apart.
        :param codes: int32 of shape (candidates, longest): place codes, padded with zeros.
        :param lengths: int32 of shape (candidates,): letters of each.
        :returns: float32 of shape (candidates,).
        """
        rows, width = codes.shape
        at = np.arange(width + 1)
        gaps = np.where(at >= lengths[:, None], 2, np.where(at == 0, 0, 1))
        skipped = np.zeros((rows, width + 1), dtype=np.float32)
        np.cumsum(self.skip[codes], axis=1, out=skipped[:, 1:])
        best = skipped.copy()
        step = np.empty_like(best)
        for symbol in symbols:
            one = SYMBOL_IDS[symbol]
            np.add(best, self.put[:, one][gaps], out=step)
            np.minimum(step[:, 1:], best[:, :-1] + self.write[codes, one], out=step[:, 1:])
            step -= skipped
            np.minimum.accumulate(step, axis=1, out=step)
            best = step + skipped
        return np.asarray(best[np.arange(rows), lengths], dtype=np.float32)
