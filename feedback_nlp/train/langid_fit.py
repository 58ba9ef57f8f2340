"""Fits language identification: sparse softmax by Adagrad (Duchi et al. 2011), choice of features, calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.linear import LinearHead
from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.langid.features import width, word_features
from feedback_nlp.langid.tokens import ARABIC, LATIN, Ints, tokenise

Floats = np.ndarray[Any, np.dtype[np.float32]]


def count_matrices(texts: Sequence[str], labels: Sequence[str], spec: NgramSpec) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Count words by text and features by word; words in other letters than the label's do not count.

    :returns: float32 matrices of shape (texts, words) and (words, features).
    """
    tokens = tokenise(texts)
    scripts = np.array([{"ar": ARABIC, "fa": ARABIC, "other": -1}.get(label, LATIN) for label in labels])[tokens.rows]
    ones = ((scripts < 0) | (scripts == tokens.scripts[tokens.units])).astype(np.float32)
    by_text = sp.csr_matrix((ones, (tokens.rows, tokens.units)), shape=(len(texts), len(tokens.words)))
    by_text.eliminate_zeros()
    rows, features = word_features(tokens.words, spec)
    shape = (len(tokens.words), width(spec))
    return by_text, sp.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, features)), shape=shape)


def common_features(by_text: sp.csr_matrix, by_word: sp.csr_matrix, least: int) -> Ints:
    """Return the features that occur in at least ``least`` words, counted once a text, in rising order."""
    uses = sp.csr_matrix((by_text > 0).sum(axis=0).astype(np.float32))
    counts = (uses @ (by_word > 0).astype(np.float32)).toarray().ravel()
    return np.flatnonzero(counts >= least).astype(np.int64)


def scaled(by_text: sp.csr_matrix, by_word: sp.csr_matrix) -> sp.csr_matrix:
    """Return features by text, each row divided by the root of its number of features."""
    matrix = sp.csr_matrix(by_text @ by_word)
    sizes = np.asarray(matrix.sum(axis=1)).ravel()
    roots = 1 / np.sqrt(np.maximum(sizes, 1))
    matrix.data *= np.repeat(roots, np.diff(matrix.indptr)).astype(np.float32)
    return matrix


def fit_adagrad(
    features: sp.csr_matrix,
    labels: Ints,
    weights: Floats,
    *,
    n_labels: int,
    epochs: int,
    rate: float,
    l2: float,
    seed: int,
    batch: int = 8192,
) -> LinearHead:
    """Fit a softmax layer in shuffled batches with a falling rate.

    :param features: float32 matrix of shape (rows, features).
    :param labels: int64 array (rows,).
    :param weights: weight of each row, any scale.
    :param rate: first step length.
    :param l2: penalty on the squared weights of the features a batch touches.
    """
    rng = np.random.default_rng(seed)
    rows, columns = features.shape
    table = np.zeros((columns + 1, n_labels), dtype=np.float32)
    squares = np.full_like(table, 1e-8)
    shares = (weights / weights.mean()).astype(np.float32)
    truth = np.eye(n_labels, dtype=np.float32)
    steps = epochs * -(-rows // batch)
    done = 0
    for _ in range(epochs):
        order = rng.permutation(rows)
        for start in range(0, rows, batch):
            picked = order[start : start + batch]
            part = features[picked]
            scores = part @ table[:columns] + table[columns]
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            gap = scores / scores.sum(axis=1, keepdims=True) - truth[labels[picked]]
            gap *= shares[picked][:, None] / len(picked)
            used = np.flatnonzero(np.bincount(part.indices, minlength=columns))
            slope = np.concatenate([(part.T @ gap)[used] + l2 * table[used], gap.sum(axis=0, keepdims=True)])
            used = np.append(used, columns)
            squares[used] += slope * slope
            table[used] -= np.float32(rate * (1 - done / steps)) * slope / np.sqrt(squares[used])
            done += 1
    return LinearHead(table[:columns].copy(), table[columns].copy())


def strongest(head: LinearHead, counts: Floats, keep: int) -> Ints:
    """Return the features that move scores most over the training rows, at most ``keep``, in rising order."""
    spread = head.weights - head.weights.mean(axis=1, keepdims=True)
    moved = np.abs(spread).max(axis=1) * np.sqrt(counts)
    return np.sort(np.argsort(-moved, kind="stable")[:keep])


def fit_sharpness(scores: Floats, sizes: Floats, truth: Ints, groups: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Fit the scale of the scores, exp(a + b log(1 + features)), by likelihood on rows outside of training.

    :param scores: raw scores, shape (rows, labels).
    :param sizes: number of known features of each row.
    :param truth: index into ``groups`` of each row.
    :param groups: the labels whose probabilities add up to each answer.
    """
    from scipy.optimize import minimize

    logs = np.log1p(sizes)

    def loss(packed: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        sharp = scores * np.exp(packed[0] + packed[1] * logs)[:, None]
        odds = np.exp(sharp - sharp.max(axis=1, keepdims=True))
        answers = np.stack([odds[:, list(group)].sum(axis=1) for group in groups], axis=1) / odds.sum(axis=1)[:, None]
        return float(-np.log(np.maximum(answers[np.arange(len(truth)), truth], 1e-12)).mean())

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-6})
    return float(found.x[0]), float(found.x[1])
