"""LinearJudge: softmax over hashed n-grams for comments and clauses, and a small logistic head for mixed comments.

A clause is judged by the n-grams that lie within it, taken from the comment's own table: the text is hashed once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.core.ngrams import NgramSpec, NgramTable, extract, to_matrix
from feedback_nlp.sentiment.backends import Clauses, Floats, Ints, Judgement

KIND = "sentiment-linear"
NEGATIVE, NEUTRAL, POSITIVE = range(3)
_CODES_AT_ONCE = 1 << 16


def clause_table(table: NgramTable, clauses: Clauses) -> NgramTable:
    """Return the n-grams that lie within a clause, blanks at its edges allowed, with clauses in place of texts."""
    if not len(clauses):
        none = np.empty(0, dtype=np.int64)
        return NgramTable(none, none, none, none, 0)
    middles = (table.starts + table.ends) // 2
    length = int(max(table.ends.max(initial=0), clauses.ends.max())) + 2
    found = np.searchsorted(clauses.rows * length + clauses.starts, table.rows * length + middles, side="right") - 1
    clause = np.maximum(found, 0)
    inside = (found >= 0) & (clauses.rows[clause] == table.rows)
    inside &= (table.starts >= clauses.starts[clause] - 1) & (table.ends <= clauses.ends[clause] + 1)
    kept = np.flatnonzero(inside)
    return NgramTable(clause[kept], table.features[kept], table.starts[kept], table.ends[kept], len(clauses))


def mixed_features(probs: Floats, clause_probs: Floats, clause_rows: Ints) -> Floats:
    """Return what the decision ``mixed`` rests on, float32 array of shape (texts, 8).

    The comment's own probabilities and the strongest praise and complaint among its clauses.
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
        ],
        axis=1,
    ).astype(np.float32)


@dataclass(frozen=True)
class LinearJudge:
    """Judges with linear heads over hashed n-grams.

    :param spec: the n-grams.
    :param head: three scores a text, in the order of ``POLARITIES``.
    :param mixed_weights: float32 array (8,) over :func:`mixed_features`.
    :param mixed_bias: its bias.
    :param mixed_from: probability from which a text counts as mixed.
    :param temperatures: divisor of the scores by language; ``*`` for any other.
    """

    spec: NgramSpec
    head: LinearHead
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
            arrays["mixed_weights"],
            float(arrays["mixed_bias"][0]),
            float(calibration["mixed_from"]),
            {str(lang): float(value) for lang, value in calibration["temperatures"].items()},
        )

    def judge(self, texts: Sequence[str], langs: Sequence[str], clauses: Clauses) -> Judgement:
        """Judge texts and their clauses; see :class:`feedback_nlp.sentiment.backends.Judge`."""
        probs = np.zeros((len(texts), 3), dtype=np.float32)
        clause_probs = np.zeros((len(clauses), 3), dtype=np.float32)
        heat = np.array([self._temperature(lang) for lang in langs], dtype=np.float32)[:, None]
        for first, last in _parts(texts):
            low, high = np.searchsorted(clauses.rows, (first, last))
            part = Clauses(clauses.rows[low:high] - first, clauses.starts[low:high], clauses.ends[low:high])
            table = extract(texts[first:last], self.spec)
            probs[first:last] = softmax(self._scores(table) / heat[first:last])
            if high > low:
                scores = self._scores(clause_table(table, part))
                clause_probs[low:high] = softmax(scores / heat[clauses.rows[low:high]])
        features = mixed_features(probs, clause_probs, clauses.rows)
        # Summed by hand along each row: a BLAS product may depend on the number of rows.
        mixed = sigmoid((features * self.mixed_weights).sum(axis=1) + np.float32(self.mixed_bias))
        return Judgement(probs, mixed, self.mixed_from, clause_probs)

    def _temperature(self, lang: str) -> float:
        return self.temperatures.get(lang, self.temperatures["*"])

    def _scores(self, table: NgramTable) -> Floats:
        return self.head.scores(to_matrix(table, self.spec.bits))


def _parts(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut a batch where its hashes would outgrow the processor's cache."""
    first, size = 0, 0
    for position, text in enumerate(texts):
        size += len(text)
        if size >= _CODES_AT_ONCE:
            yield first, position + 1
            first, size = position + 1, 0
    if first < len(texts):
        yield first, len(texts)
