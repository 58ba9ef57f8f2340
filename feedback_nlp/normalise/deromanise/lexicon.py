"""One language's words: what may stand behind a Latin word, and what words follow each other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from feedback_nlp.normalise.deromanise.channel import Costs, Ids, place_codes
from feedback_nlp.normalise.deromanise.symbols import latin_skeletons, native_skeletons, symbols_of

Places = np.ndarray[Any, np.dtype[np.int64]]

_LONGEST = 24
_MOST_WORDS = 120
_MOST_STEMS = 30
# Before a sun letter the article takes its sound: ``essalam``.
_ASSIMILATED = ("a", "e", "i")
_DOUBLED = re.compile(r"(.|sh|th|ch)\1")


@dataclass(frozen=True)
class Prefix:
    """A native prefix written together with its word: how it begins in Latin letters, and what it costs.

    :param latin: its spellings.
    :param native: its native letters, folded, as the spelling shows them.
    :param surface: how it is written before the word; may end in a word of its own (``في ال``).
    :param cost: negative logarithm of how often words carry it.
    """

    latin: tuple[str, ...]
    native: str
    surface: str
    cost: float


@dataclass(frozen=True)
class Found:
    """Native words that some Latin words may stand for, those of the first one first.

    :param places: int64 array (n,), place of the word, or of the stem behind a prefix, in the lexicon.
    :param prefixes: int64 array (n,), number of the prefix before the stem; -1 for none.
    :param counts: int64 array (Latin words,), how many each has.
    """

    places: Places
    prefixes: Places
    counts: Places


@dataclass(frozen=True)
class Lexicon:
    """The words of a language.

    :param lang: ``ar`` or ``fa``.
    :param surfaces: words as written, most frequent first.
    :param folds: the same, folded (core.folding) and without ZWNJ.
    :param prior: float32, negative logarithm of each word's frequency.
    :param pairs: cost of a word after another, by ``first * len(words) + second``.
    :param prefixes: prefixes that words are put together with.
    :param seen: spellings met in training, symbols joined: places of words and the cost of the spelling for each.
    """

    lang: str
    surfaces: Sequence[str]
    folds: Sequence[str]
    prior: Costs
    pairs: Mapping[int, float]
    prefixes: Sequence[Prefix]
    seen: Mapping[str, Sequence[tuple[int, float]]]

    @cached_property
    def _codes(self) -> tuple[Ids, Ids]:
        codes = np.zeros((len(self.folds), _LONGEST), dtype=np.int32)
        lengths = np.zeros(len(self.folds), dtype=np.int32)
        for at, word in enumerate(self.folds):
            row = place_codes(word)[:_LONGEST]
            codes[at, : len(row)] = row
            lengths[at] = len(row)
        return codes, lengths

    @cached_property
    def _index(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for at, word in enumerate(self.folds):
            for key in native_skeletons(word, self.lang):
                index.setdefault(key, []).append(at)
        return index

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: at for at, word in enumerate(self.folds)}

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(key[:end] for key in self._index for end in range(len(key) + 1))

    @cached_property
    def _heads(self) -> dict[str, list[int]]:
        heads: dict[str, list[int]] = {}
        for number, prefix in enumerate(self.prefixes):
            for head in prefix.latin:
                heads.setdefault(head, []).append(number)
        return heads

    def heads_of(self, latin: str) -> Iterator[tuple[str, list[int]]]:
        """Yield what a Latin word may begin with of a prefix's spellings, with the numbers of those prefixes."""
        heads = self._heads
        for end in range(1, min(max(map(len, heads), default=0), len(latin) - 1) + 1):
            if latin[:end] in heads:
                yield latin[:end], heads[latin[:end]]

    def _look_up(self, symbols: Sequence[str], most: int) -> list[int]:
        found: set[int] = set()
        for key in latin_skeletons(symbols, self.lang, self._beginnings):
            found.update(self._index.get(key, ())[:most])
        return sorted(found)[:most]

    def _stems(self, latin: str) -> dict[int, set[int]]:
        """Return the stems that may stand behind each prefix, by its number."""
        stems: dict[int, set[int]] = {}
        for head, numbers in self.heads_of(latin):
            rest = latin[len(head) :]
            if len(rest) > 1 and (head not in _ASSIMILATED or _DOUBLED.match(rest)):
                places = self._look_up(symbols_of(rest), _MOST_STEMS)
                for number in numbers:
                    stems.setdefault(number, set()).update(places)
        return stems

    def is_word(self, prefix: int, place: int) -> bool:
        """Tell whether a prefix and a stem together are a word that the lexicon has anyway."""
        return self.prefixes[prefix].native + self.folds[place] in self._places

    def find(self, words: Sequence[tuple[str, Sequence[str]]]) -> Found:
        """Return the native words that Latin words may stand for.

        :param words: each in lower case, and taken apart into symbols.
        """
        places: list[int] = []
        prefixes: list[int] = []
        counts: list[int] = []
        for latin, symbols in words:
            before = len(places)
            places += self._look_up(symbols, _MOST_WORDS)
            prefixes += [-1] * (len(places) - before)
            for number, stems in sorted(self._stems(latin).items()):
                places += sorted(stems)
                prefixes += [number] * len(stems)
            counts.append(len(places) - before)
        return Found(*(np.array(one, dtype=np.int64) for one in (places, prefixes, counts)))

    def priors(self, found: Found) -> Costs:
        """Return the negative logarithm of each found word's frequency, float32."""
        costs = np.array([*(prefix.cost for prefix in self.prefixes), 0.0], dtype=np.float32)
        return np.asarray(self.prior[found.places] + costs[found.prefixes], dtype=np.float32)

    def codes(self, found: Found) -> tuple[Ids, Ids]:
        """Return the place codes of found words, int32 of shape (longest, n), and the letters of each."""
        all_codes, all_lengths = self._codes
        codes, lengths = all_codes[found.places], all_lengths[found.places].copy()
        for number in np.unique(found.prefixes[found.prefixes >= 0]).tolist():
            at = np.flatnonzero(found.prefixes == number)
            lead = place_codes(self.prefixes[number].native + "ا")[:-1]
            stems, sizes = codes[at], lengths[at]
            rows = np.empty_like(stems)
            rows[:, : len(lead)] = lead
            rows[:, len(lead) :] = stems[:, : _LONGEST - len(lead)]
            # The stem's first letter is an inner one now, or the last.
            rows[:, len(lead)] += np.where(sizes > 1, 1, 2)
            codes[at], lengths[at] = rows, np.minimum(sizes + len(lead), _LONGEST)
        return np.ascontiguousarray(codes[:, : int(lengths.max(initial=1))].T), lengths

    def surface(self, place: int, prefix: int) -> str:
        """Return a found word as written."""
        return self.surfaces[place] if prefix < 0 else self.prefixes[prefix].surface + self.surfaces[place]

    def after(self, first: int, second: int) -> float | None:
        """Return the cost of a word after another, None when they were never seen together."""
        return self.pairs.get(first * len(self.folds) + second) if first >= 0 and second >= 0 else None
