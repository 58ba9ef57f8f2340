"""LinearJudge: softmax over hashed n-grams and the comment's vector, and a small logistic head for mixed comments.

A clause is judged by the n-grams that lie within it, taken from the comment's own table: the text is hashed once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.core.ngrams import NgramSpec, NgramTable, cache_sized, extract, to_matrix, within_spans
from feedback_nlp.core.product import stable_product
from feedback_nlp.sentiment.backends import Clauses, Floats, Ints, Judgement

KIND = "sentiment-linear"
NEGATIVE, NEUTRAL, POSITIVE = range(3)


def mixed_features(probs: Floats, scores: Floats, clause_probs: Floats, clause_rows: Ints) -> Floats:
    """Return what the decision ``mixed`` rests on, float32 array of shape (texts, 9).

    The comment's own probabilities, its score for being mixed, and the strongest praise and complaint of its clauses.
    """
    rows = len(probs)
    best = np.zeros((rows, 2), dtype=np.float32)
    np.maximum.at(best[:, 0], clause_rows, clause_probs[:, NEGATIVE])
    np.maximum.at(best[:, 1], clause_rows, clause_probs[:, POSITIVE])
    count = np.bincount(clause_rows, minlength=rows).astype(np.float32)
    return np.stack(
        [
            probs[:, NEGATIVE],
            probs[:, POSITIVE],
            probs[:, NEGATIVE] * probs[:, POSITIVE],
            best[:, 0],
            best[:, 1],
            best.min(axis=1),
            best[:, 0] * best[:, 1],
            np.log1p(count),
            scores,
        ],
        axis=1,
    ).astype(np.float32)


@dataclass(frozen=True)
class LinearJudge:
    """Judges with linear heads over hashed n-grams.

    :param spec: the n-grams.
    :param head: four scores a text: the three ``POLARITIES``, and one for being mixed.
    :param vector_weights: float32 array (width, 4), the vector's share of the scores.
    :param mixed_weights: float32 array (9,) over :func:`mixed_features`.
    :param mixed_bias: its bias.
    :param mixed_from: probability from which a text counts as mixed.
    :param temperatures: divisor of the scores by language; ``*`` for any other.
    """

    spec: NgramSpec
    head: LinearHead
    vector_weights: Floats
    mixed_weights: Floats
    mixed_bias: float
    mixed_from: float
    temperatures: Mapping[str, float]

    @classmethod
    def open(cls, model: str | Path) -> "LinearJudge":
        """Open a model of kind ``sentiment-linear``.

        :raises ModelError: when it is missing, damaged or of another kind.
        """
        return cls.from_folder(open_model(resolve_model(model)).require(KIND))

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> "LinearJudge":
        """Read an opened model folder."""
        arrays = folder.arrays()
        grams = folder.manifest["ngrams"]
        spec = NgramSpec(tuple(grams["words"]), tuple(grams["chars"]), int(grams["bits"]))
        calibration = folder.manifest["calibration"]
        return cls(
            spec,
            LinearHead.from_arrays(arrays),
            arrays["vector_weights"].astype(np.float32),
            arrays["mixed_weights"],
            float(arrays["mixed_bias"][0]),
            float(calibration["mixed_from"]),
            {str(lang): float(value) for lang, value in calibration["temperatures"].items()},
        )

    def judge(
        self, texts: Sequence[str], langs: Sequence[str], clauses: Clauses, vectors: Floats | None = None
    ) -> Judgement:
        """Judge texts and their clauses; see :class:`feedback_nlp.sentiment.backends.Judge`.

        :raises ModelError: when the vectors are not of the width that the model was fitted to.
        """
        self._check(vectors)
        probs = np.zeros((len(texts), 3), dtype=np.float32)
        mixed_scores = np.zeros(len(texts), dtype=np.float32)
        clause_probs = np.zeros((len(clauses), 3), dtype=np.float32)
        heat = np.array([self._temperature(lang) for lang in langs], dtype=np.float32)[:, None]
        for first, last in cache_sized(texts):
            low, high = np.searchsorted(clauses.rows, (first, last))
            part = Clauses(clauses.rows[low:high] - first, clauses.starts[low:high], clauses.ends[low:high])
            table = extract(texts[first:last], self.spec)
            scores = self._scores(table)
            if vectors is not None:
                scores += stable_product(vectors[first:last], self.vector_weights)
            probs[first:last] = softmax(scores[:, :3] / heat[first:last])
            mixed_scores[first:last] = scores[:, 3]
            if high > low:
                scores = self._scores(within_spans(table, part.rows, part.starts, part.ends))
                clause_probs[low:high] = softmax(scores[:, :3] / heat[clauses.rows[low:high]])
        features = mixed_features(probs, mixed_scores, clause_probs, clauses.rows)
        # Column by column: a BLAS product may depend on the number of rows.
        mixed = np.full(len(texts), self.mixed_bias, dtype=np.float32)
        for column, weight in zip(features.T, self.mixed_weights, strict=True):
            mixed += column * weight
        return Judgement(probs, sigmoid(mixed), self.mixed_from, clause_probs)

    def _check(self, vectors: Floats | None) -> None:
        width = self.vector_weights.shape[0]
        if vectors is not None and vectors.shape[1] != width:
            raise ModelError(
                f"sentiment: vectors have width {vectors.shape[1]}, the model was fitted to {width}. "
                "Set sentiment.backend.vectors to false, or embed with the encoder it was fitted to."
            )

    def _temperature(self, lang: str) -> float:
        return self.temperatures.get(lang, self.temperatures["*"])

    def _scores(self, table: NgramTable) -> Floats:
        return self.head.scores(to_matrix(table, self.spec.bits))
