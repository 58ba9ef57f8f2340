"""New topics among the comments that fit no standing topic well: what is said far more than before."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.topics.grouping import group, often_repeated, smallest_topic
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import Places, core_radii
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.settling import discovery_neighbours

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Counts = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

_GROWTH = 2.0
_DEVIATIONS = 3.0
_LOOSER = 0.1


@dataclass(frozen=True, eq=False)
class Emerging:
    """Topics that emerged.

    :param places: where they lie; all strict, so that they take nothing beyond their radius.
    :param growth: float64 array (topics,), how many times as many comments as before.
    """

    places: Places
    growth: Counts


def loose_rows(cores: Places, vectors: Vectors, copies: Ints) -> Bools:
    """Tell which rows no topic holds in its core, or are repeated often and in no topic of repeated comments.

    :param cores: standing topics with the radii of their cores.
    """
    found = cores.nearest(vectors)
    repeats = (found.topic >= 0) & cores.strict[found.topic] if len(cores) else np.zeros(len(vectors), dtype=bool)
    return np.asarray((found.topic < 0) | (often_repeated(copies) & ~repeats))


def find_emerging(
    vectors: Vectors, copies: Ints, loose: Bools, past: Past, cores: Places, *, settings: TopicSettings, seed: int
) -> Emerging:
    """Group loose rows and keep the groups that are said more than before.

    A group counts as new when it has at least twice the comments that its share of the remembered ones lets expect, and
    three standard deviations of that number more (of a Poisson distribution, one comment added); and when it hangs
    together about as well as the loosest standing topic.

    :param vectors: float32 array of shape (rows, width), all drawn rows, shifted and of unit length.
    :param copies: int64 array (rows,), how many comments each stands for.
    :param loose: rows to look among.
    :param cores: standing topics with the radii of their cores.
    """
    rows = np.flatnonzero(loose)
    least = smallest_topic(len(vectors), settings)
    own = settings.model_copy(update={"min_topic_size": least})
    none = Places(vectors[:0], np.zeros(0, np.float32), np.zeros(0, dtype=bool), cores.curve)
    if copies[rows].sum() < least or len(rows) < 2:
        return Emerging(none, np.zeros(0))
    near = discovery_neighbours(vectors[rows], settings)
    grouped = group(vectors[rows], near, copies[rows], own, seed)
    bare = Places(grouped.centroids, np.zeros(len(grouped.strict), np.float32), grouped.strict, cores.curve)
    places = core_radii(vectors[rows], grouped.labels, bare)
    now, expected = now_and_expected(places, vectors, copies, past)
    limit = np.maximum(_GROWTH * expected, expected + _DEVIATIONS * np.sqrt(expected + 1))
    tight = places.radii >= cores.radii.min(initial=1) - _LOOSER
    new = np.flatnonzero((now >= np.maximum(limit, least)) & tight)
    kept = places.take(new)
    strict = Places(kept.centroids, kept.radii, np.ones(len(new), dtype=bool), cores.curve)
    return Emerging(strict, now[new] / np.maximum(expected[new], 1))


def now_and_expected(places: Places, vectors: Vectors, copies: Ints, past: Past) -> tuple[Counts, Counts]:
    """Count the comments within each topic's radius, and how many the remembered comments let expect.

    :returns: two float64 arrays (topics,).
    """
    inside = vectors @ places.centroids.T >= places.radii
    now = copies.astype(np.float64) @ inside
    return now, past.shares(places.centroids, places.radii).astype(np.float64) * float(copies.sum())
