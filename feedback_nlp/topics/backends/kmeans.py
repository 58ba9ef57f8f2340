"""Spherical k-means (Dhillon & Modha 2001), the best of a few starts; no noise."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.product import stable_product
from feedback_nlp.topics.neighbours import Neighbours, Vectors
from feedback_nlp.topics.settings import KMeansSettings

Labels = np.ndarray[Any, np.dtype[np.int64]]

_ROUNDS = 30
_STARTS = 3
_TYPICAL = 4


def spread_start(vectors: Vectors, count: int, seed: int) -> Vectors:
    """Choose ``count`` rows far from each other, by k-means++ (Arthur & Vassilvitskii 2007)."""
    rng = np.random.default_rng(seed)
    chosen = [int(rng.integers(len(vectors)))]
    nearest = np.full(len(vectors), np.inf)
    for _ in range(count - 1):
        nearest = np.minimum(nearest, np.maximum(1 - vectors @ vectors[chosen[-1]], 0))
        mass = np.cumsum(nearest)
        if mass[-1] <= 0:
            break
        chosen.append(int(np.searchsorted(mass, rng.random() * mass[-1])))
    return vectors[chosen]


def unit_means(vectors: Vectors, labels: Labels, count: int) -> Vectors:
    """Return each label's mean direction, float32 of shape (count, width); a label without rows gets zeros."""
    valid = np.flatnonzero(labels >= 0)
    ones = np.ones(len(valid))
    sums = sp.csr_matrix((ones, (labels[valid], valid)), shape=(count, len(vectors))) @ vectors.astype(np.float64)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(length > 0, length, 1), dtype=np.float32)


def cluster(
    vectors: Vectors,
    neighbours: Neighbours,
    copies: Labels,
    *,
    settings: KMeansSettings,
    min_size: int,
    seed: int,
) -> Labels:
    """Group rows around means; every row gets a label."""
    auto = max(2, len(vectors) // (_TYPICAL * min_size))
    count = min(auto if settings.topics == "auto" else settings.topics, len(vectors))
    tries = [_settle(vectors, spread_start(vectors, count, seed + at)) for at in range(_STARTS)]
    return max(tries, key=lambda found: found[0])[1]


def _settle(vectors: Vectors, means: Vectors) -> tuple[float, Labels]:
    """Move means until no row changes its label; return the sum of cosines, and the labels."""
    labels = np.full(len(vectors), -1)
    for _ in range(_ROUNDS):
        cosines = stable_product(vectors, np.ascontiguousarray(means.T))
        found = cosines.argmax(axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        means = unit_means(vectors, labels, len(means))
    return float(cosines.max(axis=1).sum(dtype=np.float64)), np.asarray(labels, dtype=np.int64)
