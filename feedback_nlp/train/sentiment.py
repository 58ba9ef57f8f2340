"""Trains the shipped sentiment model: one softmax for three languages, calibrated on sources it never saw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.columns import POLARITIES, SENTIMENTS
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, write_model
from feedback_nlp.core.ngrams import NgramSpec, ngram_matrix
from feedback_nlp.normalise.clauses import find_clauses
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.sentiment.backends import Clauses, Floats
from feedback_nlp.sentiment.backends.linear import KIND, LinearJudge, mixed_features
from feedback_nlp.train.data import provenance
from feedback_nlp.train.evaluate_sentiment import (
    abstention_figures,
    calibration_figures,
    judge_kept_back,
    polarity_figures,
    sentiment_card,
)
from feedback_nlp.train.figures import Figure, macro_f1
from feedback_nlp.train.fit import Design, best_temperature, fit_logistic, fit_softmax, fold_in, rarity, stretch
from feedback_nlp.train.fit_vectors import encode, encoder_fingerprint
from feedback_nlp.train.sentiment_data import FOLDS, ROOT_CAUSES, Labelled, Mask, read_labelled

SPEC = NgramSpec(words=(1, 2), chars=(3, 4, 5), bits=18)
MIXED = SENTIMENTS.index("mixed")
VECTOR_GAIN = 3.0
_L2, _MIXED_L2, _ITERATIONS = 2e-4, 1e-3, 40
_LANGS = ("ar", "fa", "en")

Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Material:
    """Everything a fit needs.

    :param labelled: the comments with their labels.
    :param cleans: the normalised texts.
    :param design: n-grams, stretched by ``factors``, and the comments' vectors times ``VECTOR_GAIN``.
    :param factors: see :func:`feedback_nlp.train.fit.rarity`.
    :param clauses: clauses of the comments annotated for root causes, the only set where ``mixed`` is known.
    :param clause_design: their n-grams, stretched too, and no vectors.
    """

    labelled: Labelled
    cleans: Sequence[str]
    design: Design
    factors: Floats
    clauses: Clauses
    clause_design: Design

    def fit(self, training: Mask) -> LinearHead:
        """Fit the head on these rows: polarities without the mixed comments, and mixed on the annotated ones."""
        wanted = training & (self.labelled.labels != MIXED)
        rows = np.flatnonzero(wanted)
        weights = self.labelled.row_weights(wanted)[rows]
        targets = np.eye(len(POLARITIES))[self.labelled.labels[rows]]
        polarity = fit_softmax(self.design.take(rows), targets, weights, l2=_L2, iterations=_ITERATIONS)
        known = np.flatnonzero(training & (self.labelled.sets == ROOT_CAUSES))
        mixed = (self.labelled.labels[known] == MIXED)[:, None].astype(np.float32)
        side = fit_logistic(self.design.take(known), mixed, np.ones_like(mixed), l2=_MIXED_L2, iterations=_ITERATIONS)
        weights_of_both = np.concatenate([polarity.weights, side.weights], axis=1)
        return LinearHead(weights_of_both, np.append(polarity.bias, side.bias))


@dataclass(frozen=True)
class Unseen:
    """Scores by heads that never saw the comment's source.

    :param rows: int array, the comments.
    :param scores: float32 array (rows, 3).
    :param mixed_scores: float32 array (rows,).
    :param clause_scores: float32 array (clauses of the material, 3); 0 where no head is free of the source.
    """

    rows: Rows
    scores: Floats
    mixed_scores: Floats
    clause_scores: Floats


def clauses_of(cleans: Sequence[str], langs: Sequence[str], rows: Sequence[int] | Rows) -> Clauses:
    """Cut some of the normalised texts into clauses."""
    found = [(row, start, end) for row in rows for start, end in find_clauses(cleans[row], [langs[row]])]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Clauses(table[:, 0], table[:, 1], table[:, 2])


def prepare(labelled: Labelled) -> Material:
    """Normalise, cut and hash all comments."""
    cleans = [normalise(text, lang).clean for text, lang in zip(labelled.texts, labelled.langs, strict=True)]
    features = ngram_matrix(cleans, SPEC)
    factors = rarity(features[np.flatnonzero(~labelled.judged)])
    annotated = np.flatnonzero((labelled.sets == ROOT_CAUSES) & ~labelled.judged)
    clauses = clauses_of(cleans, list(labelled.langs), annotated)
    texts = [cleans[row][start:end] for row, start, end in zip(clauses.rows, clauses.starts, clauses.ends, strict=True)]
    vectors = encode(cleans) * np.float32(VECTOR_GAIN)
    none = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
    clause_design = Design(stretch(ngram_matrix(texts, SPEC), factors), none)
    return Material(labelled, cleans, Design(stretch(features, factors), vectors), factors, clauses, clause_design)


def leave_sources_out(material: Material) -> Unseen:
    """Score the comments of each fold's sources with a head fitted without them."""
    labelled = material.labelled
    rows, scores = [], []
    clause_scores = np.zeros((len(material.clauses), len(POLARITIES)), dtype=np.float32)
    for sources in FOLDS:
        held = np.isin(labelled.sources, sources)
        head = material.fit(~held & ~labelled.judged)
        picked = np.flatnonzero(held)
        rows.append(picked)
        scores.append(material.design.take(picked).scores(head))
        clauses = np.flatnonzero(held[material.clauses.rows])
        clause_scores[clauses] = material.clause_design.take(clauses).scores(head)[:, :3]
    stacked = np.concatenate(scores)
    return Unseen(np.concatenate(rows), stacked[:, :3], stacked[:, 3], clause_scores)


def temperatures(labelled: Labelled, unseen: Unseen) -> dict[str, float]:
    """Fit a temperature for each language on sources never seen, each source counting the same; ``*`` is their mean."""
    labels, langs = labelled.labels[unseen.rows], labelled.langs[unseen.rows]
    names, inverse = np.unique(labelled.sources[unseen.rows], return_inverse=True)
    weights = 1 / np.bincount(inverse, minlength=len(names))[inverse]
    found = {}
    for lang in _LANGS:
        rows = (langs == lang) & (labels != MIXED)
        found[lang] = best_temperature(unseen.scores[rows], labels[rows], weights[rows])
    return found | {"*": float(np.mean(list(found.values())))}


def _heat(heats: Mapping[str, float], langs: Iterable[str]) -> Floats:
    return np.array([heats.get(lang, heats["*"]) for lang in langs], dtype=np.float32)[:, None]


def fit_mixed(material: Material, unseen: Unseen, heats: Mapping[str, float]) -> tuple[LinearHead, float]:
    """Fit the decision ``mixed`` on annotated comments from sources never seen.

    :returns: a head with one label, and the probability from which a comment counts as mixed: the one with the best
        macro-F1 over the four labels.
    """
    labelled, clauses = material.labelled, material.clauses
    picked = np.flatnonzero((labelled.sets[unseen.rows] == ROOT_CAUSES) & ~labelled.judged[unseen.rows])
    rows = unseen.rows[picked]
    probs = softmax(unseen.scores[picked] / _heat(heats, labelled.langs[rows]))
    position = np.full(len(labelled), -1)
    position[rows] = np.arange(len(rows))
    known = np.flatnonzero(position[clauses.rows] >= 0)
    clause_probs = softmax(unseen.clause_scores[known] / _heat(heats, labelled.langs[clauses.rows[known]]))
    features = Design(
        sp.csr_matrix(mixed_features(probs, unseen.mixed_scores[picked], clause_probs, position[clauses.rows[known]]))
    )
    truth = labelled.labels[rows]
    wanted = (truth == MIXED)[:, None].astype(float)
    head = fit_logistic(features, wanted, np.ones_like(wanted), l2=1e-5)
    mixed = sigmoid(features.scores(head)[:, 0])
    choices = np.linspace(0.1, 0.7, 61)
    gains = [macro_f1(truth, np.where(mixed >= choice, MIXED, probs.argmax(axis=1))) for choice in choices]
    return head, float(choices[int(np.argmax(gains))])


def train_sentiment(data: Path, out: Path, *, seed: int = 17, created_at: str = "2026-11-28") -> ModelFolder:
    """Fit the sentiment model, judge it on what it never saw, and write its folder and card.

    :param data: the data folder.
    :param out: the model folder to write.
    :param seed: picks the comments of sets larger than :data:`PER_SET`.
    :param created_at: date in the manifest.
    :raises MissingInputError: when a data file is missing.
    """
    labelled = read_labelled(data, seed=seed)
    material = prepare(labelled)
    unseen = leave_sources_out(material)
    heats = temperatures(labelled, unseen)
    mixed, mixed_from = fit_mixed(material, unseen, heats)
    fitted = material.fit(~labelled.judged)
    head = fold_in(fitted, material.factors)
    arrays = head.to_arrays() | {
        "vector_weights": fitted.weights[len(material.factors) :] * np.float32(VECTOR_GAIN),
        "mixed_weights": mixed.weights[:, 0],
        "mixed_bias": mixed.bias,
    }
    figures = _figures_unseen(labelled, unseen, heats)
    details = _details(data, labelled, heats, mixed_from, seed=seed, created_at=created_at)
    folder = write_model(out, kind=KIND, name="sentiment", version="1", details=details, arrays=arrays)
    figures += judge_kept_back(LinearJudge.from_folder(folder), labelled, material.cleans)
    metrics = {"metrics": [figure.as_dict() for figure in figures]}
    return write_model(
        out, kind=KIND, name="sentiment", version="1", details=details | metrics, card=sentiment_card(figures, details)
    )


def _figures_unseen(labelled: Labelled, unseen: Unseen, heats: Mapping[str, float]) -> list[Figure]:
    kept = labelled.labels[unseen.rows] != MIXED
    rows = unseen.rows[kept]
    probs = softmax(unseen.scores[kept] / _heat(heats, labelled.langs[rows]))
    sources, langs, labels = labelled.sources[rows], labelled.langs[rows], labelled.labels[rows]
    figures: list[Figure] = []
    for source in np.unique(sources):
        here = sources == source
        figures += polarity_figures(f"{source}, source never seen", str(langs[here][0]), labels[here], probs[here])
    for lang in _LANGS:
        here = langs == lang
        figures += calibration_figures("sources never seen", lang, labels[here], probs[here])
        figures += abstention_figures("sources never seen", lang, labels[here], probs[here])
    return figures


def _details(
    data: Path, labelled: Labelled, heats: Mapping[str, float], mixed_from: float, *, seed: int, created_at: str
) -> dict[str, Any]:
    names, counts = np.unique(labelled.sets[~labelled.judged], return_counts=True)
    return {
        "languages": list(_LANGS),
        "labels": list(POLARITIES),
        "ngrams": {"words": list(SPEC.words), "chars": list(SPEC.chars), "bits": SPEC.bits},
        "encoder": encoder_fingerprint(),
        "calibration": {
            "method": "temperature by language, fitted on sources never seen",
            "temperatures": {lang: round(value, 4) for lang, value in heats.items()},
            "mixed_from": round(mixed_from, 4),
        },
        "training_data": list(provenance(data, dict(zip(map(str, names), map(int, counts), strict=True)))),
        "library_versions": {name: version(name) for name in ("numpy", "scipy", "pyarrow", "safetensors")},
        "seed": seed,
        "created_at": created_at,
    }
