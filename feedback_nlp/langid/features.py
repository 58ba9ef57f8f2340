"""Features of a word: hashed n-grams of its folded form, and the letters as typed.

Folding makes Arabic and Persian spellings of one letter alike, which is right for the n-grams; which of ي ى ی, ك ک, ة ه
was typed is told apart by the letter features.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from feedback_nlp.core.folding import codes_of
from feedback_nlp.core.ngrams import NgramSpec, extract

Ints = np.ndarray[Any, np.dtype[np.int64]]

_TOLD_APART = (range(0xC0, 0x250), range(0x600, 0x700), range(0x750, 0x780), range(0x8A0, 0x900), range(0x1E00, 0x1F00))
N_LETTERS = sum(len(block) for block in _TOLD_APART) + 3
_FOREIGN, _STRANGE_ARABIC, _STRANGE_LATIN = N_LETTERS - 3, N_LETTERS - 2, N_LETTERS - 1
_STRANGE_WEIGHT = 4
_WORD_BREAK = "\u200c"
_KASHIDA = 0x640
# The last four stand in our languages for show or by region (عالے, ڪتاب): their own weight speaks for them.
_OURS = frozenset("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژکگیۀٱڤڨےڪڭݣ")


@cache
def _letter_table() -> np.ndarray[Any, np.dtype[np.int16]]:
    """Map code points to letter features; -1 for those that say nothing beyond the n-grams."""
    table = np.full(0x110000, -1, dtype=np.int16)
    for code in range(0x250, 0x20000):
        if unicodedata.category(chr(code))[0] == "L":
            table[code] = _FOREIGN
    table[0x20000:0x32000] = _FOREIGN
    place = {code: index for index, code in enumerate(code for block in _TOLD_APART for code in block)}
    for code, index in place.items():
        if unicodedata.category(chr(code))[0] in "LM" and code != _KASHIDA:
            table[code] = place.get(ord(chr(code).lower()[:1]), index)
    for code in (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD)):
        plain = unicodedata.normalize("NFKC", chr(code))
        table[code] = place.get(ord(plain[0]), -1) if len(plain) <= 2 else -1
    return table


@cache
def _strange_table() -> np.ndarray[Any, np.dtype[np.int16]]:
    """Map letters that neither Arabic nor Persian nor English has to one feature a script, so that new ones count."""
    table = np.full(0x110000, -1, dtype=np.int16)
    for block in _TOLD_APART:
        strange = _STRANGE_LATIN if block.start in (0xC0, 0x1E00) else _STRANGE_ARABIC
        for code in block:
            if unicodedata.category(chr(code))[0] == "L" and chr(code) not in _OURS and code != _KASHIDA:
                table[code] = strange
    return table


def letter_features(words: Sequence[str]) -> tuple[Ints, Ints]:
    """Return (word, letter feature) pairs, one for each telling letter, and several more for a strange one."""
    codes = codes_of("".join(words))
    rows = np.repeat(np.arange(len(words), dtype=np.int64), [len(word) for word in words])
    letters, strange = _letter_table()[codes], _strange_table()[codes]
    told, odd = letters >= 0, strange >= 0
    return (
        np.concatenate([rows[told], np.repeat(rows[odd], _STRANGE_WEIGHT)]),
        np.concatenate([letters[told], np.repeat(strange[odd], _STRANGE_WEIGHT)]).astype(np.int64),
    )


def width(spec: NgramSpec) -> int:
    """Return the number of distinct features."""
    return (1 << spec.bits) + N_LETTERS


def word_features(words: Sequence[str], spec: NgramSpec) -> tuple[Ints, Ints]:
    """Return (word, feature) pairs of all words, repeated as often as the feature occurs.

    The pairs of one word stand in an order that does not depend on the other words.

    :param words: words without blanks in them.
    """
    if not words:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # N-grams never reach beyond a word and the blanks around it, so one long text gives the same as many short ones.
    grams = extract([" ".join(words).replace("_", _WORD_BREAK)], spec)
    begins = np.cumsum([0, *(len(word) + 1 for word in words[:-1])]) - 1
    owners = np.searchsorted(begins, grams.starts, side="right") - 1
    rows, letters = letter_features(words)
    return np.concatenate([owners, rows]), np.concatenate([grams.features, letters + (1 << spec.bits)])
