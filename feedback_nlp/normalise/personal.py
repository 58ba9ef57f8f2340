"""Personal data: telephone numbers, e-mail addresses, IBANs, bank cards, identity and account numbers, names.

Cheap gates come first: most comments hold no digit and no ``@``. Spans count code points of the text as given and never
end inside a grapheme cluster.
"""

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from feedback_nlp.lang.pack import open_packs
from feedback_nlp.normalise.cleaning import URL
from feedback_nlp.normalise.identifiers import CARD, find_ibans, is_iranian_id, is_saudi_id, passes_luhn
from feedback_nlp.normalise.phones import amount_after, cue_choices, find_phones

KINDS = ("phone", "email", "iban", "card", "national_id", "account", "url", "name")

_DIGIT = re.compile(r"\d")
_LONG = re.compile(r"\d(?:\W{0,3}\d){6}")
_LOCAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]*$")
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_SPELT_OUT = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63} ?[\[(]at[\])] ?"
    r"[A-Za-z0-9-]{1,63}(?: ?(?:\.|[\[(]dot[\])]) ?[A-Za-z]{2,24}){1,3}",
    re.IGNORECASE,
)
_SECRET = re.compile(r"[?&#](?:token|key|api_?key|session|sid|auth|password|pwd|email|phone|code)=", re.IGNORECASE)
_TEN_DIGITS = re.compile(r"(?<![0-9A-Za-z.,/+-])(?:[0-9]{10}|[0-9]{3}-[0-9]{6}-[0-9])(?![0-9A-Za-z]|[.,/-][0-9])")
_PERSIAN = re.compile("[پچژگکی]")
_VALUE = (
    r"(?:\s|[:#،.=-]|\b(?:is|was|no|number|my|our|هو|هي|كان|حقي|تبعي|من|ما|است|پستی|بنده|بانکی"
    r"|man|bta3y|bta3i|bta3ty|kan)\b){0,8}"
    r"([0-9]{4}(?: [0-9]{4}){2,}(?: [0-9]{1,4})?|[A-Za-z0-9][A-Za-z0-9/_-]{2,39})"
)
_FEWEST_IN_ACCOUNT = 4
_CUE_REACH = 24
_PREPENDED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e")
_EXTENDING = frozenset("\u200c\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


class Redaction(NamedTuple):
    """Personal data in a text: ``text[start:end]`` is of this kind (one of ``KINDS``)."""

    start: int
    end: int
    kind: str


class _AsciiDigits(dict[int, str]):
    """Digits of every script as ASCII ones, one code point for one."""

    def __missing__(self, code: int) -> str:
        digit = unicodedata.decimal(chr(code), None)
        self[code] = found = chr(code) if digit is None else str(digit)
        return found


_ASCII_DIGITS = _AsciiDigits()


@cache
def _account() -> re.Pattern[str]:
    words = [cue for pack in open_packs().values() for cue in pack.account_cues]
    return re.compile(f"(?<!\\w)[وبف]?(?:{cue_choices(words)})(?:(?!\\w)|(?<=#)){_VALUE}", re.IGNORECASE)


@cache
def _cue(field: str) -> re.Pattern[str]:
    """Match the cue words that all languages have in this field of their packs."""
    words = [cue for pack in open_packs().values() for cue in getattr(pack, field)]
    return re.compile(f"(?<!\\w)(?:{cue_choices(words)})(?!\\w)", re.IGNORECASE)


@cache
def _name() -> re.Pattern[str]:
    packs = open_packs()
    native = "|".join(re.escape(title) for code in ("ar", "fa") for title in packs[code].titles)
    latin = "|".join(re.escape(title.rstrip(".").capitalize()) for title in packs["en"].titles)
    return re.compile(
        f"(?<!\\w)(?:(?:{native})\\s([^\\W\\d_]{{2,}})|(?:{latin})\\.?\\s([A-Z][a-z]+(?:\\s[A-Z][a-z]+)?))"
    )


def _emails(text: str) -> Iterator[tuple[int, int]]:
    at = text.find("@")
    while at >= 0:
        local = _LOCAL.search(text, max(0, at - 64), at)
        domain = _DOMAIN.match(text, at + 1)
        if local and domain:
            yield local.start(), domain.end()
        at = text.find("@", at + 1)


def _spelt_out_emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _SPELT_OUT.finditer(text):
        yield match.span()


def _urls(text: str) -> Iterator[tuple[int, int]]:
    for match in URL.finditer(text):
        if _SECRET.search(match.group()):
            yield match.span()


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in CARD.finditer(text):
        # After a cue a slip of the pen, which its check tells, does not make it anything else.
        valid = passes_luhn("".join(filter(str.isdigit, match.group())))
        if valid or _cue("card_cues").search(text, max(0, match.start() - _CUE_REACH), match.start()):
            yield match.span()


def _accounts(text: str) -> Iterator[tuple[int, int]]:
    for match in _account().finditer(text):
        value = match.group(1).rstrip("/_-")
        digits = sum(map(str.isdigit, value))
        if digits >= _FEWEST_IN_ACCOUNT or (digits and len(value) > _FEWEST_IN_ACCOUNT and not value.islower()):
            yield match.start(1), match.start(1) + len(value)


def _ids(text: str) -> Iterator[tuple[int, int]]:
    persian = _PERSIAN.search(text) is not None
    for match in _TEN_DIGITS.finditer(text):
        digits = match.group().replace("-", "")
        cued = _cue("id_cues").search(text, max(0, match.start() - _CUE_REACH), match.start()) is not None
        # Ten digits that begin as mobile numbers do are identities only where phones have eleven, or after a cue.
        as_phone = digits.startswith(("05", "06", "07", "01")) and not persian
        valid = is_iranian_id(digits) or is_saudi_id(digits)
        if cued or (valid and not as_phone and not amount_after().match(text, match.end())):
            yield match.span()


def _names(text: str) -> Iterator[tuple[int, int]]:
    stop_words = frozenset().union(*(pack.stop_words for pack in open_packs().values()))
    for match in _name().finditer(text):
        group = 1 if match.group(1) else 2
        if match.group(group) not in stop_words:
            yield match.span(group)


def _found(text: str, names: bool) -> Iterator[Redaction]:
    """Yield all that is found, surest kinds first."""
    if "@" in text:
        yield from (Redaction(*span, "email") for span in _emails(text))
    if "(at" in text or "[at" in text:
        yield from (Redaction(*span, "email") for span in _spelt_out_emails(text))
    if "://" in text:
        yield from (Redaction(*span, "url") for span in _urls(text))
    if _DIGIT.search(text):
        plain = text.translate(_ASCII_DIGITS)
        if _LONG.search(plain):
            yield from (Redaction(*span, "iban") for span in find_ibans(plain))
            yield from (Redaction(*span, "card") for span in _cards(plain))
        yield from (Redaction(*span, "account") for span in _accounts(plain))
        if _LONG.search(plain):
            yield from (Redaction(*span, "national_id") for span in _ids(plain))
            yield from (Redaction(*span, "phone") for span in find_phones(plain))
    if names:
        yield from (Redaction(*span, "name") for span in _names(text))


def _whole_clusters(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span to the grapheme clusters it touches."""
    while end < len(text) and (text[end] in _EXTENDING or unicodedata.category(text[end]) in ("Mn", "Mc", "Me")):
        end += 1
    while start and text[start - 1] in _PREPENDED:
        start -= 1
    return start, end


def find_personal_data(text: str, *, names: bool = False) -> list[Redaction]:
    """Find personal data in a text as given.

    :param names: also find names after titles (Mr, السيد, آقای).
    :returns: spans in order, not overlapping.
    """
    kept: list[Redaction] = []
    for found in _found(text, names):
        start, end = _whole_clusters(text, found.start, found.end)
        at = bisect(kept, (start,))
        before, after = kept[max(at - 1, 0) : at], kept[at : at + 1]
        if all(other.end <= start for other in before) and all(end <= other.start for other in after):
            kept.insert(at, Redaction(start, end, found.kind))
    return kept
