"""AlignedText: a text under edit that remembers where each of its code points came from."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from feedback_nlp.core.offsets import OffsetMap

Edit = tuple[int, int, str]
Replace = str | Callable[[re.Match[str]], str]
Region = tuple[int, int]


class AlignedText:
    """The text as edited so far, with the origin of each code point kept in step.

    Plain lists, not arrays: a comment is about 90 code points long, where slicing lists costs a tenth of NumPy calls.

    :param text: the text as given.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._length = len(text)
        self._starts: list[int] | None = None
        self._ends: list[int] | None = None

    def translate(self, stretches: Iterable[tuple[int, int, Mapping[int, str]]]) -> None:
        """Replace code points one to one.

        :param stretches: start, end and a table from code points to strings of length one; in order.
        """
        parts: list[str] = []
        at = 0
        for start, end, table in stretches:
            parts += (self.text[at:start], self.text[start:end].translate(table))
            at = end
        self.text = "".join([*parts, self.text[at:]])

    def sub(
        self, pattern: re.Pattern[str], replace: Replace, *, regions: Sequence[Region] | None = None, group: int = 0
    ) -> bool:
        """Replace matches as ``re.sub`` does; a stretch that stays the same keeps its alignment.

        :param replace: the new text, taken literally, or a function of the match.
        :param regions: stretches that a match must lie in; anywhere when None.
        :param group: the group to replace; the rest of the match is context.
        :returns: whether anything changed.
        """
        edits = []
        for match in pattern.finditer(self.text):
            new = replace if isinstance(replace, str) else replace(match)
            if new != match.group(group) and (regions is None or _inside(match.start(), match.end(), regions)):
                edits.append((*match.span(group), new))
        return self.apply(edits)

    def apply(self, edits: Sequence[Edit]) -> bool:
        """Make edits ``(start, end, new text)``, in order and not overlapping.

        Each code point of a replacement comes from the whole stretch replaced; an inserted one from where it stands.

        :returns: whether there were any.
        """
        if not edits:
            return False
        old_starts = list(range(self._length)) if self._starts is None else self._starts
        old_ends = list(range(1, self._length + 1)) if self._ends is None else self._ends
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for start, end, new in edits:
            parts += (self.text[at:start], new)
            starts += old_starts[at:start]
            ends += old_ends[at:start]
            first = old_starts[start] if start < len(old_starts) else self._length
            last = old_ends[end - 1] if end > 0 else 0
            starts += [first] * len(new)
            ends += [max(first, last)] * len(new)
            at = end
        self.text = "".join([*parts, self.text[at:]])
        self._starts = starts + old_starts[at:]
        self._ends = ends + old_ends[at:]
        return True

    def locate(self, start: int, end: int) -> Region:
        """Return the stretch of the edited text that came from a stretch of the text as given."""
        if self._starts is None or self._ends is None:
            return start, end
        first = bisect_right(self._ends, start)
        return first, max(first, bisect_left(self._starts, end))

    def offsets(self) -> OffsetMap:
        """Return the alignment with the text as given."""
        if self._starts is None or self._ends is None:
            return OffsetMap.identity(self._length)
        return OffsetMap(np.array(self._starts, dtype=np.int32), np.array(self._ends, dtype=np.int32), self._length)


def _inside(start: int, end: int, regions: Sequence[Region]) -> bool:
    at = bisect_right(regions, start, key=lambda region: region[0]) - 1
    return at >= 0 and end <= regions[at][1]
