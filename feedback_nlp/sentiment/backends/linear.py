"""LinearJudge: softmax over hashed n-grams and the comment's vector, and a small logistic head for mixed comments.

A clause is judged by the n-grams that lie within it, taken from the comment's own table: the text is hashed once.
Where an encoder has read the comment, its scores are blended in and take the vector's place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.core.ngrams import NgramSpec, NgramTable, cache_sized, extract, to_matrix, within_spans
from feedback_nlp.core.product import stable_product
from feedback_nlp.sentiment.backends import Clauses, Flags, Floats, Given, Ints, Judgement, Readings
from feedback_nlp.sentiment.backends.blend import Blend, blended, reader_logs, rows_of
from feedback_nlp.sentiment.negation import shares, turned_words

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
    :param head: four scores a text that has a vector: the three ``POLARITIES``, and one for being mixed.
    :param bare: the same for clauses and for texts without a vector or read by an encoder, fitted on n-grams alone.
    :param vector_weights: float32 array (width, 4), the vector's share of the scores.
    :param mixed_weights: float32 array (9,) over :func:`mixed_features`.
    :param mixed_bias: its bias.
    :param mixed_from: probability from which a text counts as mixed.
    :param temperatures: divisor of the scores by language; ``*`` for any other.
    :param blend: how a reader's scores are used; None for a model fitted without one.
    :param wants_vectors: whether vectors must be given.
    """

    spec: NgramSpec
    head: LinearHead
    bare: LinearHead
    vector_weights: Floats
    mixed_weights: Floats
    mixed_bias: float
    mixed_from: float
    temperatures: Mapping[str, float]
    blend: Blend | None = None
    wants_vectors: bool = True

    @classmethod
    def open(cls, model: str | Path, *, vectors: bool = True) -> "LinearJudge":
        """Open a model of kind ``sentiment-linear``.

        :raises ModelError: when it is missing, damaged or of another kind.
        """
        return cls.from_folder(open_model(resolve_model(model)).require(KIND), vectors=vectors)

    @classmethod
    def from_folder(cls, folder: ModelFolder, *, vectors: bool = True) -> "LinearJudge":
        """Read an opened model folder."""
        arrays = folder.arrays()
        grams = folder.manifest["ngrams"]
        spec = NgramSpec(tuple(grams["words"]), tuple(grams["chars"]), int(grams["bits"]))
        calibration = folder.manifest["calibration"]
        reader = calibration.get("reader")
        return cls(
            spec,
            LinearHead.from_arrays(arrays),
            LinearHead.from_arrays(arrays, "bare_"),
            arrays["vector_weights"].astype(np.float32),
            arrays["mixed_weights"],
            float(arrays["mixed_bias"][0]),
            float(calibration["mixed_from"]),
            {str(lang): float(value) for lang, value in calibration["temperatures"].items()},
            Blend.from_folder(reader, arrays["reader_mixed_weights"]) if reader else None,
            vectors,
        )

    @property
    def wants_readings(self) -> bool:
        """Tell whether the model was fitted to a reader's scores, too."""
        return self.blend is not None

    def judge(self, given: Given) -> Judgement:
        """Judge texts and their clauses; see :class:`feedback_nlp.sentiment.backends.Judge`.

        :raises ModelError: when the vectors are not of the width that the model was fitted to.
        """
        self._check(given)
        parts = [self._judge(_part(given, first, last)) for first, last in cache_sized(given.texts)]
        return Judgement(
            np.concatenate([np.zeros((0, 3), dtype=np.float32), *[part.probs for part in parts]]),
            np.concatenate([np.zeros(0, dtype=np.float32), *[part.mixed for part in parts]]),
            np.concatenate([np.zeros(0, dtype=np.float32), *[part.mixed_from for part in parts]]),
            np.concatenate([np.zeros((0, 3), dtype=np.float32), *[part.clause_probs for part in parts]]),
            np.concatenate([np.zeros(0, dtype=np.float32), *[part.neutral_times for part in parts]]),
        )

    def _judge(self, given: Given) -> Judgement:
        clauses, readings = given.clauses, given.readings
        read = readings if self.blend is not None else None
        known = np.zeros(len(given.texts), dtype=bool) if read is None else read.known
        table = extract(given.texts, self.spec)
        own = self._own(table, given.vectors, known)
        clause_own = self.bare.scores(self._matrix(within_spans(table, clauses.rows, clauses.starts, clauses.ends)))
        self._turn(given, table, own, clause_own)
        heat = np.array([self._temperature(lang) for lang in given.langs], dtype=np.float32)[:, None]
        scores, clause_scores = own[:, :3] / heat, clause_own[:, :3] / heat[clauses.rows]
        mixed_from = np.full(len(given.texts), self.mixed_from, dtype=np.float32)
        neutral_times = np.ones(len(given.texts), dtype=np.float32)
        if read is not None and self.blend is not None:
            there = known[clauses.rows]
            langs = np.array(given.langs, dtype=object)
            weights = rows_of(self.blend.texts, langs[known].tolist())
            scores[known] = blended(own[known, :3], read.scores[known], weights)
            weights = rows_of(self.blend.clauses, langs[clauses.rows[there]].tolist())
            clause_scores[there] = blended(clause_own[there, :3], read.clause_scores[there], weights)
            mixed_from[known] = self.blend.mixed_from
            neutral_times[known] = self.blend.neutral_times
        probs, clause_probs = softmax(scores), softmax(clause_scores)
        features = mixed_features(probs, own[:, 3], clause_probs, clauses.rows)
        mixed = _weighed(features, self.mixed_weights, self.mixed_bias)
        if read is not None and self.blend is not None:
            wide = np.concatenate([features, reader_logs(read.scores)[1][:, 3:]], axis=1)
            mixed[known] = _weighed(wide[known], self.blend.mixed_weights, self.blend.mixed_bias)
        return Judgement(probs, sigmoid(mixed), mixed_from, clause_probs, neutral_times)

    def _own(self, table: NgramTable, vectors: Floats | None, known: Flags) -> Floats:
        """Return n-gram scores, with the vector's share for texts that have one and were not read."""
        matrix = self._matrix(table)
        if vectors is None or not vectors.any():
            return self.bare.scores(matrix)
        whole = vectors.any(axis=1) & ~known
        own = np.empty((len(known), 4), dtype=np.float32)
        own[whole] = self.head.scores(matrix[whole]) + stable_product(vectors[whole], self.vector_weights)
        own[~whole] = self.bare.scores(matrix[~whole])
        return own

    def _turn(self, given: Given, table: NgramTable, own: Floats, clause_own: Floats) -> None:
        """Take off, twice over in effect, what negated words say by themselves: what was praise is complaint."""
        clauses = given.clauses
        found = [(row, *span) for row, text in enumerate(given.texts) for span in turned_words(text, given.langs[row])]
        if not found:
            return
        rows, starts, ends = np.array(found, dtype=np.int64).T
        scores = self.bare.scores(self._matrix(within_spans(table, rows, starts, ends)))
        said = scores[:, POSITIVE] - scores[:, NEGATIVE] - (self.bare.bias[POSITIVE] - self.bare.bias[NEGATIVE])
        _shift(own, rows, said * shares(given.texts)[rows])
        length = int(max(ends.max(), clauses.ends.max(initial=0))) + 1
        held = np.searchsorted(clauses.rows * length + clauses.starts, rows * length + starts, side="right") - 1
        inside = np.flatnonzero(held >= 0)
        inside = inside[(clauses.rows[held[inside]] == rows[inside]) & (clauses.ends[held[inside]] >= ends[inside])]
        kept = [given.texts[clauses.rows[one]][clauses.starts[one] : clauses.ends[one]] for one in held[inside]]
        _shift(clause_own, held[inside], said[inside] * shares(kept))

    def _check(self, given: Given) -> None:
        width = self.vector_weights.shape[0]
        read = self.blend is not None and given.readings is not None
        if given.vectors is not None and given.vectors.shape[1] != width and given.vectors.any() and not read:
            raise ModelError(
                f"sentiment: vectors have width {given.vectors.shape[1]}, the model was fitted to {width}. "
                "Set sentiment.backend.vectors to false, or embed with the encoder it was fitted to."
            )

    def _temperature(self, lang: str) -> float:
        return self.temperatures.get(lang, self.temperatures["*"])

    def _matrix(self, table: NgramTable) -> sp.csr_matrix:
        return to_matrix(table, self.spec.bits)


def _shift(scores: Floats, rows: Ints, amounts: Floats) -> None:
    """Move score from praise to complaint, in place."""
    np.subtract.at(scores[:, POSITIVE], rows, amounts)
    np.add.at(scores[:, NEGATIVE], rows, amounts)


def _weighed(features: Floats, weights: Floats, bias: float) -> Floats:
    """Return a weighted sum of columns, column by column: a BLAS product may depend on the number of rows."""
    total = np.full(len(features), bias, dtype=np.float32)
    for column, weight in zip(features.T, weights, strict=True):
        total += column * weight
    return total


def _part(given: Given, first: int, last: int) -> Given:
    """Return some of the texts with what belongs to them."""
    low, high = np.searchsorted(given.clauses.rows, (first, last))
    clauses = Clauses(
        given.clauses.rows[low:high] - first, given.clauses.starts[low:high], given.clauses.ends[low:high]
    )
    readings = given.readings
    if readings is not None:
        readings = Readings(readings.known[first:last], readings.scores[first:last], readings.clause_scores[low:high])
    return replace(
        given,
        texts=given.texts[first:last],
        langs=given.langs[first:last],
        clauses=clauses,
        vectors=None if given.vectors is None else given.vectors[first:last],
        readings=readings,
    )
