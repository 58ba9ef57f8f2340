"""The decoder finds the best sequence, each comment for itself."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.langid.decode import best_path


def brute(emissions: np.ndarray, transitions: np.ndarray) -> float:
    labels = range(emissions.shape[1])
    return max(score(emissions, transitions, path) for path in itertools.product(labels, repeat=len(emissions)))


def score(emissions: np.ndarray, transitions: np.ndarray, path: tuple[int, ...]) -> float:
    own = sum(emissions[place, label] for place, label in enumerate(path))
    return float(own + sum(transitions[a, b] for a, b in itertools.pairwise(path)))


@given(st.lists(st.integers(1, 5), max_size=5), st.integers(0, 2**32 - 1))
def test_paths_are_the_best_of_all(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(len(lengths)), lengths).astype(np.int64)
    emissions = rng.normal(size=(len(rows), 3)).astype(np.float32)
    transitions = rng.normal(size=(3, 3)).astype(np.float32)
    found = best_path(emissions, rows, transitions)
    for row in range(len(lengths)):
        here = rows == row
        best = brute(emissions[here], transitions)
        assert np.isclose(score(emissions[here], transitions, tuple(found[here])), best, atol=1e-4)
        alone = best_path(emissions[here], rows[here] * 0, transitions)
        assert alone.tolist() == found[here].tolist()


def test_a_lone_weak_word_follows_its_neighbours() -> None:
    emissions = np.array([[2, 0], [0, 0.5], [2, 0]], dtype=np.float32)
    stay = np.array([[0, -1], [-1, 0]], dtype=np.float32)
    rows = np.zeros(3, dtype=np.int64)
    assert best_path(emissions, rows, stay).tolist() == [0, 0, 0]
    assert best_path(emissions, rows, stay * 0).tolist() == [0, 1, 0]


def test_no_words() -> None:
    none = best_path(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), np.zeros((2, 2), np.float32))
    assert none.tolist() == []
