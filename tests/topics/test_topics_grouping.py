import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.topics.grouping import group_themes, join_closest, merged_by_size


def _at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_closest_groups_are_merged_first():
    merged = merged_by_size(_at(0, 100, 4, 104, 200), np.full(5, 10.0), 3)
    assert merged.tolist() == [0, 1, 0, 1, 2]


def test_small_groups_are_merged_before_large_ones_as_far_apart():
    centres = _at(0, 20, 100, 120)
    assert merged_by_size(centres, np.array([9, 9, 900, 900.0]), 3).tolist() == [0, 0, 1, 2]
    assert merged_by_size(centres, np.array([900, 900, 9, 9.0]), 3).tolist() == [0, 1, 2, 2]


@pytest.mark.parametrize("most", [3, 5, 9])
def test_nothing_is_merged_where_there_are_few_enough(most):
    assert merged_by_size(_at(0, 50, 100), np.ones(3), most).tolist() == [0, 1, 2]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 100))
def test_as_many_groups_are_left_as_asked_for(groups, most, seed):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, 4)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    merged = merged_by_size(centres, rng.integers(0, 50, groups).astype(float), most)
    assert sorted(set(merged.tolist())) == list(range(min(groups, most)))


def test_topics_of_one_meaning_are_joined_even_where_there_are_few():
    assert join_closest(_at(0, 5, 90), np.ones(3), 100).tolist() in ([0, 0, 1], [1, 1, 0])


def test_further_topics_are_joined_until_there_are_few_enough():
    joined = join_closest(_at(0, 5, 90, 135, 200), np.array([5, 5, 5, 5, 500.0]), 3)
    assert joined[0] == joined[1]
    assert joined[2] == joined[3]
    assert len(set(joined.tolist())) == 3


def test_a_topic_far_from_all_others_stands_in_no_theme():
    themes = group_themes(_at(0, 4, 8, 90, 94, 98, 180, 270), np.full(8, 20.0))
    assert themes[6] == themes[7] == -1
    assert themes[:6].tolist() == [0, 0, 0, 1, 1, 1]


def test_few_topics_have_no_themes():
    assert group_themes(_at(0, 40, 80), np.ones(3)).tolist() == [-1, -1, -1]
