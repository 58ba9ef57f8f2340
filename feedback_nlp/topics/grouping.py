"""From a backend's groups to settled topics: at most so many, each with a centre, and themes above them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.product import stable_product
from feedback_nlp.topics.backends import cluster
from feedback_nlp.topics.backends.few import cluster_few
from feedback_nlp.topics.backends.kmeans import unit_means
from feedback_nlp.topics.neighbours import Neighbours, Vectors
from feedback_nlp.topics.settings import TopicSettings

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

FEW = 50
_SMALLEST_FEW = 3
_SIZE_PER_ROOT = 0.3
_OFTEN = 4
_SAME_TOPIC = 0.8
_MOST_REPEATED = 2000
_REPEATED_ALIKE = 0.25
_FEWEST_FOR_THEMES = 6


@dataclass(frozen=True, eq=False)
class Grouping:
    """Settled topics, numbered by falling size.

    :param labels: int64 array (rows,), topic of each row, -1 for noise.
    :param centroids: float32 array of shape (topics, width), rows of unit length.
    :param strict: bool array (topics,), whether a topic gathers repeated comments.
    """

    labels: Ints
    centroids: Vectors
    strict: np.ndarray[Any, np.dtype[np.bool_]]


def smallest_topic(comments: int, settings: TopicSettings) -> int:
    """Return the fewest different comments that make a topic."""
    if settings.min_topic_size != "auto":
        return settings.min_topic_size
    if comments < FEW:
        return _SMALLEST_FEW
    return max(5, round(_SIZE_PER_ROOT * math.sqrt(comments)))


def group(vectors: Vectors, neighbours: Neighbours, copies: Ints, settings: TopicSettings, seed: int) -> Grouping:
    """Group rows and settle the groups into at most ``max_topics`` topics, numbered by falling size.

    Comments that many customers repeat word by word are one row each and too few rows for a density, so those that
    mean the same are grouped apart, by the number of comments they stand for.

    """
    min_size = smallest_topic(len(vectors), settings)
    repeated = np.full(len(vectors), -1, dtype=np.int64)
    if len(vectors) < FEW:
        wide = labels = cluster_few(vectors, copies, min_size)
    else:
        labels = cluster(vectors, neighbours, copies, backend=settings.backend, min_size=min_size, seed=seed)
        wide = spread(labels, neighbours)
        repeated = group_repeated(vectors, copies, min_size)
    first = int(labels.max(initial=-1)) + 1
    labels = np.where(repeated >= 0, first + repeated, labels)
    wide = np.where(repeated >= 0, first + repeated, wide)
    target = joined(vectors, wide, copies, settings.max_topics, min_size)
    wide = target[wide]
    count = int(wide.max(initial=-1)) + 1
    strict = ~np.isin(np.arange(count), wide[repeated < 0])
    return Grouping(target[labels], unit_means(vectors, wide, count), strict)


def often_repeated(copies: Ints) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which rows stand for far more comments than usual."""
    return np.asarray(copies >= max(_OFTEN, _OFTEN * copies.mean())) if len(copies) else np.zeros(0, dtype=bool)


def group_repeated(vectors: Vectors, copies: Ints, min_size: int) -> Ints:
    """Group the rows that far more comments repeat than usual, by meaning.

    :returns: int64 array (rows,), group of each row, -1 for all others.
    """
    out = np.full(len(vectors), -1, dtype=np.int64)
    often = np.flatnonzero(often_repeated(copies))
    often = np.sort(often[np.argsort(-copies[often], kind="stable")[:_MOST_REPEATED]])
    if copies[often].sum() >= min_size:
        found = cluster_few(vectors[often], copies[often], min_size, join_above=_REPEATED_ALIKE)
        _, numbers = np.unique(np.append(found, -1), return_inverse=True)
        out[often] = numbers[:-1] - 1
    return out


def spread(labels: Ints, neighbours: Neighbours) -> Ints:
    """Give noise the label that most of its neighbours carry, weighted by squared similarity; -1 where none does."""
    rows, k = neighbours.indices.shape
    count = int(labels.max(initial=-1)) + 1
    near = labels[neighbours.indices[:, 1:]].ravel()
    weight = np.square(np.maximum(neighbours.similarities[:, 1:], 0)).ravel()
    heads = np.repeat(np.arange(rows), k - 1)
    valid = near >= 0
    votes = sp.csr_matrix((weight[valid], (heads[valid], near[valid])), shape=(rows, max(count, 1)))
    won = np.asarray(votes.argmax(axis=1)).ravel()
    some = np.asarray(votes.sum(axis=1)).ravel() > 0
    return np.where((labels < 0) & some, won, labels).astype(np.int64)


def joined(vectors: Vectors, labels: Ints, copies: Ints, most: int, min_size: int) -> Ints:
    """Drop topics to whose centre too few comments are nearest, join the closest, and number the rest by falling size.

    :returns: int64 array (topics + 1,), new number of each old one, -1 for a dropped one; the last entry is for noise.
    """
    count = int(labels.max(initial=-1)) + 1
    target = np.full(count + 1, -1, dtype=np.int64)
    if not count:
        return target
    centroids = unit_means(vectors, labels, count)
    best = stable_product(vectors, np.ascontiguousarray(centroids.T)).argmax(axis=1)
    own = np.bincount(best, weights=copies, minlength=count).astype(np.float64)
    large = np.flatnonzero(own >= min_size / 2)
    target[large] = join_closest(centroids[large], own[large], most)
    merged = target[labels]
    found, first = np.unique(merged[merged >= 0], return_index=True)
    sizes = np.bincount(merged[merged >= 0], weights=copies[merged >= 0], minlength=count)
    number = np.full(count + 1, -1, dtype=np.int64)
    number[found[np.lexsort((first, -sizes[found]))]] = np.arange(len(found))
    return number[target]


def join_closest(centroids: Vectors, sizes: Floats, most: int) -> Ints:
    """Join topics with nearly the same centre, by average linkage, and further ones until at most ``most`` are left.

    :param sizes: float64 array (topics,), comments of each.
    :returns: int64 array (topics,), number of the joined topic that each one is part of.
    """
    if len(centroids) < 2:
        return np.zeros(len(centroids), dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(centroids.astype(np.float64), method="average")
    groups = fcluster(tree, (2 - 2 * _SAME_TOPIC) ** 0.5, criterion="distance").astype(np.int64) - 1
    count = int(groups.max()) + 1
    if count <= most:
        return groups
    whole = np.bincount(groups, weights=sizes).astype(np.float64)
    return merged_by_size(unit_means(centroids, groups, count), whole, most)[groups]


def merged_by_size(centroids: Vectors, sizes: Floats, most: int) -> Ints:
    """Merge groups until ``most`` are left, each time the two whose joining raises the squared distances least.

    This is Ward's method with a weight for each group, the square root of its size: with equal weights a group of many
    comments is joined as readily as one of few, with full ones the large groups never join and the small ones always.

    :param centroids: float32 array of shape (groups, width).
    :param sizes: float64 array (groups,), at least 0.
    :returns: int64 array (groups,), number of the merged group, in order of the first group in each.
    """
    count = len(centroids)
    weights = np.sqrt(np.maximum(sizes, 1))
    means = centroids.astype(np.float64)
    own = np.arange(count)
    apart = 2 - 2 * (means @ means.T)
    costs = apart * np.outer(weights, weights) / np.add.outer(weights, weights)
    np.fill_diagonal(costs, np.inf)
    alive = np.ones(count, dtype=bool)
    for _ in range(count - most):
        left, right = divmod(int(costs.argmin()), count)
        both = weights[left] + weights[right]
        means[left] = (weights[left] * means[left] + weights[right] * means[right]) / both
        weights[left] = both
        own[own == right] = left
        alive[right] = False
        costs[right], costs[:, right] = np.inf, np.inf
        further = np.square(means - means[left]).sum(axis=1) * weights * both / (weights + both)
        costs[left] = costs[:, left] = np.where(alive & (np.arange(count) != left), further, np.inf)
    return np.unique(own, return_inverse=True)[1].astype(np.int64)


def group_themes(centroids: Vectors, sizes: Floats) -> Ints:
    """Group topics into about as many themes as the square root of their number, by :func:`merged_by_size`.

    :param sizes: float64 array (topics,), comments of each.
    :returns: int64 array (topics,), theme of each topic, from 0 in order of first topic; -1 for a topic alone.
    """
    topics = len(centroids)
    if topics < _FEWEST_FOR_THEMES:
        return np.full(topics, -1, dtype=np.int64)
    groups = merged_by_size(centroids, sizes, max(2, round(1.3 * topics**0.5)))
    members = np.bincount(groups)
    number: dict[int, int] = {}
    out = np.full(topics, -1, dtype=np.int64)
    for topic, theme in enumerate(groups.tolist()):
        if members[theme] > 1:
            out[topic] = number.setdefault(theme, len(number))
    return out
