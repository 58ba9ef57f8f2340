"""A map of comments: where each lies in two dimensions, near to those of like meaning, for people to look at.

A few thousand landmarks, drawn by the hash of their ids, are laid out by UMAP; every other comment is put between the
landmarks that are nearest to it. The map of a set of comments is the same in whatever order they come.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from feedback_nlp.topics.backends.umap_hdbscan import layout, principal_start
from feedback_nlp.topics.neighbours import exact_neighbours
from feedback_nlp.topics.space import LanguageShift, Vectors

LANDMARKS = 3000
_NEIGHBOURS = 15
_EPOCHS = 200
_FEWEST = 60
_NEAREST = 5
_SHARPNESS = 24.0
_SPREAD = 0.006

Comments = tuple[Sequence[str], Sequence[str], Vectors]
"""Ids, languages and vectors of some comments: float32 array (rows, width), a row of zeros = no vector."""


def _hash(comment_id: str) -> bytes:
    return hashlib.sha256(comment_id.encode("utf-8", "surrogatepass")).digest()


def _landmarks(given: Iterable[Comments], most: int) -> tuple[list[str], Vectors]:
    """Return languages and vectors of the comments whose ids' hashes are the smallest, in the order of the hash."""
    kept: list[tuple[int, str, Any]] = []
    for ids, langs, vectors in given:
        for at in np.flatnonzero(np.any(vectors, axis=1)).tolist():
            rank = -int.from_bytes(_hash(ids[at]), "big")
            entry = (rank, langs[at], vectors[at].copy())
            if len(kept) < most:
                heapq.heappush(kept, entry)
            elif rank > kept[0][0]:
                heapq.heapreplace(kept, entry)
    kept.sort(key=lambda entry: -entry[0])
    return [lang for _, lang, _ in kept], np.array([vector for _, _, vector in kept], dtype=np.float32)


def _laid_out(vectors: Vectors, seed: int) -> Vectors:
    if len(vectors) < _FEWEST:
        points = principal_start(vectors, 2)
    else:
        near = exact_neighbours(vectors, min(_NEIGHBOURS, len(vectors)))
        points = layout(vectors, near, dimensions=2, epochs=_EPOCHS, seed=seed)
    low, high = points.min(axis=0), points.max(axis=0)
    return np.asarray((points - low) / np.maximum(high - low, 1e-6), dtype=np.float32)


def _beside(ids: Sequence[str]) -> Vectors:
    """Return a small step off for each comment, from its id, so that comments alike do not cover each other."""
    words = np.array([np.frombuffer(_hash(each)[:8], dtype="<u4") for each in ids], dtype=np.float64).reshape(-1, 2)
    angle, reach = words[:, 0] / 2**32 * 2 * np.pi, _SPREAD * np.sqrt(words[:, 1] / 2**32)
    return np.asarray(np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1), dtype=np.float32)


def draw_map(
    comments: Callable[[], Iterable[Comments]], *, seed: int, landmarks: int = LANDMARKS
) -> Iterable[tuple[Sequence[str], Vectors]]:
    """Draw a map.

    :param comments: gives the comments part by part, twice; see :data:`Comments`.
    :param landmarks: comments laid out by UMAP.
    :returns: part by part the ids, and a float32 array (rows, 2) of places within about 0 to 1; NaN where a comment has
        no vector.
    """
    langs, vectors = _landmarks(comments(), landmarks)
    if not len(vectors):
        for ids, _, given in comments():
            yield ids, np.full((len(given), 2), np.nan, dtype=np.float32)
        return
    shift = LanguageShift.fit(vectors, langs)
    marks = shift.apply(vectors, langs)
    points = _laid_out(marks, seed)
    for ids, part_langs, given in comments():
        places = np.full((len(given), 2), np.nan, dtype=np.float32)
        rows = np.flatnonzero(np.any(given, axis=1))
        if len(rows):
            own = shift.apply(given[rows], [part_langs[at] for at in rows.tolist()])
            places[rows] = np.add(_between(own, marks, points), _beside([ids[at] for at in rows.tolist()]))
        yield ids, places


def _between(vectors: Vectors, marks: Vectors, points: Vectors, block: int = 1024) -> Vectors:
    """Put each comment between its nearest landmarks, the nearer the more."""
    count = min(_NEAREST, len(marks))
    places = np.empty((len(vectors), 2), dtype=np.float32)
    for start in range(0, len(vectors), block):
        likeness = vectors[start : start + block] @ marks.T
        near = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(likeness, near, axis=1)
        weights = np.exp(_SHARPNESS * (found - found.max(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        places[start : start + block] = np.einsum("ij,ijk->ik", weights, points[near])
    return places
