"""One language's words: what may stand behind a Latin word, and what words follow each other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from feedback_nlp.normalise.deromanise.channel import Costs, Ids, place_codes
from feedback_nlp.normalise.deromanise.symbols import latin_skeletons, native_skeletons, symbols_of

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
    """Native words that a Latin word may stand for.

    :param surfaces: as written.
    :param ids: place in the lexicon, -1 for a word put together from a prefix and a stem.
    :param prior: negative logarithm of each word's frequency.
    :param codes: place codes, int32 of shape (words, longest).
    :param lengths: letters of each.
    """

    surfaces: list[str]
    ids: list[int]
    prior: Costs
    codes: Ids
    lengths: Ids


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

    def _look_up(self, latin: str, most: int) -> list[int]:
        found: list[int] = []
        for key in latin_skeletons(symbols_of(latin), self.lang):
            found += self._index.get(key, ())[:most]
        return sorted(set(found))[:most]

    def _stems(self, latin: str) -> Iterator[tuple[Prefix, list[int]]]:
        """Yield prefixes with the known stems that make no known word with them."""
        for prefix in self.prefixes:
            stems: set[int] = set()
            for head in prefix.latin:
                rest = latin[len(head) :]
                if rest[1:] and latin.startswith(head) and (head not in _ASSIMILATED or _DOUBLED.match(rest)):
                    stems.update(self._look_up(rest, _MOST_STEMS))
            kept = [at for at in sorted(stems) if prefix.native + self.folds[at] not in self._places]
            if kept:
                yield prefix, kept

    def find(self, latin: str) -> Found:
        """Return the native words that a Latin word may stand for."""
        all_codes, all_lengths = self._codes
        whole = self._look_up(latin, _MOST_WORDS)
        surfaces = [self.surfaces[at] for at in whole]
        codes, lengths, prior = [all_codes[whole]], [all_lengths[whole]], [self.prior[whole]]
        for prefix, kept in self._stems(latin):
            surfaces += [prefix.surface + self.surfaces[at] for at in kept]
            lead = place_codes(prefix.native + "ا")[:-1]
            sizes = all_lengths[kept]
            rows = np.empty((len(kept), _LONGEST), dtype=np.int32)
            rows[:, : len(lead)] = lead
            rows[:, len(lead) :] = all_codes[kept, : _LONGEST - len(lead)]
            # The stem's first letter is an inner one now, or the last.
            rows[:, len(lead)] += np.where(sizes > 1, 1, 2)
            codes.append(rows)
            lengths.append(np.minimum(sizes + len(lead), _LONGEST))
            prior.append(self.prior[kept] + np.float32(prefix.cost))
        joined = np.concatenate(lengths)
        width = int(joined.max(initial=1))
        return Found(
            surfaces,
            whole + [-1] * (len(surfaces) - len(whole)),
            np.concatenate(prior),
            np.concatenate(codes)[:, :width],
            joined,
        )

    def after(self, first: int, second: int) -> float | None:
        """Return the cost of a word after another, None when they were never seen together."""
        return self.pairs.get(first * len(self.folds) + second) if first >= 0 and second >= 0 else None
