"""Full-text search over a run's comments: folded words of the text and of its normalised form, in memory.

Folding makes كتاب find کتاب; the normalised form makes a word in native letters find what was typed in Latin letters,
and a de-romaniser, where one is given, the other way round. A word finds every word that begins with it.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from feedback_nlp.core.folding import fold
from feedback_nlp.lang.pack import open_packs

Rows = np.ndarray[Any, np.dtype[np.int32]]
Readings = Callable[[str], Sequence[str]]

MOST_WORDS = 12
_WORD = re.compile(r"\w+")
_LATIN = re.compile(r"[a-z0-9']*[a-z][a-z0-9']*")
_BORDER = "\ue000"
_BLOCK = 4096
_SHORTEST_STEM = 3
_LAST = chr(0x10FFFF)


def no_readings(word: str) -> Sequence[str]:
    """Return no native readings: what a search without a de-romaniser uses."""
    return ()


def _folded(texts: Sequence[str]) -> list[str]:
    """Fold many texts at once, which costs a fraction of folding each."""
    joined = fold("".join(f"{text.replace(_BORDER, ' ')}{_BORDER}\n" for text in texts))
    return joined.split(_BORDER)[: len(texts)]


def _stems(clitics: Sequence[str], word: str) -> Iterable[str]:
    yield word
    for clitic in clitics:
        if word.startswith(clitic) and len(word) - len(clitic) >= _SHORTEST_STEM:
            yield word[len(clitic) :]


class SearchIndex:
    """Finds the rows whose words begin with all words asked for.

    :param words: all words, in order.
    :param starts: int64 array (words + 1,), where each word's rows begin in ``rows``.
    :param rows: int32 array, the rows of each word in order.
    """

    def __init__(self, words: Sequence[str], starts: np.ndarray[Any, np.dtype[np.int64]], rows: Rows) -> None:
        self._words = words
        self._starts = starts
        self._rows = rows

    @classmethod
    def of(cls, texts: Sequence[str], cleans: Sequence[str | None]) -> "SearchIndex":
        """Index comments.

        :param texts: as given, one a row.
        :param cleans: their normalised form, None where there is none.
        """
        clitics = sorted({fold(clitic) for pack in open_packs().values() for clitic in pack.clitics}, key=len)
        found: dict[str, list[int]] = {}
        stems: dict[str, tuple[str, ...]] = {}
        for begin in range(0, len(texts), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            pairs = zip(_folded(texts[block]), _folded([clean or "" for clean in cleans[block]]), strict=True)
            for row, (text, clean) in enumerate(pairs, begin):
                words: set[str] = set()
                for word in {*_WORD.findall(text), *_WORD.findall(clean)}:
                    if word not in stems:
                        stems[word] = tuple(_stems(clitics, word))
                    words.update(stems[word])
                for word in words:
                    found.setdefault(word, []).append(row)
        ordered = sorted(found)
        lengths = [len(found[word]) for word in ordered]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat = np.fromiter((row for word in ordered for row in found[word]), np.int32, int(starts[-1]))
        return cls(ordered, starts, flat)

    def find(self, query: str, readings: Readings = no_readings) -> Rows | None:
        """Return the rows that hold every word of a query, in order; None where it has no words.

        :param readings: native spellings of a Latin word, of which any may stand instead of it.
        """
        wanted = _WORD.findall(fold(query))[:MOST_WORDS]
        if not wanted:
            return None
        rows: Rows | None = None
        for word in wanted:
            spellings = [word]
            if _LATIN.fullmatch(word):
                spellings += [fold(reading) for reading in readings(word)]
            found = np.unique(np.concatenate([self._beginning_with(spelling) for spelling in spellings]))
            rows = found if rows is None else np.intersect1d(rows, found, assume_unique=True)
        return rows

    def _beginning_with(self, word: str) -> Rows:
        if not word:
            return np.empty(0, np.int32)
        first, last = bisect_left(self._words, word), bisect_left(self._words, word + _LAST)
        return self._rows[self._starts[first] : self._starts[last]]
