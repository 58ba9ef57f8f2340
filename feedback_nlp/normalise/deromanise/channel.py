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
Counts = np.ndarray[Any, np.dtype[np.int64]]

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

    def costs(self, words: Sequence[Sequence[str]], counts: Counts, codes: Ids, lengths: Ids) -> Costs:
        """Return the cost of each candidate of some Latin words.

        :param words: Latin words, taken apart into symbols, those with most symbols first.
        :param counts: int64 of shape (words,): candidates of each.
        :param codes: int32 of shape (longest, candidates): place codes, padded with any.
        :param lengths: int32 of shape (candidates,): letters of each.
        :returns: float32 of shape (candidates,); a candidate's depends on its own word alone.
        """
        width, total = codes.shape
        ends = np.cumsum(counts)
        skips = self.skip[codes]
        best = np.zeros((width + 1, total), dtype=np.float32)
        np.cumsum(skips, axis=0, out=best[1:])
        flat, bases = self.write.ravel(), codes * np.int32(self.write.shape[1])
        last = (lengths, np.arange(total))
        for step in range(len(words[0]) if words else 0):
            alive = sum(len(word) > step for word in words)
            ids = np.array([SYMBOL_IDS[word[step]] for word in words[:alive]], dtype=np.int32)
            some = int(ends[alive - 1])
            symbols = np.repeat(ids, counts[:alive])
            before, lead, inner, trail = best[:, :some], *(row[symbols] for row in self.put)
            after = before + inner
            after[0] = before[0] + lead
            at = last[0][:some], last[1][:some]
            after[at] = before[at] + np.where(lengths[:some] > 0, trail, lead)
            np.minimum(after[1:], before[:-1] + flat.take(bases[:, :some] + symbols), out=after[1:])
            for row in range(1, width + 1):
                np.minimum(after[row], after[row - 1] + skips[row - 1, :some], out=after[row])
            best[:, :some] = after
        return np.asarray(best[last], dtype=np.float32)
