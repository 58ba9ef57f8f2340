"""Density clusters: a UMAP layout (McInnes et al. 2018) of exact neighbours, then HDBSCAN (Campello et al. 2013).

The fuzzy neighbour graph is computed here with array operations, and the start is the first principal components, so
that of UMAP only the layout loop has to be compiled.
"""

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.topics.neighbours import Neighbours, Vectors
from feedback_nlp.topics.settings import UmapHdbscanSettings

Labels = np.ndarray[Any, np.dtype[np.int64]]

_BISECTIONS = 40
_MIN_SAMPLES = 5
_GIANT = 0.25


def fuzzy_graph(neighbours: Neighbours) -> sp.coo_matrix:
    """Return UMAP's symmetric membership graph of cosine distances.

    Each row's kernel width is bisected until the memberships sum to ``log2(k)``.
    """
    distances = np.maximum(1 - neighbours.similarities, 0).astype(np.float64)
    rows, k = distances.shape
    positive = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest = np.where(np.isfinite(positive), positive, 0)
    beyond = np.maximum(distances - nearest[:, None], 0)[:, 1:]
    low, high, width = np.zeros(rows), np.full(rows, np.inf), np.ones(rows)
    for _ in range(_BISECTIONS):
        total = np.exp(-beyond / width[:, None]).sum(axis=1)
        over = total > np.log2(k)
        high = np.where(over, width, high)
        low = np.where(over, low, width)
        width = np.where(np.isinf(high), width * 2, (low + high) / 2)
    width = np.maximum(width, 1e-3 * np.maximum(distances.mean(axis=1), 1e-6))
    strength = np.exp(-beyond / width[:, None])
    heads = np.repeat(np.arange(rows), k - 1)
    graph = sp.csr_matrix((strength.ravel(), (heads, neighbours.indices[:, 1:].ravel())), shape=(rows, rows))
    back = graph.T.tocsr()
    both = graph.multiply(back)
    return (graph + back - both).tocoo()


def principal_start(vectors: Vectors, dimensions: int) -> Vectors:
    """Return the first principal components, each with the sign that makes its largest loading positive."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, ::-1][:, :dimensions]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(centred @ axes, dtype=np.float32)


def layout(vectors: Vectors, neighbours: Neighbours, *, dimensions: int, epochs: int, seed: int) -> Vectors:
    """Return a UMAP layout of shape (rows, dimensions); the same bytes for the same rows, seed and libraries."""
    with warnings.catch_warnings():
        # umap announces on import that it does without TensorFlow.
        warnings.simplefilter("ignore", ImportWarning)
        from umap.umap_ import find_ab_params, simplicial_set_embedding

    random = np.random.RandomState(seed)
    start = principal_start(vectors, dimensions)
    start = start / np.abs(start).max() * 10 + random.normal(scale=1e-4, size=start.shape)
    a, b = find_ab_params(1.0, 0.0)
    embedding, _ = simplicial_set_embedding(
        vectors, fuzzy_graph(neighbours), dimensions, 1.0, a, b, 1.0, 5, epochs, start.astype(np.float32), random,
        "cosine", {}, False, {}, False, parallel=False,
    )  # fmt: skip
    return np.asarray(embedding, dtype=np.float32)


def density_clusters(points: Vectors, copies: Labels, min_size: int) -> Labels:
    """Return HDBSCAN's clusters of the points, -1 for noise.

    A point said by many comments is entered a few times, never often enough to be a cluster alone. Where the excess of
    mass leaves one cluster with more than a quarter of all points, the leaves of the tree are taken instead.

    :param copies: int64 array (rows,), how many comments each point stands for.
    """
    import hdbscan

    times = np.clip(copies, 1, max(1, min_size // 4))
    first = np.cumsum(times) - times
    labels: Labels = np.full(len(points), -1)
    for method in ("eom", "leaf"):
        clusterer = hdbscan.HDBSCAN(
            min_cluster_size=min_size,
            min_samples=min(_MIN_SAMPLES, min_size),
            cluster_selection_method=method,
            core_dist_n_jobs=1,
        )
        labels = np.asarray(clusterer.fit(np.repeat(points, times, axis=0)).labels_[first], dtype=np.int64)
        sizes = np.bincount(labels[labels >= 0], minlength=1)
        if sizes.max() <= _GIANT * len(points):
            break
    return labels


def cluster(
    vectors: Vectors, neighbours: Neighbours, copies: Labels, *, settings: UmapHdbscanSettings, min_size: int, seed: int
) -> Labels:
    """Group rows into density clusters, -1 for noise.

    :param vectors: float32 array of shape (rows, width), rows of unit length in canonical order.
    """
    points = layout(vectors, neighbours, dimensions=settings.dimensions, epochs=settings.epochs, seed=seed)
    return density_clusters(points, copies, min_size)
