"""What becomes of single code points: one table a language, one code point in, one out.

Two control characters, which no text keeps, stand for what later passes delete: ``DROP`` for a code point that leaves
no trace, ``MARK`` for one that belongs to the letter before it (diacritics, kashida, variation selectors).
"""

import unicodedata
from functools import cache

DROP = "\x00"
MARK = "\x01"
ZWNJ = "\u200c"
ZWJ = "\u200d"
COMPAT = (
    "\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufdfb\ufdfc-\ufdff\ufe70-\ufefc\uff01-\uff5e\uffe0-\uffee\U0001d400-\U0001d7ff"
)
ARABIC = "\u0620-\u063f\u0641-\u064a\u066e\u066f\u0671-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06ff\u0750-\u077f"
HAMZA_MARKS = "\u0653-\u0655"
LATIN_MARKS = "\u0300-\u036f"
# Python's re knows no Extended_Pictographic: the blocks that hold what people type, without letters and arrows.
EMOJI = "\u203c\u2049\u231a\u231b\u23e9-\u23f3\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff"
SKIN = "\U0001f3fb-\U0001f3ff"

_NEWLINES = "\n\r\x0b\x0c\x85\u2028\u2029"
_MARKS = (
    *range(0x610, 0x61B), 0x640, *range(0x64B, 0x653), *range(0x656, 0x660), 0x670, *range(0x6D6, 0x6DD),
    *range(0x6DF, 0x6E5), 0x6E7, 0x6E8, *range(0x6EA, 0x6EE), *range(0x8CA, 0x8E2), *range(0x8E3, 0x900),
    *range(0xFC5E, 0xFC64), *range(0xFE00, 0xFE10), *range(0xFE70, 0xFE80), *range(0xFCF2, 0xFCF5),
)  # fmt: skip
_ALIKE = {
    "‘": "'", "’": "'", "‛": "'", "ʼ": "'", "′": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "‟": '"',
    "″": '"', "‐": "-", "‑": "-", "−": "-", "٫": ".", "٬": ",", "٪": "%",
}  # fmt: skip
LETTERS = {
    "ar": {
        "ی": "ي", "ې": "ي", "ۍ": "ي", "ے": "ي", "ک": "ك", "ڪ": "ك", "ګ": "ك", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه",
        "ۃ": "ة", "ٱ": "ا",
    },
    "fa": {
        "ي": "ی", "ى": "ی", "ې": "ی", "ۍ": "ی", "ے": "ی", "ك": "ک", "ڪ": "ک", "ګ": "گ", "ہ": "ه", "ھ": "ه", "ە": "ه",
        "ۀ": "ه", "ۃ": "ه", "ة": "ه", "ٱ": "ا", "إ": "ا",
    },
}  # fmt: skip
# A letter with a combining hamza or madda, as the one letter that Unicode has for both.
COMPOSED = {
    ("ا", "\u0653"): "آ", ("ا", "\u0654"): "أ", ("ا", "\u0655"): "إ", ("و", "\u0654"): "ؤ", ("ي", "\u0654"): "ئ",
    ("ى", "\u0654"): "ئ", ("ی", "\u0654"): "ئ",
}  # fmt: skip


def _special(char: str, lang: str) -> str | None:
    """Return what becomes of a blank, a mark or an invisible code point; None for all others."""
    code, category = ord(char), unicodedata.category(char)
    if char in _NEWLINES:
        return "\n"
    if code in _MARKS:
        return MARK
    if char in (ZWNJ, "\u200b"):
        return {"fa": ZWNJ, "ar": DROP}.get(lang, ZWNJ if char == ZWNJ else " ")
    if char == "\t" or category == "Zs":
        return " "
    no_character = (code & 0xFFFE) == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return DROP if no_character or (category in ("Cc", "Cf", "Cs", "Co") and char != ZWJ) else None


def _one(char: str, lang: str) -> str:
    """Return what a code point becomes."""
    code, category = ord(char), unicodedata.category(char)
    special = _special(char, lang)
    if special is not None:
        return special
    if category == "Nd":
        return str(unicodedata.digit(char))
    if _is_compat(code):
        plain = unicodedata.normalize("NFKC", char)
        return _one(plain, lang) if len(plain) == 1 and plain != char else char
    return LETTERS.get(lang, {}).get(char) or _ALIKE.get(char, char)


def _is_compat(code: int) -> bool:
    return 0xFB00 <= code <= 0xFDFF or 0xFE70 <= code <= 0xFFEE or 0x1D400 <= code <= 0x1D7FF


class CharacterTable(dict[int, str]):
    """A table for ``str.translate``, filled as code points are met.

    :param lang: ``ar``, ``fa``, or another, whose letters stay as they are.
    """

    def __init__(self, lang: str) -> None:
        super().__init__()
        self._lang = lang

    def __missing__(self, code: int) -> str:
        self[code] = found = _one(chr(code), self._lang)
        return found


@cache
def table_of(lang: str) -> CharacterTable:
    """Return the shared table of a language or span language (``ar-Latn`` has no letter rules)."""
    return CharacterTable(lang if lang in LETTERS else "en")
