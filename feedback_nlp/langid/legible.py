"""What a judge is shown of a comment: mojibake mended, HTML tags and entities blanked out, places kept in step."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from feedback_nlp.core.mojibake import mended
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.langid.tokens import TokenTable

_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,500}>|&(?:[A-Za-z]{2,8}|#\d{1,6}|#[xX][0-9A-Fa-f]{1,5});")


@dataclass(frozen=True)
class Legible:
    """Texts fit to judge.

    :param texts: one for each comment.
    :param moved: alignment with the text as given, by row, where mending moved anything.
    """

    texts: list[str]
    moved: Mapping[int, OffsetMap]

    def as_given(self, tokens: TokenTable) -> TokenTable:
        """Return the words with their places in the texts as given."""
        if not self.moved:
            return tokens
        starts, ends = tokens.starts.copy(), tokens.ends.copy()
        for row, offsets in self.moved.items():
            for place in (tokens.rows == row).nonzero()[0]:
                starts[place], ends[place] = offsets.to_text(int(starts[place]), int(ends[place]))
        return replace(tokens, starts=starts, ends=ends)


def legible(texts: Sequence[str]) -> Legible:
    """Return what a judge is shown of these texts."""
    shown = list(texts)
    moved: dict[int, OffsetMap] = {}
    for row, text in enumerate(texts):
        if (found := mended(text)) is not None:
            shown[row], moved[row] = found
        if "<" in text or "&" in text:
            shown[row] = _MARKUP.sub(lambda match: " " * len(match.group()), shown[row])
    return Legible(shown, moved)
