"""Figures: measured values with intervals, shown by ``feedback-nlp evaluate`` and in model cards."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Figure:
    """One measured value.

    :param suite: ``language``, ``sentiment``, ``embedding``, ``topics`` or ``rootcause``.
    :param data: the data set or split measured on.
    :param lang: language, or ``all``.
    :param metric: what was measured.
    :param value: the value.
    :param low: lower end of the 95 % interval, or None.
    :param high: upper end, or None.
    :param n: number of items measured.
    :param anchor: a published or peer figure beside it, in words, or empty.
    """

    suite: str
    data: str
    lang: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    anchor: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as a plain dictionary, values rounded to four places."""
        row = asdict(self)
        for key in ("value", "low", "high"):
            row[key] = None if row[key] is None else round(float(row[key]), 4)
        return row


def bootstrap(
    statistic: Callable[[Values, Values], float],
    truth: Sequence[Any] | Values,
    found: Sequence[Any] | Values,
    *,
    seed: int = 17,
    rounds: int = 200,
) -> tuple[float, float, float]:
    """Return a statistic of paired values with its 95 % percentile bootstrap interval (Efron 1979).

    :returns: value, low, high.
    """
    left, right = np.asarray(truth), np.asarray(found)
    rng = np.random.default_rng(seed)
    draws = [
        statistic(left[picked], right[picked])
        for picked in (rng.integers(0, len(left), len(left)) for _ in range(rounds))
    ]
    return statistic(left, right), float(np.percentile(draws, 2.5)), float(np.percentile(draws, 97.5))


def accuracy(truth: Values, found: Values) -> float:
    """Return the share of equal pairs."""
    return float(np.mean(truth == found)) if len(truth) else float("nan")


def macro_f1(truth: Values, found: Values) -> float:
    """Return the unweighted mean of the labels' F1, over labels that occur in ``truth``."""
    scores = []
    for label in np.unique(truth):
        hit = np.sum((truth == label) & (found == label))
        scores.append(2 * hit / max(np.sum(truth == label) + np.sum(found == label), 1))
    return float(np.mean(scores)) if scores else float("nan")


def expected_calibration_error(correct: Values, score: Values, bins: int = 15) -> float:
    """Return the ECE over bins of equal count (Nixon et al. 2019, adaptive binning).

    :param correct: whether each prediction was right.
    :param score: its score in [0, 1].
    """
    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, min(bins, max(len(order), 1)))
    gaps = [abs(np.mean(correct[p]) - np.mean(score[p])) * len(p) for p in parts if len(p)]
    return float(np.sum(gaps) / max(len(order), 1))


def plain_table(figures: Sequence[Figure]) -> str:
    """Return figures as aligned plain text, one a line."""
    rows = [("suite", "data", "lang", "metric", "value", "95 % interval", "n", "beside it")]
    for f in figures:
        span = "" if f.low is None or f.high is None else f"{f.low:.3f}-{f.high:.3f}"
        rows.append((f.suite, f.data, f.lang, f.metric, f"{f.value:.3f}", span, str(f.n), f.anchor))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def card_table(figures: Sequence[Figure]) -> str:
    """Return figures as a Markdown table."""
    lines = ["| data | lang | metric | value | 95 % interval | n | beside it |", "|---|---|---|---|---|---|---|"]
    for f in figures:
        span = "" if f.low is None or f.high is None else f"{f.low:.3f}-{f.high:.3f}"
        lines.append(f"| {f.data} | {f.lang} | {f.metric} | {f.value:.3f} | {span} | {f.n} | {f.anchor} |")
    return "\n".join(lines) + "\n"
