"""Trains the shipped sentiment model: one softmax for three languages, calibrated on sources it never saw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.columns import POLARITIES
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, open_model, write_model
from feedback_nlp.core.ngrams import NgramSpec, ngram_matrix
from feedback_nlp.embed.backends.reader import ReaderEncoder
from feedback_nlp.sentiment.backends import Floats
from feedback_nlp.sentiment.backends.linear import KIND, LinearJudge, mixed_features
from feedback_nlp.train.data import provenance
from feedback_nlp.train.evaluate_sentiment import judge_kept_back, sentiment_card
from feedback_nlp.train.figures import Figure, macro_f1
from feedback_nlp.train.fit import Design, best_temperature, fit_logistic, fold_in, stretch
from feedback_nlp.train.fit_vectors import encoder_fingerprint
from feedback_nlp.train.reader_data import UNSEEN
from feedback_nlp.train.sentiment_data import FOLDS, PHRASES, ROOT_CAUSES, Labelled, Mask, read_labelled
from feedback_nlp.train.sentiment_figures import MIXED, abstention_figures, calibration_figures, polarity_figures
from feedback_nlp.train.sentiment_material import SPEC, VECTOR_GAIN, Material, Rows, clauses_of, prepare
from feedback_nlp.train.sentiment_phrases import with_phrases
from feedback_nlp.train.sentiment_reader import Compared, fit_blend, open_reader, read, unseen_figures

_LANGS = ("ar", "fa", "en")


@dataclass(frozen=True)
class Unseen:
    """Scores by heads that never saw the comment's source.

    :param rows: int array, the comments.
    :param scores: float32 array (rows, 3).
    :param mixed_scores: float32 array (rows,).
    :param clause_scores: float32 array (clauses of the material, 3); 0 where no head is free of the source.
    :param heads: int array (rows,), which fold's head scored each.
    :param bare: each fold's head for n-grams alone.
    """

    rows: Rows
    scores: Floats
    mixed_scores: Floats
    clause_scores: Floats
    heads: Rows
    bare: Sequence[LinearHead]


def leave_sources_out(material: Material) -> Unseen:
    """Score the comments of each fold's sources with a head fitted without them."""
    labelled = material.labelled
    rows, scores, bare = [], [], []
    clause_scores = np.zeros((len(material.clauses), len(POLARITIES)), dtype=np.float32)
    for sources in FOLDS:
        held = np.isin(labelled.sources, sources)
        head = material.fit(~held & ~labelled.judged)
        bare.append(material.fit(~held & ~labelled.judged, bare=True))
        picked = np.flatnonzero(held & ~labelled.chosen)
        rows.append(picked)
        scores.append(material.design.take(picked).scores(head))
        clauses = np.flatnonzero(held[material.clauses.rows])
        clause_scores[clauses] = bare[-1].scores(material.clause_features[clauses])[:, :3]
    stacked = np.concatenate(scores)
    heads = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    return Unseen(np.concatenate(rows), stacked[:, :3], stacked[:, 3], clause_scores, heads, bare)


def temperatures(labelled: Labelled, unseen: Unseen, wanted: Mask | None = None) -> dict[str, float]:
    """Fit a temperature for each language on sources never seen, each source counting the same; ``*`` is their mean.

    :param wanted: bool array (rows of ``unseen``), which to fit on; all that are not kept for judging when None.
    """
    labels, langs = labelled.labels[unseen.rows], labelled.langs[unseen.rows]
    usable = (labels != MIXED) & ~labelled.judged[unseen.rows]
    usable = usable if wanted is None else usable & wanted
    names, inverse = np.unique(labelled.sources[unseen.rows], return_inverse=True)
    weights = 1 / np.maximum(np.bincount(inverse[usable], minlength=len(names)), 1)[inverse]
    found = {}
    for lang in _LANGS:
        rows = usable & (langs == lang)
        found[lang] = best_temperature(unseen.scores[rows], labels[rows], weights[rows]) if rows.any() else 1.0
    return found | {"*": float(np.mean(list(found.values())))}


def crossed_probs(labelled: Labelled, unseen: Unseen) -> Floats:
    """Return probabilities of unseen comments, each with a temperature fitted on the other folds' sources."""
    probs = np.zeros_like(unseen.scores)
    for fold in np.unique(unseen.heads):
        here = unseen.heads == fold
        heats = temperatures(labelled, unseen, ~here)
        probs[here] = softmax(unseen.scores[here] / _heat(heats, labelled.langs[unseen.rows[here]]))
    return probs


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


def train_sentiment(
    data: Path,
    out: Path,
    *,
    seed: int = 17,
    created_at: str = "2026-11-28",
    spec: NgramSpec = SPEC,
    reader: Path | None = None,
    judged_reader: Path | None = None,
) -> ModelFolder:
    """Fit the sentiment model, judge it on what it never saw, and write its folder and card.

    :param data: the data folder.
    :param out: the model folder to write.
    :param seed: picks the comments of sets larger than :data:`PER_SET`.
    :param created_at: date in the manifest.
    :param spec: the n-grams.
    :param reader: folder of a reading encoder that was trained without the sources of
        ``feedback_nlp.train.reader_data.UNSEEN``; its scores are blended in. None for a model without a reader.
    :param judged_reader: folder of the encoder that the blend is judged with, trained on all sources; ``reader`` where
        None.
    :raises MissingInputError: when a data file is missing.
    :raises ModelError: when a reader is missing, damaged or of another kind.
    """
    labelled = with_phrases(read_labelled(data, seed=seed))
    material = prepare(labelled, spec)
    unseen = leave_sources_out(material)
    heats = temperatures(labelled, unseen)
    mixed, mixed_from = fit_mixed(material, unseen, heats)
    fitted = material.fit(~labelled.judged)
    bare = fold_in(material.fit(~labelled.judged, bare=True), material.factors)
    arrays = fold_in(fitted, material.factors).to_arrays() | bare.to_arrays("bare_")
    arrays |= {
        "vector_weights": fitted.weights[len(material.factors) :] * np.float32(VECTOR_GAIN),
        "mixed_weights": mixed.weights[:, 0],
        "mixed_bias": mixed.bias,
    }
    details = _details(data, labelled, spec, heats, mixed_from, seed=seed, created_at=created_at)
    figures = _figures_unseen(labelled, unseen)
    if reader is not None:
        found = _compared(material, unseen, spec, open_reader(reader))
        blend = fit_blend(found)
        arrays["reader_mixed_weights"] = blend.mixed_weights
        details["calibration"]["reader"] = blend.as_dict() | {"fitted_to": open_model(reader).fingerprint}
        figures += unseen_figures(found)
    folder = write_model(out, kind=KIND, name="sentiment", version="1", details=details, arrays=arrays)
    judge = LinearJudge.from_folder(folder)
    figures += judge_kept_back(judge, labelled, material.cleans)
    if reader is not None:
        figures += judge_kept_back(judge, labelled, material.cleans, open_reader(judged_reader or reader))
    metrics = {"metrics": [figure.as_dict() for figure in figures]}
    return write_model(
        out, kind=KIND, name="sentiment", version="1", details=details | metrics, card=sentiment_card(figures, details)
    )


def _compared(material: Material, unseen: Unseen, spec: NgramSpec, encoder: ReaderEncoder) -> Compared:
    """Score comments that neither the n-gram heads nor the reader has seen, by n-grams alone, and read them."""
    labelled = material.labelled
    wanted = np.isin(labelled.sources[unseen.rows], UNSEEN) & ~labelled.judged[unseen.rows]
    rows, heads = unseen.rows[wanted], unseen.heads[wanted]
    texts, langs = [material.cleans[row] for row in rows.tolist()], labelled.langs[rows].tolist()
    clauses = clauses_of(texts, langs, range(len(texts)))
    spans = zip(clauses.rows.tolist(), clauses.starts.tolist(), clauses.ends.tolist(), strict=True)
    parts = stretch(ngram_matrix([texts[row][start:end] for row, start, end in spans], spec), material.factors)
    own, clause_own = np.zeros((len(rows), 4), dtype=np.float32), np.zeros((len(clauses), 3), dtype=np.float32)
    for number, bare in enumerate(unseen.bare):
        here, there = np.flatnonzero(heads == number), np.flatnonzero(heads[clauses.rows] == number)
        own[here] = bare.scores(material.design.sparse[rows[here]])
        clause_own[there] = bare.scores(parts[there])[:, :3]
    return Compared(
        labelled.labels[rows],
        labelled.langs[rows],
        labelled.sources[rows],
        np.asarray(labelled.sets[rows] == ROOT_CAUSES, dtype=bool),
        own,
        clauses,
        clause_own,
        read(encoder, texts, clauses),
    )


def _figures_unseen(labelled: Labelled, unseen: Unseen) -> list[Figure]:
    kept = labelled.labels[unseen.rows] != MIXED
    rows, probs = unseen.rows[kept], crossed_probs(labelled, unseen)[kept]
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
    data: Path,
    labelled: Labelled,
    spec: NgramSpec,
    heats: Mapping[str, float],
    mixed_from: float,
    *,
    seed: int,
    created_at: str,
) -> dict[str, Any]:
    names, counts = np.unique(labelled.sets[~labelled.judged], return_counts=True)
    used = dict(zip(map(str, names), map(int, counts), strict=True))
    written = {"name": PHRASES, "rows": used.pop(PHRASES, 0), "licence": "Apache-2.0, written for this model"}
    return {
        "languages": list(_LANGS),
        "labels": list(POLARITIES),
        "ngrams": {"words": list(spec.words), "chars": list(spec.chars), "bits": spec.bits},
        "encoder": encoder_fingerprint(),
        "calibration": {
            "method": "temperature by language, fitted on sources never seen",
            "temperatures": {lang: round(value, 4) for lang, value in heats.items()},
            "mixed_from": round(mixed_from, 4),
        },
        "training_data": [*provenance(data, used), written],
        "library_versions": {name: version(name) for name in ("numpy", "scipy", "pyarrow", "safetensors")},
        "seed": seed,
        "created_at": created_at,
    }
