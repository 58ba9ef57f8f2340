"""Linear heads and products: rows stand alone, int8 keeps the scores."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_nlp.core.linear import LinearHead, sigmoid, softmax
from feedback_nlp.core.product import stable_product


@given(st.integers(1, 300), st.sampled_from([3, 7, 150]), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_products_row_does_not_depend_on_its_place(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left = rng.standard_normal((rows, 256)).astype(np.float32)
    right = rng.standard_normal((256, columns)).astype(np.float32)
    whole = stable_product(left, right)
    order = rng.permutation(rows)
    assert np.array_equal(stable_product(left[order], right), whole[order])
    assert np.array_equal(stable_product(left[:1], right), whole[:1])
    np.testing.assert_allclose(whole, left @ right, rtol=1e-4, atol=1e-4)


def test_int8_keeps_the_scores() -> None:
    rng = np.random.default_rng(0)
    head = LinearHead(rng.standard_normal((64, 3)).astype(np.float32), np.array([0.1, 0, -1], dtype=np.float32))
    packed = LinearHead.from_arrays(head.to_arrays("s_"), "s_")
    features = sp.random(10, 64, density=0.3, format="csr", dtype=np.float32, rng=np.random.default_rng(1))
    np.testing.assert_allclose(packed.scores(features), head.scores(features), atol=0.1)
    np.testing.assert_allclose(packed.contributions([3, 5], 1), head.weights[[3, 5], 1], atol=0.02)


def test_probabilities_never_overflow() -> None:
    wild = np.array([[1e4, -1e4, 0.0]], dtype=np.float32)
    assert np.isclose(softmax(wild).sum(), 1)
    assert sigmoid(wild)[0].tolist() == [1.0, sigmoid(np.array([-60.0], dtype=np.float32))[0], 0.5]
