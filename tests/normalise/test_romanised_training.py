"""Training of the de-romanisation model and evaluation of the room, on data made here."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.core.modelfolder import sha256_of
from feedback_nlp.normalise.deromanise import WordModel
from feedback_nlp.normalise.deromanise.symbols import symbols_of
from feedback_nlp.train.evaluate_normalise import evaluate, personal_figures, romanised_figures
from feedback_nlp.train.romanise import romanise
from feedback_nlp.train.romanised import romanised_rows, split_styles, train_romanised
from feedback_nlp.train.romanised_lexicon import count_words, kept_words, make_lexicon
from feedback_nlp.train.romanised_pairs import align_words, fold_word, real_pairs, start_channel

COMMENTS = {
    "ar": [
        "الخدمة ممتازة جدا",
        "الاكل سيء والسعر غالي",
        "المطعم جميل بس الخدمة بطيئة",
        "الموظف محترم wifi سريع",
        "لا انصح به ابدا",
    ],
    "fa": [
        "غذا سرد بود",
        "کیفیت عالی بود ولی دیر رسید",
        "خیلی خوب بود ممنون",
        "اصلا راضی نیستم wifi",
        "قیمت مناسب و بسته بندی خوب",
    ],
    "en": ["the food was cold", "great service and wifi", "never again"],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "feedback").mkdir()
    (folder / "romanised").mkdir()
    rng = np.random.default_rng(3)
    for lang, texts in COMMENTS.items():
        repeated = [f"{text} {'!' * at}" for text in texts for at in range(6)]
        frame = pd.DataFrame({"text": repeated, "lang": lang})
        frame.to_parquet(folder / "feedback" / f"{lang}_made.parquet")
        if lang != "en":
            rows = [
                {"id": f"{lang}{at}", "text": text, "roman": romanise(text, lang, rng), "style": f"writer {at % 8}"}
                for at, text in enumerate(texts * 4)
            ]
            rows.append({"id": "x", "text": "ok", "roman": "ok", "style": "already Latin, as typed"})
            lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
            (folder / "romanised" / f"{lang}_roman.jsonl").write_text(lines, encoding="utf-8")
    (folder / "manifest.jsonl").write_text('{"name": "fa_made", "license": "MIT"}\n', encoding="utf-8")
    return folder


def test_rows_already_in_latin_letters_are_left_out(data: Path) -> None:
    rows = romanised_rows(data, "fa")
    assert len(rows) == 20
    learn, judge = split_styles(rows)
    assert {row["style"] for row in judge} == {"writer 0", "writer 4"}
    assert not {row["style"] for row in learn} & {row["style"] for row in judge}


def test_words_apart_are_aligned_with_their_word() -> None:
    channel = start_channel("ar")
    native = [fold_word(word) for word in ["المطعم", "جميل", "جدا"]]
    spans = align_words(channel, native, ["el", "mat3am", "gameel", "gidan"])
    assert spans == [((0, 1), (0, 2)), ((1, 2), (2, 3)), ((2, 3), (3, 4))]


def test_pairs_that_cost_too_much_are_not_believed() -> None:
    rows = [{"text": "خوب", "roman": "khoob"}, {"text": "خوب", "roman": "xxxxddddqqq"}]
    assert real_pairs(rows, "fa", start_channel("fa")) == {("خوب", symbols_of("khoob")): 1}


def test_the_lexicon_keeps_the_commonest_spelling_and_telling_pairs() -> None:
    other = ["بارد", "غالي", "صغير", "كبير"] * 6
    corpus = count_words({"x": ["الأكل ممتاز", "الاكل ممتاز", "الأكل ممتاز", "ممتاز wifi"] * 3 + other}, "ar")
    lexicon = make_lexicon(corpus, "ar")
    assert list(lexicon.surfaces[:2]) == ["ممتاز", "الأكل"]
    assert lexicon.folds[1] == "الاکل"
    assert lexicon.after(1, 0) is not None
    assert lexicon.after(0, 1) is None
    assert lexicon.after(-1, 0) is None
    assert corpus.rows == {"x": 36}
    assert kept_words(corpus, corpus).keys() == {"wifi"}


@pytest.mark.slow
def test_training_writes_a_model_that_reads_and_is_the_same_each_time(data: Path, tmp_path: Path) -> None:
    folder = train_romanised(data, tmp_path / "one")
    again = train_romanised(data, tmp_path / "two")
    assert folder.manifest == again.manifest
    assert sha256_of(folder.path / "README.md") == sha256_of(again.path / "README.md")
    assert folder.manifest["languages"] == ["ar", "fa"]
    assert {"name": "fa_made", "rows": 30, "licence": "MIT"} in folder.manifest["training_data"]
    assert {row["metric"] for row in folder.manifest["metrics"]} == {
        "words as in the native original",
        "cosine of n-grams with it",
    }
    model = WordModel.from_folder(folder)
    assert model.read(["ghaza", "sard", "bood"], "fa") == ["غذا", "سرد", "بود"]
    figures = {(figure.lang, figure.metric): figure.value for figure in romanised_figures(data, str(folder.path))}
    assert figures["fa", "words as in the native original"] > 0.8


def test_evaluating_takes_what_is_there(tmp_path: Path) -> None:
    assert evaluate(tmp_path, lines=tmp_path / "none.jsonl") == []
    assert {figure.metric for figure in evaluate(tmp_path)} == {"recall", "precision", "comments a CPU second"}
    with pytest.raises(MissingInputError, match="does not exist"):
        personal_figures(tmp_path / "none.jsonl")
