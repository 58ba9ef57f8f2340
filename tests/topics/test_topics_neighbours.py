import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_nlp.topics.neighbours import exact_neighbours


def _unit(rows, width, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 700), st.integers(1, 12), st.integers(0, 1000))
def test_they_are_the_true_nearest(rows, k, seed):
    k = min(k, rows)
    vectors = _unit(rows, 8, seed)
    found = exact_neighbours(vectors, k)
    full = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(full, 2)
    expected = -np.sort(-full, axis=1)[:, :k]
    expected[:, 0] = 1
    np.testing.assert_allclose(found.similarities, expected, atol=1e-5)
    assert found.indices[:, 0].tolist() == list(range(rows))


def test_equal_rows_are_each_first_for_themselves():
    found = exact_neighbours(np.repeat(_unit(1, 8, 0), 200, axis=0), 3)
    assert found.indices[:, 0].tolist() == list(range(200))
    np.testing.assert_allclose(found.similarities, 1, atol=1e-6)


@pytest.mark.parametrize("rows", [65, 257, 1025])
def test_each_row_names_distinct_neighbours(rows):
    found = exact_neighbours(_unit(rows, 16, 3), 15)
    assert all(len(set(row)) == 15 for row in found.indices.tolist())
