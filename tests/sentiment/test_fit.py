"""Fitting: heads find what separates, penalties shrink, stretched features fold in, temperatures calibrate."""

import numpy as np
import pytest
import scipy.sparse as sp

from feedback_nlp.core.linear import softmax
from feedback_nlp.train.fit import Design, best_temperature, fit_logistic, fit_softmax, fold_in, rarity, stretch

RNG = np.random.default_rng(0)
FEATURES = sp.csr_matrix((RNG.random((300, 12)) < 0.3).astype(np.float32))
FLAT = FEATURES.toarray()
LABELS = (FLAT[:, 0] + 2 * FLAT[:, 1] > 1).astype(int) + (FLAT[:, 2] > 0)


def test_softmax_learns_labels_that_features_tell() -> None:
    design = Design(FEATURES)
    head = fit_softmax(design, np.eye(3)[LABELS], np.ones(300), l2=1e-5, iterations=100)
    assert np.mean(design.scores(head).argmax(axis=1) == LABELS) > 0.97


def test_a_row_of_weight_zero_teaches_nothing() -> None:
    wrong = LABELS.copy()
    wrong[150:] = (wrong[150:] + 1) % 3
    weights = np.repeat([1.0, 0.0], 150)
    head = fit_softmax(Design(FEATURES), np.eye(3)[wrong], weights, l2=1e-5, iterations=100)
    assert np.mean(Design(FEATURES).scores(head).argmax(axis=1) == LABELS) > 0.95


def test_logistic_labels_are_fitted_each_for_itself() -> None:
    targets = np.stack([FLAT[:, 0], 1 - FLAT[:, 3]], axis=1)
    head = fit_logistic(Design(FEATURES), targets, np.ones((300, 2)), l2=1e-4)
    assert np.all((Design(FEATURES).scores(head) > 0) == targets.astype(bool))
    assert np.abs(head.weights[:, 0]).argmax() == 0
    assert np.abs(head.weights[:, 1]).argmax() == 3


def test_a_larger_penalty_gives_smaller_weights() -> None:
    targets = FLAT[:, :1]
    sizes = [
        np.abs(fit_logistic(Design(FEATURES), targets, np.ones((300, 1)), l2=l2).weights).sum() for l2 in (1e-4, 1)
    ]
    assert sizes[1] < sizes[0] / 5


def test_dense_features_stand_after_the_sparse_ones() -> None:
    design = Design(FEATURES, RNG.normal(size=(300, 2)).astype(np.float32))
    assert design.width == 14
    assert design.dense is not None
    targets = (design.dense[:, 1:] > 0).astype(float)
    head = fit_logistic(design, targets, np.ones((300, 1)), l2=1e-4)
    assert np.abs(head.weights[:, 0]).argmax() == 13
    rows = np.array([5, 9])
    assert design.take(rows).scores(head) == pytest.approx(design.scores(head)[rows])
    assert design.take(rows).above(design.take(rows)).scores(head)[2:] == pytest.approx(design.scores(head)[rows])


def test_rare_features_are_stretched_and_unseen_ones_dropped() -> None:
    features = sp.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    factors = rarity(features)
    assert factors[1] > factors[0] > factors[2] == 0
    assert factors[:2].mean() == pytest.approx(8)


def test_a_folded_head_scores_plain_features_alike() -> None:
    factors = rarity(FEATURES)
    stretched = Design(stretch(FEATURES, factors), np.ones((300, 1), dtype=np.float32))
    head = fit_softmax(stretched, np.eye(3)[LABELS], np.ones(300), l2=1e-3)
    rest = head.weights[12:].sum(axis=0)
    assert fold_in(head, factors).scores(FEATURES) + rest == pytest.approx(stretched.scores(head), abs=1e-4)


def test_the_temperature_cools_what_is_too_sure() -> None:
    scores = RNG.normal(size=(4000, 3)).astype(np.float32)
    labels = np.array(
        [RNG.choice(3, p=row) for row in softmax(scores).astype(float) / softmax(scores).sum(1, dtype=float)[:, None]]
    )
    assert best_temperature(scores, labels, np.ones(4000)) == pytest.approx(1, rel=0.15)
    assert best_temperature(scores * 3, labels, np.ones(4000)) == pytest.approx(3, rel=0.15)
