import numpy as np
import pytest
import scipy.sparse as sp

from feedback_nlp.topics.keywords import are_variants, class_weights, rank_keywords, without_variants
from feedback_nlp.topics.phrases import best_phrase, count_phrases, join_label, make_label, shared_keywords, theme_label
from feedback_nlp.topics.words import LanguageWords

COMMENTS = [
    *["the delivery driver was late"] * 4,
    *["delivery driver lost my parcel again"] * 4,
    *["battery life is short"] * 4,
    *["battery life not good, screen cracked"] * 4,
]
TOPICS = np.repeat([0, 1], 8)


def _words(comments=COMMENTS, lang="en"):
    return LanguageWords.fit(lang, np.arange(len(comments)), comments)


def _rank(words, topics=TOPICS, fewest=2, fitness=lambda _topic, found: np.ones(len(found))):
    return rank_keywords(words, topics, 2, fewest=fewest, fitness=fitness)


def test_occurrences_are_binary_and_hold_no_stop_words():
    found = _words().occurrences
    assert found.matrix.max() == 1
    assert not {"the", "was", "is", "not", "my"} & set(found.keys)


def test_a_language_without_comments():
    words = _words([])
    assert words.occurrences.matrix.shape == (0, 0)
    assert words.frequent(10) == []
    assert [rank.weights for rank in _rank(words, np.zeros(0, dtype=np.int64))] == [{}, {}]


def test_frequent_words_are_shown_most_frequent_first():
    assert _words().frequent(4) == ["battery", "delivery", "driver", "life"]


def test_words_of_one_topic_weigh_more_than_words_of_both():
    counts = sp.csr_matrix([[8.0, 4.0, 0.0], [8.0, 0.0, 4.0]])
    weights = class_weights(counts)
    assert weights[0, 1] / 4 > weights[0, 0] / 8
    assert weights[0, 2] == 0


def test_each_topic_is_told_by_its_own_words():
    first, second = _rank(_words())
    assert first.comments == 8
    assert list(first.weights)[:2] == ["delivery", "driver"]
    assert list(second.weights)[:2] == ["battery", "life"]


def test_too_few_comments_give_no_words():
    assert [rank.weights for rank in _rank(_words(), fewest=9)] == [{}, {}]


def test_fitness_changes_the_order():
    ranked = _rank(_words(), fitness=lambda _topic, found: np.array([float(word == "parcel") + 0.01 for word in found]))
    assert next(iter(ranked[0].weights)) == "parcel"


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [
        ("order", "ordered", True),
        ("order", "orders", True),
        ("quality", "high-quality", True),
        ("کیفیت", "باکیفیت", True),
        ("late", "price", False),
        ("tv", "tvs", False),
        ("cat", "cats", True),
    ],
)
def test_variants(left, right, alike):
    assert are_variants(left, right) is alike
    assert are_variants(right, left) is alike


def test_only_the_first_of_variants_is_kept():
    assert without_variants(["order", "orders", "late", "ordered", "price"], 3) == ["order", "late", "price"]


class TestPhrases:
    def _parts(self, topic=0, comments=COMMENTS, lang="en"):
        words = _words(comments, lang)
        topics = TOPICS if len(comments) == len(TOPICS) else np.zeros(len(comments), dtype=np.int64)
        ranking = _rank(words, topics)[topic]
        return list(ranking.weights), ranking.weights, words, np.flatnonzero(topics == topic)

    def test_the_phrase_most_comments_hold(self):
        assert best_phrase(*self._parts()) == ("delivery", "driver")

    def test_a_negation_may_open_a_phrase(self):
        assert count_phrases(*self._parts(topic=1)[1:])["not", "good"] == 4

    def test_signs_part_phrases(self):
        assert ("good", "screen") not in count_phrases(*self._parts(topic=1)[1:])

    def test_a_stop_word_may_stand_inside(self):
        parts = self._parts(comments=["quality of food"] * 8)
        assert best_phrase(*parts) == ("quality", "of", "food")

    def test_a_label_has_two_to_four_words(self):
        label = make_label(*self._parts())
        assert label.startswith("delivery driver, ")
        assert 2 <= len(label.replace(",", "").split()) <= 4

    def test_words_alone_where_no_phrase_recurs(self):
        assert make_label(*self._parts(comments=["food", "price", "food price", "price food"])) == "food, price"

    def test_arabic_labels_take_the_arabic_comma_and_the_written_form(self):
        label = make_label(*self._parts(comments=["خدمة العملاء سيئة"] * 6 + ["الأسعار مرتفعة"] * 6, lang="ar"))
        assert "،" in label
        assert not any(char.isdigit() for char in label)

    def test_nothing_to_say(self):
        assert make_label([], *self._parts()[1:]) == ""

    def test_repeated_comments_count_up_to_four_times(self):
        words = LanguageWords.fit("en", np.arange(2), ["login page broken", "update again"], np.array([50, 1]))
        weights = {"login": 1.0, "page": 1.0, "broken": 1.0, "update": 1.0}
        assert count_phrases(weights, words, np.arange(2))["login", "page"] == 4
        assert "page" in (best_phrase(list(weights), weights, words, np.arange(2)) or ())


def test_labels_join_and_themes_are_called_after_their_largest_topics():
    assert join_label(["a b", "c"], "fa") == "a b، c"
    assert (
        theme_label(["late delivery, courier", "", "late delivery, parcel", "lost parcel"], "en")
        == "late delivery / lost parcel"
    )
    assert theme_label([], "en") == ""


def test_themes_share_keywords_in_turns():
    assert shared_keywords([("a", "b", "c"), ("d", "a")], most=4) == ("a", "d", "b", "c")
    assert shared_keywords([]) == ()
