"""Lexicons of the de-romanisation model: words of native feedback, what follows what, and known spellings."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.normalise import normalise
from feedback_nlp.normalise.deromanise.channel import Channel, place_codes
from feedback_nlp.normalise.deromanise.lexicon import Lexicon, Prefix
from feedback_nlp.normalise.deromanise.symbols import symbols_of
from feedback_nlp.train.data import read_set, set_names
from feedback_nlp.train.romanise import romanise_pairs
from feedback_nlp.train.romanised_pairs import NATIVE_WORD, fold_word, real_pairs

REAL_WEIGHT = 4
_APART = {"فال": "في ال", "عال": "على ال"}
_WORDS = {"ar": 40_000, "fa": 26_000}
_MOST_PAIRS = 110_000
_LATIN_WORD = re.compile("[a-z]{2,}")
_LONGEST_TEXT = 1000
_ENGLISH_WORDS = 3000
_FEWEST_LATIN = 5
# One English word in a hundred, in a comment typed in Latin letters.
_ENGLISH_COST = 4.6
_MEMORISED_WORDS = 12_000
_HABITS = 16
_SMOOTHING = 4.0
# Latin spellings of what Arabic writes together with the next word, by its native letters.
_PREFIXES = {
    "ال": ("al", "el", "il", "l", "a", "e", "i"),
    "و": ("w", "wa", "we", "wi", "ou", "o", "u"),
    "ب": ("b", "bi", "be", "ba"),
    "ل": ("l", "li", "le", "la"),
    "ف": ("f", "fa", "fe"),
    "وال": ("wal", "wel", "wil", "wl"),
    "بال": ("bal", "bel", "bil", "bl"),
    "لل": ("lel", "lil", "ll", "lal"),
    "فال": ("fal", "fel", "fil", "fl"),
    "عال": ("3al", "3el", "3l"),
}


@dataclass
class Corpus:
    """Word counts of native feedback.

    :param surfaces: count of each word as written.
    :param latin: count of each word in Latin letters, lower case.
    :param follows: count of each pair of folded words that stood side by side.
    :param rows: texts read, by data set.
    """

    surfaces: Counter[str] = field(default_factory=Counter)
    latin: Counter[str] = field(default_factory=Counter)
    follows: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: dict[str, int] = field(default_factory=dict)


def native_texts(data: Path, lang: str, without: AbstractSet[str]) -> dict[str, list[str]]:
    """Read the feedback of a language by data set, each text once.

    :param without: texts to leave out.
    """
    seen = set(without)
    found: dict[str, list[str]] = {}
    for name in set_names(data):
        frame = read_set(data, name)
        texts = [text for text in frame.text[frame.lang == lang].dropna() if text not in seen]
        texts = list(dict.fromkeys(texts))
        seen.update(texts)
        if texts:
            found[name] = texts
    return found


def count_words(texts: Mapping[str, Sequence[str]], lang: str) -> Corpus:
    """Count words and neighbours."""
    corpus = Corpus()
    folded: dict[str, str] = {}
    for name, rows in texts.items():
        corpus.rows[name] = len(rows)
        for text in rows:
            clean = normalise(text[:_LONGEST_TEXT], lang).clean
            words = NATIVE_WORD.findall(clean)
            corpus.surfaces.update(words)
            corpus.latin.update(_LATIN_WORD.findall(clean.lower()))
            for word in words:
                if word not in folded:
                    folded[word] = fold_word(word)
            folds = [folded[word] for word in words]
            corpus.follows.update(pairwise(folds))
    return corpus


def make_lexicon(corpus: Corpus, lang: str) -> Lexicon:
    """Keep the most frequent folded words, each in its commonest spelling, and the pairs that tell most."""
    counts: Counter[str] = Counter()
    spellings: dict[str, tuple[int, str]] = {}
    for word, count in sorted(corpus.surfaces.items()):
        key = fold_word(word)
        counts[key] += count
        spellings[key] = max(spellings.get(key, (0, "")), (count, word))
    kept = sorted(
        ((word, count) for word, count in counts.items() if place_codes(word)), key=lambda one: (-one[1], one[0])
    )
    kept = kept[: _WORDS[lang]]
    total = sum(counts.values())
    places = {word: at for at, (word, _) in enumerate(kept)}
    prior = np.array([-np.log(count / total) for _, count in kept], dtype=np.float32)
    return Lexicon(
        lang,
        [spellings[word][1] for word, _ in kept],
        [word for word, _ in kept],
        prior,
        _pair_costs(corpus, places, counts, total, _MOST_PAIRS),
        _prefixes(counts, places, total) if lang == "ar" else (),
        {},
    )


def _pair_costs(
    corpus: Corpus, places: Mapping[str, int], counts: Mapping[str, int], total: int, most: int
) -> dict[int, float]:
    """Return costs of the pairs that differ most, by count, from what their words alone would cost."""
    gains = []
    for (first, second), count in corpus.follows.items():
        if count < 3 or first not in places or second not in places:
            continue
        single = counts[second] / total
        joint = 0.7 * max(count - 0.75, 0) / counts[first] + 0.3 * single
        if joint > 2 * single:
            key = places[first] * len(places) + places[second]
            gains.append((count * np.log(joint / single), key, float(-np.log(joint))))
    gains.sort(key=lambda one: (-one[0], one[1]))
    return {key: cost for _, key, cost in sorted(gains[:most], key=lambda one: one[1])}


def _prefixes(counts: Mapping[str, int], places: Mapping[str, int], total: int) -> tuple[Prefix, ...]:
    found = []
    for native, latin in _PREFIXES.items():
        carried = sum(
            count for word, count in counts.items() if word.startswith(native) and word[len(native) :] in places
        )
        surface = _APART.get(native, native)
        found.append(Prefix(latin, native, surface, round(float(-np.log((carried + 1) / (total + 1))), 3)))
    return tuple(found)


def kept_words(corpus: Corpus, english: Corpus) -> dict[str, float]:
    """Return Latin words that may stay and their costs: those that stand in native comments, and frequent English."""
    total = sum(corpus.surfaces.values())
    costs = {word: float(-np.log(count / total)) for word, count in corpus.latin.items() if count >= _FEWEST_LATIN}
    total = sum(english.latin.values())
    for word, count in english.latin.most_common(_ENGLISH_WORDS):
        costs.setdefault(word, float(-np.log(count / total)) + _ENGLISH_COST)
    return {word: round(cost, 1) for word, cost in sorted(costs.items())}


def memorise(
    lexicon: Lexicon, rows: Sequence[Mapping[str, Any]], channel: Channel, seed: int
) -> dict[str, list[tuple[int, float]]]:
    """Return spellings of frequent words, made by rule and met in real comments, with their costs.

    :returns: by spelling, symbols joined: places of words with the negative logarithm of how often each is spelled so.
    """
    rng = np.random.default_rng(seed)
    counts: dict[str, Counter[str]] = {}
    words = lexicon.surfaces[:_MEMORISED_WORDS]
    for _ in range(_HABITS):
        for first in range(0, len(words), 12):
            for native, latin in romanise_pairs(" ".join(words[first : first + 12]), lexicon.lang, rng):
                counts.setdefault(fold_word(native), Counter())["".join(symbols_of(latin.replace(" ", "")))] += 1
    for (word, symbols), count in real_pairs(rows, lexicon.lang, channel).items():
        counts.setdefault(word, Counter())["".join(symbols)] += REAL_WEIGHT * count
    places = {word: at for at, word in enumerate(lexicon.folds)}
    seen: dict[str, list[tuple[int, float]]] = {}
    for word, spellings in counts.items():
        total = sum(spellings.values()) + _SMOOTHING
        for spelling, count in spellings.items():
            if spelling and count > 1 and word in places:
                seen.setdefault(spelling, []).append((places[word], float(-np.log(count / total))))
    return {spelling: sorted(found) for spelling, found in sorted(seen.items())}
