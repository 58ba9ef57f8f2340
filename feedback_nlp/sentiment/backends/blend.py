"""How the n-gram model's scores and those of a reading encoder become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.core.reading import READING_SLICES
from feedback_nlp.sentiment.backends import Floats

POLARITY, SENTIMENT = READING_SLICES["polarity"], READING_SLICES["sentiment"]
WEIGHTS = 3


def log_softmax(scores: Floats) -> Floats:
    """Return row-wise log-softmax as float32."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float32)


def reader_logs(readings: Floats) -> tuple[Floats, Floats]:
    """Return what a reader says of texts, as logarithms of probabilities.

    :param readings: float32 array (texts, READING_LABELS).
    :returns: arrays (texts, POLARITIES) and (texts, SENTIMENTS).
    """
    return log_softmax(readings[:, POLARITY]), log_softmax(readings[:, SENTIMENT])


@dataclass(frozen=True)
class Blend:
    """Weights of both by language, and what decides ``mixed`` where there is a reading.

    :param texts: by language, ``*`` for any other: weight of the own scores, of the reader's polarity and of its
        sentiment.
    :param clauses: the same for clauses.
    :param mixed_weights: float32 array over the features of ``mixed`` and the reader's logarithm for it.
    :param mixed_bias: its bias.
    :param mixed_from: probability from which a text counts as mixed.
    :param neutral_times: see :class:`feedback_nlp.sentiment.backends.Judgement`.
    """

    texts: Mapping[str, Sequence[float]]
    clauses: Mapping[str, Sequence[float]]
    mixed_weights: Floats
    mixed_bias: float
    mixed_from: float
    neutral_times: float = 1.0

    @classmethod
    def from_folder(cls, calibration: Mapping[str, Any], weights: Floats) -> "Blend":
        """Read the part of a model folder that tells of a reader."""
        return cls(
            calibration["texts"],
            calibration["clauses"],
            weights,
            float(calibration["mixed_bias"]),
            float(calibration["mixed_from"]),
            float(calibration.get("neutral_times", 1.0)),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all but the weights of ``mixed``, for a model's manifest."""
        return {
            "texts": {lang: list(values) for lang, values in self.texts.items()},
            "clauses": {lang: list(values) for lang, values in self.clauses.items()},
            "mixed_bias": self.mixed_bias,
            "mixed_from": self.mixed_from,
            "neutral_times": self.neutral_times,
        }


def rows_of(weights: Mapping[str, Sequence[float]], langs: Sequence[str]) -> Floats:
    """Return each text's weights by its language, float32 array (texts, WEIGHTS)."""
    found = [weights.get(lang, weights["*"]) for lang in langs]
    return np.array(found, dtype=np.float32).reshape(-1, WEIGHTS)


def blended(own: Floats, readings: Floats, weights: Floats) -> Floats:
    """Return joint scores, float32 array (texts, POLARITIES).

    :param own: float32 array (texts, POLARITIES).
    :param readings: float32 array (texts, READING_LABELS).
    :param weights: float32 array (texts, WEIGHTS), see :func:`rows_of`.
    """
    polarity, sentiment = reader_logs(readings)
    return np.asarray(
        weights[:, :1] * own + weights[:, 1:2] * polarity + weights[:, 2:3] * sentiment[:, : SENTIMENTS.index("mixed")],
        dtype=np.float32,
    )
