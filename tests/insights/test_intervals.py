import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.insights import mean_interval, sidak_z, wilson


def test_wilson_gives_the_published_values() -> None:
    # Newcombe 1998, table I: 81/263, 15/148, 0/20 and 1/29.
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=1e-4)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=1e-4)


def test_wilson_of_nothing_is_nan() -> None:
    low, high = wilson(0, 0)
    assert math.isnan(low)
    assert math.isnan(high)


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0.5, 4))
def test_wilson_holds_the_share_and_stays_inside(hits: int, more: int, z: float) -> None:
    of = hits + more
    low, high = wilson(hits, of, z=z)
    assert 0 <= low <= hits / of <= high <= 1


@given(st.integers(1, 500))
def test_more_comparisons_never_narrow_an_interval(comparisons: int) -> None:
    assert sidak_z(comparisons + 1) > sidak_z(comparisons) >= 1.9599


def test_mean_interval_is_students() -> None:
    mean, low, high = mean_interval([1.0, 2.0, 3.0, np.nan])
    assert mean == 2.0
    assert (low, high) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-4)


def test_mean_interval_needs_two_values() -> None:
    assert math.isnan(mean_interval([])[0])
    mean, low, high = mean_interval([4.0])
    assert mean == 4.0
    assert math.isnan(low)
    assert math.isnan(high)
