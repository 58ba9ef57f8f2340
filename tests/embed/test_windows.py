"""Windows of a long text: they hold every piece once, are few, and begin where a sentence or a word begins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.embed.windows import windows_of


def words_of(text):
    """A piece a word, as it stands in the text."""
    found, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        found.append((start, start + len(word)))
        start += len(word)
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def letters_of(text):
    """A piece a letter."""
    return np.array([(place, place + 1) for place in range(len(text))], dtype=np.int64).reshape(-1, 2)


@given(st.text("aب. \n", max_size=300), st.integers(1, 12), st.integers(1, 60))
def test_windows_hold_every_piece_once_up_to_as_many_as_there_may_be(text, longest, most):
    windows = windows_of(text, letters_of(text), longest, most)
    held = [place for first, end in windows for place in range(first, end)]
    assert held == list(range(len(held)))
    assert all(0 < end - first <= longest for first, end in windows)
    assert len(windows) <= most
    assert len(held) == len(text) or len(windows) == most
    assert all(end - first >= max(longest // 2, 1) for first, end in windows[:-1])


@pytest.mark.parametrize("stop", [".", "!", "؟", "۔", "…", ".)", '."', ".»"])
def test_a_window_begins_with_a_sentence_however_its_end_is_cut_into_pieces(stop):
    text = f"one two three four{stop} five six seven eight nine ten"
    assert windows_of(text, words_of(text), 7, 9)[0] == (0, 4)
    marks = [(18 + place, 19 + place) for place in range(len(stop))]
    bounds = words_of(text)
    bounds[3, 1] = 18
    bounds = np.concatenate([bounds[:4], np.array(marks), bounds[4:]])
    assert windows_of(text, bounds, 9, 9)[0] == (0, 4 + len(stop))


def test_a_text_of_more_windows_than_there_may_be_still_begins_each_with_a_sentence():
    text = "one two three. " * 40
    windows = windows_of(text, words_of(text), 10, 5)
    assert len(windows) == 5
    assert all(first % 3 == 0 for first, _ in windows)
    assert windows[-1][1] == 45, "as full as sentences let them be"
    assert windows_of(text, words_of(text), 10, 1) == [(0, 9)]


def test_a_window_begins_with_a_sentence_on_a_new_line():
    text = "one two three\nfour five six seven eight"
    assert windows_of(text, words_of(text), 6, 9) == [(0, 3), (3, 8)]


def test_a_number_with_a_point_ends_no_sentence():
    text = "a b c 3.5 d e f g"
    bounds = np.array([(0, 1), (2, 3), (4, 5), (6, 7), (7, 8), (8, 9), (10, 11), (12, 13), (14, 15), (16, 17)])
    assert windows_of(text, bounds, 8, 9) == [(0, 6), (6, 10)]


def test_a_word_is_not_cut_where_the_rest_fits_otherwise():
    text = "abcd efghi jkl"
    bounds = np.array([(0, 2), (2, 4), (5, 7), (7, 8), (8, 10), (11, 14)])
    assert windows_of(text, bounds, 4, 9) == [(0, 2), (2, 6)]


def test_a_word_longer_than_a_window_is_cut():
    bounds = np.array([(place, place + 1) for place in range(10)])
    assert windows_of("a" * 10, bounds, 4, 9) == [(0, 2), (2, 5), (5, 7), (7, 10)]


def test_a_text_that_fits_is_one_window():
    assert windows_of("a b", words_of("a b"), 2, 9) == [(0, 2)]
    assert windows_of("", words_of(""), 2, 9) == []
