import shutil

import numpy as np
import pytest
from topic_samples import WIDTH

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import resolve_model, write_model
from feedback_nlp.topics.lexicon import EMPTY, KIND, LEXICON_FILE, Entry, Lexicon, open_lexicon, telling_words
from feedback_nlp.topics.naming import Namer
from feedback_nlp.topics.settings import LabelSettings
from feedback_nlp.topics.translating import Translator
from feedback_nlp.topics.words import LanguageWords
from feedback_nlp.topics.wordspace import WordSpace

LEXICON = Lexicon(
    (
        Entry("ar", "التوصيل", ("delivery",)),
        Entry("ar", "السعر", ("price", "rate")),
        Entry("fa", "قیمت", ("price",)),
        Entry("fa", "تعرفه", ("rate", "price")),
        Entry("fa", "تحویل", ("delivery",)),
    )
)


@pytest.mark.parametrize(
    ("word", "source", "target", "found"),
    [
        ("price", "en", "fa", ("قیمت", "تعرفه")),
        ("Prices", "en", "ar", ("السعر",)),
        ("السعر", "ar", "en", ("price", "rate")),
        ("سعر", "ar", "fa", ("قیمت", "تعرفه")),
        ("قیمت", "fa", "ar", ("السعر",)),
        ("unknown", "en", "fa", ()),
        ("مجهول", "ar", "en", ()),
    ],
)
def test_translations_go_through_english(word, source, target, found):
    assert LEXICON.translations(word, source, target) == found


def test_words_of_each_language():
    assert LEXICON.words("en") == ("delivery", "price", "rate")
    assert LEXICON.words("fa") == ("قیمت", "تعرفه", "تحویل")


def test_stop_words_and_letters_tell_nothing():
    assert telling_words(["the", "x", "price", "not", "but", "عالی"], "en") == ["price"]
    assert telling_words(["قیمت", "که", "price"], "fa") == ["قیمت"]


def test_the_shipped_lexicon_knows_everyday_words():
    lexicon = open_lexicon("topic-labels")
    assert "التوصيل" in lexicon.translations("delivery", "en", "ar")
    assert "هتل" in lexicon.translations("الفندق", "ar", "fa")
    assert lexicon.translations("قیمت", "fa", "en")[0] == "price"


def test_a_folder_without_the_word_list_is_refused(tmp_path):
    write_model(tmp_path / "x", kind=KIND, name="x", version="1", details={})
    with pytest.raises(ModelError, match=LEXICON_FILE):
        open_lexicon(tmp_path / "x")


def test_a_damaged_word_list_is_refused(tmp_path):
    shutil.copytree(resolve_model("topic-labels"), tmp_path / "x")
    (tmp_path / "x" / LEXICON_FILE).write_text("ar\n", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        open_lexicon(tmp_path / "x")


def _translator(encode=None, lexicon=LEXICON, words=None):
    return Translator(WordSpace(words or {}, lexicon, encode), lexicon)


def test_without_an_encoder_the_lexicon_alone_translates():
    assert _translator().translate(["price", "nothing", "delivery"], "en", "fa", None) == ("قیمت", "تحویل")


def test_an_encoder_finds_words_the_lexicon_lacks(encoder):
    words = {"fa": LanguageWords.fit("fa", np.arange(4), ["پیک دیر", "پیک دیر", "غذا سرد", "غذا سرد"])}
    found = _translator(encoder, EMPTY, words).translate(["courier", "chicken"], "en", "fa", None)
    assert found[0] in ("پیک", "دیر")
    assert found[1] in ("غذا", "سرد")


def test_nothing_is_made_up(encoder):
    assert _translator(encoder, EMPTY).translate(["courier"], "en", "fa", None) == ()
    assert _translator(encoder).translate([], "en", "fa", None) == ()


def test_each_translation_is_given_once():
    assert _translator().translate(["price", "prices"], "en", "fa", None) == ("قیمت",)


def test_abbreviations_are_not_translated(encoder):
    lexicon = Lexicon((*LEXICON.entries, Entry("fa", "قلمی", ("aa",))))
    for space in (None, encoder):
        assert _translator(space, lexicon).translate(["AA", "price"], "en", "fa", None)[-1] == "قیمت"
        assert "قلمی" not in _translator(space, lexicon).translate(["AA"], "en", "fa", None)
    assert _translator(lexicon=lexicon).translate(["aa"], "en", "fa", None) == ("قلمی",)


def test_a_word_that_several_languages_lead_to_comes_first():
    told = {"en": ["delivery", "price"], "ar": ["السعر"]}
    assert _translator().translate_all(told, "fa", None) == ("قیمت", "تحویل")
    assert _translator().translate_all({}, "fa", None) == ()


def test_of_two_words_the_one_nearer_to_the_topic_comes_first(encoder):
    def fa(centre):
        return _translator(encoder).translate_all({"en": ["delivery", "price"]}, "fa", centre)

    space = WordSpace({}, LEXICON, encoder)
    assert fa(space.vectors("fa", ["قیمت"])[0])[0] == "قیمت"
    assert fa(space.vectors("fa", ["تحویل"])[0])[0] == "تحویل"


@pytest.mark.parametrize(
    ("word", "bare"), [("هتل\u200cهای", "هتل"), ("هوای", "هوا"), ("بوی", "بو"), ("ماهی", "ماهی"), ("چای", "چای")]
)
def test_a_persian_word_loses_the_ending_that_joins_it_to_the_next(word, bare):
    known = [Entry("fa", each, ("x",)) for each in ("هتل", "هوا", "بو", "ماه")]
    lexicon = Lexicon((Entry("fa", word, ("thing",)), *known))
    assert _translator(lexicon=lexicon).translate(["thing"], "en", "fa", None) == (bare,)


def test_each_word_is_encoded_once(encoder):
    asked = []

    def counting(texts):
        asked.extend(texts)
        return encoder(texts)

    space = WordSpace({}, LEXICON, counting)
    twice = [space.vectors("en", ["delivery", "price", "delivery"]) for _ in range(2)]
    assert np.array_equal(*twice)
    assert np.array_equal(twice[0][0], twice[0][2])
    assert len(asked) == len(set(asked))
    assert space.vectors("en", []).shape[0] == 0


def test_groups_of_comments_lie_among_the_words_that_they_say(encoder):
    said = {"en": ["price discount", "delivery courier", "price cost", "?"], "fa": ["قیمت گران", "تحویل پیک"]}
    words = {
        "en": LanguageWords.fit("en", np.array([0, 2, 4, 5]), said["en"]),
        "fa": LanguageWords.fit("fa", np.array([1, 3]), said["fa"]),
    }
    space = WordSpace(words, LEXICON, encoder)
    centres = space.centres(np.array([0, 0, 1, 1, 0, -1]), 3)
    assert centres.shape == (3, WIDTH)
    price, delivery = space.vectors("en", ["price", "delivery"])
    assert centres[0] @ price > centres[0] @ delivery
    assert centres[1] @ delivery > centres[1] @ price
    assert not centres[2].any()


def test_without_an_encoder_groups_lie_nowhere():
    words = {"en": LanguageWords.fit("en", np.arange(2), ["price", "delivery"])}
    space = WordSpace(words, LEXICON, None)
    assert not space.usable
    assert not space.centres(np.array([0, 1]), 2).any()


class TestNamer:
    def _namer(self, cleans, langs, encode=None, lexicon=LEXICON, **settings):
        codes = np.array(langs)
        words = {
            lang: LanguageWords.fit(
                lang, np.flatnonzero(codes == lang), [cleans[at] for at in np.flatnonzero(codes == lang)]
            )
            for lang in ("ar", "fa", "en")
        }
        return Namer(words, lexicon, LabelSettings(**settings), encode)

    def test_a_language_without_comments_is_translated(self, encoder):
        namer = self._namer(["price expensive"] * 12 + ["delivery courier"] * 12, ["en"] * 24, encoder)
        names = namer.name(np.repeat([0, 1], 12), 2)
        assert names[0].keywords["en"][0] in ("price", "expensive")
        assert names[0].keywords["fa"][0] == "قیمت"
        assert "التوصيل" in names[1].labels["ar"]

    def test_untranslatable_names_are_given_in_the_main_language(self):
        namer = self._namer(["kebab grill"] * 12, ["en"] * 12, lexicon=EMPTY)
        names = namer.name(np.zeros(12, dtype=np.int64), 1)
        assert names[0].labels["fa"] == names[0].labels["en"] == "kebab grill"
        assert names[0].keywords["fa"] == ()

    def test_the_words_of_a_label_say_different_things(self, encoder):
        cleans = ["battery charger"] * 6 + ["price battery"] * 3 + ["battery charger price"] * 3
        names = self._namer(cleans, ["en"] * 12, encoder).name(np.zeros(12, dtype=np.int64), 1)
        assert set(names[0].labels["en"].replace(",", "").split()) == {"battery", "charger", "price"}

    def test_a_topic_without_words_has_empty_names(self):
        namer = self._namer(["123", "456"], ["en", "en"])
        names = namer.name(np.zeros(2, dtype=np.int64), 1)
        assert names[0].labels == {"ar": "", "fa": "", "en": ""}
        assert names[0].keywords == {"ar": (), "fa": (), "en": ()}

    def test_a_small_topic_is_named_by_its_main_language(self):
        namer = self._namer(["price", "price", "price high"], ["en"] * 3)
        names = namer.name(np.zeros(3, dtype=np.int64), 1)
        assert "price" in names[0].labels["en"]

    def test_at_most_as_many_keywords_as_asked_for(self):
        namer = self._namer(["alpha bravo charlie delta echo"] * 12, ["en"] * 12, keywords=3)
        names = namer.name(np.zeros(12, dtype=np.int64), 1)
        assert len(names[0].keywords["en"]) == 3

    def test_only_wanted_groups_are_named_and_not_by_words_said_above_them(self):
        namer = self._namer(["price discount"] * 12 + ["courier late"] * 12, ["en"] * 24)
        groups = np.repeat([0, 1], 12)
        said = [{"en": "discount"}, {}]
        found = namer.name(groups, 2, [0], said)
        assert len(found) == 1
        assert found[0].keywords["en"] == ("price",)
        assert namer.name(groups, 2, []) == []
