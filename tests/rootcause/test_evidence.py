"""Evidence: words, gains, the best stretch, trimming."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.rootcause.evidence import best_stretch, find_words, gains_of_words, lend, trim, words_of_ngrams

TEXT = "the waiter was rude, food was cold"
CLAUSES = np.array([[0, 20], [21, 34]])


def test_words_know_their_clause() -> None:
    words = find_words(TEXT, CLAUSES)
    assert [TEXT[a:b] for a, b in zip(words.starts, words.ends, strict=True)] == TEXT.split()
    assert words.clauses.tolist() == [1, 1, 1, 1, 2, 2, 2]


def test_a_gain_is_shared_among_the_words_it_touches() -> None:
    words = find_words(TEXT, CLAUSES)
    first, last = words_of_ngrams(words, np.array([4, 15, 3]), np.array([14, 19, 4]))
    gains = gains_of_words(len(words), first, last, np.array([2.0, 3.0, 9.0]))
    assert gains.tolist() == [0, 1, 1, 3, 0, 0, 0]


def test_a_word_lends_to_its_neighbours() -> None:
    assert lend(np.array([0, 1.0, 0, 0])) == pytest.approx([0.3, 1, 0.3, 0])
    assert lend(np.array([2.0])).tolist() == [2.0]


def test_the_best_stretch_stays_in_one_clause() -> None:
    words = find_words(TEXT, CLAUSES)
    start, end = best_stretch(words, np.array([0, 1, 0, 5, 4, 0, 0.0]), most=12, price=0.0)
    assert TEXT[start:end].strip() in "the waiter was rude,"
    assert "rude" in TEXT[start:end]


def test_a_price_shortens_it_and_most_bounds_it() -> None:
    words = find_words(TEXT, CLAUSES)
    gains = np.array([1, 1, 1, 4, 0, 0, 0.0])
    assert best_stretch(words, gains, most=12, price=0.3) == (15, 20)
    start, end = best_stretch(words, gains, most=2, price=0.0)
    assert TEXT[start:end] == "was rude,"


def test_without_gains_one_word_is_left() -> None:
    words = find_words(TEXT, CLAUSES)
    start, end = best_stretch(words, np.full(7, -1.0), most=12, price=0.3)
    assert len(TEXT[start:end].split()) == 1


@pytest.mark.parametrize(
    ("text", "wanted"), [("  rude, ", "rude"), ("«گران»", "گران"), ("!!", "!!"), (" ! ", "!"), ("  ", "  "), ("", "")]
)
def test_edges_are_trimmed_unless_nothing_else_is_there(text: str, wanted: str) -> None:
    start, end = trim(text, 0, len(text))
    assert text[start:end] == wanted


@given(st.text(alphabet="ab ,.", max_size=30), st.integers(1, 5), st.floats(0, 1))
def test_evidence_is_never_empty_where_there_is_a_word(text: str, most: int, price: float) -> None:
    words = find_words(text, np.array([[0, len(text)]]))
    if len(words):
        gains = np.arange(len(words), dtype=float) - 2
        start, end = trim(text, *best_stretch(words, gains, most=most, price=price))
        assert text[start:end].strip()
        assert len(text[start:end].split()) <= most
