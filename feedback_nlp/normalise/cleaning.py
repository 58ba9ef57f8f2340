"""The passes that turn a text into its clean form; each is gated, so that a clean text costs next to nothing."""

import html
import re
import unicodedata
from collections.abc import Sequence

from feedback_nlp.normalise import persian
from feedback_nlp.normalise.aligned import AlignedText, Edit, Region
from feedback_nlp.normalise.characters import (
    ARABIC,
    COMPAT,
    COMPOSED,
    DROP,
    EMOJI,
    HAMZA_MARKS,
    LATIN_MARKS,
    MARK,
    SKIN,
    ZWJ,
    ZWNJ,
)

_TAGS = (
    "a|abbr|article|b|big|blockquote|body|br|button|center|code|dd|div|dl|dt|em|font|footer|form|h[1-6]|head|header|hr|"
    "html|i|iframe|img|input|label|li|link|main|meta|nav|ol|option|p|pre|script|section|select|small|span|strong|style|"
    "sub|sup|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|video"
)
_TAG = re.compile(f"</?(?:{_TAGS})(?:\\s[^<>]{{0,2000}}|/)?>|<!DOCTYPE[^<>]{{0,200}}>", re.IGNORECASE)
_HIDDEN = (
    (re.compile(r"<script\b", re.IGNORECASE), re.compile(r"</script\s{0,9}>", re.IGNORECASE)),
    (re.compile(r"<style\b", re.IGNORECASE), re.compile(r"</style\s{0,9}>", re.IGNORECASE)),
    (re.compile("<!--"), re.compile("-->")),
)
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
URL = re.compile(
    r"\bhttps?://[^\s<>\"'،؛]*|(?<![\w.@])www\.[^\s<>\"'،؛]+|"
    r"(?<![\w.@/])(?:t\.co|bit\.ly|goo\.gl|t\.me|wa\.me|youtu\.be|instagram\.com|facebook\.com|twitter\.com)/[^\s<>\"'،؛]*",
    re.IGNORECASE,
)

_DIRTY = re.compile(
    f"[{DROP}{MARK}{ZWJ}#@_\u2026\ufffd{HAMZA_MARKS}{LATIN_MARKS}{COMPAT}{EMOJI}]",
)
_DROPPED = re.compile(f"{DROP}+")
_HAMZA = re.compile(f"([اويىیه]){MARK}*([{HAMZA_MARKS}])[{HAMZA_MARKS}{MARK}]*")
_MARKED = re.compile(f"([^\\s{MARK}])?[{MARK}{HAMZA_MARKS}]+")
_ACCENTED = re.compile(f"([^\\W{LATIN_MARKS}]?)([{LATIN_MARKS}]+)")
_COMPAT = re.compile(f"[{COMPAT}\u2026]")
_LOST_APOSTROPHE = re.compile("(?<=[A-Za-z])\ufffd(?=(?:t|s|m|d|re|ve|ll)\\b)")
_ONE_EMOJI = f"[{EMOJI}][{SKIN}]?(?:{ZWJ}[{EMOJI}][{SKIN}]?)*"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = re.compile(f"{_FLAG}|{_ONE_EMOJI}")
_STRAY_ZWJ = re.compile(f"(?<![{EMOJI}]){ZWJ}|{ZWJ}(?![{EMOJI}])")
_TAGGED = re.compile(r"(?<![\w@#])[@#]+(?=\w)")
_HASHTAG = re.compile(r"(?<![\w#])#(\w+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d{2})")
_UNDERSCORE = re.compile(f"(?<=[{ARABIC}0-9])_+(?=[{ARABIC}0-9])|(?<!\\S)_+|_+(?!\\S)")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
_SIGNS = re.compile(r"([^\w\s])\1{3,}")
_BLANKS = re.compile("^[ \n]+|[ \n]+$| *\n[ \n]*| {2,}")
# Letters that a stretched Latin word doubles: sleeep, coool, alll, classs; all others stand once.
_DOUBLED_INSIDE = frozenset("eolspftgnmrcbd")
_DOUBLED_LAST = frozenset("lsf")
_ARTICLE = re.compile(r"(?<!\w)[وفبك]?ا$")
_VOWELS = frozenset("aeiouAEIOU")


def unwrap(text: AlignedText) -> bool:
    """Drop HTML and addresses of the web, in place.

    :returns: whether anything changed.
    """
    changed = False
    if "<" in text.text:
        for opens, closes in _HIDDEN:
            changed |= text.apply(_hidden(text.text, opens, closes))
        changed |= text.sub(_TAG, " ")
    if "&" in text.text:
        changed |= text.sub(_ENTITY, lambda match: html.unescape(match.group()))
    if "://" in text.text or "www." in text.text or "/" in text.text:
        changed |= text.sub(URL, " ")
    return changed


def _hidden(text: str, opens: re.Pattern[str], closes: re.Pattern[str]) -> list[Edit]:
    """Return edits that drop elements which show nothing, such as scripts, with all that stands in them."""
    edits: list[Edit] = []
    at = 0
    while (first := opens.search(text, at)) and (last := closes.search(text, first.end())):
        edits.append((first.start(), last.end(), " "))
        at = last.end()
    return edits


def tidy(text: AlignedText, regions: Sequence[Region] | None) -> bool:
    """Clean a text whose code points were translated, in place.

    :param regions: the Persian stretches, None when all of it is Persian.
    :returns: whether anything changed.
    """
    changed = False
    if _DIRTY.search(text.text):
        changed |= _letters(text)
        changed |= _tokens(text)
    changed |= text.sub(_RUN, _shortened)
    changed |= text.sub(_SIGNS, lambda match: match.group(1) * 3)
    if ZWNJ in text.text:
        changed |= text.sub(persian.STRAY, "")
    if regions is None or regions:
        changed |= persian.spell(text, regions)
    return text.sub(_BLANKS, _blank) or changed


def _blank(match: re.Match[str]) -> str:
    if match.start() == 0 or match.end() == len(match.string):
        return ""
    return "\n" if "\n" in match.group() else " "


def _letters(text: AlignedText) -> bool:
    """Drop what leaves no trace; give letters with combining signs their one form."""
    changed = text.sub(_DROPPED, "")
    changed |= text.sub(_HAMZA, lambda match: COMPOSED.get((match.group(1), match.group(2)), match.group(1)))
    changed |= text.sub(_MARKED, lambda match: match.group(1) or "")
    changed |= text.sub(_ACCENTED, _composed)
    changed |= text.sub(_COMPAT, lambda match: unicodedata.normalize("NFKC", match.group()))
    if "\ufffd" in text.text:
        changed |= text.sub(_LOST_APOSTROPHE, "'")
        changed |= text.sub(re.compile("\ufffd+"), "")
    return changed


def _composed(match: re.Match[str]) -> str:
    whole = unicodedata.normalize("NFC", match.group())
    return "".join(char for char in whole if not unicodedata.combining(char))


def _tokens(text: AlignedText) -> bool:
    """Set emoji apart and take hashtags and mentions to pieces."""
    changed = text.sub(_STRAY_ZWJ, "") if ZWJ in text.text else False
    changed |= text.apply(_emoji_edits(text.text))
    if "#" in text.text:
        changed |= text.sub(_HASHTAG, lambda match: _HUMP.sub(" ", match.group(1)).replace("_", " "))
    if "@" in text.text or "#" in text.text:
        changed |= text.sub(_TAGGED, "")
    if "_" in text.text:
        changed |= text.sub(_UNDERSCORE, " ")
    return changed


def _emoji_edits(text: str) -> list[Edit]:
    """Return edits that part emoji from words and each other by blanks and keep at most two of a kind in a row."""
    edits: list[Edit] = []
    last, times, at = "", 0, -1
    for match in _EMOJI.finditer(text):
        start, end = match.span()
        follows = at >= 0 and not text[at:start].strip(" ")
        times = times + 1 if follows and match.group() == last else 1
        if times > 2:
            edits.append((at, end, ""))
        else:
            if at >= 0 and not follows and text[at] not in " \n":
                edits.append((at, at, " "))
            if start and text[start - 1] not in " \n":
                edits.append((start, start, " "))
        last, at = match.group(), end
    if 0 <= at < len(text) and text[at] not in " \n":
        edits.append((at, at, " "))
    return edits


def _shortened(match: re.Match[str]) -> str:
    """Cut a run of three or more of a letter to the one or two that the word is spelled with."""
    letter, text = match.group(1), match.string
    before = text[match.start() - 1] if match.start() else " "
    after = text[match.end()] if match.end() < len(text) else " "
    starts, ends = not before.isalpha(), not after.isalpha()
    if starts and ends:
        return match.group() if letter.isupper() or match.group() == "www" else letter * 2
    if letter.isascii():
        double = not starts and letter.lower() in (_DOUBLED_LAST if ends else _DOUBLED_INSIDE)
        return letter * 2 if double and (not ends or before in _VOWELS) else letter
    # ممنون, ممتاز, ممكن begin with two letters; in الله, اللي, اللون the article meets another.
    initial = starts and letter == "م" and after in "نتكکيی"
    article = letter == "ل" and before == "ا" and _ARTICLE.search(text[max(match.start() - 3, 0) : match.start()])
    return letter * 2 if initial or article else letter
