"""Strong folding for matching and hashing: one code point in, one or none out.

Lower case; presentation forms, kashida, diacritics and zero-width marks gone; yeh, kaf, heh and alef of Arabic and
Persian made alike; digits made ASCII; ZWNJ and every blank a space; runs of a letter cut to two. It loses what readers
need, so it never touches a column: the readable form is ``clean``.
"""

import unicodedata
from functools import cache
from typing import Any

import numpy as np

Codes = np.ndarray[Any, np.dtype[np.uint32]]

SPACE = ord(" ")
_SAME = {
    "ى": "ی", "ي": "ی", "ې": "ی", "ئ": "ی", "ك": "ک", "ڪ": "ک", "ة": "ه", "ۀ": "ه", "ە": "ه", "ہ": "ه",
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ؤ": "و", "’": "'", "‘": "'", "`": "'", "“": '"', "”": '"',
}  # fmt: skip
_AS_SPACE = "\u200c\u00a0\u200b\u2028\u2029\u0085"


def _folded(char: str) -> int:
    if char in _SAME:
        return ord(_SAME[char])
    if char in _AS_SPACE or char.isspace():
        return SPACE
    category = unicodedata.category(char)
    if category in ("Mn", "Cf", "Cc", "Cs", "Cn") or char == "ـ":
        return 0
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return ord("0") + digit
    plain = unicodedata.normalize("NFKC", char).lower()
    if len(plain) != 1:
        plain = char.lower()[:1]
    return ord(_SAME.get(plain, plain))


@cache
def _table() -> Codes:
    table = np.arange(0x110000, dtype=np.uint32)
    for block in (range(0x3400), range(0xD800, 0xE000), range(0xFB00, 0x10000), range(0xE0000, 0xE0200)):
        for code in block:
            table[code] = _folded(chr(code))
    return table


def codes_of(text: str) -> Codes:
    """Return a text's code points as uint32 array; lone surrogates are kept."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def fold_codes(codes: Codes) -> tuple[Codes, np.ndarray[Any, np.dtype[np.int64]]]:
    """Fold code points.

    :returns: the folded code points, and for each the position it came from.
    """
    folded = _table()[codes]
    kept = np.flatnonzero(folded)
    folded = folded[kept]
    if len(folded) > 2:
        run = np.zeros(len(folded), dtype=bool)
        run[2:] = (folded[2:] == folded[1:-1]) & (folded[2:] == folded[:-2])
        blank = np.zeros(len(folded), dtype=bool)
        blank[1:] = (folded[1:] == SPACE) & (folded[:-1] == SPACE)
        keep = ~(run | blank)
        folded, kept = folded[keep], kept[keep]
    return folded, kept


def fold(text: str) -> str:
    """Fold a text; see the module."""
    folded, _ = fold_codes(codes_of(text))
    return folded.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass").strip()
