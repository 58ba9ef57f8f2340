"""De-romanisation: symbols and skeletons, the channel, reading with a tiny model, saving, and the shipped model."""

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_words import tiny_model

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import open_model, resolve_model, write_model
from feedback_nlp.normalise import Span, normalise
from feedback_nlp.normalise.deromanise import WordModel
from feedback_nlp.normalise.deromanise.channel import place_codes
from feedback_nlp.normalise.deromanise.symbols import latin_skeletons, native_skeletons, symbols_of
from feedback_nlp.train.romanised import write_words
from feedback_nlp.train.romanised_pairs import align, fit_channel, start_channel


def _clean(text: str, lang: str, model: WordModel) -> str:
    return normalise(text, lang, spans=[Span(0, len(text), f"{lang}-Latn")], deromaniser=model).clean


@pytest.mark.parametrize(
    ("word", "symbols"),
    [
        ("Khoob", ("kh", "oo", "b")),
        ("ma6'3am", ("m", "a", "6'", "3", "a", "m")),
        ("kheyliiii", ("kh", "ey", "l", "i", "i")),
        ("ettasalt", ("e", "t", "a", "s", "a", "l", "t")),
        ("gheymat-e", ("gh", "ey", "m", "a", "t", "e")),
        ("é", ("e",)),
        ("", ()),
    ],
)
def test_symbols(word: str, symbols: tuple[str, ...]) -> None:
    assert symbols_of(word) == symbols


@pytest.mark.parametrize(
    ("latin", "native", "lang"),
    [
        ("khoobe", "خوبه", "fa"),
        ("xube", "خوبه", "fa"),
        ("9a7bi", "صاحبی", "ar"),
        ("saheb", "صاحب", "ar"),
        ("'3er", "غیر", "ar"),
    ],
)
def test_spellings_share_a_skeleton_with_their_word(latin: str, native: str, lang: str) -> None:
    assert set(latin_skeletons(symbols_of(latin), lang)) & set(native_skeletons(native, lang))


def test_skeletons_of_a_long_word_stay_few() -> None:
    assert len(latin_skeletons(symbols_of("ggssddzzhhtt" * 5), "ar")) <= 24


def test_the_channel_finds_the_cheapest_alignment() -> None:
    channel = start_channel("fa")
    words = ["خوب", "خوبه", "بد"]
    symbols = symbols_of("khoob")
    width = max(map(len, words))
    codes = np.array([place_codes(word) + [0] * (width - len(word)) for word in words], dtype=np.int32).T
    lengths = np.array([len(word) for word in words], dtype=np.int32)
    costs = channel.costs([symbols], np.array([3]), codes, lengths)
    assert costs.argmin() == 0
    assert costs == pytest.approx([align(channel, word, symbols)[0] for word in words], abs=1e-4)


def test_the_channel_costs_candidates_of_several_words_as_one_by_one() -> None:
    channel = start_channel("ar")
    latin, native = ["ma6'3am", "2alb", "b", ""], [["مطعم", "معطم"], [], ["ب", "بب", "قلب"], ["ا"]]
    flat = [word for words in native for word in words]
    lengths = np.array([len(word) for word in flat], dtype=np.int32)
    codes = np.array([place_codes(word) + [0] * (4 - len(word)) for word in flat], dtype=np.int32).T
    costs = channel.costs(
        [symbols_of(word) for word in latin], np.array([len(words) for words in native]), codes, lengths
    )
    one_by_one = [
        align(channel, word, symbols_of(left))[0] for left, words in zip(latin, native, strict=True) for word in words
    ]
    assert costs == pytest.approx(one_by_one, abs=1e-4)


def test_spelling_is_learnt() -> None:
    start = start_channel("ar")
    pairs = {("قلب", symbols_of("2alb")): 9.0, ("قال", symbols_of("2al")): 9.0, ("بقی", symbols_of("ba2i")): 9.0}
    learnt = fit_channel(pairs, start)
    assert align(learnt, "قمر", symbols_of("2amar"))[0] < align(start, "قمر", symbols_of("2amar"))[0]


@pytest.mark.parametrize(
    ("lang", "text", "clean"),
    [
        ("fa", "salam kheyli khoob bood", "سلام خیلی خوب بود"),
        ("fa", "Ghaza SARD bud vali khub bud!", "غذا سرد بود ولی خوب بود!"),
        ("fa", "mikonam", "می\u200cکنم"),
        ("fa", "app khube 5 4G a@b.com", "app خوبه 5 4G a@b.com"),
        ("fa", "mrc", "خوب"),
        ("ar", "el mat3am gameel", "المطعم جميل"),
        ("ar", "elkhedma saye2a jedan", "الخدمة سيئة جدا"),
        ("ar", "fel mat3am", "في المطعم"),
        ("ar", "zooz", "زوز"),
    ],
)
def test_reading(lang: str, text: str, clean: str) -> None:
    assert _clean(text, lang, tiny_model()) == clean


def test_words_keep_their_places() -> None:
    text = "bale, Kheyliii khoob!"
    done = normalise(text, "fa", spans=[Span(6, len(text), "fa-Latn")], deromaniser=tiny_model())
    start = done.clean.index("خیلی")
    first, last = done.offsets.to_text(start, start + 4)
    assert text[first:last] == "Kheyliii"
    assert done.clean.startswith("bale, ")


def test_an_article_apart_and_its_word_are_one_stretch() -> None:
    text = "wallah el mat3am"
    done = normalise(text, "ar", spans=[Span(7, len(text), "ar-Latn")], deromaniser=tiny_model())
    first, last = done.offsets.to_text(7, len(done.clean))
    assert text[first:last] == "el mat3am"


def test_a_word_or_two_are_read_in_the_language_of_the_comment() -> None:
    text = "el mat3am gameel"
    for spans in ([Span(0, 9, "ar-Latn"), Span(10, 16, "fa-Latn")], [Span(0, 16, "ar-Latn")]):
        assert normalise(text, "ar", spans=spans, deromaniser=tiny_model()).clean == "المطعم جميل"


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["a", "khoob ", "a.com ", "a@", "el ", "-", "3.", "khoob."])
def test_a_romanised_line_of_a_megabyte_takes_seconds(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    tiny_model().edits(text, 0, len(text), "ar")
    assert time.process_time() - began < 30


def test_other_languages_and_empty_stretches_are_left() -> None:
    model = tiny_model()
    assert model.edits("bonjour", 0, 7, "fr") == []
    assert model.edits("", 0, 0, "fa") == []
    assert model.read([], "fa") == []


@given(st.text(alphabet="abghiklmnostuvyz3579'- é١👍@.", max_size=40), st.sampled_from(["ar", "fa"]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_the_same_with_and_without_a_cache(text: str, lang: str) -> None:
    warm = tiny_model()
    warm.prepare([("salam khoob el mat3am", 0, 21, lang), (text, 0, len(text), lang), (text, 0, len(text), "fr")])
    first = warm.edits(text, 0, len(text), lang)
    assert warm.edits(text, 0, len(text), lang) == first == tiny_model().edits(text, 0, len(text), lang)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(first))


def test_a_saved_model_reads_the_same(tmp_path: Path) -> None:
    model = tiny_model()
    folder = write_words(model, tmp_path / "words", details={"languages": ["ar", "fa"]}, card="# words\n")
    opened = WordModel.from_folder(folder)
    for lang, text in (("fa", "kheyli khoob bood zoob app"), ("ar", "el mat3am gameel fel mat3am")):
        assert _clean(text, lang, opened) == _clean(text, lang, model)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path, kind="other", name="x", version="1", details={})
    with pytest.raises(ModelError, match="'deromanise' is needed"):
        WordModel.from_folder(folder)


def test_the_shipped_model_reads_everyday_comments() -> None:
    model = WordModel.from_folder(open_model(resolve_model("deromanise")))
    assert (
        _clean("salam kheyli khoob bood vali gheymatesh bala bood", "fa", model)
        == "سلام خیلی خوب بود ولی قیمتش بالا بود"
    )
    assert _clean("ghaza sard bod va nemishe khord", "fa", model) == "غذا سرد بود و نمی\u200cشه خورد"
    assert _clean("el akl momtaz bas el se3r ghali", "ar", model) == "الاكل ممتاز بس السعر غالي"
    assert "مش" in _clean("el khedma msh 7elwa", "ar", model)
