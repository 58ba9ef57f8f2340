"""Spells Persian with the zero-width non-joiner (ZWNJ) in one way.

Put: after the verb prefix می/نمی and before the suffixes ها and تر/ترین, where the letter before it joins.
Dropped where it separates nothing: after letters that never join, at the edges of words, beside other scripts.
"""

import re
from collections.abc import Sequence
from functools import cache

from feedback_nlp.lang.pack import open_pack
from feedback_nlp.normalise.aligned import AlignedText, Region
from feedback_nlp.normalise.characters import ARABIC, ZWNJ

_LETTER = f"[{ARABIC}]"
_NON_JOINING = "اآأإدذرزژوؤء"
_JOINING = f"(?:(?![{_NON_JOINING}]){_LETTER})"
_OWNERS = "مان|تان|شان|مون|تون|شون"
_PLURAL = f"ها(?:ی(?:ی|م|ت|ش|{_OWNERS})?|م|ش|رو|را|{_OWNERS})?"
_MORE = "تر(?:ین|ینش|ی|ه)?"
_END = f"(?!{_LETTER}|{ZWNJ})"
STRAY = re.compile(f"(?<!{_LETTER}){ZWNJ}+|{ZWNJ}+(?!{_LETTER})|(?<=[{_NON_JOINING}]){ZWNJ}")
_PREFIX = re.compile(f"(?<!{_LETTER})(?<!{ZWNJ})ن?می([ {ZWNJ}]+)(?={_LETTER}{{2}})")
_SUFFIX = re.compile(f"(?<={_LETTER}{_LETTER}) (?=(?:{_PLURAL}|{_MORE}){_END})")
_JOINED_PLURAL = re.compile(f"(?<!{_LETTER}){_LETTER}{{2,}}{_JOINING}()(?=ها(?:یی?|ش|شون|یش)?{_END})")
# Beginnings of words that end in ها or های without being plurals: منتها, اشتها, انتها, گرانبها …
_NO_PLURAL = frozenset({"منت", "اشت", "انت", "گرانب", "خونب", "پیشن", "بی‌ب"})
_PERSON = "(?:م|ی|د|ه|یم|ید|ین|ند|ن)"
_COME = "ا(?:د|م|ی|یم|ین|ید)"
_OBJECT = "(?:ش|شون|شان|مون|تون|ت|م)?"

# Typed with a bare alef, as in haste: می‌اد for می‌آد.
_BARE_ALEF = re.compile(f"(?<!{_LETTER})(?<!{ZWNJ})ن?می{ZWNJ}(ا)(?=(?:د|م|ی|یم|ین|ید){_END})")


@cache
def _joined_verb() -> re.Pattern[str]:
    """Match می or نمی written together with a verb; میز، میدان، میوه are none."""
    stems = open_pack("fa").verb_stems
    present, past = ("|".join(stems[tense]) for tense in ("present", "past"))
    form = f"(?:{present}){_PERSON}{_OBJECT}|(?:{past})(?:{_PERSON}{_OBJECT})?|{_COME}"
    return re.compile(f"(?<!{_LETTER})(?<!{ZWNJ})ن?می()(?=(?:{form}){_END})")


def _zwnj_after_joining(match: re.Match[str]) -> str:
    return "" if match.string[match.start() - 1] in _NON_JOINING else ZWNJ


def _plural(match: re.Match[str]) -> str:
    return "" if match.group() in _NO_PLURAL else ZWNJ


def spell(text: AlignedText, regions: Sequence[Region] | None) -> bool:
    """Spell the Persian of a text, in place.

    :param regions: the Persian stretches; everything when None.
    :returns: whether anything changed.
    """
    changed = False
    if "می" in text.text:
        changed |= text.sub(_PREFIX, ZWNJ, regions=regions, group=1)
        changed |= text.sub(_joined_verb(), ZWNJ, regions=regions, group=1)
        changed |= text.sub(_BARE_ALEF, "آ", regions=regions, group=1)
    if " ها" in text.text or " تر" in text.text:
        changed |= text.sub(_SUFFIX, _zwnj_after_joining, regions=regions)
    if "ها" in text.text:
        changed |= text.sub(_JOINED_PLURAL, _plural, regions=regions, group=1)
    return changed
