"""Measures root causes: drivers, causes, evidence, readings, calibration, and a baseline beside them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Floats, Found
from feedback_nlp.rootcause.backends.linear import KIND, LinearTagger, calibrated
from feedback_nlp.train.figures import Figure, accuracy, bootstrap, card_table, expected_calibration_error, macro_f1
from feedback_nlp.train.fit_vectors import encode
from feedback_nlp.train.rootcause_data import (
    CAUSE_LABELS,
    DRIVER_LABELS,
    SOURCE_FOLDS,
    SYNTHETIC,
    Annotated,
    driver_flags,
    read_dev,
    read_training,
)

SUITE = "rootcause"
DEV = "rootcause dev"
UNSEEN = "sources never seen"
_LANGS = ("ar", "fa", "en")

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Statistic = Callable[[Any, Any], float]


def f1(truth: Any, found: Any) -> float:  # noqa: ANN401 - bool arrays of any shape
    """Return F1 of the positive label, over all cells of the arrays."""
    hit = np.sum(truth & found)
    return float(2 * hit / max(np.sum(truth) + np.sum(found), 1))


def mean_f1(truth: Any, found: Any) -> float:  # noqa: ANN401 - bool arrays (rows, labels)
    """Return the mean of the columns' F1."""
    return float(np.mean([f1(truth[:, k], found[:, k]) for k in range(truth.shape[1])]))


def _figure(data: str, lang: str, metric: str, value: tuple[float, float, float], n: int) -> Figure:
    return Figure(SUITE, data, lang, metric, *value, n=n, anchor=_ANCHORS.get((data, metric), ""))


_ANCHORS = {(DEV, "micro-F1, cause × sign"): "two annotation passes agree at .94"}


def flag_figures(data: str, lang: str, truth: Flags, found: Flags) -> list[Figure]:
    """Measure drivers and causes with their signs.

    :param truth: bool array (n, causes × signs) in the order of ``CAUSE_LABELS``.
    :param found: the same, as found.
    """
    drivers, given = driver_flags(truth), driver_flags(found)
    figures = [
        _figure(data, lang, f"F1, {name}", bootstrap(f1, drivers[:, k], given[:, k]), len(truth))
        for k, name in enumerate(DRIVER_LABELS)
    ]
    figures.append(_figure(data, lang, "macro-F1, driver × sign", bootstrap(mean_f1, drivers, given), len(truth)))
    figures.append(_figure(data, lang, "micro-F1, cause × sign", bootstrap(f1, truth, found), len(truth)))
    return figures


def calibration_figure(data: str, lang: str, truth: Flags, probs: Floats) -> Figure:
    """Measure the expected calibration error over all driver × sign decisions.

    :param truth: bool array (n, causes × signs).
    :param probs: array (n, labels), drivers first.
    """
    drivers = driver_flags(truth)
    value = expected_calibration_error(drivers.reshape(-1).astype(float), probs[:, : len(DRIVER_LABELS)].reshape(-1))
    return Figure(SUITE, data, lang, "ECE, driver × sign", value, n=len(truth))


def as_comments(annotated: Annotated) -> Comments:
    """Return the comments as a tagger takes them."""
    return Comments(annotated.cleans, encode(annotated.cleans), annotated.clauses)


def found_flags(found: Sequence[Found], count: int) -> Flags:
    """Return findings as bool array (count, causes × signs)."""
    names = {label.split(".")[1]: k for k, label in enumerate(CAUSE_LABELS)}
    flags = np.zeros((count, len(CAUSE_LABELS)), dtype=bool)
    for piece in found:
        flags[piece.row, names[f"{piece.cause}{piece.sign}"]] = True
    return flags


def _tokens(text: str, start: int, end: int) -> set[int]:
    """Return the words that a stretch touches, by where they begin."""
    first = text.rfind(" ", 0, start + 1) + 1
    return {at for at in range(first, end) if at == 0 or text[at - 1] == " "}


def evidence_figure(annotated: Annotated, found: Sequence[Found]) -> Figure:
    """Measure how far the words of the evidence agree, over causes that were rightly found."""
    names = {label.split(".")[1]: k for k, label in enumerate(CAUSE_LABELS)}
    given = {(piece.row, names[f"{piece.cause}{piece.sign}"]): piece for piece in found}
    scores = []
    for gold in annotated.evidence:
        piece = given.get((gold.row, gold.label))
        if piece is not None:
            text = annotated.cleans[gold.row]
            wanted, words = _tokens(text, gold.start, gold.end), _tokens(text, piece.start, piece.end)
            scores.append(2 * len(wanted & words) / max(len(wanted) + len(words), 1))
    values = np.array(scores)
    value = bootstrap(lambda left, _: float(np.mean(left)), values, values)
    return _figure(DEV, "all", "token-F1 of evidence, causes rightly found", value, len(values))


def dev_figures(tagger: LinearTagger, dev: Annotated) -> list[Figure]:
    """Measure a tagger on the development comments."""
    comments = as_comments(dev)
    tags = tagger.tag(comments)
    probs = tagger.probabilities(comments)
    found = found_flags(tags.found, len(dev))
    figures: list[Figure] = []
    for lang in (*_LANGS, "all"):
        here = (dev.langs == lang) | (lang == "all")
        figures += flag_figures(DEV, lang, dev.causes[here], found[here])
        figures.append(calibration_figure(DEV, lang, dev.causes[here], probs[here]))
    figures.append(evidence_figure(dev, tags.found))
    for name in READING_VALUES:
        pair = (dev.readings[name], tags.readings[name].labels)
        figures.append(_figure(DEV, "all", f"accuracy, {name}", bootstrap(accuracy, *pair), len(dev)))
        figures.append(_figure(DEV, "all", f"macro-F1, {name}", bootstrap(macro_f1, *pair), len(dev)))
        figures.append(_figure(DEV, "all", f"kappa, {name}", bootstrap(kappa, *pair), len(dev)))
    others = np.array([["product" in row, "external" in row] for row in tags.others])
    figures.append(_figure(DEV, "all", "F1, product", bootstrap(f1, dev.others[:, 0], others[:, 0]), len(dev)))
    return figures


def kappa(truth: Any, found: Any) -> float:  # noqa: ANN401 - int arrays
    """Return Cohen's kappa."""
    values = np.union1d(truth, found)
    chance = sum(float(np.mean(truth == value) * np.mean(found == value)) for value in values)
    return float((np.mean(truth == found) - chance) / max(1 - chance, 1e-9))


def unseen_figures(
    tagger: LinearTagger, annotated: Annotated, rows: np.ndarray[Any, Any], scores: tuple[Floats, Floats]
) -> list[Figure]:
    """Measure scores by heads that never saw the comments' sources, with the tagger's decisions.

    :param rows: int array (n,), the comments.
    :param scores: arrays (n, labels) of the whole comments and of their best clauses.
    """
    probs = calibrated(*scores, tagger.decisions.platt, tagger.heads.labels)
    found = np.zeros((len(rows), len(CAUSE_LABELS)), dtype=bool)
    for row, label in tagger.chosen(probs):
        found[row, label - len(DRIVER_LABELS)] = True
    truth, langs = annotated.causes[rows], annotated.langs[rows]
    figures: list[Figure] = []
    for lang in (*_LANGS, "all"):
        here = (langs == lang) | (lang == "all")
        figures += flag_figures(UNSEEN, lang, truth[here], found[here])
        figures.append(calibration_figure(UNSEEN, lang, truth[here], probs[here]))
    return figures


def baseline_figures(training: Annotated, dev: Annotated, *, seed: int = 17) -> list[Figure]:
    """Measure TF-IDF of words 1-2 with logistic regression, on the development comments and on sources never seen."""
    real = training.sources != SYNTHETIC
    truth = driver_flags(training.causes)
    found = _baseline(training, np.flatnonzero(real), dev.cleans, seed)
    pairs = [(f"{DEV}, TF-IDF + LR", driver_flags(dev.causes), found)]
    unseen, rows = [], []
    for sources in SOURCE_FOLDS:
        held = np.isin(training.sources, sources)
        rows.append(np.flatnonzero(held))
        texts = [training.cleans[row] for row in rows[-1].tolist()]
        unseen.append(_baseline(training, np.flatnonzero(real & ~held), texts, seed))
    pairs.append((f"{UNSEEN}, TF-IDF + LR", truth[np.concatenate(rows)], np.concatenate(unseen)))
    figures: list[Figure] = []
    for data, wanted, given in pairs:
        for k, name in enumerate(DRIVER_LABELS):
            figures.append(_figure(data, "all", f"F1, {name}", bootstrap(f1, wanted[:, k], given[:, k]), len(wanted)))
        figures.append(_figure(data, "all", "macro-F1, driver × sign", bootstrap(mean_f1, wanted, given), len(wanted)))
    return figures


def _baseline(training: Annotated, rows: Any, texts: Sequence[str], seed: int) -> Flags:  # noqa: ANN401 - int array
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
    fitted = vectorizer.fit_transform([training.cleans[row] for row in rows])
    wanted = driver_flags(training.causes)[rows]
    seen = vectorizer.transform(texts)
    found = [
        LogisticRegression(C=10, class_weight="balanced", max_iter=300, random_state=seed)
        .fit(fitted, wanted[:, k])
        .predict(seen)
        for k in range(len(DRIVER_LABELS))
    ]
    return np.stack(found, axis=1)


def evaluate(data: Path, *, model: str = "rootcause", baseline: bool = True, seed: int = 17) -> list[Figure]:
    """Measure a root-cause model on the development comments.

    :param data: the data folder.
    :param model: name or folder of the model.
    :param baseline: whether TF-IDF with logistic regression is fitted and measured beside it.
    :raises MissingInputError: when a data file is missing.
    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    tagger = LinearTagger.from_folder(open_model(resolve_model(model)).require(KIND))
    dev = read_dev(data)
    figures = dev_figures(tagger, dev)
    return figures + (baseline_figures(read_training(data), dev, seed=seed) if baseline else [])


def rootcause_card(figures: Sequence[Figure], details: Mapping[str, Any]) -> str:
    """Write the model card."""
    sets = "\n".join(f"- {row['name']}: {row['rows']:,} comments" for row in details["training_data"])
    return f"""# rootcause

Why a comment praises or complains: company policy or employee behaviour, in eleven causes with sign, score and the
words that show it; and emotion, effort, resolution, intent, journey stage and level of the customer-experience pyramid.
Arabic, Persian and English.

## How it was made
Logistic heads over hashed n-grams (words 1-2, characters 3-5) and the comment's vector from `encoder-static`, fitted at
once on whole comments and on their clauses, where a clause carries the causes whose evidence it holds. Written comments
teach rare causes. The scores of the whole and of its best clause are weighed into a probability; thresholds give the
best F1 on comments and sources that the scoring heads never saw. Evidence is the stretch of words within a clause with
the largest weights. Readings are softmax heads. Made by `feedback-nlp train rootcause`, seed {details["seed"]}.

## Figures
"{DEV}": development comments of the sources that the model was trained on. "{UNSEEN}": heads fitted without the source
and without others of its kind.
{card_table(figures)}
## Limits
Rare causes (authority, handoff, support) rest on few real comments. Kinds of business that are not in the data are
judged worse. Irony and hearsay are taken at their word. The annotation was made by a language model under a guide.

## Data
Annotated comments, drawn from these sets, and written ones (synthetic):
{sets}
"""
