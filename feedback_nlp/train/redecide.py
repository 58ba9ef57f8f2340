"""Decides anew how likely a label is, and from where on it is given, where another encoder reads; all weights stay.

What decides are the annotated comments kept back: the encoder has not learnt from them, and the n-gram heads that score
them here are fitted without them. They are few, so biases and thresholds are drawn to those that stand, and neutral is
weighed by what probabilities let expect, without the truth.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.core.errors import MissingInputError, ModelError
from feedback_nlp.core.modelfolder import CARD, ModelFolder, open_model, resolve_model, write_model
from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.backends.blend import Blend
from feedback_nlp.rootcause.backends.linear import KIND as ROOT_CAUSE
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.sentiment.backends import Floats, Judgement
from feedback_nlp.sentiment.backends.linear import KIND as SENTIMENT
from feedback_nlp.sentiment.backends.linear import LinearJudge
from feedback_nlp.sentiment.stage import decide
from feedback_nlp.train.data import details_of
from feedback_nlp.train.evaluate_sentiment import judge_texts
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.rejudge import judge_rootcause, judge_sentiment
from feedback_nlp.train.rootcause import Mask, prepare_all
from feedback_nlp.train.rootcause_data import DRIVER_LABELS, LANGS, Annotated, read_dev, read_training
from feedback_nlp.train.rootcause_figures import (
    KEPT,
    Flags,
    calibration_figure,
    cause_figures,
    chosen_flags,
    flag_figures,
    found_flags,
)
from feedback_nlp.train.rootcause_reader import (
    Scored,
    kept_back,
    named,
    part_of,
    read_comments,
    score,
    with_thresholds,
)
from feedback_nlp.train.sentiment_reader import open_reader

_FIRST, _FIRST_OTHERS, _FIRST_BIASES = "blend_first_thresholds", "blend_first_other_thresholds", "blend_first_biases"
# Draws a bias to the one that stands: chosen among .001 to .1 by the log-loss of each half of the comments kept back.
_BIAS_L2, _FARTHEST_BIAS = 0.01, 8.0
_TIMES = np.round(np.exp(np.arange(0, 1.5, 0.05)), 2)


def decide_rootcause(data: Path, model: Path, reader: str | Path, *, seed: int = 17) -> ModelFolder:
    """Fit biases and thresholds of a root-cause model anew, as an encoder reads, and measure it.

    :param data: the data folder.
    :param model: folder of a model that was fitted with a reader.
    :param reader: name or folder of the encoder that reads.
    :param seed: draws the comments kept back, as when encoder and model were made.
    :raises ModelError: when a model is missing, damaged or of another kind, or was fitted without a reader.
    :raises MissingInputError: when a data file is missing, or no annotated comment is kept back.
    """
    folder = open_model(model).require(ROOT_CAUSE)
    fitted, arrays = LinearTagger.from_folder(folder), folder.arrays()
    blend = _blend_of(fitted)
    # Drawn to those that the weights were fitted with, however often it is decided anew.
    labels, others = arrays.get(_FIRST, blend.thresholds), arrays.get(_FIRST_OTHERS, blend.other_thresholds)
    biases = arrays.get(_FIRST_BIASES, blend.weights[-1])
    weights = np.vstack([blend.weights[:-1], biases])
    tagger = replace(fitted, blend=replace(blend, weights=weights, thresholds=labels, other_thresholds=others))
    annotated, kept = _read(data, seed)
    material = prepare_all(data, annotated)
    heads = material.fit_causes(~kept), material.fit_readings(~kept)
    scored = score(material, kept, read_comments(part_of(annotated, kept), reader), heads)
    decided = _redrawn(tagger, scored)
    dev = read_dev(data)
    found = decided.tag(read_comments(Comments(dev.cleans, None, dev.clauses), reader)).found
    figures = kept_back_figures(tagger, scored, annotated.langs[kept], (dev.causes, found_flags(found, len(dev))))
    details = details_of(folder)
    details["calibration"]["decided_on"] = len(scored.truth)
    standing = [row for row in details["metrics"] if KEPT not in row["data"]]
    details["metrics"] = standing + [one.as_dict() for one in figures]
    first = {_FIRST: labels, _FIRST_OTHERS: others, _FIRST_BIASES: biases}
    _write(folder, details, arrays | _blend_of(decided).to_arrays() | first)
    return judge_rootcause(data, model, reader)


def _read(data: Path, seed: int) -> tuple[Annotated, Mask]:
    """Return the annotated comments, and which of them are kept back."""
    annotated = read_training(data)
    kept = kept_back(data, annotated, seed=seed) & ~annotated.chosen
    if not kept.any():
        raise MissingInputError(
            f"{data}: no annotated comment is kept back to decide on. Kept back are those whose text stands in the "
            "published test part of a set with a sentiment under feedback/."
        )
    return annotated, kept


def _blend_of(tagger: LinearTagger) -> Blend:
    if tagger.blend is None:
        raise _without_reader("rootcause")
    return tagger.blend


def _redrawn(tagger: LinearTagger, scored: Scored) -> LinearTagger:
    """Return a tagger with biases and thresholds that are best on some comments, drawn to those that stand."""
    blend = with_biases(_blend_of(tagger), scored)
    return replace(tagger, blend=with_thresholds(blend, scored, (blend.thresholds, blend.other_thresholds)))


def with_biases(blend: Blend, scored: Scored) -> Blend:
    """Return a blend with biases that are likeliest on some comments, drawn to those that stand.

    A label's probabilities then add up to about as many comments as have it; where few have it, less is moved.
    """
    from scipy.optimize import minimize_scalar

    stood = blend.scores(scored.wholes, scored.clauses, scored.read, scored.read_clauses).astype(np.float64)
    weights = blend.weights.copy()
    for label, (scores, truth) in enumerate(zip(stood.T, scored.truth.T, strict=True)):

        def loss(shift: float, scores: Any = scores, truth: Any = truth) -> float:  # noqa: ANN401 - arrays
            moved = scores + shift
            return float(np.mean(np.logaddexp(0, moved) - truth * moved)) + 0.5 * _BIAS_L2 * shift * shift

        weights[-1, label] += minimize_scalar(loss, bounds=(-_FARTHEST_BIAS, _FARTHEST_BIAS), method="bounded").x
    return replace(blend, weights=weights)


def kept_back_figures(
    tagger: LinearTagger,
    scored: Scored,
    langs: Any,  # noqa: ANN401 - str array
    of_dev: tuple[Flags, Flags],
) -> list[Figure]:
    """Measure the comments kept back, each half with biases and thresholds drawn on the other half.

    :param tagger: with the biases and thresholds to draw to.
    :param langs: str array (n,).
    :param of_dev: the development comments' causes, as annotated and as found; each cause is measured on both.
    """
    causes, probs = scored.truth[:, len(DRIVER_LABELS) :], np.zeros(scored.truth.shape, dtype=np.float32)
    found, half = np.zeros_like(causes), np.arange(len(probs)) % 2 == 0
    for side in (half, ~half):
        drawn, part = _redrawn(tagger, scored.take(~side)), scored.take(side)
        probs[side] = drawn.blended(part.wholes, part.clauses, part.read, part.read_clauses)
        found[side] = chosen_flags(drawn, probs[side], read=np.ones(int(side.sum()), dtype=bool))
    figures: list[Figure] = []
    for lang in (*LANGS, "all"):
        rows = np.asarray((langs == lang) | (lang == "all"))
        if rows.any():
            figures += flag_figures(named(KEPT), lang, causes[rows], found[rows])
            figures.append(calibration_figure(named(KEPT), lang, causes[rows], probs[rows]))
    both = (np.concatenate(pair) for pair in zip(of_dev, (causes, found), strict=True))
    return figures + cause_figures(named(f"dev and {KEPT}"), *both)


def decide_sentiment(data: Path, model: Path, reader: str | Path, *, seed: int = 17) -> ModelFolder:
    """Weigh the probability of neutral anew, as an encoder reads, and measure the model on the comments kept back.

    :param data: the data folder.
    :param model: folder of a sentiment model that was fitted with a reader.
    :param reader: name or folder of the encoder that reads.
    :param seed: draws the comments kept back, as when encoder and model were made.
    :raises ModelError: when a model is missing, damaged or of another kind, or was fitted without a reader.
    :raises MissingInputError: when a data file is missing, or no annotated comment is kept back.
    """
    folder = open_model(model).require(SENTIMENT)
    judge = LinearJudge.from_folder(folder)
    if judge.blend is None:
        raise _without_reader("sentiment")
    annotated, kept = _read(data, seed)
    rows = np.flatnonzero(kept)
    texts = [annotated.cleans[row] for row in rows.tolist()]
    judged = judge_texts(judge, texts, annotated.langs[rows].tolist(), open_reader(resolve_model(reader)))
    details = details_of(folder)
    details["calibration"]["reader"]["neutral_times"] = best_neutral_times(judged)
    _write(folder, details)
    return judge_sentiment(data, model, reader, seed=seed)


def _without_reader(what: str) -> ModelError:
    return ModelError(
        f"{what}: the model was fitted without a reader, so nothing is decided by one. Fit it with one first: "
        f"`feedback-nlp train {what} --reader READER`."
    )


def _write(folder: ModelFolder, details: dict[str, Any], arrays: Mapping[str, Floats] | None = None) -> None:
    name, version = str(folder.manifest["name"]), str(folder.manifest["version"])
    card = (folder.path / CARD).read_text(encoding="utf-8")
    write_model(folder.path, kind=folder.kind, name=name, version=version, details=details, arrays=arrays, card=card)


def best_neutral_times(judged: Judgement) -> float:
    """Return what to multiply neutral's probability with for the highest macro-F1 to be expected of probabilities.

    A label that is rare and never certain is missed by whoever takes the likeliest, at little cost in right labels and
    at great cost in its own F1 (Lipton et al. 2014, https://arxiv.org/abs/1402.1892).

    :param judged: comments that the judge has not learnt from.
    """
    probs = np.concatenate([judged.probs * (1 - judged.mixed)[:, None], judged.mixed[:, None]], axis=1)
    gains = []
    for times in _TIMES:
        tried = replace(judged, neutral_times=np.full(len(probs), times, dtype=np.float32))
        gains.append(expected_macro_f1(probs, decide(tried)[0]))
    return float(_TIMES[int(np.argmax(gains))])


def expected_macro_f1(probs: Floats, labels: np.ndarray[Any, np.dtype[np.int64]]) -> float:
    """Return the mean over ``SENTIMENTS`` of twice the hits over findings and truths, all as probabilities let expect.

    :param probs: float32 array (texts, SENTIMENTS), rows sum to 1.
    :param labels: int array (texts,), index into ``SENTIMENTS``.
    """
    found = np.eye(len(SENTIMENTS))[labels]
    hits = (probs * found).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(found.sum(axis=0) + probs.sum(axis=0), 1e-9)))
