"""Words that a negation turns, and what that does to a judgement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.sentiment.backends import Clauses, Given
from feedback_nlp.sentiment.backends.linear import LinearJudge
from feedback_nlp.sentiment.negation import REACH, shares, turned_words

NEGATIVE, _, POSITIVE = range(3)


@pytest.fixture(scope="module")
def judge():
    return LinearJudge.open("sentiment", vectors=False)


def words(text, lang):
    return [text[start:end] for start, end in turned_words(text, lang)]


@pytest.mark.parametrize(
    ("lang", "text", "turned"),
    [
        ("en", "not bad at all", ["bad"]),
        ("en", "The food wasn't very tasty, and it is not cheap", ["tasty", "cheap"]),
        ("en", "the staff wasn\u2019t rude", ["rude"]),
        ("en", "they did not refund me", []),
        ("en", "not only good but great", []),
        ("en", "I am not sure", []),
        ("en", "slow, not good", ["good"]),
        ("en", "not", []),
        ("en", "it is not!", []),
        ("fa", "غذا بد نبود", ["بد"]),
        ("fa", "کیفیتش خوب هم نیست", ["خوب"]),
        ("fa", "نبود", []),
        ("fa", "اصلا مهم نیست", []),
        ("ar", "الأكل مش وحش", ["وحش"]),
        ("ar", "ليس سيئا وغير مكلف", ["سيئا", "مكلف"]),
        ("ar", "مش بس كده", []),
        ("other", "not bad", []),
        ("en", "", []),
    ],
)
def test_the_word_beside_the_negation_is_turned(lang, text, turned):
    assert words(text, lang) == turned


@given(st.text(max_size=80), st.sampled_from(["ar", "fa", "en", "und"]))
def test_spans_are_words_of_the_text_in_order(text, lang):
    found = turned_words(text, lang)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert found == sorted(set(found))


def test_a_turned_word_counts_less_in_a_long_text():
    np.testing.assert_allclose(shares(["", "bad", "not bad at", "a b c d e f"]), [1, 1, 1, REACH / 6])


def judged(judge, texts, lang, clauses=None):
    if clauses is None:
        clauses = Clauses(np.arange(len(texts)), np.zeros(len(texts), dtype=np.int64), np.array([*map(len, texts)]))
    return judge.judge(Given(texts, [lang] * len(texts), clauses))


@pytest.mark.parametrize(
    ("lang", "plain", "negated"),
    [
        ("en", "awful", "it was not awful"),
        ("en", "overpriced", "not overpriced"),
        ("en", "the driver was rude", "the driver was not rude"),
        ("fa", "بد بود", "بد نبود"),
        ("ar", "سيئا", "ليس سيئا"),
    ],
)
def test_a_negated_complaint_is_less_of_one(judge, lang, plain, negated):
    probs = judged(judge, [plain, negated], lang).probs
    assert probs[0, NEGATIVE] > 0.6
    assert probs[1, NEGATIVE] < probs[0, NEGATIVE] - 0.15


@pytest.mark.parametrize(
    ("lang", "plain", "negated"),
    [("en", "good", "not good"), ("fa", "عالی بود", "عالی نبود"), ("ar", "حلو", "مو حلو")],
)
def test_negated_praise_is_a_complaint(judge, lang, plain, negated):
    probs = judged(judge, [plain, negated], lang).probs
    assert probs[0].argmax() == POSITIVE
    assert probs[1].argmax() == NEGATIVE


def test_only_the_clause_that_holds_the_negation_is_turned(judge):
    text = "the room was not dirty , the waiter was dirty"
    cut = text.index(",")
    clauses = Clauses(np.zeros(2, dtype=np.int64), np.array([0, cut + 2]), np.array([cut - 1, len(text)]))
    first, second = judged(judge, [text], "en", clauses).clause_probs
    alone = judged(judge, ["the waiter was dirty"], "en").clause_probs[0]
    assert first[NEGATIVE] < second[NEGATIVE]
    np.testing.assert_allclose(second, alone, atol=0.02)


def test_neighbours_change_no_bit(judge):
    texts = ["not bad", "good", "not good, not bad", "", "the staff were not helpful at all and it was not clean"]
    together = judged(judge, texts, "en").probs
    alone = np.concatenate([judged(judge, [text], "en").probs for text in texts])
    np.testing.assert_array_equal(together, alone)
