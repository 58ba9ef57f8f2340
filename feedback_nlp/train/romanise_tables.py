"""Letters to sounds and sounds to Latin letters, by language and region, for romanise.py.

The sounds are those of ``romanised_words.toml``. A table of spellings holds choices parted by a blank; a choice may
stand twice to be likelier, ``_`` stands for nothing.
"""

_AR = {
    "ب": "b", "ت": "t", "ث": "v", "ج": "j", "ح": "H", "خ": "x", "د": "d", "ذ": "V", "ر": "r", "ز": "z", "س": "s",
    "ش": "$", "ص": "S", "ض": "D", "ط": "T", "ظ": "Z", "ع": "3", "غ": "G", "ف": "f", "ق": "q", "ك": "k", "ک": "k",
    "ل": "l", "م": "m", "ن": "n", "ه": "h", "ة": "%", "ء": "2", "ئ": "2", "ؤ": "2", "ى": "A", "ا": "A", "آ": "A",
    "أ": "2", "إ": "2", "پ": "p", "چ": "C", "گ": "g", "ڤ": "f", "ڨ": "g", "ژ": "j",
}  # fmt: skip
_FA = {
    "ب": "b", "پ": "p", "ت": "t", "ث": "s", "ج": "j", "چ": "C", "ح": "h", "خ": "x", "د": "d", "ذ": "z", "ر": "r",
    "ز": "z", "ژ": "Z", "س": "s", "ش": "S", "ص": "s", "ض": "z", "ط": "t", "ظ": "z", "ع": "'", "غ": "q", "ف": "f",
    "ق": "q", "ک": "k", "ك": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n", "ه": "h", "ة": "t", "ء": "'", "ئ": "'",
    "ؤ": "'", "ا": "A", "آ": "A", "أ": "a", "إ": "e", "ى": "A",
}  # fmt: skip
LETTERS = {"ar": _AR, "fa": _FA}
FIRST_ALEF = {
    "ا": {"ar": "aaei", "fa": "aaeeo"},
    "أ": {"ar": "aaau", "fa": "aa"},
    "إ": {"ar": "ieie", "fa": "ee"},
    "آ": {"ar": "A", "fa": "A"},
}
GLIDES = {"ar": (("I", "y"), ("U", "w")), "fa": (("i", "y"), ("u", "v"))}
SHORT_VOWELS = {"ar": "aaaaaiieeu", "fa": "aaaaaeeeeoo"}

DROPPABLE = {"ar": "aiu", "fa": "aeo"}

REGIONS = {
    "ar": ("egypt", "egypt", "gulf", "gulf", "levant", "maghreb", "maghreb", "msa", "iraq"),
    "fa": ("kh", "kh", "x", "doubled", "ear", "ou", "letter"),
}
ARTICLES = {
    "egypt": ("el", "el", "l", "al"),
    "gulf": ("al", "al", "el"),
    "levant": ("el", "l", "il", "al"),
    "maghreb": ("el", "l", "al"),
    "iraq": ("el", "il", "al"),
    "msa": ("al", "al", "el"),
}

SPELLINGS = {
    "ar": {
        "v": "th th s t", "j": "j j j g", "H": "h", "x": "kh kh kh x", "V": "th th dh z d", "$": "sh sh sh ch",
        "S": "s s s ss", "D": "d d dh th", "T": "t t t tt", "Z": "z th dh d", "3": "a a aa ' _", "G": "gh gh gh g",
        "q": "q q k g", "2": "_ _ ' a", "A": "a a a a aa", "I": "i i ee ee y", "U": "u oo oo o ou", "E": "ee e ei ai",
        "O": "o o oo aw", "a": "a a a e", "i": "i e", "u": "u o", "%": "a a a ah e eh", "y": "y", "w": "w",
        "C": "ch", "k": "k", "h": "h",
    },
    "fa": {
        "C": "ch", "x": "kh", "Z": "zh j", "S": "sh", "q": "gh gh q", "'": "_ _ '", "A": "a", "i": "i", "u": "oo u o",
        "a": "a", "e": "e", "o": "o", "y": "y", "v": "v v v w", "j": "j", "k": "k", "s": "s", "z": "z",
    },
}  # fmt: skip
REGIONAL = {
    "egypt": {"j": "g", "q": "2 2 k q a", "v": "s t t th", "V": "z d", "Z": "z d", "D": "d", "O": "o oo", "%": "a ah"},
    "gulf": {"q": "g q q g", "D": "dh th d", "Z": "th dh z", "V": "th dh", "O": "o oo"},
    "levant": {"q": "2 q k a", "v": "t th s", "V": "z d th", "%": "eh e a i", "A": "a a e", "E": "e ei ai"},
    "maghreb": {
        "$": "ch", "j": "dj j", "q": "9 9 q k", "U": "ou ou u o", "u": "ou o u _", "v": "t th", "V": "d dh",
        "Z": "d dh", "D": "d", "x": "kh 5 x kh", "w": "w w ou", "y": "y y i", "I": "i i y", "E": "i e", "O": "o ou",
        "k": "k k k c",
    },
    "iraq": {"q": "g q", "k": "k k ch", "V": "th dh", "C": "ch"},
    "x": {"x": "x", "q": "q gh", "u": "u", "y": "y"},
    "doubled": {"A": "aa aa â", "u": "oo u", "i": "i ee"},
    "ear": {"u": "oo", "A": "a a aa", "e.": "eh", "i.": "y i", "q": "gh", "i": "i ee"},
    "ou": {"u": "ou", "q": "q gh", "v": "v"},
    "letter": {"u": "o o u", "e": "e i", "q": "gh q g", "C": "ch c", "S": "sh sh s", "o": "o"},
}  # fmt: skip
DIGITS = {
    "H": "7", "x": "5 5 5 7' kh", "3": "3", "G": "3' '3 8 gh", "T": "6 6 t", "Z": "6' '6 z", "S": "9 9 s",
    "D": "9' '9 d", "q": "q 8 9 2", "2": "2", "$": "sh sh 4 $",
}  # fmt: skip

MARKS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹،؛؟٪٫«»_", '01234567890123456789,;?%.""_')
_DROPPED = dict.fromkeys((*range(0x064B, 0x0660), 0x0670, 0x0640, 0x200D, 0x200E, 0x200F))


def is_native(char: str) -> bool:
    """Tell whether a character belongs to a native word: an Arabic letter, a diacritic or the ZWNJ."""
    return "ء" <= char <= "ٟ" or "ٱ" <= char <= "ۓ" or char == "\u200c" or "ﭐ" <= char <= "ﻼ"


def plain(word: str) -> str:
    """Drop diacritics, kashida and direction marks from a native word."""
    return word.translate(_DROPPED)
