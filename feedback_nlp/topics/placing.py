"""Placing vectors at topics: the nearest centre within its radius; fitted on the comments topics were discovered on."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from feedback_nlp.core.linear import sigmoid
from feedback_nlp.core.product import stable_product
from feedback_nlp.topics.neighbours import Neighbours, Vectors

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

_BLOCK = 8192
_CORE_PERCENTILE = 5
_NEWTON_STEPS = 25
_ROUNDING = 1e-6
_REPEATED_MARGIN = 0.05


class Assignment(NamedTuple):
    """Topics of comments.

    :param topic_id: int32 array (rows,), -1 = none.
    :param topic_score: float32 array (rows,), in [0, 1]; 0 where there is no topic.
    """

    topic_id: np.ndarray[Any, np.dtype[np.int32]]
    topic_score: Floats


@dataclass(frozen=True, eq=False)
class Places:
    """Where topics lie.

    :param centroids: float32 array of shape (topics, width), rows of unit length.
    :param radii: float32 array (topics,), smallest cosine to the centre that still belongs.
    :param strict: bool array (topics,), topics of repeated comments: what lies outside one goes to its next topic.
    :param curve: float32 array (3,): bias, weight of the nearest cosine, weight of its lead over the second nearest;
        their logistic function estimates how many of a comment's ten nearest comments stand in the same topic.
    """

    centroids: Vectors
    radii: Floats
    strict: np.ndarray[Any, np.dtype[np.bool_]]
    curve: Floats

    def __len__(self) -> int:
        return len(self.centroids)

    def take(self, order: Ints) -> "Places":
        """Return the places of these topics in this order."""
        return Places(self.centroids[order], self.radii[order], self.strict[order], self.curve)

    def joined(self, other: "Places") -> "Places":
        """Return these places with others behind them."""
        return Places(
            np.concatenate([self.centroids, other.centroids]),
            np.concatenate([self.radii, other.radii]),
            np.concatenate([self.strict, other.strict]),
            self.curve,
        )

    def nearest(self, vectors: Vectors) -> "Nearest":
        """Find each row's nearest centre, passing over strict ones that it lies outside of.

        :param vectors: float32 array of shape (rows, width), shifted rows of unit length; a row of zeros has no topic.
        """
        rows = len(vectors)
        found = Nearest(
            np.full(rows, -1, dtype=np.int64),
            np.zeros(rows, dtype=np.float32),
            np.zeros(rows, dtype=np.float32),
            np.full(rows, -2, dtype=np.float32),
        )
        if not len(self):
            return found
        across = np.ascontiguousarray(self.centroids.T)
        for start in range(0, rows, _BLOCK):
            part = slice(start, start + _BLOCK)
            cosines = stable_product(vectors[part], across)
            at = np.arange(len(cosines))
            best = np.where(self.strict & (cosines < self.radii), -2, cosines).argmax(axis=1)
            cosine = cosines[at, best].copy()
            reach = np.where(np.any(vectors[part], axis=1), cosine - self.radii[best], -2)
            cosines[at, best] = -1
            found.topic[part] = np.where(reach >= 0, best, -1)
            found.cosine[part] = cosine
            found.lead[part] = cosine - cosines.max(axis=1)
            found.reach[part] = reach
        return found

    def ranked(self, vectors: Vectors, most: int) -> tuple[Ints, Floats]:
        """Return positions and scores of each row's nearest topics, arrays of shape (rows, most), the nearest first.

        Only topics within whose radius the row lies count; the rest of a row is -1 and 0. A topic's lead is its cosine
        less the highest of the others, so that behind the first it is negative.
        """
        rows, width = len(vectors), min(most, len(self))
        topics, scores = np.full((rows, most), -1, dtype=np.int64), np.zeros((rows, most), dtype=np.float32)
        across = np.ascontiguousarray(self.centroids.T)
        for start in range(0, rows if width else 0, _BLOCK):
            part = slice(start, start + _BLOCK)
            cosines = stable_product(vectors[part], across)
            within = (cosines >= self.radii) & np.any(vectors[part], axis=1)[:, None]
            order = np.argsort(np.where(within, -cosines, 2), axis=1, kind="stable")[:, :width]
            sorted_cosines = -np.sort(-cosines, axis=1)
            highest, second = sorted_cosines[:, :1], sorted_cosines[:, 1:2] if len(self) > 1 else -1
            own = np.take_along_axis(cosines, order, axis=1)
            lead = own - np.where(own >= highest, second, highest)
            inside = np.take_along_axis(within, order, axis=1)
            score = sigmoid(self.curve[0] + self.curve[1] * own + self.curve[2] * lead)
            topics[part, :width] = np.where(inside, order, -1)
            scores[part, :width] = np.where(inside, score, 0)
        return topics, scores

    def place(self, vectors: Vectors) -> tuple[Ints, Floats]:
        """Return the topic's position of each row, -1 outside every radius, and the score."""
        found = self.nearest(vectors)
        score = sigmoid(self.curve[0] + self.curve[1] * found.cosine + self.curve[2] * found.lead)
        return found.topic, np.where(found.topic >= 0, score, 0).astype(np.float32)


class Nearest(NamedTuple):
    """Where rows lie among the centres.

    :param topic: int64 array (rows,), position of the nearest centre, -1 where the row lies outside its radius.
    :param cosine: float32 array (rows,), to that centre.
    :param lead: float32 array (rows,), that cosine less the highest to another centre.
    :param reach: float32 array (rows,), how far inside the radius the row lies; negative = outside.
    """

    topic: Ints
    cosine: Floats
    lead: Floats
    reach: Floats


@dataclass(frozen=True)
class Trade:
    """What holding the outlier target cost.

    :param outliers_before: share of comments that the grouping left out.
    :param outliers: share without a topic in the end.
    :param agreement_before: share of the ten nearest comments in the same topic, over comments grouped at first.
    :param agreement: the same over all comments with a topic.
    :param slack: how much farther than its core each topic reaches for that, in cosine; repeated messages reach none.
    :param loose: share of comments outside every core when topics were last discovered.
    """

    outliers_before: float
    outliers: float
    agreement_before: float
    agreement: float
    slack: float = 0.0
    loose: float = 0.0


def neighbour_agreement(labels: Ints, neighbours: Neighbours) -> Floats:
    """Return for each row the share of its ten nearest rows that carry its label; 0 for rows without one."""
    near = neighbours.indices[:, 1:11]
    if not near.shape[1]:
        return np.zeros(len(labels), dtype=np.float32)
    same = (labels[near] == labels[:, None]) & (labels >= 0)[:, None]
    return np.asarray(same.mean(axis=1), dtype=np.float32)


def fit_curve(cosines: Floats, leads: Floats, shares: Floats) -> Floats:
    """Fit the logistic curve of shares on cosine and lead by Newton's method with a weak ridge."""
    features = np.stack([np.ones(len(cosines)), cosines, leads], axis=1).astype(np.float64)
    weights = np.zeros(3)
    if not len(features):
        return weights.astype(np.float32)
    for _ in range(_NEWTON_STEPS):
        guess = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (shares - guess) - 1e-2 * weights
        bend = (features * (guess * (1 - guess))[:, None]).T @ features + 1e-2 * np.eye(3)
        weights = weights + np.linalg.solve(bend, slope)
    return weights.astype(np.float32)


def core_radii(vectors: Vectors, core: Ints, places: Places) -> Places:
    """Set each topic's radius to hold 95 % of its core.

    :param core: topic of each row in the grouping, -1 for noise.
    :param places: centres with any radii.
    """
    radii = np.full(len(places), 1, dtype=np.float32)
    for topic in range(len(places)):
        own = vectors[core == topic] @ places.centroids[topic]
        if len(own):
            radii[topic] = np.percentile(own, _CORE_PERCENTILE, method="lower") - _ROUNDING
    radii[places.strict] -= _REPEATED_MARGIN
    return replace(places, radii=radii)


def widened(places: Places, vectors: Vectors, copies: Ints, max_outliers: float) -> Places:
    """Widen the radii of all topics but strict ones alike until few enough rows are outside.

    What has a topic already keeps it.

    :param places: centres with radii.
    :param copies: how many comments each row stands for.
    """
    return reaching(places, places.nearest(vectors).reach, copies, max_outliers)


def reaching(places: Places, reach: Floats, copies: Ints, max_outliers: float) -> Places:
    """Widen radii as :func:`widened` does, for rows of which is known how far inside they lie.

    :param reach: float32 array (rows,), as :meth:`Places.nearest` gives it.
    """
    order = np.argsort(reach, kind="stable")
    left_out = np.cumsum(copies[order])
    allowed = int(np.searchsorted(left_out, max_outliers * copies.sum(), side="right"))
    slack = -float(reach[order[allowed]]) if allowed < len(order) else 0.0
    if slack <= 0:
        return places
    wide = places.radii - np.float32(slack + _ROUNDING)
    return replace(places, radii=np.where(places.strict, places.radii, wide).astype(np.float32))
