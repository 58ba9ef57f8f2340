"""Cuts comments into words with their places; equal words of a batch are looked at once.

A word is what stands between blanks, cut where Arabic and Latin letters meet, without the signs at its edges. Links,
mentions, addresses, numbers and emoji are no words: nothing about the writer's language can be read off them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]

_CHUNK = re.compile(r"\S+")
_NO_WORD = re.compile(
    r"^\[\w+\]$|(?:https?:|www\.|t\.co/)|^@\w+[:،,.]?$|^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}\W*$", re.IGNORECASE
)
_ARABIC = "\u0620-\u065f\u066e-\u06d3\u06d5-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_SCRIPT_RUN = re.compile(rf"[^{_LATIN}]*[{_ARABIC}][^{_LATIN}]*|[^{_ARABIC}]+")
_PLAIN = re.compile(rf"[\u0620-\u063f\u0641-\u064a\u0671-\u06d3]+|[{_LATIN}]+")
_LETTER = re.compile(r"[^\W\d_]")
_HAS_ARABIC = re.compile(rf"[{_ARABIC}]")
_HAS_LATIN = re.compile(rf"[{_LATIN}]")
# A word begins and ends with a letter or digit that folding keeps (not kashida), or with a romanised letter's sign.
_EDGE = "[^\\W_\u0640]"
_CORE = re.compile(rf"(?:['’`](?=[3679]))?{_EDGE}(?:.*{_EDGE})?[\u064b-\u065f\u0670]*['’`]?", re.DOTALL)
_MAX_WORD = 400

ARABIC, LATIN, FOREIGN = 0, 1, 2


@dataclass(frozen=True)
class TokenTable:
    """All words of a batch, row by row, in order.

    :param rows: int64 array (n,), the text each word stands in.
    :param starts: int64 array (n,), first code point in the text.
    :param ends: int64 array (n,), end, exclusive.
    :param units: int64 array (n,), position in ``words``.
    :param words: the distinct words, in order of first occurrence.
    :param scripts: int64 array (len(words),): ARABIC, LATIN or FOREIGN letters.
    :param n_rows: number of texts.
    """

    rows: Ints
    starts: Ints
    ends: Ints
    units: Ints
    words: list[str]
    scripts: Ints
    n_rows: int


def _script(word: str) -> int:
    if _HAS_ARABIC.search(word):
        return ARABIC
    return LATIN if _HAS_LATIN.search(word) else FOREIGN


def _cut(chunk: str) -> list[tuple[int, int, str]]:
    """Return (start, end, word) of each word in a stretch without blanks."""
    if len(chunk) <= _MAX_WORD and _PLAIN.fullmatch(chunk):
        return [(0, len(chunk), chunk)]
    if _NO_WORD.search(chunk):
        return []
    mixed = _HAS_ARABIC.search(chunk) and _HAS_LATIN.search(chunk)
    runs = [(m.start(), m.group()) for m in _SCRIPT_RUN.finditer(chunk)] if mixed else [(0, chunk)]
    found = []
    for start, run in runs:
        core = _CORE.search(run[:_MAX_WORD])
        if core is not None and _LETTER.search(core.group()):
            found.append((start + core.start(), start + core.end(), core.group()))
    return found


def _chunk_starts(texts: Sequence[str], counts: Ints, lengths: Ints) -> Ints:
    """Return where each blank-separated stretch starts in its text.

    Single blanks between the stretches, the rule, need only sums of lengths; other texts are searched.
    """
    if not len(lengths):
        return lengths
    ends = np.cumsum(lengths + 1)
    lasts = np.cumsum(counts)
    totals = np.append(0, ends)[lasts]
    bases = np.append(0, totals[:-1])
    starts = ends - lengths - 1 - np.repeat(bases, counts)
    odd = (totals - bases - 1 != np.array([len(text) for text in texts])) & (counts > 0)
    for row in np.flatnonzero(odd):
        places = [match.start() for match in _CHUNK.finditer(texts[int(row)])]
        starts[lasts[row] - counts[row] : lasts[row]] = places
    return np.asarray(starts, dtype=np.int64)


def tokenise(texts: Sequence[str]) -> TokenTable:
    """Cut a batch of texts into words."""
    split = [text.split() for text in texts]
    known: dict[str, int] = {}
    chunks = np.array([known.setdefault(chunk, len(known)) for found in split for chunk in found], dtype=np.int64)
    counts = np.array([len(found) for found in split], dtype=np.int64)
    starts = _chunk_starts(texts, counts, np.array([len(chunk) for chunk in known], dtype=np.int64)[chunks])
    words: dict[str, int] = {}
    cuts = [[(a, b, words.setdefault(word, len(words))) for a, b, word in _cut(chunk)] for chunk in known]
    sizes = np.array([len(parts) for parts in cuts], dtype=np.int64)
    parts = np.array([part for found in cuts for part in found], dtype=np.int64).reshape(-1, 3)
    repeats = sizes[chunks]
    firsts = (np.cumsum(sizes) - sizes)[chunks]
    within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    picked = parts[np.repeat(firsts, repeats) + within]
    at = np.repeat(starts, repeats)
    return TokenTable(
        np.repeat(np.repeat(np.arange(len(texts)), counts), repeats),
        at + picked[:, 0],
        at + picked[:, 1],
        picked[:, 2],
        list(words),
        np.array([_script(word) for word in words], dtype=np.int64),
        len(texts),
    )
