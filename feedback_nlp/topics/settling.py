"""Settling topics: radii that leave few enough comments out, and the curve that scores are read from."""

from dataclasses import replace
from typing import Any

import numpy as np

from feedback_nlp.topics.grouping import Grouping
from feedback_nlp.topics.neighbours import Neighbours, Vectors, exact_neighbours
from feedback_nlp.topics.placing import Places, Trade, core_radii, fit_curve, neighbour_agreement, widened
from feedback_nlp.topics.settings import TopicSettings, UmapHdbscanSettings

Ints = np.ndarray[Any, np.dtype[np.int64]]

_NEIGHBOURS = 15


def settle(
    vectors: Vectors, copies: Ints, grouped: Grouping, near: Neighbours, settings: TopicSettings
) -> tuple[Places, Trade]:
    """Fit radii and the score's curve of settled topics.

    :param copies: int64 array (rows,), how many comments each row stands for.
    """
    none = np.zeros(3, dtype=np.float32)
    bare = Places(grouped.centroids, np.full(len(grouped.strict), -2, dtype=np.float32), grouped.strict, none)
    if not len(bare):
        left_out = float(len(vectors) > 0)
        return bare, Trade(left_out, left_out, 0.0, 0.0)
    return fitted(
        vectors,
        copies,
        core_radii(vectors, grouped.labels, bare),
        grouped.labels,
        near,
        max_outliers=settings.max_outliers,
    )


def fitted(
    vectors: Vectors, copies: Ints, cores: Places, core: Ints, near: Neighbours, *, max_outliers: float
) -> tuple[Places, Trade]:
    """Widen radii to the outlier target and fit the score's curve.

    :param cores: topics with the radii of their cores.
    :param core: int64 array (rows,), topic of each row before, -1 for none.
    """
    places = widened(cores, vectors, copies, max_outliers)
    found = places.nearest(vectors)
    labels = found.topic
    agreement = neighbour_agreement(labels, near)
    inside = labels >= 0
    curve = fit_curve(found.cosine[inside], found.lead[inside], agreement[inside])
    whole = max(int(copies.sum()), 1)
    trade = Trade(
        outliers_before=float(copies[core < 0].sum() / whole),
        outliers=float(copies[~inside].sum() / whole),
        agreement_before=_mean(neighbour_agreement(core, near)[core >= 0]),
        agreement=_mean(agreement[inside]),
        slack=float((cores.radii - places.radii).max()),
        loose=float(copies[cores.nearest(vectors).topic < 0].sum() / whole),
    )
    return replace(places, curve=curve), trade


def discovery_neighbours(vectors: Vectors, settings: TopicSettings) -> Neighbours:
    """Find as many nearest rows of each row as the backend wants."""
    wanted = settings.backend.neighbours if isinstance(settings.backend, UmapHdbscanSettings) else _NEIGHBOURS
    if not len(vectors):
        return Neighbours(np.empty((0, 0), dtype=np.int32), np.empty((0, 0), dtype=np.float32))
    return exact_neighbours(vectors, min(wanted, len(vectors)))


def _mean(values: np.ndarray[Any, Any]) -> float:
    return float(values.mean()) if len(values) else 0.0
