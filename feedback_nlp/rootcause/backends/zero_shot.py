"""Causes by natural language inference: whether a comment entails that the customer complains of, or praises, a cause.

The method is that of Yin et al. 2019 (https://aclanthology.org/D19-1404): each cause and sign is a hypothesis, the
comment the premise, and the probability of entailment against contradiction the score.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from feedback_nlp.rootcause.backends import Comments, Found, Tagger, Tags
from feedback_nlp.rootcause.taxonomy import Taxonomy

Floats = np.ndarray[Any, np.dtype[np.float32]]

_CLAIMS = {
    "-": "The customer complains about this: {name}. {definition}",
    "+": "The customer praises this: {name}. {definition}",
}


class Entailment(Protocol):
    """Judges pairs of texts."""

    def entailed(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Floats:
        """Return the probability, for each pair, that the premise entails the hypothesis rather than contradicts it."""


class ZeroShotTagger:
    """Finds causes that nobody trained it for; the other readings come from another tagger.

    :param model: judges pairs.
    :param taxonomy: causes with names and definitions; the English ones make the hypotheses.
    :param base: tagger of the other readings.
    :param threshold: least probability of a cause, 0 to 1.
    """

    def __init__(self, model: Entailment, taxonomy: Taxonomy, base: Tagger, *, threshold: float) -> None:
        self._model = model
        self._base = base
        self._threshold = threshold
        self._labels = [(cause.id, sign) for cause in taxonomy.causes for sign in "-+"]
        self._hypotheses = [
            _CLAIMS[sign].format(name=cause.name["en"], definition=cause.definition["en"])
            for cause in taxonomy.causes
            for sign in "-+"
        ]

    @property
    def causes(self) -> frozenset[str]:
        """All causes of the taxonomy, a user's own among them."""
        return frozenset(cause for cause, _ in self._labels)

    def tag(self, comments: Comments) -> Tags:
        """Tag comments."""
        tags = self._base.tag(comments)
        count = len(self._hypotheses)
        premises = [text for text in comments.texts for _ in range(count)]
        scores = self._model.entailed(premises, self._hypotheses * len(comments)).reshape(len(comments), count)
        rows, labels = np.nonzero(scores >= self._threshold)
        spans = self._evidence(comments, rows.tolist(), labels.tolist())
        found = [
            Found(int(row), *self._labels[label], float(scores[row, label]), *span)
            for row, label, span in zip(rows, labels, spans, strict=True)
        ]
        found.sort(key=lambda one: (one.row, -one.score, one.cause, one.sign))
        return replace(tags, found=found)

    def _evidence(self, comments: Comments, rows: Sequence[int], labels: Sequence[int]) -> list[tuple[int, int]]:
        """Return the clause that entails each finding most; the whole text where it has one clause or none."""
        premises, hypotheses, places = [], [], []
        for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
            own = comments.clauses[comments.clauses[:, 0] == row, 1:].tolist()
            for start, end in own if len(own) > 1 else ():
                premises.append(comments.texts[row][start:end])
                hypotheses.append(self._hypotheses[label])
                places.append((number, start, end))
        spans = [(0, len(comments.texts[row])) for row in rows]
        best = [-1.0] * len(rows)
        if not premises:
            return spans
        for (number, start, end), score in zip(places, self._model.entailed(premises, hypotheses), strict=True):
            if score > best[number]:
                best[number], spans[number] = float(score), (start, end)
        return spans
