"""Romanised comments keep their tokens, use ASCII-like letters, and follow one writer's habit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.train import romanise_tables as tables
from feedback_nlp.train.romanise import draw_habit, romanise, romanise_pairs

ARABIC = "الخدمة ممتازة جدا والموظف محترم، بس التوصيل تأخر ٣ أيام وشكرا"
PERSIAN = "خیلی ممنون از شما، قیمتش گرونه ولی می‌خوام دوباره بخرم ۲ تا"
NATIVE = st.text(alphabet="ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژکگی\u200c ًّ،؟۳٣ aB", max_size=60)


@pytest.mark.parametrize(("text", "lang"), [(ARABIC, "ar"), (PERSIAN, "fa")])
def test_one_seed_one_spelling_and_many_seeds_many(text: str, lang: str) -> None:
    spellings = [romanise(text, lang, np.random.default_rng(seed)) for seed in range(30)]
    assert spellings[3] == romanise(text, lang, np.random.default_rng(3))
    assert len(set(spellings)) > 25


@given(NATIVE, st.sampled_from(["ar", "fa"]), st.integers(0, 1000))
def test_no_native_letter_is_left_and_each_token_has_its_pair(text: str, lang: str, seed: int) -> None:
    pairs = romanise_pairs(text, lang, np.random.default_rng(seed))
    assert [native for native, _ in pairs] == text.split()
    assert not any(tables.is_native(char) for _, latin in pairs for char in latin)
    joined = romanise(text, lang, np.random.default_rng(seed))
    assert joined == " ".join(latin for _, latin in pairs if latin)


def test_latin_words_numbers_and_marks_pass_through() -> None:
    pairs = dict(romanise_pairs("iPhone ٣ ۲۵، 👍", "ar", np.random.default_rng(0)))
    assert [value.lower() for value in pairs.values()] == ["iphone", "3", "25,", "👍"]


def test_digit_letters_belong_to_arabizi_alone() -> None:
    arabizi = " ".join(romanise("حبيبي عندي خبر", "ar", np.random.default_rng(seed)) for seed in range(60))
    finglish = " ".join(romanise("حالا عکس خوب", "fa", np.random.default_rng(seed)) for seed in range(60))
    assert {"7", "3", "5"} <= set(arabizi)
    assert not set(finglish) & set("0123456789")


def test_a_habit_is_kept() -> None:
    habit = draw_habit("fa", np.random.default_rng(8))
    favourite = habit.spellings["x"][0]
    words = romanise_pairs("خوب " * 60, "fa", np.random.default_rng(9), habit=habit)
    kept = sum(latin.lower().startswith(favourite[:1]) for _, latin in words)
    assert kept >= 50


@pytest.mark.parametrize("word", ["كتاب", "محترم", "مستشفى"])
def test_vowels_are_guessed_between_consonants(word: str) -> None:
    spellings = {romanise(word, "ar", np.random.default_rng(seed)).lower() for seed in range(40)}
    assert any(set(spelling) & set("aeiou") for spelling in spellings)
    assert len(spellings) > 5


def test_every_sound_of_the_word_lists_has_a_spelling() -> None:
    from feedback_nlp.train.romanise import _words

    for lang in ("ar", "fa"):
        known = set(tables.SPELLINGS[lang]) | set("abdefghijklmnoprstuwyzv2-")
        for native, soundings in _words()[lang].items():
            for sounds in soundings:
                assert sounds.startswith("@") or set(sounds) <= known, native
