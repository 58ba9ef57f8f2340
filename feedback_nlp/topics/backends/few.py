"""Average-linkage groups for a handful of comments, where a density means nothing."""

from typing import Any

import numpy as np

from feedback_nlp.topics.neighbours import Vectors

Labels = np.ndarray[Any, np.dtype[np.int64]]


def cluster_few(vectors: Vectors, copies: Labels, min_size: int, *, join_above: float = 0.45) -> Labels:
    """Join rows while the mean cosine of two groups stays high; groups of fewer comments are noise.

    :param copies: int64 array (rows,), how many comments each row stands for.
    :param join_above: smallest mean cosine at which two groups are joined.
    """
    if len(vectors) < 2:
        return np.full(len(vectors), 0 if copies.sum() >= min_size else -1, dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distances = np.clip(1 - (vectors @ vectors.T).astype(np.float64), 0, 2)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform((distances + distances.T) / 2, checks=False), method="average")
    groups = fcluster(tree, 1 - join_above, criterion="distance") - 1
    sizes = np.bincount(groups, weights=copies)
    return np.where(sizes[groups] >= min_size, groups, -1).astype(np.int64)
