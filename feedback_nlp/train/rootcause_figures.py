"""Figures of root causes: F1 of drivers and causes, mix-ups, evidence, calibration, agreement of two annotations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Floats, Found, Tags
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.train.figures import Figure, accuracy, bootstrap, expected_calibration_error, macro_f1
from feedback_nlp.train.fit_vectors import encode
from feedback_nlp.train.rootcause_data import CAUSE_LABELS, DRIVER_LABELS, LANGS, Annotated, Evidence, driver_flags

SUITE = "rootcause"
DEV = "rootcause dev"
UNSEEN = "sources never seen"
CROSS = "dev and training, cross-validated"
KEPT = "comments kept back"
FEWEST_OF_SOURCE = 20
FEWEST_POSITIVES = 15

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Anchors = Mapping[str, str]
Statistic = Callable[[Any, Any], float]


def f1(truth: Any, found: Any) -> float:  # noqa: ANN401 - bool arrays of any shape
    """Return F1 of the positive label, over all cells of the arrays."""
    hit = np.sum(truth & found)
    return float(2 * hit / max(np.sum(truth) + np.sum(found), 1))


def mean_f1(truth: Any, found: Any) -> float:  # noqa: ANN401 - bool arrays (rows, labels)
    """Return the mean of the columns' F1."""
    return float(np.mean([f1(truth[:, k], found[:, k]) for k in range(truth.shape[1])]))


def kappa(truth: Any, found: Any) -> float:  # noqa: ANN401 - int arrays
    """Return Cohen's kappa."""
    values = np.union1d(truth, found)
    chance = sum(float(np.mean(truth == value) * np.mean(found == value)) for value in values)
    return float((np.mean(truth == found) - chance) / max(1 - chance, 1e-9))


def mixed_up(truth: Any, found: Any) -> float:  # noqa: ANN401 - bool arrays (rows, 4)
    """Return the share of tagged comments that got only one driver where only the other is right.

    :param truth: flags in the order of ``DRIVER_LABELS``.
    :param found: the same, as found.
    """
    right = np.stack([truth[:, :2].any(axis=1), truth[:, 2:].any(axis=1)], axis=1)
    given = np.stack([found[:, :2].any(axis=1), found[:, 2:].any(axis=1)], axis=1)
    swapped = (right.sum(axis=1) == 1) & (given.sum(axis=1) == 1) & (right != given).all(axis=1)
    return float(swapped.sum() / max(given.any(axis=1).sum(), 1))


def figure(
    data: str, lang: str, metric: str, statistic: Statistic, pair: tuple[Any, Any], *, anchors: Anchors | None = None
) -> Figure:
    """Return a statistic of paired arrays with its interval and what stands beside it."""
    return Figure(
        SUITE, data, lang, metric, *bootstrap(statistic, *pair), n=len(pair[0]), anchor=(anchors or {}).get(metric, "")
    )


def flag_figures(data: str, lang: str, truth: Flags, found: Flags, anchors: Anchors | None = None) -> list[Figure]:
    """Measure drivers and causes with their signs.

    :param truth: bool array (n, causes × signs) in the order of ``CAUSE_LABELS``.
    :param found: the same, as found.
    :param anchors: what stands beside a metric.
    """
    drivers, given = driver_flags(truth), driver_flags(found)
    figures = [
        figure(data, lang, f"F1, {name}", f1, (drivers[:, k], given[:, k]), anchors=anchors)
        for k, name in enumerate(DRIVER_LABELS)
    ]
    figures.append(figure(data, lang, "macro-F1, driver × sign", mean_f1, (drivers, given), anchors=anchors))
    figures.append(figure(data, lang, "micro-F1, cause × sign", f1, (truth, found), anchors=anchors))
    figures.append(figure(data, lang, "policy taken for employee or back, of tagged", mixed_up, (drivers, given)))
    return figures


def source_figures(data: str, sources: Any, truth: Flags, found: Flags) -> list[Figure]:  # noqa: ANN401 - str array
    """Measure drivers with their signs source by source, and their mean, over sources of enough comments."""
    drivers, given = driver_flags(truth), driver_flags(found)
    figures = []
    for source in sorted(set(sources)):
        here = sources == source
        if here.sum() >= FEWEST_OF_SOURCE:
            figures.append(
                figure(f"{data}, {source}", source[:2], "micro-F1, driver × sign", f1, (drivers[here], given[here]))
            )
    mean = float(np.mean([one.value for one in figures])) if figures else float("nan")
    figures.append(Figure(SUITE, data, "all", "micro-F1, driver × sign, mean of sources", mean, n=len(figures)))
    return figures


def cause_figures(data: str, truth: Flags, found: Flags) -> list[Figure]:
    """Measure each cause and sign that has enough positives."""
    figures = []
    for k, name in enumerate(CAUSE_LABELS):
        count = int(truth[:, k].sum())
        if count >= FEWEST_POSITIVES:
            metric = f"F1, {name}"
            anchors = {metric: f"{count} positives"}
            figures.append(figure(data, "all", metric, f1, (truth[:, k], found[:, k]), anchors=anchors))
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
    flags = np.zeros((count, len(CAUSE_LABELS)), dtype=bool)
    for row, label, _ in _labelled(found):
        flags[row, label] = True
    return flags


def _labelled(found: Sequence[Found]) -> Iterator[tuple[int, int, Found]]:
    names = {label.split(".")[1]: k for k, label in enumerate(CAUSE_LABELS)}
    for piece in found:
        yield piece.row, names[f"{piece.cause}{piece.sign}"], piece


def _tokens(text: str, start: int, end: int) -> set[int]:
    """Return the words that a stretch touches, by where they begin."""
    first = text.rfind(" ", 0, start + 1) + 1
    return {at for at in range(first, end) if at == 0 or text[at - 1] == " "}


def token_f1(cleans: Sequence[str], evidence: Sequence[Evidence], given: Mapping[tuple[int, int], Any]) -> Floats:
    """Return how far the words of two evidences agree, for each cause of a comment that both have.

    :param given: by comment and label, an object with ``start`` and ``end``.
    """
    scores = []
    for gold in evidence:
        piece = given.get((gold.row, gold.label))
        if piece is not None:
            text = cleans[gold.row]
            wanted, words = _tokens(text, gold.start, gold.end), _tokens(text, piece.start, piece.end)
            scores.append(2 * len(wanted & words) / max(len(wanted) + len(words), 1))
    return np.array(scores, dtype=np.float32)


def evidence_figure(
    annotated: Annotated, found: Sequence[Found], *, data: str = DEV, anchors: Anchors | None = None
) -> Figure:
    """Measure how far the words of the evidence agree, over causes that were rightly found."""
    given = {(row, label): piece for row, label, piece in _labelled(found)}
    values = token_f1(annotated.cleans, annotated.evidence, given)
    metric = "token-F1 of evidence, causes rightly found"
    return figure(data, "all", metric, lambda left, _: float(np.mean(left)), (values, values), anchors=anchors)


def reading_figures(data: str, dev: Annotated, tags: Tags, anchors: Anchors) -> list[Figure]:
    """Measure the other readings and causes."""
    figures = []
    for name in READING_VALUES:
        pair = (dev.readings[name], tags.readings[name].labels)
        for metric, statistic in (("accuracy", accuracy), ("macro-F1", macro_f1), ("kappa", kappa)):
            figures.append(figure(data, "all", f"{metric}, {name}", statistic, pair, anchors=anchors))
    others = np.array([["product" in row, "external" in row] for row in tags.others])
    figures.append(figure(data, "all", "F1, product", f1, (dev.others[:, 0], others[:, 0]), anchors=anchors))
    return figures


def agreement(first: Annotated, second: Annotated) -> dict[str, str]:
    """Return what two annotations of the same comments agree on, in words, by metric."""
    drivers = first.drivers(), second.drivers()
    values = {f"F1, {name}": f1(drivers[0][:, k], drivers[1][:, k]) for k, name in enumerate(DRIVER_LABELS)}
    values["macro-F1, driver × sign"] = mean_f1(*drivers)
    values["micro-F1, cause × sign"] = f1(first.causes, second.causes)
    given = {(piece.row, piece.label): piece for piece in second.evidence}
    spans = token_f1(first.cleans, first.evidence, given)
    values["token-F1 of evidence, causes rightly found"] = float(spans.mean()) if len(spans) else float("nan")
    for name in READING_VALUES:
        values[f"kappa, {name}"] = kappa(first.readings[name], second.readings[name])
        values[f"accuracy, {name}"] = accuracy(first.readings[name], second.readings[name])
    values["F1, product"] = f1(first.others[:, 0], second.others[:, 0])
    return {metric: f"two annotation passes: {value:.3f}" for metric, value in values.items()}


def dev_figures(
    tagger: LinearTagger,
    dev: Annotated,
    second: Annotated | None = None,
    *,
    comments: Comments | None = None,
    data: str = DEV,
) -> list[Figure]:
    """Measure a tagger on the development comments.

    :param second: the same comments as annotated a second time, to stand beside.
    :param comments: the comments as the tagger takes them; with the static encoder's vectors where not given.
    :param data: what the figures are called.
    """
    anchors = {} if second is None else agreement(dev, second)
    comments = as_comments(dev) if comments is None else comments
    tags = tagger.tag(comments)
    probs = tagger.probabilities(comments)
    found = found_flags(tags.found, len(dev))
    figures: list[Figure] = []
    for lang in (*LANGS, "all"):
        here = (dev.langs == lang) | (lang == "all")
        figures += flag_figures(data, lang, dev.causes[here], found[here], anchors if lang == "all" else None)
        figures.append(calibration_figure(data, lang, dev.causes[here], probs[here]))
    figures.append(evidence_figure(dev, tags.found, data=data, anchors=anchors))
    figures += source_figures(data, dev.sources, dev.causes, found)
    return figures + reading_figures(data, dev, tags, anchors)


def chosen_flags(tagger: LinearTagger, probs: Floats, read: Flags | None = None) -> Flags:
    """Return what a tagger gives at these probabilities as bool array (n, causes × signs).

    :param read: see :meth:`LinearTagger.chosen`.
    """
    found = np.zeros((len(probs), len(CAUSE_LABELS)), dtype=bool)
    for row, label in tagger.chosen(probs, read):
        found[row, label - len(DRIVER_LABELS)] = True
    return found


def unseen_figures(tagger: LinearTagger, annotated: Annotated, rows: Any, probs: Floats) -> list[Figure]:  # noqa: ANN401
    """Measure probabilities by heads that never saw the comments' sources, with the tagger's decisions.

    :param rows: int array (n,), the comments.
    :param probs: float32 array (n, labels).
    """
    found = chosen_flags(tagger, probs)
    truth, langs = annotated.causes[rows], annotated.langs[rows]
    figures: list[Figure] = []
    for lang in (*LANGS, "all"):
        here = (langs == lang) | (lang == "all")
        figures += flag_figures(UNSEEN, lang, truth[here], found[here])
        figures.append(calibration_figure(UNSEEN, lang, truth[here], probs[here]))
    return figures + source_figures(UNSEEN, annotated.sources[rows], truth, found)


def cross_figures(
    tagger: LinearTagger,
    dev: Annotated,
    annotated: Annotated,
    rows: Any,  # noqa: ANN401 - int array
    probs: Floats,
) -> list[Figure]:
    """Measure each cause on development comments together with training comments whose heads never saw them.

    :param rows: int array (n,), the training comments.
    :param probs: float32 array (n, labels).
    """
    of_dev = found_flags(tagger.tag(as_comments(dev)).found, len(dev))
    truth = np.concatenate([dev.causes, annotated.causes[rows]])
    return cause_figures(CROSS, truth, np.concatenate([of_dev, chosen_flags(tagger, probs)]))
