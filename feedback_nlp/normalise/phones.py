"""Telephone numbers: written internationally, as the countries of our languages write them at home, or after a cue."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from feedback_nlp.lang.pack import open_packs

_INVISIBLE = "\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069"
_BETWEEN = f"(?:[ \\-–—.()/\u00a0{_INVISIBLE}]{{1,3}})"
# A run of digit groups; longer runs than any number are cut into windows below.
_RUN = re.compile(f"(?<![0-9A-Za-z])(?:\\+[ {_INVISIBLE}]?)?\\(?[0-9]+(?:{_BETWEEN}[0-9]+)*")
_GROUP = re.compile("[0-9]+")
_AT_HOME = re.compile(
    "09[0-9]{9}"  # mobile: Iran
    "|0(?:1[1-7]|2[1-8]|3[1-8]|4[145]|5[1468]|6[16]|7[1467]|8[13467])[0-9]{8}"  # landline: Iran; UK; Egypt 01x
    "|01[0125][0-9]{8}"  # mobile: Egypt
    "|07[0-9]{8,9}"  # mobile: Jordan, Algeria, Iraq, UK
    "|0[56][0-9]{8}"  # mobile: Saudi Arabia, Emirates, Algeria, Morocco
    "|01[1-7][0-9]{7}"  # landline: Saudi Arabia
    "|020[0-9]{8}"  # landline: London
)
_WITH_BARE_CODE = re.compile("989[0-9]{9}|9665[0-9]{8}|9715[0-9]{8}|201[0125][0-9]{8}|447[0-9]{9}")
# Mobile numbers without their zero, as people write them beside a cue: Iran, Saudi Arabia and the Emirates.
_WITHOUT_ZERO = re.compile("9[0-9]{9}|5[0-9]{8}")
_AMERICAN = re.compile("1?[2-9][0-9]{2}[2-9][0-9]{6}")
_AMERICAN_SHAPES = ((3, 3, 4), (1, 3, 3, 4))
_MOST_DIGITS = 15
_FEWEST_DIGITS = 7
_MOST_GROUPS = 8
_CUE_REACH = 16


@dataclass(frozen=True)
class _Window:
    """Neighbouring digit groups that may be one number."""

    start: int
    end: int
    groups: tuple[str, ...]
    plus: bool

    @property
    def digits(self) -> str:
        return "".join(self.groups)


def cue_choices(cues: Iterable[str]) -> str:
    """Return an alternation of cue words, the longest first.

    :param cues: words with a blank, a non-joiner or nothing between them; alternatives for one word parted by ``/``.
    """
    ordered = sorted(cues, key=len, reverse=True)
    return "|".join("[ \u200c]?".join(map(_either, cue.split(" "))) for cue in ordered)


def _either(word: str) -> str:
    return re.escape(word) if "/" not in word else f"(?:{'|'.join(map(re.escape, word.split('/')))})"


@cache
def _cue() -> re.Pattern[str]:
    words = [word for pack in open_packs().values() for word in pack.phone_cues]
    return re.compile(f"(?<!\\w)[وبف]?(?:{cue_choices(words)})(?!\\w)", re.IGNORECASE)


@cache
def _cue_after() -> re.Pattern[str]:
    return re.compile(f"[ :،,-]{{1,3}}{_cue().pattern}", re.IGNORECASE)


@cache
def amount_after() -> re.Pattern[str]:
    """Return a pattern that matches a currency or unit right after an amount."""
    words = [word for pack in open_packs().values() for word in pack.currencies]
    choices = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(f"\\s{{0,2}}(?:(?:{choices})(?!\\w)|[%$€£﷼])", re.IGNORECASE)


def _is_international(digits: str) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(number))


def _is_phone(window: _Window, text: str, cues: Sequence[int]) -> bool:
    """Tell whether digit groups are a telephone number.

    :param cues: where the words end that stand before telephone numbers, in order.
    """
    digits = window.digits
    if window.plus or digits.startswith("00"):
        # What begins with 00 and is shorter is mostly a number of something else.
        return len(digits) > (8 if window.plus else 10) and _is_international(digits.removeprefix("00"))
    shape = tuple(map(len, window.groups))
    if (
        _AT_HOME.fullmatch(digits)
        or (max(shape) > 2 and _WITH_BARE_CODE.fullmatch(digits))
        or (shape in _AMERICAN_SHAPES and _AMERICAN.fullmatch(digits))
    ):
        return True
    if not _FEWEST_DIGITS <= len(digits) <= 12 or min(shape) < 2 or amount_after().match(text, window.end):
        return False
    if _WITHOUT_ZERO.fullmatch(digits) and _cue_after().match(text, window.end):
        return True
    at = bisect(cues, window.start) - 1
    return at >= 0 and cues[at] >= window.start - _CUE_REACH


def _windows(text: str, match: re.Match[str]) -> Iterator[_Window]:
    """Yield windows of a run, at each group the longest first; the caller skips what lies inside one taken."""
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(text, *match.span())]
    for first, (start, _) in enumerate(groups):
        if all(end - begin == 1 for begin, end in groups[first : first + 3]):
            continue
        plus = text.find("+", max(match.start(), start - 3), start)
        size, last = 0, first
        while last < min(len(groups), first + _MOST_GROUPS) and size <= _MOST_DIGITS + 2:
            size += groups[last][1] - groups[last][0]
            last += 1
        while last > first and size >= _FEWEST_DIGITS:
            end = groups[last - 1][1]
            begin = plus if plus >= 0 else start
            begin -= text[begin - 1 : begin] == "(" and ")" in text[begin:end]
            yield _Window(begin, end, tuple(text[a:b] for a, b in groups[first:last]), plus >= 0)
            last -= 1
            size -= groups[last][1] - groups[last][0]


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of telephone numbers in order; digits must be ASCII."""
    cues: list[int] | None = None
    taken = 0
    for match in _RUN.finditer(text):
        if sum(map(str.isdigit, match.group())) < _FEWEST_DIGITS:
            continue
        cues = [cue.end() for cue in _cue().finditer(text)] if cues is None else cues
        for window in _windows(text, match):
            if window.start >= taken and _is_phone(window, text, cues):
                taken = window.end
                yield window.start, window.end
