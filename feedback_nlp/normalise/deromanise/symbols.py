"""How words are taken apart: Latin letters into symbols, and both scripts into skeletons of consonants.

A symbol is what stands for one sound: ``kh``, ``3'``, ``oo``, ``b``. A skeleton keeps only the classes of consonants
that writers never mix up, so that a word's candidates are found by one look-up however its vowels are spelled.
"""

import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

_LONG = (
    "tch", "dj", "kh", "gh", "sh", "ch", "th", "dh", "zh", "ph", "ck", "ou", "oo", "ee", "ei", "ey", "ay", "ai", "aw",
    "au", "aa", "ea", "ie", "eu", "3'", "'3", "7'", "'7", "6'", "'6", "9'", "'9",
)  # fmt: skip
_SINGLE = "abcdefghijklmnopqrstuvwxyz0123456789'$"
SYMBOLS = (*_LONG, *_SINGLE)
SYMBOL_IDS = {symbol: at for at, symbol in enumerate(SYMBOLS)}
_SYMBOL = re.compile("|".join(map(re.escape, SYMBOLS)))
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_DOUBLED = re.compile(r"([b-df-gj-np-tv-xz])\1|(?<![cskgztdp])(h)h")
_MARKS_APART = re.compile("[-\u2019\u2018`´_]")

_NATIVE = {
    "ar": {
        **dict.fromkeys("بپ", "B"), **dict.fromkeys("تط", "T"), "ث": "V", "ج": "J", "چ": "C", "د": "D",
        **dict.fromkeys("ذظض", "X"), "ر": "R", "ز": "Z", "ژ": "J", **dict.fromkeys("سص", "S"), "ش": "$", "ح": "H",
        "خ": "K", "غ": "G", **dict.fromkeys("فڤ", "F"), "ق": "Q", **dict.fromkeys("کگ", "k"), "ل": "L", "م": "M",
        "ن": "N",
    },
    "fa": {
        "ب": "B", "پ": "P", **dict.fromkeys("تط", "T"), **dict.fromkeys("ثسص", "S"), **dict.fromkeys("جژ", "J"),
        "چ": "C", **dict.fromkeys("حه", "H"), "خ": "K", "د": "D", **dict.fromkeys("ذزضظ", "Z"), "ر": "R", "ش": "$",
        **dict.fromkeys("قغ", "G"), "ف": "F", "ک": "k", "گ": "g", "ل": "L", "م": "M", "ن": "N",
    },
}  # fmt: skip
# What a symbol may stand for in a skeleton; "-" for nothing, as every symbol not listed.
_LATIN = {
    "ar": {
        "b": "B", "p": "B", "t": "TV", "6": "T", "th": "VXT", "s": "SV", "9": "SQ", "c": "kS", "ck": "k", "j": "J",
        "dj": "J", "zh": "J", "g": "JQGk", "d": "DX", "dh": "XD", "z": "ZX", "6'": "X", "'6": "X", "9'": "X", "'9": "X",
        "r": "R", "sh": "$", "ch": "$Ck", "tch": "C$k", "$": "$", "4": "-$", "h": "H-", "7": "H", "7'": "K", "'7": "K",
        "kh": "K", "5": "K", "x": "K", "gh": "G", "8": "QG-", "3'": "G", "'3": "G", "f": "F", "v": "F", "ph": "F",
        "q": "QGk", "k": "kQ", "2": "-Q", "l": "L", "m": "M", "n": "N",
    },
    "fa": {
        "b": "B", "p": "P", "t": "T", "th": "T", "s": "S", "c": "kS", "ck": "k", "j": "J", "dj": "J", "zh": "J",
        "ch": "C", "tch": "C", "h": "H-", "kh": "K", "x": "K", "d": "D", "z": "Z", "r": "R", "sh": "$", "$": "$",
        "gh": "G", "q": "G", "g": "gG", "k": "k", "f": "F", "ph": "F", "l": "L", "m": "M", "n": "N", "2": "D-",
    },
}  # fmt: skip
_MOST_KEYS = 24
_SHORTEST_TANWIN = 2


def symbols_of(word: str) -> tuple[str, ...]:
    """Take a Latin word apart into symbols; case, accents, stretching and doubled consonants are dropped."""
    plain = unicodedata.normalize("NFKD", _MARKS_APART.sub(_apostrophe, word.lower()))
    return tuple(_SYMBOL.findall(_DOUBLED.sub(r"\1\2", _STRETCHED.sub(r"\1\1", plain))))


def _apostrophe(match: re.Match[str]) -> str:
    return "" if match.group() in "-_" else "'"


def _append(keys: Sequence[str], choices: str, beginnings: AbstractSet[str] | None) -> list[str]:
    longer: dict[str, None] = {}
    for key in keys:
        last = key[-1:]
        for choice in choices:
            new = key if choice in ("-", last) else key + choice
            if beginnings is None or new in beginnings:
                longer[new] = None
    return list(longer)[:_MOST_KEYS]


def latin_skeletons(symbols: Sequence[str], lang: str, beginnings: AbstractSet[str] | None = None) -> tuple[str, ...]:
    """Return the skeletons that a word in symbols may have, likeliest first.

    :param beginnings: what a skeleton may begin with; None for anything.
    """
    table = _LATIN[lang]
    keys = [""]
    for symbol in symbols[:-1]:
        choices = table.get(symbol, "-")
        if choices != "-":
            keys = _append(keys, choices, beginnings)
    for symbol in symbols[-1:]:
        # At the end kh may be kaf and a silent heh: shbkh, شبكة.
        keys = _append(keys, "Kk" if symbol == "kh" else table.get(symbol, "-"), beginnings)
    return tuple(keys)


def native_skeletons(word: str, lang: str) -> tuple[str, ...]:
    """Return the skeletons of a folded native word.

    A last alef may sound ``an``, a last heh of Persian be silent, and one of Arabic, a teh marbuta, sound ``t``.
    """
    table = _NATIVE[lang]
    keys = [""]
    for letter in word:
        keys = _append(keys, table.get(letter, "-"), None)
    if lang == "fa" and word.endswith("ه"):
        silent = native_skeletons(word[:-1], lang)
        keys = list(dict.fromkeys((*silent, *keys)))
    if len(word) > _SHORTEST_TANWIN and word.endswith("ا"):
        keys += _append(keys, "N", None)
    if lang == "ar" and len(word) > _SHORTEST_TANWIN and word.endswith("ه"):
        keys += _append(keys, "T", None)
    return tuple(keys)
