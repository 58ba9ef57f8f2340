"""Windows of a long text: a transformer reads so many word pieces at once, a longer text is read in several parts."""

import math

import numpy as np

from feedback_nlp.embed.pieces import Ints

_SENTENCE_ENDS = frozenset(".!?؟۔…")
_CLOSING = ")]}\"'”’»›"
_LOOK_BACK = 16
# Less than full on average, so that there is a choice of places to cut.
_FILLED = 0.8


def windows_of(text: str, bounds: Ints, longest: int, most: int) -> list[tuple[int, int]]:
    """Cut a text's pieces into windows of much the same size.

    A window but the first begins with a sentence where one begins within the second half of the longest window before
    it, else with a word, else anywhere.

    :param bounds: int64 array (pieces, 2), where each piece starts and ends in the text.
    :param longest: pieces that a window holds at most, at least 1.
    :param most: windows at most, at least 1; pieces beyond the last are in none.
    :returns: first piece and end of each window, in order, without gap or overlap; none for a text without pieces.
    """
    found: list[tuple[int, int]] = []
    first = 0
    while len(found) < most and len(bounds) - first > longest:
        rest = len(bounds) - first
        places = np.arange(first + max(longest // 2, 1), first + longest + 1)
        parts = min(math.ceil(rest / (longest * _FILLED)), most - len(found))
        cut = _best(text, bounds, places, first + rest / parts)
        found.append((first, cut))
        first = cut
    if len(found) < most and first < len(bounds):
        found.append((first, len(bounds)))
    return found


def _best(text: str, bounds: Ints, places: Ints, ideal: float) -> int:
    """Return the place nearest the ideal among the best kind of place that there is."""
    before = [text[max(start - _LOOK_BACK, 0) : start] for start in bounds[places, 0].tolist()]
    words = np.array([part[-1:].isspace() for part in before])
    for kind in (words & np.array([_ends_sentence(part) for part in before]), words):
        if kind.any():
            places = places[kind]
            break
    return int(places[np.abs(places - ideal).argmin()])


def _ends_sentence(part: str) -> bool:
    left = part.rstrip()
    return "\n" in part[len(left) :] or left.rstrip(_CLOSING)[-1:] in _SENTENCE_ENDS
