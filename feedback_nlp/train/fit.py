"""Fits linear heads by L-BFGS on sparse and dense features side by side: weighted softmax, weighted logistic labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.linear import LinearHead

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
Wide = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.integer[Any]]]

_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Design:
    """Features of the rows to fit on.

    :param sparse: float32 matrix (rows, features).
    :param dense: float32 array (rows, width), further features that are rarely 0; None for none.
    """

    sparse: sp.csr_matrix
    dense: Floats | None = None

    @property
    def width(self) -> int:
        """Number of features, dense ones last."""
        return int(self.sparse.shape[1]) + (0 if self.dense is None else self.dense.shape[1])

    def take(self, rows: Rows) -> "Design":
        """Return some of the rows."""
        return Design(self.sparse[rows], None if self.dense is None else self.dense[rows])

    def above(self, other: "Design") -> "Design":
        """Return the rows of both."""
        both = sp.vstack([self.sparse, other.sparse], format="csr")
        return Design(both, None if self.dense is None else np.concatenate([self.dense, other.dense]))

    def times(self, weights: Floats) -> Floats:
        """Return ``features @ weights``, float32 array (rows, labels)."""
        split = self.sparse.shape[1]
        scores = np.asarray(self.sparse @ weights[:split], dtype=np.float32)
        return scores if self.dense is None else scores + self.dense @ weights[split:]

    def back(self, residual: Floats) -> Floats:
        """Return ``features.T @ residual``, float32 array (features, labels)."""
        slope = np.asarray(self.sparse.T @ residual, dtype=np.float32)
        return slope if self.dense is None else np.concatenate([slope, self.dense.T @ residual])

    def scores(self, head: LinearHead) -> Floats:
        """Return a head's raw scores."""
        return np.asarray(self.times(head.weights) + head.bias, dtype=np.float32)


LossOfScores = Callable[[Floats], tuple[float, Floats]]


def _fit(design: Design, labels: int, loss: LossOfScores, *, l2: float, iterations: int) -> LinearHead:
    """Minimise ``loss(scores) + l2 / 2 * sum of squared weights``; the loss returns its slope by the scores, too."""
    from scipy.optimize import fmin_l_bfgs_b

    width = design.width

    def loss_and_slope(packed: Wide) -> tuple[float, Wide]:
        table = packed.reshape(width + 1, labels)
        weights = table[:width].astype(np.float32)
        value, residual = loss(design.times(weights) + table[width].astype(np.float32))
        slope = np.empty_like(table)
        slope[:width] = design.back(residual)
        slope[:width] += l2 * table[:width]
        slope[width] = residual.sum(axis=0)
        return value + 0.5 * l2 * float(np.vdot(table[:width], table[:width])), slope.reshape(-1)

    packed, _, _ = fmin_l_bfgs_b(
        loss_and_slope, np.zeros((width + 1) * labels), m=8, factr=1e-7 / _EPSILON, pgtol=1e-8, maxiter=iterations
    )
    best = packed.reshape(width + 1, labels)
    return LinearHead(best[:width].astype(np.float32), best[width].astype(np.float32))


def fit_softmax(design: Design, targets: Floats, weights: Floats, *, l2: float, iterations: int = 40) -> LinearHead:
    """Fit a softmax layer.

    :param targets: probabilities of shape (rows, labels); each row sums to 1.
    :param weights: weight of each row, shape (rows,).
    :param l2: penalty on the squared weights beside the weighted mean loss.
    """
    shares = (weights / weights.sum()).astype(np.float32)[:, None]
    wanted = targets.astype(np.float32)

    def loss(scores: Floats) -> tuple[float, Floats]:
        shifted = scores - scores.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -float(np.sum(shares * wanted * logs, dtype=np.float64)), shares * (np.exp(logs) - wanted)

    return _fit(design, targets.shape[1], loss, l2=l2, iterations=iterations)


def fit_logistic(
    design: Design,
    targets: Floats,
    weights: Floats,
    *,
    l2: float,
    iterations: int = 40,
    offsets: Floats | None = None,
) -> LinearHead:
    """Fit logistic labels, each for itself.

    :param targets: values in [0, 1] of shape (rows, labels).
    :param weights: weight of each row for each label, shape (rows, labels); 0 where the label is unknown.
    :param l2: penalty on the squared weights beside each label's weighted mean loss.
    :param offsets: scores of shape (rows, labels) that stand already; the head is fitted on top of them.
    """
    shares = (weights / weights.sum(axis=0)).astype(np.float32)
    wanted = targets.astype(np.float32)

    def loss(scores: Floats) -> tuple[float, Floats]:
        scores = scores if offsets is None else scores + offsets
        losses = np.logaddexp(0, scores) - wanted * scores
        residual = shares * (1 / (1 + np.exp(-np.clip(scores, -60, 60))) - wanted)
        return float(np.sum(shares * losses, dtype=np.float64)), np.asarray(residual, dtype=np.float32)

    return _fit(design, targets.shape[1], loss, l2=l2, iterations=iterations)


def rarity(features: sp.csr_matrix) -> Floats:
    """Return how much to stretch each feature so that rare ones are penalised less: inverse document frequency.

    :returns: float32 array (features,), 8 on average; a feature never seen gets 0.
    """
    seen = np.bincount(features.indices, minlength=features.shape[1])
    weight = np.where(seen > 0, np.log((features.shape[0] + 1) / (seen + 1)) + 1, 0)
    return np.asarray(8 * weight / weight[seen > 0].mean(), dtype=np.float32)


def stretch(features: sp.csr_matrix, factors: Floats) -> sp.csr_matrix:
    """Return the features with each column multiplied by its factor."""
    data = features.data * factors[features.indices]
    return sp.csr_matrix((data, features.indices, features.indptr), shape=features.shape)


def fold_in(head: LinearHead, factors: Floats) -> LinearHead:
    """Return the head that gives on plain features what ``head`` gives on stretched ones.

    :param factors: one for each of the head's first features; weights beyond them are left out.
    """
    return LinearHead((head.weights[: len(factors)] * factors[:, None]).astype(np.float32), head.bias)


def best_temperature(scores: Floats, labels: Rows, weights: Floats) -> float:
    """Return the divisor of the scores that makes their softmax most likely (Guo et al. 2017).

    :param scores: array of shape (rows, labels).
    :param labels: int array (rows,), the right label.
    :param weights: weight of each row.
    """
    choices = np.geomspace(0.2, 5, 97)
    losses = []
    for heat in choices:
        logs = scores.astype(np.float64) / heat
        logs -= logs.max(axis=1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
        losses.append(-float(np.sum(weights * logs[np.arange(len(logs)), labels])))
    return float(choices[int(np.argmin(losses))])
