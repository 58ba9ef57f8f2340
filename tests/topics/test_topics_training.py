import json

import pandas as pd
import pytest

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.topics.lexicon import open_lexicon
from feedback_nlp.train.topic_labels import read_glossary, train_topic_labels
from feedback_nlp.train.word_pairs import SETS, frequent_english, learn_word_pairs, read_sentence_pairs

ENGLISH = [
    "the hotel room",
    "a hotel bed",
    "hotel again",
    "hotel here",
    "late food",
    "late again",
    "late bus",
    "late now",
]
PERSIAN = ["اتاق هتل", "تخت هتل", "هتل دوباره", "هتل اینجا", "غذا دیر", "دوباره دیر", "اتوبوس دیر", "دیر حالا"]
ARABIC = [
    "غرفة الفندق",
    "سرير فندق",
    "الفندق مجددا",
    "الفندق هنا",
    "طعام متأخر",
    "متأخر مجددا",
    "حافلة متأخر",
    "متأخر الآن",
]


@pytest.fixture
def data(tmp_path):
    for folder in ("feedback", "parallel"):
        (tmp_path / folder).mkdir()
    feedback = pd.DataFrame({"text": ENGLISH * 10 + PERSIAN + ARABIC, "lang": ["en"] * 80 + ["fa"] * 8 + ["ar"] * 8})
    feedback.to_parquet(tmp_path / "feedback" / "reviews.parquet")
    trilingual = pd.DataFrame({"id": range(8), "en": ENGLISH, "ar": ARABIC, "fa": PERSIAN})
    trilingual.to_parquet(tmp_path / "parallel" / "feedback_trilingual.parquet")
    for name in SETS:
        pairs = pd.DataFrame({"src": ["hotel"], "src_lang": ["en"], "tgt": ["هتل"], "tgt_lang": ["fa"]})
        pairs.to_parquet(tmp_path / "parallel" / f"{name}.parquet")
    (tmp_path / "parallel" / "glossary_fa.tsv").write_text(
        "word\tgloss\nکه\tthat\nغذا\tthe food / Food (dish) / I ate it\n"
        'اتاق،\troom\nعلی\tAli\nدیر\tlate / "quoted" late\n',
        encoding="utf-8",
    )
    (tmp_path / "parallel" / "glossary_ar.tsv").write_text("word\tgloss\nغرفه\troom\n", encoding="utf-8")
    (tmp_path / "manifest.jsonl").write_text(
        json.dumps({"file": "feedback_trilingual", "license": "open"}) + "\n", encoding="utf-8"
    )
    return tmp_path


def test_short_meanings_that_name_something_are_kept(data):
    assert list(read_glossary(data, "fa"))[:2] == [("غذا", ["food"]), ("اتاق", ["room"])]
    assert "علی" not in dict(read_glossary(data, "fa"))


def test_words_that_meet_are_paired():
    pairs = {pair.english: pair for pair in learn_word_pairs(ENGLISH, PERSIAN, "fa")}
    assert pairs["hotel"].word == "هتل"
    assert pairs["late"].word == "دیر"
    assert pairs["hotel"].dice == 1
    assert "bus" not in pairs


def test_sentence_pairs_are_read_both_ways(data):
    english, persian, rows = read_sentence_pairs(data, "fa")
    assert len(english) == len(persian) == 8 + len(SETS)
    assert rows["feedback_trilingual"] == 8
    assert len(read_sentence_pairs(data, "ar")[0]) == 8


def test_frequent_words_of_the_feedback(data):
    assert {"hotel", "late"} <= frequent_english(data, ["reviews"])
    assert "bus" not in frequent_english(data, ["reviews"])


def test_the_lexicon_is_made_twice_alike(data, tmp_path):
    first = train_topic_labels(data, tmp_path / "a" / "topic-labels")
    second = train_topic_labels(data, tmp_path / "b" / "topic-labels")
    assert first.fingerprint == second.fingerprint
    assert {"name": "feedback_trilingual", "rows": 16, "licence": "open"} in first.manifest["training_data"]
    lexicon = open_lexicon(first.path)
    assert lexicon.translations("hotel", "en", "fa") == ("هتل",)
    assert lexicon.translations("room", "en", "ar") == ("غرفة",)
    card = (first.path / "README.md").read_text(encoding="utf-8")
    assert "feedback_trilingual" in card
    assert [figure["lang"] for figure in first.manifest["metrics"]] == ["ar", "fa"]


def test_missing_data_is_named(tmp_path):
    with pytest.raises(MissingInputError, match="--data"):
        train_topic_labels(tmp_path / "nowhere", tmp_path / "out")
