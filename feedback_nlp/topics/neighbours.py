"""Exact nearest neighbours by blocked matrix products: no index to build, nothing to compile."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Indices = np.ndarray[Any, np.dtype[np.int32]]

_BLOCK = 256
_GROUP = 64


@dataclass(frozen=True)
class Neighbours:
    """Each row's nearest rows, itself first, then by falling similarity.

    :param indices: int32 array of shape (rows, k).
    :param similarities: float32 array of the same shape, cosines.
    """

    indices: Indices
    similarities: Vectors


def exact_neighbours(vectors: Vectors, k: int) -> Neighbours:
    """Find the ``k`` nearest rows of each row by cosine, the row itself included.

    The k nearest stand in the k groups of columns with the highest maxima, so only those are looked through.

    :param vectors: float32 array of shape (rows, width), rows of unit length.
    :param k: 1..rows.
    """
    rows = len(vectors)
    groups = -(-rows // _GROUP)
    padded = np.zeros((groups * _GROUP, vectors.shape[1]), dtype=np.float32)
    padded[:rows] = vectors
    across = np.ascontiguousarray(padded.T)
    indices = np.empty((rows, k), dtype=np.int32)
    similarities = np.empty((rows, k), dtype=np.float32)
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        products = vectors[start:stop] @ across
        products[:, rows:] = -2
        own = np.arange(start, stop)
        products[own - start, own] = 2
        found = _best_columns(products, k)
        values = np.take_along_axis(products, found, axis=1)
        values[:, 0] = 1
        indices[start:stop], similarities[start:stop] = found, np.clip(values, -1, 1)
    return Neighbours(indices, similarities)


def _best_columns(products: Vectors, k: int) -> Indices:
    """Return the columns of the ``k`` largest values of each row, largest first."""
    height, width = products.shape
    groups = width // _GROUP
    if groups > k:
        best = products.reshape(height, groups, _GROUP).max(axis=2)
        picked = np.sort(np.argpartition(-best, k, axis=1)[:, :k], axis=1)
        columns = (picked[:, :, None] * _GROUP + np.arange(_GROUP)).reshape(height, -1)
    else:
        columns = np.broadcast_to(np.arange(width), (height, width))
    values = np.take_along_axis(products, columns, axis=1)
    near = np.argpartition(-values, k - 1, axis=1)[:, :k] if values.shape[1] > k else np.argsort(-values, axis=1)[:, :k]
    near = np.sort(near, axis=1)
    order = np.argsort(-np.take_along_axis(values, near, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(columns, np.take_along_axis(near, order, axis=1), axis=1), dtype=np.int32)
