"""Windows of a long text: a transformer reads so many word pieces at once, a longer text is read in several parts."""

import numpy as np

from feedback_nlp.embed.pieces import Ints

_SENTENCE_ENDS = frozenset(".!?؟۔…\n")


def windows_of(text: str, bounds: Ints, longest: int) -> list[tuple[int, int]]:
    """Cut a text's pieces into as few windows as hold them, of much the same size.

    A window begins with a sentence where one begins so that the rest still fits, else with a word, else anywhere.

    :param bounds: int64 array (pieces, 2), where each piece starts and ends in the text.
    :param longest: pieces that a window holds at most.
    :returns: first piece and end of each window, in order, without gap or overlap; none for a text without pieces.
    """
    found, first, left = [], 0, -(-len(bounds) // longest)
    while left > 1:
        rest = len(bounds) - first
        places = np.arange(max(first + 1, len(bounds) - (left - 1) * longest), first + min(longest, rest - 1) + 1)
        cut = _best(text, bounds, places, first + rest / left)
        found.append((first, cut))
        first, left = cut, left - 1
    return [*found, (first, len(bounds))] if len(bounds) else []


def _best(text: str, bounds: Ints, places: Ints, ideal: float) -> int:
    """Return the place nearest the ideal among the best kind of place that there is."""
    gaps = [text[bounds[place - 1, 0] : bounds[place, 0]] for place in places.tolist()]
    sentences = np.array([gap[-1:].isspace() and not _SENTENCE_ENDS.isdisjoint(gap) for gap in gaps])
    words = np.array([gap[-1:].isspace() for gap in gaps])
    for kind in (sentences, words):
        if kind.any():
            places = places[kind]
            break
    return int(places[np.abs(places - ideal).argmin()])
