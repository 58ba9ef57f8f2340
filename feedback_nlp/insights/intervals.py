"""Intervals for shares and means that stay honest for small numbers."""

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
Z95 = NormalDist().inv_cdf((1 + LEVEL) / 2)

Floats = npt.NDArray[np.float64]


def wilson(hits: npt.ArrayLike, of: npt.ArrayLike, *, z: float = Z95) -> tuple[Floats, Floats]:
    """Return the Wilson score interval of shares (Wilson 1927).

    :param hits: counts, each at most its ``of``.
    :param of: sizes; NaN comes back where a size is 0.
    :param z: width in standard errors.
    :returns: lower and upper ends, both in [0, 1], of the broadcast shape.
    """
    k, n = np.broadcast_arrays(np.asarray(hits, dtype=np.float64), np.asarray(of, dtype=np.float64))
    size = np.where(n > 0, n, np.nan)
    share = k / size
    squared = z * z
    centre = (share + squared / (2 * size)) / (1 + squared / size)
    half = z * np.sqrt(share * (1 - share) / size + squared / (4 * size * size)) / (1 + squared / size)
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def sidak_z(comparisons: int, *, level: float = LEVEL) -> float:
    """Return the width in standard errors that keeps the joint level over several comparisons (Šidák 1967).

    :param comparisons: how many intervals are looked at together, at least 1.
    """
    alpha = 1 - level ** (1 / max(comparisons, 1))
    return NormalDist().inv_cdf(1 - alpha / 2)


def mean_interval(values: npt.ArrayLike) -> tuple[float, float, float]:
    """Return a mean with its 95 % Student t interval.

    :param values: numbers; NaN are left out.
    :returns: mean, low, high; all NaN without a value, low and high NaN with fewer than two.
    """
    from scipy.special import stdtrit

    known: Any = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return float("nan"), float("nan"), float("nan")
    mean = float(known.mean())
    if len(known) < 2:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(len(known) - 1, (1 + LEVEL) / 2) * known.std(ddof=1) / np.sqrt(len(known)))
    return mean, mean - half, mean + half
