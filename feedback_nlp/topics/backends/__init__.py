"""How comments are grouped: one file a backend, each with a function ``cluster``."""

from typing import Any

import numpy as np

from feedback_nlp.topics.neighbours import Neighbours, Vectors
from feedback_nlp.topics.settings import EvocSettings, KMeansSettings, UmapHdbscanSettings

Labels = np.ndarray[Any, np.dtype[np.int64]]


def cluster(
    vectors: Vectors,
    neighbours: Neighbours,
    copies: Labels,
    *,
    backend: UmapHdbscanSettings | KMeansSettings | EvocSettings,
    min_size: int,
    seed: int,
) -> Labels:
    """Group rows with the configured backend.

    :param vectors: float32 array of shape (rows, width), rows of unit length in canonical order.
    :param neighbours: each row's nearest rows.
    :param copies: int64 array (rows,), how many comments each row stands for.
    :param min_size: fewest rows of a group.
    :returns: int64 array (rows,), group of each row, -1 for noise; group numbers carry no meaning.
    """
    if isinstance(backend, KMeansSettings):
        from feedback_nlp.topics.backends import kmeans

        return kmeans.cluster(vectors, neighbours, copies, settings=backend, min_size=min_size, seed=seed)
    if isinstance(backend, EvocSettings):
        from feedback_nlp.topics.backends import evoc

        return evoc.cluster(vectors, neighbours, copies, settings=backend, min_size=min_size, seed=seed)
    from feedback_nlp.topics.backends import umap_hdbscan

    return umap_hdbscan.cluster(vectors, neighbours, copies, settings=backend, min_size=min_size, seed=seed)
