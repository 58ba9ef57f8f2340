"""normalise: the readable, uniform form of a comment, aligned code point by code point with the text as given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.normalise import cleaning, mojibake
from feedback_nlp.normalise.aligned import AlignedText, Edit, Region
from feedback_nlp.normalise.characters import LETTERS, CharacterTable, table_of

_MOST_ROUNDS = 8
_FEWEST_BLANKS = 3


class Span(NamedTuple):
    """A stretch of text in one language, of core.columns.SPAN_LANGS; ends are exclusive."""

    start: int
    end: int
    lang: str


class Deromaniser(Protocol):
    """Writes Arabic and Persian typed in Latin letters in their own."""

    def edits(self, text: str, start: int, end: int, lang: str) -> list[Edit]:
        """Return edits that put the words of ``text[start:end]`` into the letters of ``lang`` (``ar`` or ``fa``)."""

    def prepare(self, stretches: Iterable[tuple[str, int, int, str]]) -> None:
        """Make ready for stretches (text, start, end, language) to come; changes no result."""


@dataclass(frozen=True)
class Normalised:
    """A normalised text.

    :param clean: the text; empty when nothing is left.
    :param offsets: where each code point of ``clean`` came from.
    """

    clean: str
    offsets: OffsetMap


def normalise(
    text: str, lang: str, *, spans: Sequence[Span] = (), deromaniser: Deromaniser | None = None
) -> Normalised:
    """Normalise a text; doing it twice changes nothing more.

    Mojibake is mended, HTML and web addresses go, digits become ASCII, letters that Arabic and Persian keyboards write
    differently get the one form of their language, diacritics and stretched letters go, Persian is spelled with its
    non-joiners, emoji and hashtags become words. Case and punctuation stay.

    :param lang: the text's language, ``ar``, ``fa``, ``en`` or another.
    :param spans: stretches in another language, in order, not overlapping.
    :param deromaniser: used on spans whose language ends in ``-Latn``; without one they keep their letters.
    """
    aligned = AlignedText(text)
    for turn in range(_MOST_ROUNDS):
        before = aligned.text
        if mojibake.mend(aligned):
            lang, spans = (lang if lang in LETTERS else _guess(aligned.text, lang)), ()
        cleaning.unwrap(aligned)
        regions = _regions(aligned, lang, spans)
        _translate(aligned, lang, regions)
        if turn == 0 and deromaniser is not None:
            aligned.apply(_romanised(aligned, lang, regions, deromaniser))
            regions = _regions(aligned, lang, spans)
        cleaning.tidy(aligned, _persian(lang, regions, len(aligned.text)))
        if aligned.text == before:
            break
    return Normalised(aligned.text, aligned.offsets())


def _guess(text: str, lang: str) -> str:
    """Return the language of a mended text; whoever named the language saw the spoiled one."""
    persian = sum(char in "پچژگیک" for char in text)
    arabic = sum(char in "ةيكىأإ" for char in text)
    if not any("\u0620" <= char <= "\u06ff" for char in text):
        return lang
    return "fa" if persian > arabic else "ar"


def _regions(aligned: AlignedText, lang: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans in another language than the text's, in the coordinates of the edited text."""
    regions: list[Span] = []
    done = 0
    for span in spans:
        if span.lang != lang:
            start, end = aligned.locate(span.start, span.end)
            # A stretch replaced across two spans belongs to the first of them.
            regions.append(Span(max(start, done), max(end, done), span.lang))
            done = regions[-1].end
    return regions


def _translate(aligned: AlignedText, lang: str, regions: Sequence[Span]) -> None:
    stretches: list[tuple[int, int, CharacterTable]] = []
    at = 0
    for span in regions:
        stretches += ((at, span.start, table_of(lang)), (span.start, span.end, table_of(span.lang)))
        at = span.end
    aligned.translate([*stretches, (at, len(aligned.text), table_of(lang))])


def _romanised(aligned: AlignedText, lang: str, regions: Sequence[Span], deromaniser: Deromaniser) -> list[Edit]:
    edits: list[Edit] = []
    for span in regions:
        if span.lang.endswith("-Latn"):
            # A word or two in the other language are more often a slip of the language model than a loan.
            short = aligned.text.count(" ", span.start, span.end) < _FEWEST_BLANKS
            own = lang if short and lang in LETTERS else span.lang.removesuffix("-Latn")
            edits += deromaniser.edits(aligned.text, span.start, span.end, own)
    return edits


def _persian(lang: str, regions: Sequence[Span], length: int) -> list[Region] | None:
    """Return the Persian stretches, None when no Arabic parts them."""
    if lang != "fa":
        return [(span.start, span.end) for span in regions if span.lang in ("fa", "fa-Latn")]
    arabic = [(span.start, span.end) for span in regions if span.lang in ("ar", "ar-Latn")]
    if not arabic:
        return None
    edges = [0, *(edge for region in arabic for edge in region), length]
    return list(zip(edges[::2], edges[1::2], strict=True))
