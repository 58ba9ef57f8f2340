"""Fits how a reading encoder's scores are blended with the n-gram model's, on sources that neither has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.columns import POLARITIES
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.embed.backends.reader import ReaderEncoder
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.sentiment.backends import Clauses, Floats, Readings
from feedback_nlp.sentiment.backends.blend import Blend, blended, reader_logs, rows_of
from feedback_nlp.sentiment.backends.linear import mixed_features
from feedback_nlp.train.figures import Figure, macro_f1
from feedback_nlp.train.fit import Design, fit_logistic
from feedback_nlp.train.sentiment_figures import MIXED, NEUTRAL, Labels, calibration_figures, polarity_figures

_AT_ONCE = 4_096
_PULL = 1e-3
_START = (0.5, 0.3)
_PARTS = len(_START)


@dataclass(frozen=True)
class Compared:
    """Comments of unseen sources with both models' scores.

    :param labels: int array (n,), index into ``SENTIMENTS``.
    :param langs: language of each.
    :param sources: source of each.
    :param annotated: True where ``mixed`` was a choice.
    :param own: float32 array (n, 4), n-gram scores without the vector's share.
    :param clauses: their clauses, by position in these arrays.
    :param clause_own: float32 array (clauses, 3).
    :param readings: the encoder's.
    """

    labels: Labels
    langs: np.ndarray[Any, Any]
    sources: np.ndarray[Any, Any]
    annotated: np.ndarray[Any, np.dtype[np.bool_]]
    own: Floats
    clauses: Clauses
    clause_own: Floats
    readings: Readings


def read(encoder: ReaderEncoder, cleans: Sequence[str], clauses: Clauses) -> Readings:
    """Read normalised texts and their clauses."""
    table = np.stack([clauses.rows, clauses.starts, clauses.ends], axis=1)
    known, scores, clause_scores = [], [], []
    for first in range(0, len(cleans), _AT_ONCE):
        low, high = np.searchsorted(clauses.rows, (first, first + _AT_ONCE))
        found = encoder.read(cleans[first : first + _AT_ONCE], table[low:high] - np.array([first, 0, 0]))
        known.append(found.vectors.any(axis=1))
        scores.append(found.scores)
        clause_scores.append(found.clause_scores)
    return Readings(np.concatenate(known), np.concatenate(scores), np.concatenate(clause_scores))


def open_reader(model: str | Path) -> ReaderEncoder:
    """Open an encoder that reads.

    :raises ModelError: when it is missing, damaged or of another kind.
    """
    return ReaderEncoder.open(ShippedBackend(model=str(model), batch_tokens=4096))


def _row_weights(found: Compared) -> Floats:
    """Weigh so that each source counts the same, and so do its annotated comments and its others."""
    weights = np.zeros(len(found.labels))
    for source in np.unique(found.sources):
        for annotated in (False, True):
            here = (found.sources == source) & (found.annotated == annotated) & (found.labels != MIXED)
            weights[here] = 1 / max(int(here.sum()), 1)
    return weights.astype(np.float32)


def _impossible(found: Compared) -> Floats:
    """Return what to add to scores where a source has no neutral comments: stars were cut into good and bad."""
    wall = np.zeros((len(found.labels), len(POLARITIES)), dtype=np.float32)
    for source in np.unique(found.sources):
        here = (found.sources == source) & ~found.annotated
        if here.any() and np.mean(found.labels[here] == NEUTRAL) < 0.01:
            wall[here, NEUTRAL] = -1e4
    return wall


def fit_weights(found: Compared, wanted: np.ndarray[Any, np.dtype[np.bool_]] | None = None) -> dict[str, list[float]]:
    """Fit the blend's weights: one set for all languages, and a temperature for each.

    Nothing is added label by label: the few sources differ in how often each occurs, and new ones will, too. Polarity
    and sentiment of the reader share one weight: so few sources cannot tell how far each of them holds elsewhere.

    :param wanted: bool array (n,), which comments to fit on; all when None.
    :returns: by language, ``*`` for any other: weight of the own scores, of the reader's polarity and of its sentiment.
    """
    from scipy.optimize import minimize

    polar, sentiment = reader_logs(found.readings.scores)
    parts = np.stack([found.own[:, :3], polar + sentiment[:, :3]], axis=2).astype(np.float64)
    wall = _impossible(found)
    kept = (
        (found.labels != MIXED) & found.readings.known & (wall[np.arange(len(wall)), np.minimum(found.labels, 2)] == 0)
    )
    kept = kept if wanted is None else kept & wanted
    weights = _row_weights(found)[kept]
    weights = weights / weights.sum()
    names = sorted(set(found.langs[kept].tolist()))
    place = np.array([names.index(lang) for lang in found.langs[kept]], dtype=np.int64)
    parts, wall, truth = parts[kept], wall[kept], found.labels[kept]

    def loss(packed: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        scores = (parts @ packed[:_PARTS]) * np.exp(packed[_PARTS:])[place][:, None] + wall
        scores = scores - scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return _PULL * float(np.sum(packed[_PARTS:] ** 2)) - float(np.sum(weights * logs[np.arange(len(logs)), truth]))

    best = minimize(loss, np.array([*_START, *[0.0] * len(names)]), method="L-BFGS-B").x
    own, reader = best[:_PARTS]
    shared, gains = np.array([own, reader, reader]), np.exp(best[_PARTS:])
    table = {name: shared * gain for name, gain in zip(names, gains, strict=True)}
    table["*"] = shared * float(np.exp(np.mean(best[_PARTS:])))
    return {name: [round(float(value), 5) for value in values] for name, values in table.items()}


def clause_weights(texts: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return the weights for clauses: only the reader's polarity is learnt span by span, so it takes all its weight."""
    return {lang: [own, polar + sentiment, 0.0] for lang, (own, polar, sentiment) in texts.items()}


def fit_reader_mixed(found: Compared, texts: dict[str, list[float]]) -> tuple[LinearHead, float]:
    """Fit the decision ``mixed`` with a reading, on annotated comments of unseen sources.

    :returns: a head with one label, and the probability from which a comment counts as mixed.
    """
    probs = softmax(blended(found.own[:, :3], found.readings.scores, rows_of(texts, found.langs.tolist())))
    langs = found.langs[found.clauses.rows].tolist()
    weights = rows_of(clause_weights(texts), langs)
    clause_probs = softmax(blended(found.clause_own, found.readings.clause_scores, weights))
    features = mixed_features(probs, found.own[:, 3], clause_probs, found.clauses.rows)
    logs = reader_logs(found.readings.scores)[1][:, MIXED:]
    picked = np.flatnonzero(found.annotated & found.readings.known)
    design = Design(sp.csr_matrix(np.concatenate([features, logs], axis=1)[picked]))
    truth = found.labels[picked]
    wanted = (truth == MIXED)[:, None].astype(float)
    head = fit_logistic(design, wanted, np.ones_like(wanted), l2=1e-3)
    mixed = sigmoid(design.scores(head)[:, 0])
    choices = np.linspace(0.1, 0.7, 61)
    gains = [macro_f1(truth, np.where(mixed >= choice, MIXED, probs[picked].argmax(axis=1))) for choice in choices]
    return head, float(choices[int(np.argmax(gains))])


def fit_blend(found: Compared) -> Blend:
    """Fit everything that a model needs to use a reader."""
    texts = fit_weights(found)
    mixed, mixed_from = fit_reader_mixed(found, texts)
    return Blend(
        texts,
        clause_weights(texts),
        mixed.weights[:, 0].astype(np.float32),
        round(float(mixed.bias[0]), 6),
        round(mixed_from, 4),
    )


def unseen_figures(found: Compared) -> list[Figure]:
    """Measure the blend on the unseen sources, each half of the comments with weights fitted on the other half."""
    probs = np.zeros((len(found.labels), len(POLARITIES)), dtype=np.float32)
    half = np.arange(len(probs)) % 2 == 0
    for side in (half, ~half):
        weights = rows_of(fit_weights(found, ~side), found.langs[side].tolist())
        probs[side] = softmax(blended(found.own[side, :3], found.readings.scores[side], weights))
    figures: list[Figure] = []
    for source in np.unique(found.sources):
        here = (found.sources == source) & (found.labels != MIXED) & found.readings.known
        if here.any():
            lang, labels = str(found.langs[here][0]), found.labels[here]
            name = f"{source}, source never seen, with reader"
            figures += polarity_figures(name, lang, labels, probs[here])
            figures += calibration_figures(name, lang, labels, probs[here])
    return figures
