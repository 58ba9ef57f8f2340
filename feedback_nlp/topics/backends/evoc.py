"""EVoC (Tutte Institute): a layout and density clusters in one; needs the optional package ``evoc``."""

from typing import Any

import numpy as np

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.topics.neighbours import Neighbours, Vectors
from feedback_nlp.topics.settings import EvocSettings

Labels = np.ndarray[Any, np.dtype[np.int64]]


def cluster(
    vectors: Vectors,
    neighbours: Neighbours,
    copies: Labels,
    *,
    settings: EvocSettings,
    min_size: int,
    seed: int,
) -> Labels:
    """Group rows into density clusters, -1 for noise; on one thread, as the result hangs on their number.

    :raises ConfigError: when the package is not installed.
    """
    try:
        from evoc import EVoC
    except ImportError as error:
        raise ConfigError(
            "topics.backend 'evoc' needs the package evoc: `pip install 'feedback-nlp[evoc]'`. "
            "Or choose 'umap-hdbscan'."
        ) from error
    import numba

    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        model = EVoC(n_neighbors=settings.neighbours, base_min_cluster_size=min_size, random_state=seed)
        return np.asarray(model.fit_predict(vectors), dtype=np.int64)
    finally:
        numba.set_num_threads(threads)
