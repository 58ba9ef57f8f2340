"""Clauses: cut where people cut, and whole, ordered, trimmed spans for any text."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_nlp.normalise import normalise
from feedback_nlp.normalise.clauses import find_clauses, in_text

CASES = [
    ("ar", "المطعم جميل بس الخدمة بطيئة جدا", ["المطعم جميل", "بس الخدمة بطيئة جدا"]),
    ("ar", "عندهم بس نوعين من القهوة وبس", ["عندهم بس نوعين من القهوة وبس"]),
    ("ar", "مو بس الاكل حلو الخدمة كمان", ["مو بس الاكل حلو الخدمة كمان"]),
    ("ar", "الاكل حلو..والجو رهيب؛ ولٰكنّ السعر غالي", ["الاكل حلو..", "والجو رهيب؛", "ولٰكنّ السعر غالي"]),
    ("ar", "الغرفة نظيفة، إلا أن الموظفين سيئين", ["الغرفة نظيفة،", "إلا أن الموظفين سيئين"]),
    ("fa", "کیفیت خوب بود ولی دیر رسید", ["کیفیت خوب بود", "ولی دیر رسید"]),
    ("fa", "عالی بود فقط سس نداشت اصلا", ["عالی بود", "فقط سس نداشت اصلا"]),
    ("fa", "فقط یه بار خریدم و بس", ["فقط یه بار خریدم و بس"]),
    ("fa", "من فقط یه بار خریدم از اینجا", ["من فقط یه بار خریدم از اینجا"]),
    ("fa", "غذا سرد بود.نوشابه هم نداشت", ["غذا سرد بود.", "نوشابه هم نداشت"]),
    ("fa", "خوب بود\nاما گران است 👍", ["خوب بود", "اما گران است 👍"]),
    ("fa", "خوب بود با این حال گران است", ["خوب بود", "با این حال گران است"]),
    ("en", "Good food, but pricey", ["Good food,", "but pricey"]),
    ("en", "Nothing but praise from me", ["Nothing but praise from me"]),
    ("en", "They have not yet refunded me", ["They have not yet refunded me"]),
    ("en", "It was cheap, yet they smiled", ["It was cheap,", "yet they smiled"]),
    ("en", "Dr. Smith was nice. I paid 3.5 USD!!!", ["Dr. Smith was nice.", "I paid 3.5 USD!!!"]),
    ("en", "but why", ["but why"]),
    ("en", "good value though", ["good value though"]),
    ("en", "👍", ["👍"]),
    ("en", "", []),
    ("other", "bon hôtel; mauvais service", ["bon hôtel;", "mauvais service"]),
]


def _clauses(text: str, lang: str) -> list[str]:
    done = normalise(text, lang)
    return [text[start:end] for start, end in in_text(find_clauses(done.clean, [lang]), done.offsets)]


@pytest.mark.parametrize(("lang", "text", "clauses"), CASES)
def test_cuts(lang: str, text: str, clauses: list[str]) -> None:
    assert _clauses(text, lang) == clauses


def test_contrast_words_of_every_language_of_a_mixed_comment() -> None:
    text = "service good ولی دیر رسید but ok now"
    assert [text[a:b] for a, b in find_clauses(text, ["fa", "en"])] == ["service good", "ولی دیر رسید", "but ok now"]


def test_two_clauses_from_one_stretch_become_one() -> None:
    done = normalise("a", "en")
    assert in_text([(0, 1), (0, 1)], done.offsets) == [(0, 1)]


@given(
    st.lists(
        st.sampled_from(
            ["خوب", "ولی ", "لكن ", "but ", "بس ", ".", "؛", "\n", "👍", " ", "word", "؟", "!!", "-", "3.5", "'"]
        ),
        max_size=40,
    ).map("".join),
    st.lists(st.sampled_from(["ar", "fa", "en", "other"]), max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_spans_are_ordered_trimmed_and_hold_every_word(text: str, langs: list[str]) -> None:
    clean = normalise(text, langs[0] if langs else "en").clean
    spans = find_clauses(clean, langs)
    held = {at for start, end in spans for at in range(start, end)}
    assert all(clean[start:end].strip() == clean[start:end] != "" for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert all(at in held for at, char in enumerate(clean) if char.isalnum())


def test_a_long_text_is_cut_at_its_sentences_only() -> None:
    text = " ".join(f"Sentence number {at} is here." for at in range(2000))
    assert len(find_clauses(text, ["en"])) == 2000
    assert len(find_clauses("word " * 5000, ["en"])) == 1
