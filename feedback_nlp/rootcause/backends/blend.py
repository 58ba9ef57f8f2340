"""Blend: how the scores of a reading encoder are weighed together with those of the n-grams.

Few numbers, fitted on comments that neither of the two has learnt from: four weights and a bias a label, two weights a
reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from feedback_nlp.core.linear import sigmoid
from feedback_nlp.core.reading import READING_SLICES, TOKEN_LABELS
from feedback_nlp.rootcause.backends import READING_VALUES, Floats, Ints
from feedback_nlp.rootcause.evidence import Words, gains_of_words, words_of_ngrams

_LEAST = -20.0
_FARTHEST = 12.0


def label_scores(readings: Floats) -> Floats:
    """Return the scores of drivers and causes among a reader's scores.

    :param readings: float32 array (rows, READING_LABELS).
    :returns: float32 array (rows, labels), drivers first.
    """
    return readings[:, READING_SLICES["drivers"].start : READING_SLICES["causes"].stop]


@dataclass(frozen=True)
class Blend:
    """What follows from both scores.

    :param weights: float32 array (5, labels): weight of the whole comment's n-gram score, of its best clause's, of the
        reader's score of the comment, of its best clause, and the bias.
    :param thresholds: float32 array (labels,), probability from which a label is given.
    :param others: float32 array (3, other causes): weight of the n-grams, of the reader, and the bias.
    :param other_thresholds: float32 array (other causes,).
    :param readings: float32 array (2,) by reading: weight of the n-grams' scores and of the reader's.
    :param offsets: float32 array by reading, added to the log-probabilities before the best label is taken.
    :param evidence: float32 array (2,): weight of the n-grams' gains beside the reader's score of a word, and how far
        below the comment's highest a word's score may lie to belong to the evidence.
    """

    weights: Floats
    thresholds: Floats
    others: Floats
    other_thresholds: Floats
    readings: Mapping[str, Floats]
    offsets: Mapping[str, Floats]
    evidence: Floats

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> "Blend | None":
        """Read what :meth:`to_arrays` gives; None where a model was fitted without a reader."""
        if "blend_weights" not in arrays:
            return None
        return cls(
            arrays["blend_weights"],
            arrays["blend_thresholds"],
            arrays["blend_others"],
            arrays["blend_other_thresholds"],
            {name: arrays[f"blend_reading_{name}"] for name in READING_VALUES},
            {name: arrays[f"blend_offsets_{name}"] for name in READING_VALUES},
            arrays["blend_evidence"],
        )

    def to_arrays(self) -> dict[str, Floats]:
        """Return the arrays for safetensors."""
        return {
            "blend_weights": self.weights,
            "blend_thresholds": self.thresholds,
            "blend_others": self.others,
            "blend_other_thresholds": self.other_thresholds,
            "blend_evidence": self.evidence,
            **{f"blend_reading_{name}": values for name, values in self.readings.items()},
            **{f"blend_offsets_{name}": values for name, values in self.offsets.items()},
        }

    def probabilities(self, wholes: Floats, clauses: Floats, read: Floats, read_clauses: Floats) -> Floats:
        """Return probabilities of labels.

        :param wholes: float32 array (rows, labels), the n-grams' scores of whole comments.
        :param clauses: the same of their best clauses.
        :param read: float32 array (rows, READING_LABELS), the reader's scores of whole comments.
        :param read_clauses: float32 array (rows, labels), the reader's scores of their best clauses.
        """
        return sigmoid(self.scores(wholes, clauses, read, read_clauses))

    def scores(self, wholes: Floats, clauses: Floats, read: Floats, read_clauses: Floats) -> Floats:
        """Return log-odds of labels; see :meth:`probabilities`."""
        whole, clause, reader, reader_clause, bias = self.weights
        scores = wholes * whole + clauses * clause + label_scores(read) * reader + read_clauses * reader_clause
        return np.asarray(scores + bias, dtype=np.float32)

    def other_probabilities(self, scores: Floats, read: Floats) -> Floats:
        """Return probabilities of the other causes.

        :param scores: float32 array (rows, other causes), the n-grams'.
        :param read: float32 array (rows, READING_LABELS).
        """
        ngrams, reader, bias = self.others
        return sigmoid(scores * ngrams + read[:, READING_SLICES["others"]] * reader + bias)

    def reading_scores(self, name: str, scores: Floats, read: Floats) -> Floats:
        """Return scores of a reading's values, whose softmax is calibrated.

        :param scores: float32 array (rows, values), the n-grams'.
        :param read: float32 array (rows, READING_LABELS).
        """
        ngrams, reader = self.readings[name]
        return np.asarray(scores * ngrams + read[:, READING_SLICES[name]] * reader, dtype=np.float32)

    def word_gains(self, gains: Floats, words: Words, spans: Ints, tokens: Floats) -> Floats:
        """Return what each word speaks for a cause, above 0 where it belongs to the evidence.

        :param gains: float array (words,), the n-grams' gains.
        :param spans: int64 array (tokens, 2), start and end of the tokens read.
        :param tokens: float32 array (tokens,), the reader's scores of them.
        """
        weight, reach = (float(value) for value in self.evidence)
        first, last = words_of_ngrams(words, spans[:, 0], spans[:, 1])
        counts = gains_of_words(len(words), first, last, np.ones(len(spans), dtype=np.float32))
        sums = gains_of_words(len(words), first, last, tokens)
        # A word beyond the last token read has no score, and no claim to be evidence of its own.
        scores = np.where(counts > 1e-6, sums / np.maximum(counts, 1e-6), _LEAST)
        share = gains / max(float(gains.max()), 1e-9)
        return np.asarray(np.maximum(scores - scores.max(), -_FARTHEST) + reach + weight * np.clip(share, -1, 1))


def token_columns(cause: str, driver: str) -> tuple[int, int]:
    """Return where a cause's and a driver's scores stand among those of a token."""
    return TOKEN_LABELS.index(cause), TOKEN_LABELS.index(driver)
