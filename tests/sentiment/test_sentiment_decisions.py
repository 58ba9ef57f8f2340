"""Weighing neutral by what probabilities let expect."""

from dataclasses import replace

import numpy as np
import pytest

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.sentiment.backends import Judgement
from feedback_nlp.train.figures import macro_f1
from feedback_nlp.train.redecide import best_neutral_times, expected_macro_f1


def judgement(rows: list[list[float]]) -> Judgement:
    """Return a judgement with these probabilities, nothing mixed."""
    probs = np.array(rows, dtype=np.float32)
    none = np.zeros(len(rows), dtype=np.float32)
    return Judgement(probs, none, none + 1, probs[:0], none + 1)


def test_expected_macro_f1_is_the_true_one_where_probabilities_are_certain() -> None:
    truth, found = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 1, 1, 2, 3, 0])
    certain = np.eye(len(SENTIMENTS), dtype=np.float32)[truth]
    assert expected_macro_f1(certain, found) == pytest.approx(macro_f1(truth, found))
    assert expected_macro_f1(certain, truth) == pytest.approx(1)


def test_a_label_never_found_and_never_there_counts_nothing() -> None:
    assert expected_macro_f1(np.array([[1, 0, 0, 0]], dtype=np.float32), np.array([0])) == pytest.approx(0.25)


def test_neutral_that_is_rare_and_never_likeliest_is_weighed_up() -> None:
    rare = [[0.97, 0.02, 0.01]] * 60 + [[0.01, 0.02, 0.97]] * 30 + [[0.55, 0.4, 0.05]] * 10
    times = best_neutral_times(judgement(rare))
    assert 0.55 / 0.4 < times < 2
    assert times == best_neutral_times(judgement(rare[::-1]))


def test_neutral_that_is_certain_stays_as_it_is() -> None:
    sure = judgement([[0.98, 0.01, 0.01]] * 5 + [[0.01, 0.98, 0.01]] * 5 + [[0.01, 0.01, 0.98]] * 5)
    assert best_neutral_times(sure) == 1
    # What the judge weighs with so far does not matter.
    assert best_neutral_times(replace(sure, neutral_times=np.full(15, 9, dtype=np.float32))) == 1
