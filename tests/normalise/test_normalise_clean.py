"""Clean text: each rule by example, then the promises for any text."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedback_nlp.core.folding import fold
from feedback_nlp.lang.pack import CODES, open_packs
from feedback_nlp.normalise import Span, normalise

ZWNJ = "\u200c"
EXAMPLES = {
    "ar": [
        ("كتاب کردی", "كتاب كردي"),
        ("هٰذا المـــطعم جدّاً", "هذا المطعم جدا"),
        ("الخدمة عااااالية خوبببب", "الخدمة عالية خوب"),
        ("هههههه ممتاز مممتاز", "هه ممتاز ممتاز"),
        ("اللللله اللللي لاااا", "الله اللي لا"),
        ("١٢٣٫٥ ٪ و ۴۵", "123.5 % و 45"),
        ("ﻻ ﷲ ﺍﻟﺨﺪﻣﺔ", "لا الله الخدمة"),
        ("انترنت_السعوديه #خدمات_بد", "انترنت السعوديه خدمات بد"),
        ("على اليسرى مدرسة", "على اليسرى مدرسة"),
        ("آ ا\u0653 و\u0654 ي\u0654", "آ آ ؤ ئ"),
        ("جميل\u200f \u202bجدا\u202c", "جميل جدا"),
        ("ال\u200cخدمة", "الخدمة"),
    ],
    "fa": [
        ("اين كتاب عالي بود", "این کتاب عالی بود"),
        ("مي خوام نمی شود", f"می{ZWNJ}خوام نمی{ZWNJ}شود"),
        ("نمیشه میکنم میدادن", f"نمی{ZWNJ}شه می{ZWNJ}کنم می{ZWNJ}دادن"),
        ("میاد نمی اد میام", f"می{ZWNJ}آد نمی{ZWNJ}آد می{ZWNJ}آم"),
        ("میز میوه میدان میلیون میان میگو", "میز میوه میدان میلیون میان میگو"),
        ("کتاب ها کتابهای غذا ها", f"کتاب{ZWNJ}ها کتاب{ZWNJ}های غذاها"),
        ("منتها تنها اشتها آنها", "منتها تنها اشتها آنها"),
        ("بزرگ تر بد تر عالی ترین", f"بزرگ{ZWNJ}تر بدتر عالی{ZWNJ}ترین"),
        ("ساندویچ هات داگ ترم اول", "ساندویچ هات داگ ترم اول"),
        (f"خوبه{ZWNJ} کار{ZWNJ}ها{ZWNJ}{ZWNJ} 5{ZWNJ}تا", "خوبه کارها 5تا"),
        ("خانهٔ ما خانۀ ما قهوة", "خانه ما خانه ما قهوه"),
        ("مسئول تأیید مؤثر", "مسئول تأیید مؤثر"),
        ("عالیییییی 👍👍👍👍", "عالی 👍 👍"),
        ("می\u200bشود", f"می{ZWNJ}شود"),
    ],
    "en": [
        ("don’t  buy\tthis\r\n\r\nplease", "don't buy this\nplease"),
        ("<p>Good</p>&nbsp;<script>alert(1)</script>&amp; cheap <3", "Good & cheap <3"),
        ("soooo goood coool alll sucksss amazinggg", "so good cool all sucks amazing"),
        ("NO!!!!!!! why?????? ok....", "NO!!! why??? ok..."),
        ("see https://t.co/abc?x=1 or www.x.com", "see or"),
        ("@AmericanAir #BadCustomerService #fail_again", "AmericanAir Bad Customer Service fail again"),
        ("mail a@b.com costs 3.5 USD", "mail a@b.com costs 3.5 USD"),
        ("great👍🏽❤️ok", "great 👍🏽 ❤ ok"),
        ("Ｆｕｌｌ 𝗴𝗿𝗲𝗮𝘁 ﬁne cafe\u0301", "Full great fine café"),
        ("I don\ufffdt know\ufffd", "I don't know"),
        ("www III 1000000 aaa", "www III 1000000 aa"),
        ("a\u00adb\ufeffc \u2066d\u2069 \x00e", "abc d e"),
        ("family 👨‍👩‍👧 flag 🇮🇷🇮🇷", "family 👨‍👩‍👧 flag 🇮🇷 🇮🇷"),
    ],
    "other": [("یہ کتاب ہے ۵", "یہ کتاب ہے 5"), ("çok güzel!", "çok güzel!")],
}
CASES = [(lang, text, clean) for lang, rows in EXAMPLES.items() for text, clean in rows]
TEXTS = st.lists(
    st.one_of(
        st.characters(),
        st.sampled_from("ابتهويی كکمنأآىة\u064b\u0640\u200c\u200d\u200f\u202e\ufe0f👍🏽🇮❤<>&#@_/.!?؟؛ \n\u0301ØÙ§"),
        st.sampled_from(["<p>", "</script>", "<script>", "&amp;", "http://", "می", " ها", " تر", "لا", "🇸🇦", "Ø§"]),
    ),
    max_size=60,
).map("".join)
LANGS = st.sampled_from(["ar", "fa", "en", "other"])


@pytest.mark.parametrize(("lang", "text", "clean"), CASES, ids=[f"{lang}-{i}" for i, (lang, _, _) in enumerate(CASES)])
def test_rules(lang: str, text: str, clean: str) -> None:
    assert normalise(text, lang).clean == clean


@pytest.mark.parametrize("text", ["", " \u200c \u200f ", "<br>", "\x00", "https://a.b"])
def test_nothing_may_be_left(text: str) -> None:
    done = normalise(text, "fa")
    assert done.clean == ""
    assert len(done.offsets) == 0


def test_spans_have_their_own_letters() -> None:
    text = "كتاب كتاب book"
    assert normalise(text, "fa", spans=[Span(0, 4, "ar")]).clean == "كتاب کتاب book"
    assert normalise(text, "ar", spans=[Span(5, 9, "fa"), Span(10, 14, "en")]).clean == "كتاب کتاب book"


def test_persian_spelling_stays_in_its_spans() -> None:
    text = "می شود ترجمة می شود"
    assert normalise(text, "ar", spans=[Span(0, 6, "fa")]).clean == f"می{ZWNJ}شود ترجمة مي شود"
    assert normalise(text, "fa", spans=[Span(7, 19, "ar")]).clean == f"می{ZWNJ}شود ترجمة مي شود"


def test_a_word_maps_to_the_word_as_given() -> None:
    text = "<b>عااااالي</b> جدّاً، رائع👍👍"
    done = normalise(text, "ar")
    for clean, given_text in (("عالي", "عااااالي"), ("جدا", "جدّاً"), ("رائع", "رائع")):
        start = done.clean.index(clean)
        first, last = done.offsets.to_text(start, start + len(clean))
        assert text[first:last] == given_text
        assert done.offsets.to_clean(first, last) == (start, start + len(clean))


def test_a_non_joiner_put_in_takes_no_room() -> None:
    text = "نمیشه"
    done = normalise(text, "fa")
    assert done.offsets.to_text(0, 3) == (0, 3)
    assert done.offsets.to_text(4, 6) == (3, 5)


@pytest.mark.parametrize("lang", CODES)
def test_no_negation_is_lost(lang: str) -> None:
    for word in sorted(open_packs()[lang].negations):
        for text in (word, f"x {word} y", f"{word}!!!", f"#{word}", f"<p>{word}</p>", word[:-1] + word[-1] * 5):
            clean = normalise(text, lang).clean
            assert fold(word).replace(" ", "") in fold(clean).replace(" ", ""), (word, text)


@given(TEXTS, LANGS)
@example("٭Ã©ی", "ar")
@example("👍\u200cك\u200c", "other")
@settings(max_examples=300, deadline=None)
def test_twice_is_once(text: str, lang: str) -> None:
    once = normalise(text, lang).clean
    assert normalise(once, lang).clean == once


@given(TEXTS, LANGS, st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["ar", "fa", "en", "fa-Latn", "other"]))))
@settings(max_examples=300, deadline=None)
def test_offsets_hold_for_any_text_and_spans(text: str, lang: str, cuts: list[tuple[int, str]]) -> None:
    edges = sorted({min(at, len(text)) for at, _ in cuts})
    spans = [Span(a, b, name) for a, b, (_, name) in zip(edges, edges[1:], cuts, strict=False)]
    done = normalise(text, lang, spans=spans)
    starts, ends = done.offsets.starts.tolist(), done.offsets.ends.tolist()
    assert len(starts) == len(ends) == len(done.clean)
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= a <= b <= len(text) for a, b in zip(starts, ends, strict=True))
    for at, char in enumerate(done.clean):
        if ends[at] == starts[at] + 1 and char.isascii() and char.isalpha() and text[starts[at]].isascii():
            assert char == text[starts[at]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["ا\u064b", "<script>", "&lt;", "👍a", "\u200c", "#a", "می ", "ÇáÓ ", "e\u0301", "<!--", "Ø§"]
)
def test_a_line_of_a_megabyte_takes_seconds(unit: str) -> None:
    began = time.process_time()
    normalise(unit * (1_000_000 // len(unit)), "fa")
    assert time.process_time() - began < 30
