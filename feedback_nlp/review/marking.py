"""Marking: a whole comment cut into pieces to show, evidence told apart, personal data covered, offsets kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from feedback_nlp.core.redaction import covers_of
from feedback_nlp.report.quotes import direction_of, language_tag, shown

LONGEST = 20_000


@dataclass(frozen=True)
class Segment:
    """A stretch of a comment.

    :param text: what to show; for covered personal data the kind.
    :param start: where it begins in the comment, code points; -1 where what is shown is not what stands there.
    :param covered: whether personal data stands here.
    :param drivers: places, in the comment's ``drivers``, of those that it is evidence of.
    """

    text: str
    start: int
    covered: bool = False
    drivers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A comment ready to show.

    :param row: the comment with all its values, text and personal data included: not for the page itself.
    :param segments: what to show.
    :param direction: ``rtl`` or ``ltr``; ``tag`` = BCP 47 tag, or empty.
    :param cut: whether its end was left out for being too long.
    """

    row: Mapping[str, Any]
    segments: tuple[Segment, ...]
    direction: str
    tag: str
    cut: bool

    @property
    def plain(self) -> str:
        """The comment in one line with personal data covered, as for a file."""
        return "".join(f"‹{each.text}›" if each.covered else each.text for each in self.segments)

    @property
    def drivers(self) -> list[dict[str, Any]]:
        """The comment's drivers in order."""
        return list(self.row["drivers"] or ())


def _edges(length: int, spans: Sequence[tuple[int, int]]) -> list[int]:
    return sorted({0, length, *(edge for span in spans for edge in span if 0 < edge < length)})


def segments_of(
    text: str, drivers: Sequence[Mapping[str, Any]], redactions: Sequence[Mapping[str, Any]]
) -> tuple[Segment, ...]:
    """Cut a comment at the borders of its evidence and personal data; personal data itself is never cut.

    :param drivers: entries with ``start`` and ``end``; likewise ``redactions``, with ``kind``.
    """
    covers = covers_of(redactions)
    marks = [(int(each["start"]), int(each["end"])) for each in drivers]
    found: list[Segment] = []
    for left, right in pairwise(_edges(len(text), [*marks, *[cover[:2] for cover in covers]])):
        evidence = tuple(at for at, (start, end) in enumerate(marks) if start < right and left < end)
        covering = next((cover for cover in covers if cover.start < right and left < cover.end), None)
        if covering is not None:
            if left == covering.start:
                touching = tuple(
                    at for at, (start, end) in enumerate(marks) if start < covering.end and covering.start < end
                )
                found.append(Segment(covering.kind, -1, covered=True, drivers=touching))
            continue
        stretch = text[left:right]
        visible = shown(stretch)
        if visible:
            found.append(Segment(visible, left if visible == stretch else -1, drivers=evidence))
    return tuple(found)


def show_comment(row: Mapping[str, Any]) -> Shown:
    """Make a comment fit to show.

    :param row: a comment of a snapshot.
    """
    text = row["text"] or ""
    cut = len(text) > LONGEST
    lang, script = row["lang"] or "und", row["lang_script"] or "native"
    redactions = row["redactions"] or ()
    end = LONGEST
    for each in redactions if cut else ():
        end = int(each["start"]) if each["start"] < end < each["end"] else end
    kept = text[:end]
    inside = [each for each in redactions if each["end"] <= len(kept)]
    return Shown(
        row=row,
        segments=segments_of(kept, row["drivers"] or (), inside),
        direction=direction_of(kept, lang, script),
        tag=language_tag(lang, script),
        cut=cut,
    )
