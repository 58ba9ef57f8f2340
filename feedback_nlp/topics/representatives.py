"""Typical comments of a topic: near its centre, short enough to read, and not alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.topics.neighbours import Vectors

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

_POOL = 40
_LENGTHS = (15, 160)
_DIVERSITY = 0.4


@dataclass(frozen=True)
class Representative:
    """One typical comment.

    :param comment_id: its id.
    :param text: its normalised text.
    """

    comment_id: str
    text: str


def choose_representatives(
    vectors: Vectors, cosines: Floats, rows: Ints, texts: Sequence[str], *, most: int
) -> list[int]:
    """Choose typical rows by maximal marginal relevance (Carbonell & Goldstein 1998).

    :param vectors: float32 array of all rows, of unit length.
    :param cosines: each row's cosine to its topic's centre.
    :param rows: the topic's rows to choose from.
    :param texts: texts of all rows.
    :returns: at most ``most`` of ``rows``, most typical first.
    """
    low, high = _LENGTHS
    handy = np.array([low <= len(texts[row]) <= high for row in rows.tolist()], dtype=bool)
    if handy.sum() >= most:
        rows = rows[handy]
    pool = rows[np.argsort(-cosines[rows], kind="stable")[:_POOL]]
    if not len(pool):
        return []
    likeness = vectors[pool] @ vectors[pool].T
    worth = cosines[pool].astype(np.float64)
    chosen: list[int] = []
    while len(chosen) < min(most, len(pool)):
        penalty = likeness[:, chosen].max(axis=1) if chosen else np.zeros(len(pool))
        gain = worth - _DIVERSITY * penalty
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return [int(pool[at]) for at in chosen]
