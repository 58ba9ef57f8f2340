import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.tokens import Vocabulary, fold_word, negation_words, passive_words, split_words


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        ("The driver was late, very late", [["The", "driver", "was", "late"], ["very", "late"]]),
        ("don't know 24 hours", [["don't", "know"], ["hours"]]),
        ("می‌خواهم برگردانم", [["می‌خواهم", "برگردانم"]]),
        ("خدمة مُمتازة", [["خدمة", "مُمتازة"]]),
        ("see https://x.y/z or mail a@b.co now", [["see"], ["or", "mail"], ["now"]]),
        ("call [PHONE] @support <b>", [["call"]]),
        ("😡 !!! 123", []),
        ("", []),
        ("x" * 40 + " ok", [["ok"]]),
    ],
)
def test_words_come_in_stretches_between_signs(text, stretches):
    assert split_words(text) == stretches


def test_very_long_comments_are_cut():
    assert sum(map(len, split_words("word " * 1000))) == 250


@given(st.text())
def test_any_text_splits_into_words_with_a_letter(text):
    assert all(word and word[0].isalpha() for stretch in split_words(text) for word in stretch)


def _vocabulary(lang, *texts):
    return Vocabulary.fit(lang, [split_words(text) for text in texts])


def test_arabic_clitics_are_counted_with_their_word_and_shown_without_conjunctions():
    words = _vocabulary("ar", "الموظف والموظف بالموظف للموظف موظف", "الموظف")
    assert {words.key(word) for word in ("الموظف", "والموظف", "بالموظف", "للموظف")} == {"موظف"}
    assert words.shown["موظف"] == "الموظف"


def test_a_letter_of_the_word_itself_is_no_clitic():
    words = _vocabulary("ar", "سيارة سيارة بطاقة بطاقة طاقة وقت وقت")
    assert words.key("سيارة") == fold_word("سيارة")
    assert words.key("بطاقة") == fold_word("بطاقة")


def test_persian_plurals_are_counted_with_their_word_and_shown_with_zwnj():
    words = _vocabulary("fa", "کتاب کتاب کتاب‌ها می‌خواهم")
    assert words.key("کتاب‌ها") == words.key("کتاب")
    assert words.shown[words.key("می‌خواهم")] == "می‌خواهم"


def test_english_plurals_and_case():
    words = _vocabulary("en", "Order order orders TV TV glass")
    assert words.key("orders") == words.key("Order") == "order"
    assert (words.shown["order"], words.shown["tv"], words.shown["glass"]) == ("order", "TV", "glass")


def test_the_most_frequent_form_is_shown():
    words = _vocabulary("ar", "خدمة خدمه خدمة", "خدمـــة")
    assert words.shown[words.key("خدمة")] == "خدمة"


def test_an_unseen_word_is_its_own_key():
    assert _vocabulary("en", "a b").key("Unseen") == "unseen"


@pytest.mark.parametrize("lang", CODES)
def test_negations_never_name_a_topic_but_may_stand_in_a_phrase(lang):
    assert negation_words(lang) <= passive_words(lang)
    assert negation_words(lang)
