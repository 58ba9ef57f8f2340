"""LinearTagger: logistic heads over hashed n-grams and the comment's vector.

Drivers and causes are scored twice by the same weights, on the whole comment and on its clauses; the best clause and
the whole together give the probability (Platt 1999). The readings are softmax heads over half as many features. Where a
reading encoder has read the comment, its scores take the place of the vector (see :mod:`.blend`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.columns import OTHER_CAUSES
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.core.ngrams import NgramSpec, NgramTable, cache_sized, extract, to_matrix, within_spans
from feedback_nlp.core.product import stable_product
from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Floats, Found, Ints, Read, Reading, Tags
from feedback_nlp.rootcause.backends.blend import Blend, label_scores, token_columns
from feedback_nlp.rootcause.evidence import (
    Words,
    best_stretch,
    find_words,
    gains_of_words,
    lend,
    trim,
    words_of_ngrams,
)
from feedback_nlp.rootcause.generic import says_nothing
from feedback_nlp.rootcause.settle import settle

KIND = "rootcause-linear"

Flags = np.ndarray[Any, np.dtype[np.bool_]]


def halved(features: sp.csr_matrix) -> sp.csr_matrix:
    """Return features hashed to one bit less: neighbours share a column."""
    shape = (features.shape[0], features.shape[1] // 2)
    return sp.csr_matrix((features.data, features.indices // 2, features.indptr), shape=shape)


def best_of(scores: Floats, rows: Ints, count: int) -> Floats:
    """Return the largest score of each text's clauses, of shape (count, labels); -8 for a text without any."""
    best = np.full((count, scores.shape[1]), -8, dtype=np.float32)
    np.maximum.at(best, rows, scores)
    return best


@dataclass(frozen=True)
class Decisions:
    """How scores become findings.

    :param platt: float32 array (3, labels): weight of the whole comment's score, of the best clause's, and the bias.
    :param thresholds: float32 array (labels,), probability from which a label is given.
    :param other_platt: float32 array (2, other causes): weight and bias.
    :param other_thresholds: float32 array (other causes,).
    :param temperatures: divisor of the scores by reading.
    :param offsets: float32 array by reading, added to the log-probabilities before the best label is taken.
    :param price: see :func:`feedback_nlp.rootcause.evidence.best_stretch`.
    """

    platt: Floats
    thresholds: Floats
    other_platt: Floats
    other_thresholds: Floats
    temperatures: Mapping[str, float]
    offsets: Mapping[str, Floats]
    price: float


@dataclass(frozen=True)
class Heads:
    """The model's weights.

    :param labels: ``policy-`` … of the drivers, then ``policy.outdated-`` … of the causes.
    :param cause_head: scores of all labels.
    :param cause_vectors: float32 array (width, labels), the vector's share of them.
    :param reading_head: scores of the other causes, then of each reading's values, over halved features.
    :param reading_vectors: float32 array (width, scores), the vector's share of them.
    """

    labels: tuple[str, ...]
    cause_head: LinearHead
    cause_vectors: Floats
    reading_head: LinearHead
    reading_vectors: Floats


@dataclass(frozen=True)
class LinearTagger:
    """Tags with linear heads.

    :param spec: the n-grams.
    :param heads: the weights.
    :param decisions: what follows from their scores.
    :param evidence_words: the longest evidence, in words.
    :param blend: what follows from their scores and a reader's; None where the model was fitted without one.
    """

    spec: NgramSpec
    heads: Heads
    decisions: Decisions
    evidence_words: int = 12
    blend: Blend | None = None

    @classmethod
    def open(cls, model: str | Path, *, evidence_words: int = 12) -> "LinearTagger":
        """Open a model of kind ``rootcause-linear``.

        :raises ModelError: when it is missing, damaged or of another kind.
        """
        return cls.from_folder(open_model(resolve_model(model)).require(KIND), evidence_words=evidence_words)

    @classmethod
    def from_folder(cls, folder: ModelFolder, *, evidence_words: int = 12) -> "LinearTagger":
        """Read an opened model folder."""
        arrays = folder.arrays()
        grams, calibration = folder.manifest["ngrams"], folder.manifest["calibration"]
        heads = Heads(
            tuple(folder.manifest["labels"]),
            LinearHead.from_arrays(arrays, "cause_"),
            arrays["cause_vectors"].astype(np.float32),
            LinearHead.from_arrays(arrays, "reading_"),
            arrays["reading_vectors"].astype(np.float32),
        )
        decisions = Decisions(
            arrays["platt"],
            arrays["thresholds"],
            arrays["other_platt"],
            arrays["other_thresholds"],
            {name: float(value) for name, value in calibration["temperatures"].items()},
            {name: arrays[f"offsets_{name}"] for name in READING_VALUES},
            float(calibration["evidence_price"]),
        )
        spec = NgramSpec(tuple(grams["words"]), tuple(grams["chars"]), int(grams["bits"]))
        return cls(spec, heads, decisions, evidence_words, Blend.from_arrays(arrays))

    @property
    def causes(self) -> frozenset[str]:
        """The causes that it knows."""
        return frozenset(label[:-1].split(".")[1] for label in self.heads.labels if "." in label)

    def tag(self, comments: Comments) -> Tags:
        """Tag comments; see :class:`feedback_nlp.rootcause.backends.Tagger`.

        :raises ModelError: when the vectors are not of the width that the model was fitted to.
        """
        self._check_width(comments)
        found: list[Found] = []
        raw = np.zeros((len(comments), self.heads.reading_head.bias.shape[0]), dtype=np.float32)
        for first, last in cache_sized(comments.texts):
            part = comments.part(first, last)
            table = extract(part.texts, self.spec)
            features = to_matrix(table, self.spec.bits)
            scores = self.heads.reading_head.scores(halved(features))
            raw[first:last] = _with_vectors(scores, part, self.heads.reading_vectors)
            probs = self._probabilities(part, table, features)
            found += [replace(piece, row=piece.row + first) for piece in self._findings(part, table, probs)]
        read = self._read(comments)
        return Tags(found, self._others(raw, read), self._readings(raw, read))

    def _check_width(self, comments: Comments) -> None:
        width = self.heads.cause_vectors.shape[0]
        if comments.read is None and comments.vectors is not None and comments.vectors.shape[1] != width:
            raise ModelError(
                f"rootcause: vectors have width {comments.vectors.shape[1]}, the model was fitted to {width}. "
                "Set rootcause.backend.vectors to false, or embed with the encoder it was fitted to."
            )

    def probabilities(self, comments: Comments) -> Floats:
        """Return the calibrated probability of every label, float32 array (comments, labels)."""
        probs = np.zeros((len(comments), len(self.heads.labels)), dtype=np.float32)
        for first, last in cache_sized(comments.texts):
            part = comments.part(first, last)
            table = extract(part.texts, self.spec)
            probs[first:last] = self._probabilities(part, table, to_matrix(table, self.spec.bits))
        return probs

    def _read(self, comments: Comments) -> Read | None:
        """Return what a reader says, where it says anything and the model knows what to make of it."""
        read = comments.read
        return read if self.blend is not None and read is not None and read.known.any() else None

    def _probabilities(self, part: Comments, table: NgramTable, features: sp.csr_matrix) -> Floats:
        head = self.heads.cause_head
        whole = _with_vectors(head.scores(features), part, self.heads.cause_vectors)
        clauses = head.scores(to_matrix(within_spans(table, *part.clauses.T), self.spec.bits))
        best = best_of(clauses, part.clauses[:, 0], len(part))
        probs = self.calibrated(whole, best)
        read = self._read(part)
        if read is not None and self.blend is not None:
            read_best = best_of(label_scores(read.clauses), part.clauses[:, 0], len(part))
            probs[read.known] = self.blended(whole, best, read.wholes, read_best)[read.known]
        return probs

    def blended(self, wholes: Floats, clauses: Floats, read: Floats, read_clauses: Floats) -> Floats:
        """Return the probabilities of labels where a reader has read, too; see :meth:`Blend.probabilities`.

        :raises ModelError: when the model was fitted without a reader.
        """
        if self.blend is None:
            raise ModelError("rootcause: the model was fitted without a reader.")
        return with_families(self.blend.probabilities(wholes, clauses, read, read_clauses), self.heads.labels)

    def calibrated(self, wholes: Floats, clauses: Floats) -> Floats:
        """Return the probabilities of labels from the scores of whole comments and of their best clauses."""
        return calibrated(wholes, clauses, self.decisions.platt, self.heads.labels)

    def chosen(self, probs: Floats, read: Flags | None = None) -> list[tuple[int, int]]:
        """Return (comment, label) of the causes given: those of a driver that is given, at least the likeliest.

        :param probs: array (comments, labels).
        :param read: bool array (comments,), where a reader's scores are in the probabilities; None for nowhere.
        """
        labels = self.heads.labels
        given = probs / self.decisions.thresholds
        if read is not None and self.blend is not None:
            given[read] = probs[read] / self.blend.thresholds
        chosen: list[tuple[int, int]] = []
        for driver, name in enumerate(labels):
            if "." in name:
                continue
            family = family_of(labels, driver)
            for row in np.flatnonzero(given[:, driver] >= 1):
                passing = [k for k in family if given[row, k] >= 1]
                chosen += [(int(row), k) for k in passing or [family[int(np.argmax(given[row, family]))]]]
        return sorted(chosen, key=lambda pair: (pair[0], -probs[pair], pair[1]))

    def show(self, comments: Comments, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the evidence of causes, whether they would be given or not.

        :param pairs: comment and label of each.
        :returns: first code point and end, exclusive, of each.
        """
        found = []
        for row, label in pairs:
            part = comments.part(row, row + 1)
            table = extract(part.texts, self.spec)
            found += list(self._evidence(part, table, np.arange(len(table.rows)), (0, [label])))
        return found

    def _findings(self, part: Comments, table: NgramTable, probs: Floats) -> Iterator[Found]:
        order = np.argsort(table.rows, kind="stable")
        edges = np.searchsorted(table.rows[order], np.arange(len(part) + 1))
        read = self._read(part)
        chosen = self.chosen(probs, None if read is None else read.known)
        for row, pairs in groupby(chosen, key=lambda pair: pair[0]):
            if says_nothing(part.texts[row]):
                continue
            labels = [label for _, label in pairs]
            stretches = self._evidence(part, table, order[edges[row] : edges[row + 1]], (row, labels))
            found = []
            for label, (start, end) in zip(labels, stretches, strict=True):
                name = self.heads.labels[label]
                found.append(Found(row, name[:-1].split(".")[1], name[-1], float(probs[row, label]), start, end))
            low, high = np.searchsorted(part.clauses[:, 0], (row, row + 1))
            yield from settle(found, part.clauses[low:high, 1:])

    def _evidence(
        self, part: Comments, table: NgramTable, grams: Ints, target: tuple[int, list[int]]
    ) -> Iterator[tuple[int, int]]:
        """Yield the evidence of each label of a comment, weighed by the cause's weights and its driver's."""
        row, labels = target
        low, high = np.searchsorted(part.clauses[:, 0], (row, row + 1))
        words = find_words(part.texts[row], part.clauses[low:high, 1:])
        first, last = words_of_ngrams(words, table.starts[grams], table.ends[grams])
        weights = self.heads.cause_head.weights[table.features[grams]]
        for label in labels:
            name = self.heads.labels[label]
            driver = self.heads.labels.index(f"{name.split('.')[0]}{name[-1]}")
            gains = lend(gains_of_words(len(words), first, last, weights[:, label] + weights[:, driver]))
            stretch = self._stretch(part, row, words, gains, (name, self.heads.labels[driver]))
            yield trim(part.texts[row], *stretch)

    def _stretch(
        self, part: Comments, row: int, words: Words, gains: Floats, labels: tuple[str, str]
    ) -> tuple[int, int]:
        """Return the stretch that speaks most for a cause and its driver, to n-grams and to a reader that has read."""
        read = self._read(part)
        if read is None or self.blend is None or not read.known[row]:
            return best_stretch(words, gains, most=self.evidence_words, price=self.decisions.price)
        low, high = np.searchsorted(read.spans[:, 0], (row, row + 1))
        tokens = read.tokens[low:high, token_columns(*labels)].mean(axis=1)
        net = self.blend.word_gains(gains, words, read.spans[low:high, 1:], tokens)
        return best_stretch(words, net, most=self.evidence_words, price=0.0)

    def _others(self, raw: Floats, read: Read | None) -> list[list[str]]:
        scores = raw[:, : len(OTHER_CAUSES)]
        weight, bias = self.decisions.other_platt
        given = sigmoid(scores * weight + bias) >= self.decisions.other_thresholds
        if read is not None and self.blend is not None:
            blended = self.blend.other_probabilities(scores, read.wholes) >= self.blend.other_thresholds
            given = np.where(read.known[:, None], blended, given)
        return [[name for name, yes in zip(OTHER_CAUSES, row, strict=True) if yes] for row in given]

    def _readings(self, raw: Floats, read: Read | None) -> dict[str, Reading]:
        readings = {}
        first = len(OTHER_CAUSES)
        for name, values in READING_VALUES.items():
            scores = raw[:, first : first + len(values)]
            first += len(values)
            readings[name] = read_labels(
                scores / np.float32(self.decisions.temperatures[name]), self.decisions.offsets[name]
            )
            if read is not None and self.blend is not None:
                other = read_labels(self.blend.reading_scores(name, scores, read.wholes), self.blend.offsets[name])
                readings[name] = Reading(
                    np.where(read.known, other.labels, readings[name].labels),
                    np.where(read.known, other.scores, readings[name].scores),
                )
        return readings


def read_labels(scores: Floats, offsets: Floats) -> Reading:
    """Return the label of each row with its calibrated probability.

    :param scores: float32 array (rows, labels), whose softmax is calibrated.
    :param offsets: float32 array (labels,), added to the log-probabilities before the best is taken.
    """
    probs = softmax(scores)
    labels = (np.log(np.maximum(probs, 1e-30)) + offsets).argmax(axis=1).astype(np.int64)
    return Reading(labels, probs[np.arange(len(probs)), labels])


def family_of(labels: Sequence[str], driver: int) -> list[int]:
    """Return the positions of a driver's causes of the same sign among the labels."""
    name = labels[driver]
    return [k for k, label in enumerate(labels) if label.startswith(f"{name[:-1]}.") and label[-1] == name[-1]]


def calibrated(wholes: Floats, clauses: Floats, platt: Floats, labels: Sequence[str]) -> Floats:
    """Return probabilities from the scores of the whole comment and of its best clause.

    :param platt: see :class:`Decisions`.
    :param labels: see :class:`Heads`.
    """
    whole_weight, clause_weight, bias = platt
    return with_families(sigmoid(wholes * whole_weight + clauses * clause_weight + bias), labels)


def with_families(probs: Floats, labels: Sequence[str]) -> Floats:
    """Make a driver's probability the mean of its own head's and of its likeliest cause's, in place.

    A driver without a cause to show for it is seldom there.

    :param labels: see :class:`Heads`.
    """
    for driver, name in enumerate(labels):
        family = family_of(labels, driver)
        if "." not in name and family:
            probs[:, driver] = (probs[:, driver] + probs[:, family].max(axis=1)) / 2
    return probs


def _with_vectors(scores: Floats, part: Comments, weights: Floats) -> Floats:
    """Add the vectors' share, unless a reader has read: then the vectors are of its space."""
    if part.vectors is None or part.read is not None:
        return scores
    return np.asarray(scores + stable_product(part.vectors, weights), dtype=np.float32)
