"""Clauses: sentences (sentencex), cut again at clause punctuation and before words of contrast (but, لكن, ولی)."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.lang.pack import CODES, LanguagePack, open_pack
from feedback_nlp.normalise.aligned import Region
from feedback_nlp.normalise.characters import ARABIC, ZWNJ

# Beside sentencex: people write no blank after a full stop in Arabic letters, and part clauses by two or three dots.
_BREAK = re.compile(
    f"[;؛\n]+|(?<=[^\\W\\d_])(?:\\.{{2,}}|[.!?؟]+(?=[{ARABIC}]{{2}}))|(?<=[^\\W\\d_] )\\.{{2,}}|(?<= )[-–—|•](?= )"
)
_WORD = re.compile(r"\w")
_TWO_WORDS_AFTER = re.compile(r"[^\w.!?؟]*[^\W\d][\w'\u200c]*[^\w.!?؟]+\w")
_LAST_WORD = re.compile(r"([\w'\u200c]+)\W*$")
_FRESH = re.compile(r"[,،.!?؟:)\u2600-\u27bf\U0001f000-\U0001faff]\s*$")
_LONGEST_LOOK_BACK = 60
_WINDOW = 4000


@cache
def _contrasts(lang: str) -> re.Pattern[str]:
    """Match the contrast words of a language, with an "and" before them."""
    words = sorted(open_pack(lang).contrasts, key=len, reverse=True)
    choices = "|".join(re.escape(word).replace("\\ ", f"[ {ZWNJ}]") for word in words)
    lead = {"ar": "(?:و )?و?", "fa": "(?:و )?", "en": "(?:and )?"}[lang]
    return re.compile(f"(?<![\\w'{ZWNJ}]){lead}({choices})(?![\\w'{ZWNJ}])", re.IGNORECASE)


def _opens(text: str, match: re.Match[str], start: int, lang: str) -> bool:
    """Tell whether a contrast word opens a clause here.

    :param start: where the clause before it begins.
    """
    before = text[max(start, match.start() - _LONGEST_LOOK_BACK) : match.start()]
    last = _LAST_WORD.search(before)
    after = text[match.end() : match.end() + 1]
    if last is None or not _WORD.search(text, match.end()) or after in ("!", "?", "؟", "."):
        return False
    pack = open_pack(lang)
    fresh = _FRESH.search(before) is not None
    if not fresh and last.group(1).lower() in pack.contrast_blockers:
        return False
    needs = pack.weak_contrasts.get(match.group(1).lower())
    if needs is None:
        return True
    following = _TWO_WORDS_AFTER.match(text, match.end())
    return following is not None and (fresh or _ends_a_clause(before, needs, pack))


def _ends_a_clause(before: str, needs: str, pack: LanguagePack) -> bool:
    """Tell whether what stands before a weak contrast word is a clause of its own, not the beginning of one."""
    words = before.split()
    if needs == "predicate":
        return len(words) > 1 and words[-1] in pack.clause_ends
    return needs == "words" and len(words) > 1


def _sentence_starts(text: str, lang: str) -> Iterator[int]:
    from sentencex import segment

    at = 0
    while at < len(text):
        # By windows, because sentencex takes quadratic time over quotation marks.
        window = text[at : at + _WINDOW]
        pieces = segment(lang, window)
        if sum(map(len, pieces)) != len(window):
            pieces = [window]
        last = at + len(window) == len(text)
        for piece in pieces[:-1] if len(pieces) > 1 and not last else pieces:
            at += len(piece)
            if len(pieces) > 1:
                yield at


def _cuts(text: str, langs: Sequence[str]) -> list[int]:
    """Return the places where clauses begin, in order, the first excepted."""
    cuts = set(_sentence_starts(text, langs[0])) | {match.end() for match in _BREAK.finditer(text)}
    for lang in langs:
        edges = sorted(cuts)
        at, start = 0, 0
        for match in _contrasts(lang).finditer(text):
            while at < len(edges) and edges[at] <= match.start():
                start = max(start, edges[at])
                at += 1
            if match.start() not in cuts and _opens(text, match, start, lang):
                cuts.add(match.start())
                start = match.start()
    return sorted(cuts - {0, len(text)})


def find_clauses(clean: str, langs: Sequence[str]) -> list[Region]:
    """Cut a normalised text into clauses.

    :param langs: its languages, the main one first; others than ar, fa, en are read as English.
    :returns: spans in ``clean``: in order, trimmed of blanks, each with a letter or digit unless the text has none,
        together holding every word.
    """
    known = list(dict.fromkeys(lang if lang in CODES else "en" for lang in langs)) or ["en"]
    edges = [0, *_cuts(clean, known), len(clean)]
    spans: list[Region] = []
    for start, end in pairwise(edges):
        piece = clean[start:end]
        first, last = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        if first >= last:
            continue
        if spans and (not _WORD.search(piece) or not _WORD.search(clean, *spans[-1])):
            spans[-1] = spans[-1][0], last
        else:
            spans.append((first, last))
    return spans


def in_text(spans: Sequence[Region], offsets: OffsetMap) -> list[Region]:
    """Map clauses to the text as given; two that share a stretch there become one."""
    mapped: list[Region] = []
    for span in spans:
        start, end = offsets.to_text(*span)
        if mapped and start < mapped[-1][1]:
            mapped[-1] = mapped[-1][0], max(end, mapped[-1][1])
        elif start < end:
            mapped.append((start, end))
    return mapped
