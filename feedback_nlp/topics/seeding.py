"""Topics from a few labelled comments: each label a topic, in a space where comments of one label lie close."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.errors import BadDataError, MissingInputError
from feedback_nlp.topics.placing import Places
from feedback_nlp.topics.sample import DiscoverySample
from feedback_nlp.topics.space import LanguageShift, Vectors

Ints = np.ndarray[Any, np.dtype[np.int64]]

_SHRINK = 0.3
_FEWEST_FOR_METRIC = 50
_PERCENTILE = 5


def read_seeds(path: str | Path) -> dict[str, str]:
    """Return the label of each comment in a file of labelled comments; lines without an id or a label are left out.

    :param path: CSV file in UTF-8 with the columns ``comment_id`` and ``label``.
    :raises MissingInputError: when it does not exist.
    :raises BadDataError: when it is no such file, or labels a comment twice with different labels.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingInputError(f"topics.seeds: {file} does not exist.")
    out: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream, strict=True)
            missing = {"comment_id", "label"} - set(rows.fieldnames or ())
            if missing:
                raise BadDataError(
                    f"topics.seeds: {file} lacks the column {min(missing)}; it needs comment_id and label."
                )
            for row in rows:
                comment, label = row["comment_id"] or "", " ".join((row["label"] or "").split())
                if comment and label and out.setdefault(comment, label) != label:
                    raise BadDataError(f"topics.seeds: {file}, line {rows.line_num}: a comment has two labels.")
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadDataError(f"topics.seeds: {file} is not readable as CSV in UTF-8 ({error}).") from error
    return out


def label_numbers(sample: DiscoverySample) -> tuple[list[str], Ints]:
    """Return the labels in sorted order, and the number of each comment's, -1 for none or without a vector."""
    given: Sequence[str | None] = sample.labels or [None] * len(sample)
    names = sorted({label for label in given if label})
    number = {name: at for at, name in enumerate(names)}
    out = np.array([number.get(label or "", -1) for label in given], dtype=np.int64)
    out[~np.any(sample.vectors, axis=1)] = -1
    return names, out


def fit_metric(vectors: Vectors, labels: Ints) -> Vectors | None:
    """Return the symmetric matrix that makes the spread within labels alike in all directions, shrunk to a sphere.

    This is linear discriminant analysis' whitening; None where fewer than fifty comments are labelled.

    :param vectors: float32 array of shape (labelled comments, width).
    :param labels: int64 array (labelled comments,), from 0.
    """
    if len(vectors) < _FEWEST_FOR_METRIC:
        return None
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors.astype(np.float64))
    means = sums / np.maximum(np.bincount(labels), 1)[:, None]
    apart = vectors - means[labels]
    spread = apart.T @ apart / len(apart)
    size = np.trace(spread) / len(spread)
    values, axes = np.linalg.eigh((1 - _SHRINK) * spread + _SHRINK * size * np.eye(len(spread)))
    return np.asarray((axes / np.sqrt(values / size)) @ axes.T, dtype=np.float32)


def seeded_places(vectors: Vectors, labels: Ints, count: int) -> Places:
    """Place a topic at the mean of each label's comments, with the radius that holds 95 % of them.

    A comment's cosine is taken to the mean of the others, so that the radius holds for comments not labelled.

    :param vectors: float32 array of shape (labelled comments, width), shifted and of unit length.
    """
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, labels, vectors.astype(np.float64))
    others = sums[labels] - vectors
    length = np.linalg.norm(others, axis=1)
    near = np.einsum("ij,ij->i", vectors, others) / np.maximum(length, 1e-9)
    alone = float(np.median(near[length > 0])) if (length > 0).any() else 0.5
    radii = np.full(count, alone, dtype=np.float32)
    for topic in range(count):
        own = near[(labels == topic) & (length > 0)]
        if len(own):
            radii[topic] = np.percentile(own, _PERCENTILE, method="lower")
    norms = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    centroids = np.asarray(sums / norms, dtype=np.float32)
    return Places(centroids, radii, np.zeros(count, dtype=bool), np.zeros(3, dtype=np.float32))


def labelled_space(sample: DiscoverySample, shift: LanguageShift, labels: Ints) -> tuple[LanguageShift, Vectors, Ints]:
    """Return the shift with the metric of the labelled comments, their vectors in its space, and their labels.

    They come in the order of their ids, so that sums over them do not hang on the order they were given in.
    """
    rows = np.array(sorted(np.flatnonzero(labels >= 0).tolist(), key=lambda row: sample.ids[row]), dtype=np.int64)
    langs = [sample.langs[row] for row in rows.tolist()]
    own = labels[rows]
    shift = shift.with_metric(fit_metric(shift.apply(sample.vectors[rows], langs), own))
    return shift, shift.apply(sample.vectors[rows], langs), own
