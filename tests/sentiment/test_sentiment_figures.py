"""The measures of sentiment, on cases worked out by hand."""

import numpy as np
import pytest

from feedback_nlp.train import sentiment_figures as measures

TRUTH, FOUND = np.array([0, 0, 2, 1]), np.array([0, 2, 2, 1])


def test_f1_and_recall() -> None:
    assert measures.weighted_f1(TRUTH, FOUND) == pytest.approx((2 * 2 / 3 + 2 / 3 + 1) / 4)
    assert measures.negative_positive_f1(TRUTH, FOUND) == pytest.approx(2 / 3)
    assert measures.macro_recall(TRUTH, FOUND) == pytest.approx((0.5 + 1 + 1) / 3)
    assert measures.f1_of_mixed(np.array([3, 3, 0]), np.array([3, 0, 3])) == pytest.approx(0.5)


def test_coverage_is_the_largest_share_that_is_as_right_as_wanted() -> None:
    correct, score = np.array([1, 0, 1, 1, 1]), np.array([0.9, 0.1, 0.8, 0.7, 0.6])
    assert measures.coverage(correct, score) == pytest.approx(0.8)
    assert measures.coverage(correct, score, wanted=0.7) == 1
    assert measures.coverage(1 - correct, score) == 0
    assert measures.coverage(correct, -score) == 0


def test_neutral_decides_how_many_labels_are_measured() -> None:
    probs = np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.1, 0.5, 0.4]], dtype=np.float32)
    three = {f.metric: f.value for f in measures.polarity_figures("a", "en", np.array([0, 1, 2]), probs)}
    assert three["accuracy, 3 labels"] == pytest.approx(2 / 3)
    assert three["accuracy, 2 labels"] == 1
    two = {f.metric: f.value for f in measures.polarity_figures("a", "en", np.array([0, 0, 2]), probs)}
    assert set(two) == {"accuracy, 2 labels", "weighted F1, 2 labels", "macro-F1, 2 labels"}
    assert two["accuracy, 2 labels"] == 1


def test_certainty_of_two_labels_leaves_neutral_out() -> None:
    probs = np.array([[0.1, 0.8, 0.1], [0.3, 0.6, 0.1]], dtype=np.float32)
    right, score = measures.certainty(np.array([2, 0]), probs)
    assert right.tolist() == [False, True]
    assert score == pytest.approx([0.5, 0.75])


def test_published_figures_stand_beside_their_own_metric_alone() -> None:
    probs = np.tile(np.array([[0.6, 0.1, 0.3]], dtype=np.float32), (4, 1))
    figures = measures.polarity_figures("fa_deepsentipers, kept back", "fa", TRUTH, probs, "fa_deepsentipers")
    assert {f.metric for f in figures if f.anchor} == {"weighted F1, 2 labels"}


def test_too_few_comments_have_no_calibration() -> None:
    assert measures.calibration_figures("a", "en", TRUTH, np.eye(3, dtype=np.float32)[TRUTH]) == []
    many = np.tile(TRUTH, 10)
    figures = measures.calibration_figures("a", "en", many, np.eye(3, dtype=np.float32)[many])
    assert {f.metric: f.value for f in figures} == {"ECE": 0, "coverage at 95 % accuracy": 1}


def test_abstention_covers_less_and_less() -> None:
    rng = np.random.default_rng(1)
    probs = rng.dirichlet([1, 1, 1], 300).astype(np.float32)
    figures = measures.abstention_figures("a", "en", probs.argmax(axis=1), probs)
    assert [f.n for f in figures] == sorted((f.n for f in figures), reverse=True)
    assert all(f.value == 1 and f.anchor.startswith("covers ") for f in figures)
