"""Tones: the colours of the map's points, the same in the browser (``assets/map.js``) and in pictures of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from feedback_nlp.core.columns import LANGS, ROOT_CAUSES, SENTIMENTS
from feedback_nlp.review.corpus import Ints
from feedback_nlp.review.snapshot import Snapshot

Tone = tuple[int, int, int]
Tones = np.ndarray[Any, np.dtype[np.uint8]]

COLOURS = ("topic", "sentiment", "lang", "root", "day")
NONE: Tone = (196, 200, 206)
FIRST: Tone = (60, 110, 190)
LAST: Tone = (210, 100, 50)
TONES: Mapping[str, Mapping[str, Tone]] = {
    "sentiment": {
        "negative": (200, 87, 60),
        "neutral": (150, 157, 168),
        "positive": (47, 143, 131),
        "mixed": (217, 164, 65),
    },
    "lang": {
        "ar": (36, 96, 167),
        "fa": (214, 120, 38),
        "en": (52, 140, 89),
        "other": (150, 110, 180),
        "und": (150, 157, 168),
    },
    "root": {
        "policy": (61, 106, 163),
        "employee": (168, 85, 126),
        "both": (119, 102, 159),
        "other": (160, 140, 80),
        "none": (165, 171, 180),
    },
}
_TURN = 137.508
_SATURATION, _LIGHTNESS = 0.55, 0.46


def topic_tone(place: int) -> Tone:
    """Return the colour of a topic.

    :param place: its place among the topics by falling size; neighbours in that order lie far apart on the wheel.
    """
    hue = place * _TURN % 360

    def part(at: float) -> int:
        turned = (at + hue / 30) % 12
        reach = _SATURATION * min(_LIGHTNESS, 1 - _LIGHTNESS)
        return int(255 * (_LIGHTNESS - reach * max(-1.0, min(turned - 3, 9 - turned, 1.0))) + 0.5)

    return part(0), part(8), part(4)


def paint(snapshot: Snapshot, rows: Ints, colour: str, topics: Mapping[int, Tone]) -> Tones:
    """Return the colours of comments.

    :param rows: which comments.
    :param colour: one of ``COLOURS``.
    :param topics: colours of topics by id.
    :returns: array of shape (rows, 3).
    """
    if colour == "topic":
        return np.asarray([topics.get(each, NONE) for each in snapshot.topic[rows].tolist()], np.uint8).reshape(-1, 3)
    if colour == "day":
        return _by_day(snapshot.corpus.days[rows])
    codes, known = {
        "sentiment": (snapshot.sentiment, SENTIMENTS),
        "lang": (snapshot.corpus.lang, LANGS),
        "root": (snapshot.root, ROOT_CAUSES),
    }[colour]
    # The last one is for comments without a value, whose code is -1.
    wheel = np.asarray([*[TONES[colour].get(name, NONE) for name in known], NONE], np.uint8)
    return wheel[codes[rows]]


def _by_day(days: Ints) -> Tones:
    dated = days >= 0
    found = np.tile(np.asarray(NONE, np.uint8), (len(days), 1))
    if dated.any():
        first, last = days[dated].min(), days[dated].max()
        share = (days[dated] - first)[:, None] / max(int(last - first), 1)
        found[dated] = np.round(np.asarray(FIRST) + share * (np.asarray(LAST) - np.asarray(FIRST)))
    return found
