"""What is measured of sentiment: labels, calibration, and how much can be decided at a wanted accuracy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.columns import POLARITIES, SENTIMENTS
from feedback_nlp.sentiment.backends import Floats
from feedback_nlp.train.figures import Figure, Values, accuracy, bootstrap, expected_calibration_error, macro_f1

SUITE = "sentiment"
WANTED = 0.95
NEGATIVE, NEUTRAL, POSITIVE = range(len(POLARITIES))
MIXED = SENTIMENTS.index("mixed")
_STEPS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_FEWEST = 20

Labels = np.ndarray[Any, np.dtype[np.int64]]

# Published figures by data set and metric.
ANCHORS = {
    ("fa_snappfood", "macro-F1, 2 labels"): "published .881 (ParsBERT)",
    ("fa_deepsentipers", "weighted F1, 2 labels"): "published .924",
    ("en_twitter_us_airline", "accuracy, 3 labels"): "published .846 (RoBERTa)",
    ("ar_arsarcasm_v2", "F1-PN"): "published .748",
    ("ar_semeval16_hotels_sb1", "accuracy, 3 labels"): "published .895 (BERT, told the aspect)",
    ("ar_astd", "macro-F1, 3 labels"): "published .780",
    ("en_tweeteval_sentiment", "macro recall, 3 labels"): "published .737",
}


def weighted_f1(truth: Labels, found: Labels) -> float:
    """Return the mean of the labels' F1 weighted by how often each occurs."""
    total = 0.0
    for label in np.unique(truth):
        hit = np.sum((truth == label) & (found == label))
        total += 2 * hit / max(np.sum(truth == label) + np.sum(found == label), 1) * np.sum(truth == label)
    return float(total / max(len(truth), 1))


def negative_positive_f1(truth: Labels, found: Labels) -> float:
    """Return the mean F1 of negative and positive, the measure of the ArSarcasm task."""
    scores = []
    for label in (NEGATIVE, POSITIVE):
        hit = np.sum((truth == label) & (found == label))
        scores.append(2 * hit / max(np.sum(truth == label) + np.sum(found == label), 1))
    return float(np.mean(scores))


def macro_recall(truth: Labels, found: Labels) -> float:
    """Return the unweighted mean of the labels' recall, the measure of TweetEval."""
    return float(np.mean([np.mean(found[truth == label] == label) for label in np.unique(truth)]))


def f1_of_mixed(truth: Labels, found: Labels) -> float:
    """Return the F1 of ``mixed`` among four labels."""
    hit = np.sum((truth == MIXED) & (found == MIXED))
    return float(2 * hit / max(np.sum(truth == MIXED) + np.sum(found == MIXED), 1))


def coverage(correct: Values, score: Values, wanted: float = WANTED) -> float:
    """Return the largest share of comments, most certain first, whose accuracy is as wanted; 0 where none is.

    :param correct: whether each prediction was right.
    :param score: its score.
    """
    right = np.asarray(correct, dtype=float)[np.argsort(-np.asarray(score), kind="stable")]
    running = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(running >= wanted)
    return float((enough[-1] + 1) / len(right)) if len(enough) else 0.0


@dataclass(frozen=True)
class Measured:
    """Truth and finding side by side, with what the figures made of them are called.

    :param data: name of what was measured on.
    :param lang: language, or ``all``.
    :param truth: int array (n,).
    :param found: int array (n,).
    :param name: data set whose published figures stand beside.
    """

    data: str
    lang: str
    truth: Labels
    found: Labels
    name: str = ""

    def figure(self, metric: str, statistic: Callable[[Labels, Labels], float], beside: str = "") -> Figure:
        """Return a statistic with its interval and what stands beside it."""
        value, low, high = bootstrap(statistic, self.truth, self.found)
        anchor = beside or ANCHORS.get((self.name, metric), "")
        return Figure(SUITE, self.data, self.lang, metric, value, low, high, len(self.truth), anchor)


def polarity_figures(data: str, lang: str, labels: Labels, probs: Floats, name: str = "") -> list[Figure]:
    """Measure three labels where neutral occurs, and negative against positive with neutral left out.

    :param labels: int array (n,), index into ``POLARITIES``.
    :param probs: array (n, 3).
    :param name: data set whose published figures stand beside.
    """
    figures = []
    if np.any(labels == NEUTRAL):
        three = Measured(data, lang, labels, probs.argmax(axis=1), name)
        figures += [
            three.figure("accuracy, 3 labels", accuracy),
            three.figure("macro-F1, 3 labels", macro_f1),
            three.figure("macro recall, 3 labels", macro_recall),
            three.figure("F1-PN", negative_positive_f1),
        ]
    sided, pair = two_labels(labels, probs)
    if len(sided):
        two = Measured(data, lang, sided, np.where(pair > 0.5, POSITIVE, NEGATIVE), name)
        figures += [
            two.figure("accuracy, 2 labels", accuracy),
            two.figure("weighted F1, 2 labels", weighted_f1),
            two.figure("macro-F1, 2 labels", macro_f1),
        ]
    return figures


def two_labels(labels: Labels, probs: Floats) -> tuple[Labels, Floats]:
    """Return the labels that are not neutral, and the probability of positive where only two are possible."""
    sided = labels != NEUTRAL
    sums = np.maximum(probs[sided, POSITIVE] + probs[sided, NEGATIVE], 1e-12)
    return labels[sided], np.asarray(probs[sided, POSITIVE] / sums, dtype=np.float32)


def certainty(labels: Labels, probs: Floats) -> tuple[Values, Values]:
    """Return whether each label given was right, and its score; of two labels where neutral never occurs."""
    if np.any(labels == NEUTRAL):
        return probs.argmax(axis=1) == labels, probs.max(axis=1)
    sided, pair = two_labels(labels, probs)
    return np.where(pair > 0.5, POSITIVE, NEGATIVE) == sided, np.maximum(pair, 1 - pair)


def calibration_figures(data: str, lang: str, labels: Labels, probs: Floats) -> list[Figure]:
    """Measure the expected calibration error, and how many comments can be decided at 95 % accuracy."""
    correct, score = certainty(labels, probs)
    figures = []
    if len(correct) >= _FEWEST:
        for metric, statistic in (("ECE", expected_calibration_error), ("coverage at 95 % accuracy", coverage)):
            value, low, high = bootstrap(statistic, correct.astype(float), score)
            figures.append(Figure(SUITE, data, lang, metric, value, low, high, len(correct)))
    return figures


def abstention_figures(data: str, lang: str, labels: Labels, probs: Floats) -> list[Figure]:
    """Measure accuracy over the share of comments whose score reaches each of a few thresholds."""
    figures = []
    scores, found = probs.max(axis=1), probs.argmax(axis=1)
    for step in _STEPS:
        sure = scores >= step
        if sure.any():
            measured = Measured(data, lang, labels[sure], found[sure])
            figures.append(measured.figure(f"accuracy where score ≥ {step}", accuracy, f"covers {sure.mean():.0%}"))
    return figures
