"""LinearHead: a linear layer over hashed features, kept as int8 with one scale a label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class LinearHead:
    """Scores ``features @ weights + bias``.

    :param weights: float32 array of shape (features, labels).
    :param bias: float32 array of shape (labels,).
    """

    weights: Floats
    bias: Floats

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray[Any, Any]], prefix: str = "") -> "LinearHead":
        """Read a head saved by :meth:`to_arrays`."""
        scale = arrays[f"{prefix}scale"].astype(np.float32)
        return cls(arrays[f"{prefix}weights"].astype(np.float32) * scale, arrays[f"{prefix}bias"].astype(np.float32))

    def to_arrays(self, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
        """Return int8 weights, one float32 scale a label, and the bias, for safetensors."""
        scale = np.maximum(np.abs(self.weights).max(axis=0), 1e-12) / 127
        packed = np.rint(self.weights / scale).astype(np.int8)
        return {
            f"{prefix}weights": packed,
            f"{prefix}scale": scale.astype(np.float32),
            f"{prefix}bias": self.bias.astype(np.float32),
        }

    def scores(self, features: sp.csr_matrix) -> Floats:
        """Return raw scores of shape (rows, labels); each row is summed in its own fixed order."""
        return np.asarray(features @ self.weights, dtype=np.float32) + self.bias

    def contributions(self, features: Sequence[int] | np.ndarray[Any, Any], label: int) -> Floats:
        """Return the weight that each of these features gives to one label."""
        return np.asarray(self.weights[np.asarray(features), label], dtype=np.float32)


def softmax(scores: Floats) -> Floats:
    """Return row-wise softmax as float32."""
    shifted = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def sigmoid(scores: Floats) -> Floats:
    """Return the logistic function as float32, without overflow."""
    wide = np.clip(scores.astype(np.float64), -60, 60)
    return np.asarray(1 / (1 + np.exp(-wide)), dtype=np.float32)
