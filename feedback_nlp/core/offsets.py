"""OffsetMap: an exact alignment between a text and its normalised form, both ways."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Positions = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True, eq=False)
class OffsetMap:
    """For each code point of ``clean``, the span of ``text`` it came from.

    A code point kept as it is comes from a span of one; all code points of a replacement come from the whole stretch
    replaced; an inserted one from an empty span. Both arrays never fall.

    :param starts: int32 array of shape (len(clean),), first code point in ``text``.
    :param ends: int32 array of the same shape, end in ``text``, exclusive.
    :param text_length: length of ``text`` in code points.
    """

    starts: Positions
    ends: Positions
    text_length: int

    @classmethod
    def identity(cls, length: int) -> "OffsetMap":
        """Return the map of a text of this length onto itself."""
        here = np.arange(length, dtype=np.int32)
        return cls(here, here + np.int32(1), length)

    @classmethod
    def from_pieces(cls, pieces: Iterable[tuple[int, int, bool]]) -> "OffsetMap":
        """Build a map from successive pieces ``(clean length, text length, one to one)``."""
        starts: list[Positions] = []
        ends: list[Positions] = []
        at = 0
        for clean_length, text_length, same in pieces:
            if same:
                here = np.arange(at, at + clean_length, dtype=np.int32)
                starts.append(here)
                ends.append(here + np.int32(1))
            else:
                starts.append(np.full(clean_length, at, dtype=np.int32))
                ends.append(np.full(clean_length, at + text_length, dtype=np.int32))
            at += text_length
        none = np.empty(0, dtype=np.int32)
        return cls(np.concatenate([none, *starts]), np.concatenate([none, *ends]), at)

    def __len__(self) -> int:
        return len(self.starts)

    def to_text(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the normalised text to the smallest span of the text that it came from.

        :param start: first code point, in 0..len(clean).
        :param end: end, exclusive, not before ``start``.
        """
        if start >= end:
            at = int(self.starts[start]) if start < len(self.starts) else self.text_length
            return at, at
        return int(self.starts[start]), int(self.ends[end - 1])

    def to_clean(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the text to the smallest span of the normalised text that came from any of it."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left"))
        return (first, first) if start >= end or last < first else (first, last)

    def then(self, later: "OffsetMap") -> "OffsetMap":
        """Compose with the map of a later pass: ``self`` leads from b to a, ``later`` from c to b; returns c to a."""
        if not len(self):
            none = np.zeros(len(later), dtype=np.int32)
            return OffsetMap(none, none + np.int32(self.text_length), self.text_length)
        at = np.minimum(later.starts, len(self) - 1)
        starts = np.where(later.starts < len(self), self.starts[at], self.text_length).astype(np.int32)
        last = np.maximum(later.ends - 1, 0)
        # One inserted inside a replaced stretch shares that stretch: only so do the ends never fall.
        before = np.where(later.ends > 0, self.ends[last], 0)
        ends = np.maximum(before, starts).astype(np.int32)
        return OffsetMap(starts, ends, self.text_length)
