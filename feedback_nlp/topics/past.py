"""What a model remembers of the comments it last saw: enough to tell whether something is said more than before."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.product import stable_product
from feedback_nlp.topics.neighbours import Vectors

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

_MOST = 4000
_REPEATED = 4


@dataclass(frozen=True, eq=False)
class Past:
    """A weighted sample of comments, as vectors only.

    :param vectors: float32 array of shape (rows, width), shifted rows of unit length, in half precision.
    :param weights: float32 array (rows,), how many comments each stands for.
    """

    vectors: Vectors
    weights: Floats

    @classmethod
    def nothing(cls, width: int) -> "Past":
        """Return the memory of a model that has seen nothing."""
        return cls(np.zeros((0, width), dtype=np.float32), np.zeros(0, dtype=np.float32))

    @classmethod
    def remember(cls, vectors: Vectors, copies: Ints, most: int = _MOST) -> "Past":
        """Keep the most repeated comments, and of the others the first, which is a random draw by their hash.

        :param vectors: float32 array of shape (rows, width), in the order of a draw.
        :param copies: int64 array (rows,), how many comments each row stands for.
        """
        often = np.flatnonzero(copies >= _REPEATED)
        often = np.sort(often[np.argsort(-copies[often], kind="stable")[: most // 2]])
        others = np.setdiff1d(np.arange(len(vectors)), often)
        kept = others[: most - len(often)]
        lift = copies[others].sum() / max(copies[kept].sum(), 1)
        rows = np.concatenate([often, kept])
        weights = copies[rows].astype(np.float32)
        weights[len(often) :] *= np.float32(lift)
        return cls(vectors[rows].astype(np.float16).astype(np.float32), weights)

    def __len__(self) -> int:
        return len(self.vectors)

    def shares(self, centres: Vectors, radii: Floats) -> Floats:
        """Return the share of the remembered comments that lie within each centre's radius, float32 (centres,)."""
        if not len(self) or not len(centres):
            return np.zeros(len(centres), dtype=np.float32)
        inside = stable_product(self.vectors, np.ascontiguousarray(centres.T)) >= radii
        return np.asarray(self.weights @ inside / max(float(self.weights.sum()), 1.0), dtype=np.float32)
