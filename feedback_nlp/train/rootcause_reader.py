"""Weighs a reading encoder's scores together with the n-grams', on comments that neither has learnt from.

Those are the sources that the reader was first trained without, and the annotated comments whose sentiment is kept for
judging. The heads that score them here are fitted without them, too; the shipped heads stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import OTHER_CAUSES
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.linear import LinearHead, softmax
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model, write_model
from feedback_nlp.core.reading import READING_SLICES
from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.rootcause.backends import Comments, Floats, Ints, Read
from feedback_nlp.rootcause.backends.blend import Blend, label_scores
from feedback_nlp.rootcause.backends.linear import KIND, LinearTagger, best_of, with_families
from feedback_nlp.train.data import details_of
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.fit import Design, fold_in
from feedback_nlp.train.reader_data import UNSEEN as UNREAD_SOURCES
from feedback_nlp.train.reader_data import kept_back_keys
from feedback_nlp.train.rootcause import (
    LABELS,
    USUAL_THRESHOLD,
    Mask,
    Material,
    best_threshold,
    labels_of,
    prepare_all,
    reading_columns,
)
from feedback_nlp.train.rootcause_card import rootcause_card
from feedback_nlp.train.rootcause_data import LANGS, SYNTHETIC, Annotated, read_dev, read_training
from feedback_nlp.train.rootcause_figures import (
    DEV,
    UNSEEN,
    Flags,
    calibration_figure,
    cause_figures,
    chosen_flags,
    dev_figures,
    flag_figures,
    found_flags,
    source_figures,
    token_f1,
)
from feedback_nlp.train.sentiment_data import read_labelled, text_key

WITH_READER = "with a reader"
_L2, _PRIOR_SHARE = 1e-3, 0.5
_GAIN_WEIGHTS, _REACHES = (4.0, 8.0, 16.0, 32.0), (-0.2, -0.1, 0.0, 0.1, 0.2)
_SPANS_TRIED = 1_000
_DRIVERS = sum("." not in name for name in LABELS)

Wide = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Scored:
    """Comments scored by heads and by a reader that never saw them.

    :param wholes: float32 array (n, labels), the n-grams' scores of whole comments.
    :param clauses: float32 array (n, labels), the same of their best clauses.
    :param raw: float32 array (n, other causes and values of readings), the n-grams' scores.
    :param read: float32 array (n, READING_LABELS), the reader's scores of whole comments.
    :param read_clauses: float32 array (n, labels), the reader's scores of their best clauses.
    :param truth: bool array (n, labels).
    :param others: bool array (n, other causes).
    :param readings: int array (n,) by reading.
    """

    wholes: Floats
    clauses: Floats
    raw: Floats
    read: Floats
    read_clauses: Floats
    truth: Flags
    others: Flags
    readings: Mapping[str, Ints]

    def take(self, rows: Any) -> "Scored":  # noqa: ANN401 - bool or int array
        """Return some of the comments."""
        return Scored(
            self.wholes[rows],
            self.clauses[rows],
            self.raw[rows],
            self.read[rows],
            self.read_clauses[rows],
            self.truth[rows],
            self.others[rows],
            {name: found[rows] for name, found in self.readings.items()},
        )


def read_comments(comments: Comments, encoder: str | Path) -> Comments:
    """Return the comments with what a reading encoder says of them, and without vectors.

    :param encoder: name or folder of a model of kind ``encoder`` that reads.
    :raises ModelError: when it does not read.
    """
    found = open_encoder(ShippedBackend(model=str(encoder)))
    reading = getattr(found, "read", None)
    if reading is None or not getattr(found, "reads", False):
        raise ModelError(f"{encoder}: has no reading layer.")
    said = reading(list(comments.texts), comments.clauses)
    known = np.asarray(said.vectors.any(axis=1))
    spans = np.column_stack([said.token_owners, said.token_bounds]).astype(np.int64)
    read = Read(known, said.scores, said.clause_scores, spans, said.token_scores)
    return Comments(comments.texts, None, comments.clauses, read)


def kept_back(data: Path, annotated: Annotated, *, seed: int) -> Mask:
    """Tell which training comments no reader ever saw with labels."""
    keys = kept_back_keys(read_labelled(data, seed=seed))
    kept = np.array([text_key(text) in keys for text in annotated.texts], dtype=bool)
    return np.asarray(kept & (annotated.sources != SYNTHETIC))


def unread(data: Path, annotated: Annotated, *, seed: int) -> Mask:
    """Tell which training comments a reader of the first round never saw with labels."""
    return np.asarray(kept_back(data, annotated, seed=seed) | np.isin(annotated.sources, UNREAD_SOURCES))


def part_of(annotated: Annotated, held: Mask) -> Comments:
    """Return some comments as a tagger takes them, numbered anew, without vectors."""
    position = np.cumsum(held) - 1
    clauses = annotated.clauses[held[annotated.clauses[:, 0]]].copy()
    clauses[:, 0] = position[clauses[:, 0]]
    return Comments([annotated.cleans[row] for row in np.flatnonzero(held).tolist()], None, clauses)


def score(material: Material, held: Mask, comments: Comments, heads: tuple[LinearHead, LinearHead]) -> Scored:
    """Score comments left out by heads that were fitted without them, their vectors left aside.

    :param comments: those comments, read by the reader.
    :param heads: of causes and of readings, on stretched features.
    """
    annotated, rows = material.annotated, np.flatnonzero(held)
    read = comments.read
    if read is None:
        raise ModelError("rootcause: the comments have not been read.")
    causes, readings = (LinearHead(head.weights[: len(f)], head.bias) for head, f in _factored(material, heads))
    in_clauses = Design(material.clause_design.sparse[np.flatnonzero(held[annotated.clauses[:, 0]])]).scores(causes)
    return Scored(
        Design(material.design.sparse[rows]).scores(causes),
        best_of(in_clauses, comments.clauses[:, 0], len(rows)),
        Design(material.reading_design.sparse[rows]).scores(readings),
        read.wholes,
        best_of(label_scores(read.clauses), comments.clauses[:, 0], len(rows)),
        labels_of(annotated.causes[rows]),
        annotated.others[rows],
        {name: found[rows] for name, found in annotated.readings.items()},
    )


def _factored(material: Material, heads: tuple[LinearHead, LinearHead]) -> Iterator[tuple[LinearHead, Floats]]:
    return zip(heads, (material.factors, material.reading_factors), strict=True)


def fit_blend(scored: Scored) -> Blend:
    """Fit weights, thresholds and offsets; evidence is left as it is by default."""
    features = np.stack([scored.wholes, scored.clauses, label_scores(scored.read), scored.read_clauses], axis=2).astype(
        np.float64
    )
    weights = np.zeros((5, len(LABELS)), dtype=np.float32)
    for group in (range(_DRIVERS), range(_DRIVERS, len(LABELS))):
        shared = _fit_shared(features[:, group], scored.truth[:, group])
        for k in group:
            weights[:, k] = _fit_one(features[:, k], scored.truth[:, k], shared)
    others = np.stack([_fit_other(scored, k) for k in range(len(OTHER_CAUSES))], axis=1)
    parts = {name: _fit_reading(scored, name, first, last) for name, first, last in reading_columns()}
    blend = Blend(
        weights,
        np.ones(len(LABELS), dtype=np.float32),
        others,
        np.ones(len(OTHER_CAUSES), dtype=np.float32),
        {name: pair for name, (pair, _) in parts.items()},
        {name: offsets for name, (_, offsets) in parts.items()},
        np.array([4.0, 3.0], dtype=np.float32),
    )
    usual = np.full(len(LABELS), USUAL_THRESHOLD), np.full(len(OTHER_CAUSES), USUAL_THRESHOLD)
    return with_thresholds(blend, scored, usual)


def with_thresholds(blend: Blend, scored: Scored, usual: tuple[Floats, Floats]) -> Blend:
    """Fit the thresholds of a blend on scored comments.

    :param usual: thresholds of labels and of other causes that those of rare ones are drawn to.
    """
    probs = blend.probabilities(scored.wholes, scored.clauses, scored.read, scored.read_clauses)
    probs = with_families(probs, LABELS)
    other = blend.other_probabilities(scored.raw[:, : len(OTHER_CAUSES)], scored.read)
    return replace(
        blend,
        thresholds=_best_thresholds(probs, scored.truth, usual[0]),
        other_thresholds=_best_thresholds(other, scored.others, usual[1]),
    )


def _best_thresholds(probs: Floats, truth: Flags, usual: Floats) -> Floats:
    found = [best_threshold(probs[:, k], truth[:, k], float(usual[k])) for k in range(len(usual))]
    return np.array(found, dtype=np.float32)


def _fit_shared(features: Wide, truth: Flags) -> Wide:
    """Fit weights that a group of labels shares, each label with a bias of its own.

    :param features: float64 array (n, labels, scores).
    :returns: float64 array (scores,).
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    rows, labels, width = features.shape

    def loss(packed: Wide) -> tuple[float, Wide]:
        weights, bias = packed[:width], packed[width:]
        scores = features @ weights + bias
        residual = (expit(scores) - truth) / rows
        value = float((np.logaddexp(0, scores) - truth * scores).sum()) / rows + 0.5 * _L2 * float(weights @ weights)
        slope = np.tensordot(residual, features, axes=((0, 1), (0, 1))) + _L2 * weights
        return value, np.concatenate([slope, residual.sum(axis=0)])

    start = np.concatenate([np.zeros(width), np.full(labels, -2.0)])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x[:width])


def _fit_one(features: Wide, truth: Mask, prior: Wide) -> Floats:
    """Fit the weights of one label, drawn to those of its group, and its bias.

    :param features: float64 array (n, scores).
    :returns: float32 array (scores + 1,), the bias last.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(packed: Wide) -> tuple[float, Wide]:
        away = packed[:-1] - prior
        scores = features @ packed[:-1] + packed[-1]
        residual = (expit(scores) - truth) / len(truth)
        value = float(np.mean(np.logaddexp(0, scores) - truth * scores)) + 0.5 * _L2 * float(away @ away)
        return value, np.append(features.T @ residual + _L2 * away, residual.sum())

    return np.asarray(minimize(loss, np.append(prior, -2.0), jac=True, method="L-BFGS-B").x, dtype=np.float32)


def _fit_other(scored: Scored, column: int) -> Floats:
    pair = np.stack([scored.raw[:, column], scored.read[:, READING_SLICES["others"]][:, column]], axis=1)
    return _fit_one(pair.astype(np.float64), scored.others[:, column], np.array([0.5, 0.5]))


def _fit_reading(scored: Scored, name: str, first: int, last: int) -> tuple[Floats, Floats]:
    """Return the weights of both scores of a reading, and the offsets of its values."""
    from scipy.optimize import minimize

    known = scored.readings[name] >= 0
    labels = scored.readings[name][known]
    both = np.stack([scored.raw[:, first:last], scored.read[:, READING_SLICES[name]]], axis=2)[known].astype(np.float64)

    def loss(weights: Wide) -> float:
        scores = both @ weights
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -float(logs[np.arange(len(labels)), labels].mean())

    found = minimize(loss, np.array([0.5, 0.5]), method="L-BFGS-B", bounds=((0, 8), (0, 8))).x
    prior = softmax((both @ found).astype(np.float32)).mean(axis=0)
    offsets = -_PRIOR_SHARE * np.log(np.maximum(prior, 1e-4))
    return np.asarray(found, dtype=np.float32), offsets.astype(np.float32)


def fit_evidence(tagger: LinearTagger, comments: Comments, annotated: Annotated, held: Mask) -> Blend:
    """Choose how evidence weighs gains and tokens: what agrees best with the annotated words of some comments.

    :param tagger: with a blend, and heads that were fitted without the comments.
    :param comments: read comments.
    :param held: which of the annotated comments they are.
    """
    if tagger.blend is None:
        raise ModelError("rootcause: the model was fitted without a reader.")
    position = np.cumsum(held) - 1
    known = [piece for piece in annotated.evidence if held[piece.row]]
    known = [replace(piece, row=int(position[piece.row])) for piece in known[:: max(len(known) // _SPANS_TRIED, 1)]]
    pairs = [(piece.row, _DRIVERS + piece.label) for piece in known]
    best = (-1.0, tagger.blend)
    for weight in _GAIN_WEIGHTS:
        for reach in _REACHES:
            tried = replace(tagger.blend, evidence=np.array([weight, reach * weight], dtype=np.float32))
            spans = replace(tagger, blend=tried).show(comments, pairs)
            given = {(p.row, p.label): _Span(*span) for p, span in zip(known, spans, strict=True)}
            agreed = float(token_f1(comments.texts, known, given).mean()) if known else 0.0
            best = max(best, (agreed, tried), key=lambda one: one[0])
    return best[1]


@dataclass(frozen=True)
class _Span:
    start: int
    end: int


def add_blend(
    data: Path, model: Path, reader: str | Path, *, judged_reader: str | Path | None = None, seed: int = 17
) -> ModelFolder:
    """Fit a blend for a root-cause model that stands, and write it into its folder with figures and card.

    :param data: the data folder.
    :param model: folder of a model of kind ``rootcause-linear``.
    :param reader: name or folder of a reading encoder of the first round, which never saw ``reader_data.UNSEEN``.
    :param judged_reader: the encoder that will read, with which development comments are judged; ``reader`` itself
        where not given.
    :param seed: draws the comments whose sentiment is kept for judging.
    :raises ModelError: when a model is missing, damaged or of another kind.
    """
    judged_reader = judged_reader or reader
    folder = open_model(model).require(KIND)
    tagger = LinearTagger.from_folder(folder)
    annotated, dev = read_training(data), read_dev(data)
    material = prepare_all(data, annotated)
    unseen = unread(data, annotated, seed=seed)
    heads = material.fit_causes(~unseen), material.fit_readings(~unseen)
    held = unseen & ~annotated.chosen
    comments = read_comments(part_of(annotated, held), reader)
    scored = score(material, held, comments, heads)
    without = replace(tagger.heads, cause_head=fold_in(heads[0], material.factors))
    apart = replace(tagger, heads=without, blend=fit_blend(scored))
    blend = fit_evidence(apart, comments, annotated, held)
    shipped = replace(tagger, blend=blend)
    read_dev_comments = read_comments(Comments(dev.cleans, None, dev.clauses), judged_reader)
    figures = dev_figures(shipped, dev, read_dev(data, second=True), comments=read_dev_comments, data=named(DEV))
    of_dev = dev.causes, found_flags(shipped.tag(read_dev_comments).found, len(dev))
    figures += blend_figures(tagger, scored, annotated.sources[held], annotated.langs[held], of_dev)
    details = details_of(folder)
    details["reader"] = open_model(resolve_model(judged_reader)).fingerprint
    standing = [Figure(**row) for row in details["metrics"] if WITH_READER not in row["data"]]
    details["metrics"] = [figure.as_dict() for figure in standing + figures]
    arrays = {name: value for name, value in folder.arrays().items() if not name.startswith("blend_")}
    return write_model(
        model,
        kind=KIND,
        name=str(folder.manifest["name"]),
        version=str(folder.manifest["version"]),
        details=details,
        arrays=arrays | blend.to_arrays(),
        card=rootcause_card(standing + figures, details),
    )


def named(data: str) -> str:
    """Return what figures are called where a reader has read."""
    return f"{data}, {WITH_READER}"


def blend_figures(
    tagger: LinearTagger,
    scored: Scored,
    sources: Any,  # noqa: ANN401 - str array
    langs: Any,  # noqa: ANN401 - str array
    of_dev: tuple[Flags, Flags],
) -> list[Figure]:
    """Measure sources that neither heads, nor reader, nor blend has seen: each source's blend is fitted on the others.

    :param sources: str array (n,).
    :param langs: str array (n,).
    :param of_dev: the development comments' causes, as annotated and as found; each cause is measured on both.
    """
    probs = np.zeros(scored.truth.shape, dtype=np.float32)
    found = np.zeros((len(probs), scored.truth.shape[1] - _DRIVERS), dtype=bool)
    judged = np.isin(sources, UNREAD_SOURCES)
    for source in UNREAD_SOURCES:
        here = sources == source
        if here.any() and not here.all():
            blended = replace(tagger, blend=fit_blend(scored.take(~here)))
            some = scored.take(here)
            probs[here] = blended.blended(some.wholes, some.clauses, some.read, some.read_clauses)
            found[here] = chosen_flags(blended, probs[here], read=np.ones(int(here.sum()), dtype=bool))
    causes = scored.truth[:, _DRIVERS:]
    figures: list[Figure] = []
    for lang in (*LANGS, "all"):
        rows = judged & ((langs == lang) | (lang == "all"))
        if rows.any():
            figures += flag_figures(named(UNSEEN), lang, causes[rows], found[rows])
            figures.append(calibration_figure(named(UNSEEN), lang, causes[rows], probs[rows]))
    figures += source_figures(named(UNSEEN), sources[judged], causes[judged], found[judged])
    both = (np.concatenate(pair) for pair in zip(of_dev, (causes[judged], found[judged]), strict=True))
    return figures + cause_figures(named(f"dev and {UNSEEN}"), *both)
