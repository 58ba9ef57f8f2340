"""Trains the shipped root-cause model: drivers, causes and readings, calibrated on comments and sources never seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.columns import OTHER_CAUSES
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, write_model
from feedback_nlp.core.ngrams import NgramSpec, ngram_matrix
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.rootcause.backends import READING_VALUES, Floats
from feedback_nlp.rootcause.backends.linear import KIND, LinearTagger, best_of, calibrated, halved
from feedback_nlp.train.data import provenance
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.fit import Design, best_temperature, fit_logistic, fit_softmax, fold_in, rarity, stretch
from feedback_nlp.train.fit_vectors import encode, encoder_fingerprint
from feedback_nlp.train.rootcause_card import rootcause_card
from feedback_nlp.train.rootcause_data import (
    CAUSE_LABELS,
    DRIVER_LABELS,
    LANGS,
    SOURCE_FOLDS,
    SYNTHETIC,
    Annotated,
    driver_flags,
    read_dev,
    read_training,
    read_triples,
)
from feedback_nlp.train.rootcause_figures import cross_figures, dev_figures, unseen_figures

SPEC = NgramSpec(words=(1, 2), chars=(3, 4, 5), bits=17)
LABELS = (*DRIVER_LABELS, *CAUSE_LABELS)
VECTOR_GAIN = np.float32(3)
EVIDENCE_PRICE = 0.3
_L2, _READING_L2, _ITERATIONS = 3e-4, 1e-3, 40
# Comments that a model had chosen are unlike the rest: at full weight they cost on sources never seen.
_SYNTHETIC_WEIGHT, _CHOSEN_WEIGHT = 0.7, 0.3
_TAUGHT_WEIGHT = 3.0
_RANDOM_FOLDS = 4
_FEW, USUAL_THRESHOLD = 50, 0.3
_PRIOR_SHARE = 0.5

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Material:
    """Everything a fit needs.

    :param annotated: the comments.
    :param design: whole comments for the labels: stretched n-grams and vectors.
    :param clause_design: their clauses, without vectors.
    :param reading_design: whole comments for the readings: n-grams hashed to one bit less, and vectors.
    :param factors: stretch of the n-grams.
    :param reading_factors: stretch of the n-grams hashed to one bit less.
    :param triples: comments in three languages to learn agreement from, language by language in the same order; None
        for none.
    """

    annotated: Annotated
    design: Design
    clause_design: Design
    reading_design: Design
    factors: Floats
    reading_factors: Floats
    triples: Design | None = None

    def fit_causes(self, training: Mask) -> LinearHead:
        """Fit ``LABELS`` on whole comments and on the clauses of those whose evidence is known.

        Then once more, with comments in three languages: each is taught what the first heads say of all three together.
        """
        first = self._fit_causes(training)
        if self.triples is None:
            return first
        scores = self.triples.scores(first).reshape(len(LANGS), -1, len(LABELS)).mean(axis=0)
        return self._fit_causes(training, np.tile(sigmoid(scores), (len(LANGS), 1)))

    def _fit_causes(self, training: Mask, taught: Floats | None = None) -> LinearHead:
        annotated = self.annotated
        rows = np.flatnonzero(training)
        clauses = np.flatnonzero((training & known_evidence(annotated))[annotated.clauses[:, 0]])
        clause_causes = annotated.clause_causes()[clauses]
        targets = np.concatenate([labels_of(annotated.causes[rows]), labels_of(clause_causes)]).astype(np.float32)
        weights = np.where(annotated.chosen, _CHOSEN_WEIGHT, 1.0)
        of_clauses = weights[annotated.clauses[clauses, 0]]
        weights = np.where(annotated.sources == SYNTHETIC, _SYNTHETIC_WEIGHT, weights)[rows]
        weights = np.concatenate([weights, of_clauses])
        both = self.design.take(rows).above(self.clause_design.take(clauses))
        if taught is not None and self.triples is not None:
            both, targets = both.above(self.triples), np.concatenate([targets, taught])
            weights = np.concatenate([weights, np.full(len(taught), _TAUGHT_WEIGHT)])
        spread = np.repeat(weights[:, None], len(LABELS), axis=1)
        return fit_logistic(both, targets, spread, l2=_L2, iterations=_ITERATIONS)

    def fit_readings(self, training: Mask) -> LinearHead:
        """Fit the other causes and each reading; the heads stand side by side."""
        annotated = self.annotated
        real = np.flatnonzero(training & (annotated.sources != SYNTHETIC))
        design = self.reading_design.take(real)
        # Each comment stands without its vector, too, so that the heads hold where a reader takes the vector's place.
        bare = Design(design.sparse, None if design.dense is None else np.zeros_like(design.dense))
        design, real = design.above(bare), np.concatenate([real, real])
        ones = np.ones((len(real), len(OTHER_CAUSES)))
        heads = [
            fit_logistic(
                design, annotated.others[real].astype(np.float32), ones, l2=_READING_L2, iterations=_ITERATIONS
            )
        ]
        for name, values in READING_VALUES.items():
            known = np.flatnonzero(annotated.readings[name][real] >= 0)
            targets = np.eye(len(values))[annotated.readings[name][real[known]]]
            some = design.take(known)
            heads.append(fit_softmax(some, targets, ones[known, 0], l2=_READING_L2, iterations=_ITERATIONS))
        weights = np.concatenate([head.weights for head in heads], axis=1)
        return LinearHead(weights, np.concatenate([head.bias for head in heads]))


@dataclass(frozen=True)
class Unseen:
    """Scores of comments by heads that never saw them.

    :param rows: int array (n,), the comments; a comment may stand more than once.
    :param wholes: float32 array (n, labels), scores of the whole comment.
    :param clauses: float32 array (n, labels), scores of its best clause.
    :param readings: float32 array (n, other causes and values of readings).
    """

    rows: np.ndarray[Any, np.dtype[np.int64]]
    wholes: Floats
    clauses: Floats
    readings: Floats

    def and_also(self, other: "Unseen") -> "Unseen":
        """Return the scores of both."""
        pairs = (
            (self.rows, other.rows),
            (self.wholes, other.wholes),
            (self.clauses, other.clauses),
            (self.readings, other.readings),
        )
        return Unseen(*(np.concatenate(pair) for pair in pairs))


def known_evidence(annotated: Annotated) -> Mask:
    """Tell for each comment whether it is known where its causes stand: a translation's are not."""
    known: Mask = np.logical_not(annotated.causes.any(axis=1))
    known[[piece.row for piece in annotated.evidence]] = True
    return known


def labels_of(causes: Mask) -> Mask:
    """Return bool array (n, labels) in the order of ``LABELS`` of causes in that of ``CAUSE_LABELS``."""
    return np.concatenate([driver_flags(causes), causes], axis=1)


def prepare(annotated: Annotated, triples: Sequence[str] = ()) -> Material:
    """Hash and embed comments and clauses.

    :param triples: normalised comments in three languages, language by language in the same order.
    """
    plain = ngram_matrix(annotated.cleans, SPEC)
    factors, reading_factors = rarity(plain), rarity(halved(plain))
    vectors = encode(annotated.cleans) * VECTOR_GAIN
    clauses = [annotated.cleans[row][start:end] for row, start, end in annotated.clauses]
    none = np.zeros((len(clauses), vectors.shape[1]), dtype=np.float32)
    return Material(
        annotated,
        Design(stretch(plain, factors), vectors),
        Design(stretch(ngram_matrix(clauses, SPEC), factors), none),
        Design(stretch(halved(plain), reading_factors), vectors),
        factors,
        reading_factors,
        Design(stretch(ngram_matrix(triples, SPEC), factors), encode(triples) * VECTOR_GAIN) if triples else None,
    )


def prepare_all(data: Path, annotated: Annotated) -> Material:
    """Hash and embed comments, clauses, and the comments in three languages to learn from."""
    rows = read_triples(data)
    return prepare(annotated, [normalise(str(row[lang]), lang).clean for lang in LANGS for row in rows])


def source_folds(annotated: Annotated) -> Iterator[Mask]:
    """Yield the comments of each fold of sources."""
    for sources in SOURCE_FOLDS:
        yield np.isin(annotated.sources, sources)


def random_folds(annotated: Annotated, seed: int) -> Iterator[Mask]:
    """Yield folds of the real comments at random."""
    numbers = np.random.default_rng(seed).integers(0, _RANDOM_FOLDS, len(annotated))
    for number in range(_RANDOM_FOLDS):
        yield (numbers == number) & (annotated.sources != SYNTHETIC)


def leave_out(material: Material, folds: Iterator[Mask]) -> Unseen:
    """Score the comments of each fold with heads fitted without them; those that a model had chosen are left aside."""
    found = []
    owners = material.annotated.clauses[:, 0]
    for fold in folds:
        causes, readings = material.fit_causes(~fold), material.fit_readings(~fold)
        held = fold & ~material.annotated.chosen
        rows = np.flatnonzero(held)
        clauses = np.flatnonzero(held[owners])
        position = np.cumsum(held) - 1
        best = best_of(material.clause_design.take(clauses).scores(causes), position[owners[clauses]], len(rows))
        wholes = material.design.take(rows).scores(causes)
        found.append(Unseen(rows, wholes, best, material.reading_design.take(rows).scores(readings)))
    first, *rest = found
    for other in rest:
        first = first.and_also(other)
    return first


def fit_platt(scores: list[Floats], truth: Mask) -> Floats:
    """Fit the weights of a few scores and a bias that make the truth likeliest (Platt 1999).

    :param scores: float arrays (n,).
    :returns: float32 array (len(scores) + 1,), the bias last.
    """
    features = sp.csr_matrix(np.stack(scores, axis=1).astype(np.float32))
    head = fit_logistic(Design(features), truth[:, None].astype(np.float32), np.ones((len(truth), 1)), l2=1e-3)
    return np.append(head.weights[:, 0], head.bias).astype(np.float32)


def best_threshold(probs: Floats, truth: Mask, usual: float = USUAL_THRESHOLD) -> float:
    """Return the middle of two thresholds: with the best F1 found, and with the best to be expected of probabilities.

    The first is drawn towards a usual one where the truth is rare; the second needs no truth and so hangs less on the
    comments at hand.

    :param usual: the usual threshold, 0-1.
    """
    order = np.argsort(-probs, kind="stable")
    ranked, chosen = probs[order].astype(np.float64), np.arange(1, len(truth) + 1)
    best = float(ranked[int(np.argmax(2 * np.cumsum(truth[order]) / (chosen + truth.sum())))])
    count = float(truth.sum())
    drawn = (best * count + usual * _FEW) / (count + _FEW)
    expected = float(ranked[int(np.argmax(2 * np.cumsum(ranked) / (chosen + ranked.sum())))])
    return (drawn + expected) / 2


def decide(annotated: Annotated, unseen: Unseen) -> tuple[dict[str, Floats], dict[str, float]]:
    """Fit everything that follows from scores: calibration, thresholds, temperatures, offsets.

    :returns: arrays for the model, and temperatures by reading.
    """
    truth = labels_of(annotated.causes)[unseen.rows]
    platt = np.stack([fit_platt([unseen.wholes[:, k], unseen.clauses[:, k]], truth[:, k]) for k in range(len(LABELS))])
    probs = calibrated(unseen.wholes, unseen.clauses, platt.T, LABELS)
    others = annotated.others[unseen.rows]
    other_platt = np.stack([fit_platt([unseen.readings[:, k]], others[:, k]) for k in range(len(OTHER_CAUSES))])
    other_probs = sigmoid(unseen.readings[:, : len(OTHER_CAUSES)] * other_platt[:, 0] + other_platt[:, 1])
    arrays = {
        "platt": platt.T,
        "thresholds": np.array([best_threshold(probs[:, k], truth[:, k]) for k in range(len(LABELS))]),
        "other_platt": other_platt.T,
        "other_thresholds": np.array(
            [best_threshold(other_probs[:, k], others[:, k]) for k in range(len(OTHER_CAUSES))]
        ),
    }
    heats = {}
    for name, first, last in reading_columns():
        known = annotated.readings[name][unseen.rows] >= 0
        labels = annotated.readings[name][unseen.rows[known]]
        scores = unseen.readings[known, first:last]
        heats[name] = best_temperature(scores, labels, np.ones(len(labels)))
        prior = softmax(scores / np.float32(heats[name])).mean(axis=0)
        arrays[f"offsets_{name}"] = -_PRIOR_SHARE * np.log(np.maximum(prior, 1e-4))
    return {name: np.asarray(values, dtype=np.float32) for name, values in arrays.items()}, heats


def reading_columns() -> Iterator[tuple[str, int, int]]:
    """Yield each reading with its first and last column among the reading scores."""
    first = len(OTHER_CAUSES)
    for name, values in READING_VALUES.items():
        yield name, first, first + len(values)
        first += len(values)


def train_rootcause(data: Path, out: Path, *, seed: int = 17, created_at: str = "2026-11-28") -> ModelFolder:
    """Fit the root-cause model, judge it on what it never saw, and write its folder and card.

    :param data: the data folder.
    :param out: the model folder to write.
    :param seed: deals the comments into folds.
    :param created_at: date in the manifest.
    :raises MissingInputError: when a data file is missing.
    """
    annotated = read_training(data)
    material = prepare_all(data, annotated)
    by_source = leave_out(material, source_folds(annotated))
    at_random = leave_out(material, random_folds(annotated, seed))
    decisions, heats = decide(annotated, by_source.and_also(at_random))
    arrays = _arrays(material) | decisions
    details = _details(data, annotated, heats, seed=seed, created_at=created_at)
    folder = write_model(out, kind=KIND, name="rootcause", version="1", details=details, arrays=arrays)
    tagger = LinearTagger.from_folder(folder)
    dev = read_dev(data)
    figures = dev_figures(tagger, dev, read_dev(data, second=True))
    figures += _held_out(tagger, annotated, dev, by_source, at_random)
    details |= {"metrics": [figure.as_dict() for figure in figures]}
    card = rootcause_card(figures, details)
    return write_model(out, kind=KIND, name="rootcause", version="1", details=details, card=card)


def held_out_figures(
    data: Path, tagger: LinearTagger, annotated: Annotated, dev: Annotated, *, seed: int = 17
) -> list[Figure]:
    """Measure heads on what they never saw, fitted as the tagger's are and judged by its decisions.

    :param data: the data folder.
    :param annotated: the training comments; left out once by source and once at random.
    :param dev: development comments, judged by the tagger itself.
    """
    material = prepare_all(data, annotated)
    by_source = leave_out(material, source_folds(annotated))
    return _held_out(tagger, annotated, dev, by_source, leave_out(material, random_folds(annotated, seed)))


def _held_out(
    tagger: LinearTagger, annotated: Annotated, dev: Annotated, by_source: Unseen, at_random: Unseen
) -> list[Figure]:
    figures = unseen_figures(tagger, annotated, by_source.rows, tagger.calibrated(by_source.wholes, by_source.clauses))
    probs = tagger.calibrated(at_random.wholes, at_random.clauses)
    return figures + cross_figures(tagger, dev, annotated, at_random.rows, probs)


def _arrays(material: Material) -> dict[str, Floats]:
    everything = np.ones(len(material.annotated), dtype=bool)
    causes, readings = material.fit_causes(everything), material.fit_readings(everything)
    return {
        **fold_in(causes, material.factors).to_arrays("cause_"),
        **fold_in(readings, material.reading_factors).to_arrays("reading_"),
        "cause_vectors": causes.weights[len(material.factors) :] * VECTOR_GAIN,
        "reading_vectors": readings.weights[len(material.reading_factors) :] * VECTOR_GAIN,
    }


def _details(
    data: Path, annotated: Annotated, heats: Mapping[str, float], *, seed: int, created_at: str
) -> dict[str, Any]:
    names, counts = np.unique(annotated.sources, return_counts=True)
    rows = {f"rootcause, {name}": int(count) for name, count in zip(names, counts, strict=True)}
    rows["feedback_trilingual"] = len(LANGS) * len(read_triples(data))
    return {
        "languages": ["ar", "fa", "en"],
        "labels": list(LABELS),
        "readings": {name: list(values) for name, values in READING_VALUES.items()},
        "ngrams": {"words": list(SPEC.words), "chars": list(SPEC.chars), "bits": SPEC.bits},
        "encoder": encoder_fingerprint(),
        "calibration": {
            "method": "Platt for drivers, causes and other causes; temperature for readings; on comments never seen",
            "temperatures": {name: round(value, 4) for name, value in heats.items()},
            "evidence_price": EVIDENCE_PRICE,
        },
        "training_data": list(provenance(data, rows)),
        "library_versions": {name: version(name) for name in ("numpy", "scipy", "pyarrow", "safetensors")},
        "seed": seed,
        "created_at": created_at,
    }
