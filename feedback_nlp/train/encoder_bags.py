"""Texts as word pieces, and the vector that each of them shall get."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Bags:
    """Texts as piece numbers, one after the other.

    :param flat: int64 array of all pieces.
    :param ends: int64 array of shape (texts + 1,), where each text begins and the last ends.
    """

    flat: Ints
    ends: Ints

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]]) -> "Bags":
        """Join lists of piece numbers."""
        ends = np.cumsum([0, *map(len, ids)], dtype=np.int64)
        return cls(np.fromiter((i for row in ids for i in row), np.int64, int(ends[-1])), ends)

    def followed_by(self, other: "Bags") -> "Bags":
        """Return these texts and then the other ones."""
        return Bags(
            np.concatenate([self.flat, other.flat]), np.concatenate([self.ends, other.ends[1:] + self.ends[-1]])
        )

    def pick(self, rows: Ints, drop: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return pieces and starts of some texts; pieces of longer texts are dropped by chance.

        :param drop: share of pieces to drop, in [0, 1).
        """
        sizes = self.ends[rows + 1] - self.ends[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        at = np.arange(starts[-1]) - np.repeat(starts[:-1] - self.ends[rows], sizes)
        keep = rng.random(len(at)) >= drop
        keep[starts[:-1][sizes > 0]] |= sizes[sizes > 0] < 4
        before = np.concatenate([[0], np.cumsum(keep)])
        return self.flat[at[keep]], before[starts[:-1]].astype(np.int64)


@dataclass(frozen=True)
class Material:
    """All that a student learns from.

    :param bags: the texts' word pieces.
    :param targets: unit vectors of shape (distinct targets, width).
    :param target_of: the target of each text.
    :param weights: weight of each text.
    :param tokenizer: SentencePiece model file.
    :param rows: rows used, by data set name.
    """

    bags: Bags
    targets: Floats
    target_of: Ints
    weights: Floats
    tokenizer: Path
    rows: dict[str, int]


def unit(vectors: Floats) -> Floats:
    """Scale rows to length one; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def targets_of(vectors: Floats, width: int) -> Floats:
    """Turn the teacher's vectors to their first principal axes and return unit vectors of shape (n, width)."""
    _, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return unit(vectors @ axes[:, ::-1][:, :width].astype(np.float32))


def means(table: Floats, bags: Bags) -> Floats:
    """Return the unit vectors that a table of token vectors gives to texts."""
    counts = sp.csr_matrix(
        (np.ones(len(bags.flat), np.float32), bags.flat, bags.ends), (len(bags.ends) - 1, len(table))
    )
    return unit(counts @ table)
