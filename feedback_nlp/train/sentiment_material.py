"""What a sentiment head is fitted on: comments as n-grams and vectors, and the fit itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.columns import POLARITIES, SENTIMENTS
from feedback_nlp.core.linear import LinearHead
from feedback_nlp.core.ngrams import NgramSpec, ngram_matrix
from feedback_nlp.normalise.clauses import find_clauses
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.sentiment.backends import Clauses, Floats
from feedback_nlp.train.fit import Design, fit_logistic, fit_softmax, rarity, stretch
from feedback_nlp.train.fit_vectors import encode
from feedback_nlp.train.sentiment_data import ROOT_CAUSES, Labelled, Mask

SPEC = NgramSpec(words=(1, 2), chars=(3, 4, 5), bits=18)
MIXED = SENTIMENTS.index("mixed")
VECTOR_GAIN = 3.0
_L2, _MIXED_L2, _ITERATIONS = 2e-4, 1e-3, 40

Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Material:
    """Everything a fit needs.

    :param labelled: the comments with their labels.
    :param cleans: the normalised texts.
    :param design: n-grams, stretched by ``factors``, and the comments' vectors times ``VECTOR_GAIN``.
    :param factors: see :func:`feedback_nlp.train.fit.rarity`.
    :param clauses: clauses of the comments annotated for root causes, the only set where ``mixed`` is known.
    :param clause_features: their n-grams, stretched too.
    """

    labelled: Labelled
    cleans: Sequence[str]
    design: Design
    factors: Floats
    clauses: Clauses
    clause_features: sp.csr_matrix

    def fit(self, training: Mask, *, bare: bool = False) -> LinearHead:
        """Fit the head on these rows: polarities without the mixed comments, and mixed on the annotated ones.

        :param bare: whether it must do without vectors.
        """
        polarity = self.fit_polarity(training, bare=bare)
        known = np.flatnonzero(training & (self.labelled.sets == ROOT_CAUSES))
        mixed = (self.labelled.labels[known] == MIXED)[:, None].astype(np.float32)
        side = fit_logistic(
            self._rows(known, bare=bare), mixed, np.ones_like(mixed), l2=_MIXED_L2, iterations=_ITERATIONS
        )
        weights_of_both = np.concatenate([polarity.weights, side.weights], axis=1)
        return LinearHead(weights_of_both, np.append(polarity.bias, side.bias))

    def fit_polarity(self, training: Mask, *, bare: bool = False) -> LinearHead:
        """Fit the three polarities on these rows, the mixed comments left out."""
        wanted = training & (self.labelled.labels != MIXED)
        rows = np.flatnonzero(wanted)
        weights = self.labelled.row_weights(wanted)[rows]
        targets = np.eye(len(POLARITIES))[self.labelled.labels[rows]]
        return fit_softmax(self._rows(rows, bare=bare), targets, weights, l2=_L2, iterations=_ITERATIONS)

    def _rows(self, rows: Rows, *, bare: bool) -> Design:
        return Design(self.design.sparse[rows]) if bare else self.design.take(rows)


def clauses_of(cleans: Sequence[str], langs: Sequence[str], rows: Sequence[int] | Rows) -> Clauses:
    """Cut some of the normalised texts into clauses."""
    found = [(row, start, end) for row in rows for start, end in find_clauses(cleans[row], [langs[row]])]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Clauses(table[:, 0], table[:, 1], table[:, 2])


def prepare(labelled: Labelled, spec: NgramSpec) -> Material:
    """Normalise, cut and hash all comments."""
    cleans = [normalise(text, lang).clean for text, lang in zip(labelled.texts, labelled.langs, strict=True)]
    features = ngram_matrix(cleans, spec)
    factors = rarity(features[np.flatnonzero(~labelled.judged)])
    annotated = np.flatnonzero((labelled.sets == ROOT_CAUSES) & ~labelled.judged)
    clauses = clauses_of(cleans, list(labelled.langs), annotated)
    texts = [cleans[row][start:end] for row, start, end in zip(clauses.rows, clauses.starts, clauses.ends, strict=True)]
    vectors = encode(cleans) * np.float32(VECTOR_GAIN)
    parts = stretch(ngram_matrix(texts, spec), factors)
    return Material(labelled, cleans, Design(stretch(features, factors), vectors), factors, clauses, parts)
