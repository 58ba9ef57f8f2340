"""Pairs of a native word and its Latin spelling, and the costs of the noisy channel learnt from them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.folding import fold
from feedback_nlp.normalise import normalise
from feedback_nlp.normalise.deromanise.channel import GAPS, LETTERS, PLACES, Channel, place_codes
from feedback_nlp.normalise.deromanise.model import TOKEN
from feedback_nlp.normalise.deromanise.symbols import SYMBOL_IDS, SYMBOLS, latin_skeletons, native_skeletons, symbols_of
from feedback_nlp.train.romanise import romanise_pairs

Pair = tuple[str, tuple[str, ...]]
Tables = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]

NATIVE_WORD = re.compile("[\u0621-\u064a\u066e-\u06d3\u200c]+")
_VOWEL_LETTERS = "اویهعءۀ"
_VOWELS = frozenset(symbol for symbol in SYMBOLS if set(symbol) <= set("aeiouyw")) | {"h", "'", "3", "2"}
_SMOOTHING = 0.2
_ROUNDS = 5


def fold_word(word: str) -> str:
    """Fold a native word to the form that lexicon and channel speak of."""
    return fold(word.replace("\u200c", ""))


def native_words(text: str, lang: str) -> list[str]:
    """Return the words of a native text as its clean form writes them, in order."""
    return NATIVE_WORD.findall(normalise(text, lang).clean)


def made_pairs(texts: Sequence[str], lang: str, *, seed: int, habits: int) -> Counter[Pair]:
    """Romanise texts by rules, each by several writers' habits, and count the pairs of words."""
    rng = np.random.default_rng(seed)
    pairs: Counter[Pair] = Counter()
    for text in texts:
        clean = normalise(text, lang).clean
        for _ in range(habits):
            for native, latin in romanise_pairs(clean, lang, rng):
                if NATIVE_WORD.fullmatch(native) and (symbols := symbols_of(latin.replace(" ", ""))):
                    pairs[fold_word(native), symbols] += 1
    return pairs


def start_channel(lang: str) -> Channel:
    """Return costs that follow from the skeletons alone: vowels are cheap to put in and leave out, consonants not."""
    write = np.full((PLACES * len(LETTERS), len(SYMBOLS)), 8.0, dtype=np.float32)
    skip = np.full(PLACES * len(LETTERS), 5.0, dtype=np.float32)
    put = np.full((GAPS, len(SYMBOLS)), 6.0, dtype=np.float32)
    for at, letter in enumerate(LETTERS):
        rows = slice(PLACES * at, PLACES * at + PLACES)
        wanted = set(native_skeletons(letter, lang)) - {""}
        for symbol, one in SYMBOL_IDS.items():
            if (wanted and wanted & set(latin_skeletons((symbol,), lang))) or (
                letter in _VOWEL_LETTERS and symbol in _VOWELS
            ):
                write[rows, one] = 1.5
        if letter in _VOWEL_LETTERS:
            skip[rows] = 1.5
    for symbol in _VOWELS:
        put[:, SYMBOL_IDS[symbol]] = 2.0
    return Channel(write, skip, put)


@dataclass
class _Counts:
    """Expected events, tallied over the cheapest alignments."""

    write: np.ndarray[Any, Any]
    skip: np.ndarray[Any, Any]
    put: np.ndarray[Any, Any]
    gaps: np.ndarray[Any, Any]


def align(channel: Channel, word: str, symbols: Sequence[str]) -> tuple[float, list[tuple[int, int]]]:
    """Return the cheapest alignment of a folded native word with a Latin one.

    :returns: its cost, and steps ``(letter or -1, symbol or -1)`` as places in the two words.
    """
    codes = place_codes(word)
    ids = [SYMBOL_IDS[symbol] for symbol in symbols]
    rows, columns = len(codes), len(ids)
    write = channel.write[codes][:, ids].tolist()
    skip = channel.skip[codes].tolist()
    put = channel.put[:, ids].tolist()
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    came = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows + 1):
        gap = put[0 if i == 0 else 2 if i == rows else 1]
        for j in range(columns + 1):
            if i == j == 0:
                continue
            low, how = float("inf"), 0
            if i and j:
                low, how = best[i - 1][j - 1] + write[i - 1][j - 1], 1
            if i and best[i - 1][j] + skip[i - 1] < low:
                low, how = best[i - 1][j] + skip[i - 1], 2
            if j and best[i][j - 1] + gap[j - 1] < low:
                low, how = best[i][j - 1] + gap[j - 1], 3
            best[i][j], came[i][j] = low, how
    steps = []
    i, j = rows, columns
    while i or j:
        how = came[i][j]
        steps.append((i - 1 if how != 3 else -1, j - 1 if how != 2 else -1))
        i, j = i - (how != 3), j - (how != 2)
    return best[rows][columns], steps[::-1]


def _tally(counts: _Counts, channel: Channel, pair: Pair, weight: float) -> None:
    word, symbols = pair
    codes = place_codes(word)
    _, steps = align(channel, word, symbols)
    seen = 0
    for letter, symbol in steps:
        if letter < 0:
            counts.put[0 if seen == 0 else 2 if seen == len(codes) else 1, SYMBOL_IDS[symbols[symbol]]] += weight
            continue
        seen += 1
        if symbol < 0:
            counts.skip[codes[letter]] += weight
        else:
            counts.write[codes[letter], SYMBOL_IDS[symbols[symbol]]] += weight
    counts.gaps += weight * np.array([1, max(len(codes) - 1, 0), 1])


def fit_channel(pairs: Mapping[Pair, float], start: Channel) -> Channel:
    """Learn costs from weighted pairs by hard expectation maximisation, in a fixed number of rounds."""
    channel = start
    for _ in range(_ROUNDS):
        counts = _Counts(
            np.zeros_like(channel.write), np.zeros_like(channel.skip), np.zeros_like(channel.put), np.zeros(GAPS)
        )
        for pair, weight in pairs.items():
            if pair[0] and pair[1]:
                _tally(counts, channel, pair, weight)
        channel = _costs(counts, start)
    return channel


def _costs(counts: _Counts, start: Channel) -> Channel:
    """Turn tallies into costs, smoothed towards the start."""
    prior_write, prior_skip = np.exp(-start.write), np.exp(-start.skip)
    total = counts.write.sum(axis=1) + counts.skip
    mass = prior_write.sum(axis=1) + prior_skip
    strength = 10 * _SMOOTHING
    write = (counts.write + strength * prior_write / mass[:, None]) / (total + strength)[:, None]
    skip = (counts.skip + strength * prior_skip / mass) / (total + strength)
    prior_put = np.exp(-start.put)
    put = (counts.put + strength * prior_put) / (counts.gaps[:, None] + strength * 10)
    return Channel(*(-np.log(np.maximum(part, 1e-6)).astype(np.float32) for part in (write, skip, put)))


def latin_words(text: str) -> list[str]:
    """Return the words of a romanised text, as the model takes them."""
    return [match.group() for match in TOKEN.finditer(text)]


_MOVES = ((1, 1), (1, 2), (2, 1), (1, 0), (0, 1), (1, 3))
_MOVE_COSTS = {(1, 1): 0.0, (1, 2): 1.5, (2, 1): 2.5, (1, 0): 9.0, (0, 1): 9.0, (1, 3): 3.0}


def align_words(
    channel: Channel, native: Sequence[str], latin: Sequence[str]
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Align the words of a text in both scripts; one may stand for several.

    :param native: folded words.
    :returns: pairs of spans ``(first, end)`` in ``native`` and ``latin``, in order, without words that have no partner.
    """
    best: dict[tuple[int, int], float] = {(0, 0): 0.0}
    came: dict[tuple[int, int], tuple[int, int]] = {}
    costs: dict[tuple[str, str], float] = {}
    width = 3 + abs(len(native) - len(latin))
    for i in range(len(native) + 1):
        for j in range(max(0, i - width), min(len(latin), i + width) + 1):
            for di, dj in _MOVES:
                if (i - di, j - dj) not in best:
                    continue
                cost = best[i - di, j - dj] + _MOVE_COSTS[di, dj]
                if di and dj:
                    key = "".join(native[i - di : i]), "".join(latin[j - dj : j])
                    if key not in costs:
                        costs[key] = align(channel, key[0], symbols_of(key[1]))[0]
                    cost += costs[key]
                if cost < best.get((i, j), float("inf")):
                    best[i, j], came[i, j] = cost, (di, dj)
    spans = []
    i, j = len(native), len(latin)
    while (i, j) in came:
        di, dj = came[i, j]
        if di and dj:
            spans.append(((i - di, i), (j - dj, j)))
        i, j = i - di, j - dj
    return spans[::-1]


def real_pairs(
    rows: Iterable[Mapping[str, Any]], lang: str, channel: Channel, *, dearest: float = 3.5
) -> Counter[Pair]:
    """Count word pairs of texts that people wrote in both scripts.

    :param rows: objects with ``text`` (native) and ``roman``.
    :param dearest: highest cost a letter of a pair that is believed.
    """
    pairs: Counter[Pair] = Counter()
    for row in rows:
        native = [fold_word(word) for word in native_words(row["text"], lang)]
        latin = latin_words(row["roman"])
        for (a, b), (c, d) in align_words(channel, native, latin):
            word, symbols = "".join(native[a:b]), symbols_of("".join(latin[c:d]))
            if symbols and align(channel, word, symbols)[0] <= dearest * max(len(word), len(symbols)):
                pairs[word, symbols] += 1
    return pairs
