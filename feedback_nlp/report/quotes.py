"""Comments made fit to show: evidence marked, personal data covered, direction known, no page breakers."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from feedback_nlp.core.redaction import Cover, covers_of

LONGEST = 320
_LEAD = 60
_OVERRIDES = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_INVISIBLE = {0x200B, 0x2060, 0xFEFF, 0x00AD, 0xFFFC, 0x180E}
_KEPT_CONTROLS = {"\n": "\n", "\t": " ", "\r": " "}


@dataclass(frozen=True)
class Piece:
    """A stretch of a comment.

    :param text: what to show; for covered personal data the kind.
    :param driver: ``policy`` or ``employee`` where it is evidence, else empty.
    :param cause: the cause it is evidence of, else empty.
    :param sign: ``-`` or ``+``, else empty.
    :param covered: whether personal data stood here.
    """

    text: str
    driver: str = ""
    cause: str = ""
    sign: str = ""
    covered: bool = False


@dataclass(frozen=True)
class Quote:
    """A comment ready to show.

    :param tag: BCP 47 language tag, or empty.
    :param direction: ``rtl`` or ``ltr``.
    :param unsure: whether the sentiment's score is below the abstention threshold.
    :param cut_before: whether text before the first piece was left out; ``cut_after`` likewise.
    """

    comment_id: str
    tag: str
    direction: str
    pieces: tuple[Piece, ...]
    sentiment: str
    source: str
    unsure: bool = False
    cut_before: bool = False
    cut_after: bool = False


def _harmless(character: str) -> str:
    code = ord(character)
    if character in _KEPT_CONTROLS:
        return _KEPT_CONTROLS[character]
    return (
        "" if code in _OVERRIDES or code in _INVISIBLE or unicodedata.category(character) in ("Cc", "Cs") else character
    )


def shown(text: str) -> str:
    """Return a text without characters that could reorder or break what stands around it.

    Controls, bidirectional embeddings, overrides and isolates go; letters, joiners and marks stay.
    """
    return "".join(map(_harmless, text))


def direction_of(text: str, lang: str, script: str) -> str:
    """Return the direction to show a comment in, by its language and, where that decides nothing, by its letters."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    right = sum(kind in ("R", "AL") for kind in kinds)
    left = kinds.count("L")
    if lang in ("ar", "fa") and script != "latin" and right:
        return "rtl"
    return "rtl" if right > left else "ltr"


def language_tag(lang: str, script: str) -> str:
    """Return the BCP 47 tag of a comment; empty where the language is not known."""
    if lang in ("other", "und"):
        return ""
    return f"{lang}-Latn" if lang != "en" and script == "latin" else lang


def _widened(span: Mapping[str, Any], covers: Sequence[Cover]) -> tuple[int, int]:
    start, end = int(span["start"]), int(span["end"])
    for cover in covers:
        if cover.start < end and start < cover.end:
            start, end = min(start, cover.start), max(end, cover.end)
    return start, end


def _window(length: int, spans: Iterable[tuple[int, int]], longest: int) -> tuple[int, int]:
    if length <= longest:
        return 0, length
    first = min((start for start, _ in spans), default=0)
    start = max(min(first - _LEAD, length - longest), 0)
    return start, start + longest


def pieces_of(
    text: str,
    evidence: Sequence[Mapping[str, Any]],
    redactions: Sequence[Mapping[str, Any]],
    *,
    longest: int = LONGEST,
) -> tuple[tuple[Piece, ...], bool, bool]:
    """Cut a comment at the borders of its evidence and personal data.

    Personal data is never cut: evidence that touches it takes it in whole, and the window around a long comment moves
    to its border. Where evidence overlaps, the earlier given wins.

    :param evidence: spans with driver, cause and sign.
    :param redactions: spans with kind.
    :param longest: most code points shown.
    :returns: the pieces, and whether text before and after them was left out.
    """
    covers = covers_of(redactions)
    spans = [(_widened(span, covers), span) for span in evidence]
    start, end = _window(len(text), [span for span, _ in spans], longest)
    for cover in covers:
        start = cover.end if cover.start < start < cover.end else start
        end = cover.start if cover.start < end < cover.end else end
    edges = {start, end}
    for left, right in [*[span for span, _ in spans], *[(cover.start, cover.end) for cover in covers]]:
        edges.update(edge for edge in (left, right) if start < edge < end)
    pieces: list[Piece] = []
    for left, right in pairwise(sorted(edges)):
        covering = [cover for cover in covers if cover.start <= left < cover.end]
        if covering and left != covering[0].start:
            continue
        marking = [span for (a, b), span in spans if a <= left and right <= b]
        mark: Mapping[str, Any] = marking[0] if marking else {}
        pieces.append(
            Piece(
                text=covering[0].kind if covering else shown(text[left:right]),
                driver=mark.get("driver", ""),
                cause=mark.get("cause", ""),
                sign=mark.get("sign", ""),
                covered=bool(covering),
            )
        )
    return tuple(piece for piece in pieces if piece.text), start > 0, end < len(text)


def quote(row: Mapping[str, Any], *, only: tuple[str, str, str] | None = None) -> Quote:
    """Return a result row as a quote.

    :param row: comment_id, text, lang, lang_script, redactions, drivers, sentiment, sentiment_abstained and source of
        a comment; all but the first two may be null.
    :param only: driver, cause and sign whose evidence is marked; None marks all.
    """
    text, lang, script = row["text"], row["lang"] or "und", row["lang_script"] or "native"
    evidence = [
        span for span in row["drivers"] or () if only is None or (span["driver"], span["cause"], span["sign"]) == only
    ]
    pieces, before, after = pieces_of(text, evidence, row["redactions"] or ())
    return Quote(
        comment_id=row["comment_id"],
        tag=language_tag(lang, script),
        direction=direction_of(text, lang, script),
        pieces=pieces,
        sentiment=row["sentiment"] or "",
        source=row["source"],
        unsure=bool(row["sentiment_abstained"]),
        cut_before=before,
        cut_after=after,
    )
