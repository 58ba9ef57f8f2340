"""Finds words that a negation turns: "not bad", "مش وحش", "بد نبود".

Bags of words and n-grams know only the turned words that they were shown; here any word's own score is turned.
The rule is a valence shifter (Polanyi & Zaenen 2006, https://doi.org/10.1007/1-4020-4102-0_1), kept to describing
words right beside the negation: "did not refund" has nothing to turn.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from feedback_nlp.lang.pack import CODES, Turns, open_pack

REACH = 3.0
"""Words of a text up to which a turned word counts in full; in longer ones it counts for this many words of them."""

_WORD = re.compile(r"[\w'\u2019\u200c]+|[^\w\s]")

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def turned_words(text: str, lang: str) -> list[tuple[int, int]]:
    """Return start and end of each word of a normalised text that a negation beside it turns, in order."""
    if lang not in CODES:
        return []
    turns = open_pack(lang).turns
    found = list(_WORD.finditer(text))
    words = [match.group().casefold().replace("\u2019", "'") for match in found]
    places = {
        place
        for at, word in enumerate(words)
        if (place := _turned(words, at, word, turns)) is not None and words[place] not in turns.never
    }
    return [found[place].span() for place in sorted(places)]


def _turned(words: Sequence[str], at: int, word: str, turns: Turns) -> int | None:
    """Return the place of the word that the one at ``at`` turns."""
    if word in turns.after:
        return _beside(words, at, -1, turns)
    opens = word in turns.opening and (at == 0 or words[at - 1] in turns.copulas or not words[at - 1][0].isalnum())
    return _beside(words, at, 1, turns) if opens or word in turns.before else None


def _beside(words: Sequence[str], at: int, step: int, turns: Turns) -> int | None:
    at += step
    while 0 <= at < len(words) and words[at] in turns.fillers:
        at += step
    return at if 0 <= at < len(words) and words[at][0].isalnum() else None


def shares(texts: Sequence[str]) -> Floats:
    """Return how much a turned word counts in each text, float32 array (n,) in (0, 1]."""
    return np.array([min(1.0, REACH / max(len(text.split()), 1)) for text in texts], dtype=np.float32)
