"""A matrix product whose rows do not depend on their neighbours."""

from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def stable_product(left: Matrix, right: Matrix) -> Matrix:
    """Multiply so that a row's result is the same bytes whatever rows stand beside it.

    A BLAS product of two matrices works on several rows at once, and a row's bits depend on its place among them, even
    inside blocks of a fixed height. A product of one row at a time has no place to depend on.

    :param left: float32 array of shape (rows, width).
    :param right: float32 array of shape (width, columns).
    :returns: float32 array of shape (rows, columns).
    """
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    out = np.empty((len(left), right.shape[1]), dtype=np.float32)
    for row, into in zip(left, out, strict=True):
        np.dot(row, right, out=into)
    return out
