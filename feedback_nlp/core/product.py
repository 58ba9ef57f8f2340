"""A matrix product whose rows do not depend on their neighbours."""

from typing import Any

import numpy as np

_BLOCK = 256

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def stable_product(left: Matrix, right: Matrix) -> Matrix:
    """Multiply so that a row's result is the same bytes whatever rows stand beside it.

    BLAS kernels treat the last few rows of a matrix apart from the rest, so a row's bits can depend on how a batch was
    cut. Blocks of a fixed height, the last padded with zeros, give every row the same instructions.

    :param left: float32 array of shape (rows, width).
    :param right: float32 array of shape (width, columns).
    :returns: float32 array of shape (rows, columns).
    """
    rows, width = left.shape
    out = np.empty((rows, right.shape[1]), dtype=np.float32)
    for start in range(0, rows, _BLOCK):
        block = left[start : start + _BLOCK]
        height = len(block)
        if height < _BLOCK:
            block = np.concatenate([block, np.zeros((_BLOCK - height, width), dtype=np.float32)])
        out[start : start + height] = (np.ascontiguousarray(block) @ right)[:height]
    return out
