"""Training on a small made-up data folder: splits stay clean, the folder is whole, twice gives the same bytes."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.core.errors import MissingInputError, ModelError
from feedback_nlp.core.modelfolder import CARD, MANIFEST, ModelFolder, open_model
from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.sentiment.backends.linear import LinearJudge
from feedback_nlp.train import evaluate_sentiment, redecide, rejudge, sentiment, sentiment_folds
from feedback_nlp.train.sentiment_data import is_kept_back, read_labelled, text_key

WORDS = {
    "en": ("good food", "bad service", "it is open"),
    "ar": ("خدمة ممتازة", "خدمة سيئة", "الموعد غدا"),
    "fa": ("غذا عالی بود", "خیلی بد بود", "ساعت کاری"),
}
SETS = (
    *(("en_zomato_hyderabad", "en"), ("ar_elsahar_res1_qaym", "ar"), ("fa_snappfood", "fa")),
    *(("en_twitter_us_airline", "en"), ("ar_marsa", "ar"), ("fa_digikala_fan_2k", "fa")),
)
POLAR = ("positive", "negative", "neutral")


def _frame(name: str, lang: str, count: int) -> pd.DataFrame:
    rows = [
        {
            "text": f"{WORDS[lang][k % 3]} {name} {k}",
            "lang": lang,
            "sentiment": POLAR[k % 3],
            "rating": None,
            "topic": None,
            "domain": "x",
            "split": "dev" if k % 5 == 0 else "train",
            "source": name,
            "extra": None,
        }
        for k in range(count)
    ]
    return pd.DataFrame(rows)


def _annotated(number: int, source: str, lang: str) -> dict[str, object]:
    label = ("pos", "neg", "neu", "mix")[number % 4]
    good, bad, plain = WORDS[lang]
    text = {"pos": good, "neg": bad, "neu": plain, "mix": f"{good}. {bad}"}[label]
    return {"text": f"{text} n{number}", "lang": lang, "source": source, "s": label, "ok": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part in ("feedback", "eval", "rootcause"):
        (folder / part).mkdir()
    for name, lang in SETS:
        _frame(name, lang, 60).to_parquet(folder / "feedback" / f"{name}.parquet")
    held = _frame("en_other", "en", 12)
    held.loc[0, "text"] = f"{WORDS['en'][1]} en_zomato_hyderabad 1"
    held.to_parquet(folder / "eval" / "en_edurabsa.parquet")
    for name, start, count in (("train", 0, 80), ("dev", 500, 24)):
        rows = [_annotated(start + k, *SETS[k % 6]) for k in range(count)]
        rows.append(_annotated(900 + start, "en_edurabsa", "en"))
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / "rootcause" / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    entry = {"file": "fa_snappfood", "license": "none stated"}
    (folder / "manifest.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
    return folder


SMALL = NgramSpec(words=(1, 2), chars=(3,), bits=10)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return sentiment.train_sentiment(data, tmp_path_factory.mktemp("trained") / "a", spec=SMALL)


def test_evaluation_texts_never_train(data: Path) -> None:
    labelled = read_labelled(data)
    keys = {text_key(text) for text in labelled.texts}
    outside = pd.read_parquet(data / "eval" / "en_edurabsa.parquet")["text"]
    assert not keys & {text_key(text) for text in outside}
    assert "en_edurabsa" not in set(labelled.sources)
    train = {text_key(t) for t, judged in zip(labelled.texts, labelled.judged, strict=True) if not judged}
    judged = {text_key(t) for t, judged in zip(labelled.texts, labelled.judged, strict=True) if judged}
    assert judged
    assert not train & judged


def test_published_splits_are_kept_back(data: Path) -> None:
    labelled = read_labelled(data)
    snappfood = labelled.sets == "fa_snappfood"
    assert labelled.judged[snappfood].sum() == 12
    assert not labelled.judged[labelled.sets == "en_zomato_hyderabad"].any()
    assert is_kept_back("ar_arsarcasm_v2", "test", "")
    assert not is_kept_back("ar_ajgt", "test", "")
    picked = [is_kept_back("en_twitter_us_airline", None, str(k)) for k in range(500)]
    assert 0.1 < np.mean(picked) < 0.3


def test_weights_even_out_sets_and_labels(data: Path) -> None:
    labelled = read_labelled(data)
    training = ~labelled.judged & (labelled.labels != SENTIMENTS.index("mixed"))
    weights = labelled.row_weights(training)
    assert np.all(weights[~training] == 0)
    assert np.all(weights[training] > 0)
    sums = {name: weights[training & (labelled.sets == name)].sum() for name in np.unique(labelled.sets)}
    assert sums["rootcause"] > sums["en_zomato_hyderabad"] > sums["fa_snappfood"]


@pytest.mark.slow
def test_training_writes_a_whole_folder_twice_the_same(data: Path, trained: ModelFolder, tmp_path: Path) -> None:
    again = sentiment.train_sentiment(data, tmp_path / "b", spec=SMALL)
    assert trained.fingerprint == again.fingerprint
    card = (trained.path / "README.md").read_text(encoding="utf-8")
    assert "fa_snappfood: 48 comments" in card
    assert "source never seen" in card
    assert trained.manifest["languages"] == ["ar", "fa", "en"]
    assert {row["name"] for row in trained.manifest["training_data"]} == {
        "rootcause",
        "phrases",
        *(name for name, _ in SETS),
    }
    assert all(row["value"] >= 0 for row in trained.manifest["metrics"])


@pytest.mark.slow
def test_evaluation_measures_what_was_kept_back_and_a_baseline(
    data: Path, trained: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentiment_folds, "_FEWEST", 10)
    figures = evaluate_sentiment.evaluate(data, model=str(trained.path))
    named = {figure.data for figure in figures}
    assert {"fa_snappfood, kept back", "rootcause dev", "en_edurabsa, evaluation only"} <= named
    assert {"fa_snappfood, TF-IDF + LR", "rootcause, TF-IDF + LR"} & named
    assert {"fa_snappfood, in-source", "fa_snappfood, source never seen", "sources never seen"} <= named
    assert "en_twitter_us_airline, 5 folds" in named
    assert {"domain x, kept back", "domain x, sources never seen"} <= named
    assert all(figure.suite == "sentiment" for figure in figures)
    spans = [(f.low, f.value, f.high) for f in figures if f.low is not None and f.high is not None]
    assert all(low <= high for low, _, high in spans)
    quick = {figure.data for figure in evaluate_sentiment.evaluate(data, model=str(trained.path), refit=False)}
    assert quick < named
    assert not any("source" in name for name in quick)


@pytest.mark.slow
def test_a_reader_is_blended_in_and_measured_beside_the_model_without(
    data: Path, trained: ModelFolder, reader_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sentiment.train_sentiment(data, tmp_path / "c", spec=SMALL, reader=reader_folder)
    blend = folder.manifest["calibration"]["reader"]
    assert blend["fitted_to"] == open_model(reader_folder).fingerprint
    assert {"*", "en", "ar"} <= set(blend["texts"])
    named = {row["data"] for row in folder.manifest["metrics"]}
    assert {"ar_elsahar_res1_qaym, source never seen, with reader", "rootcause dev, with reader"} <= named
    judge, plain = LinearJudge.from_folder(folder), LinearJudge.from_folder(trained)
    assert judge.wants_readings
    assert not plain.wants_readings
    np.testing.assert_array_equal(judge.head.weights, plain.head.weights)
    figures = evaluate_sentiment.evaluate(
        data, model=str(folder.path), reader=str(reader_folder), baseline=False, refit=False
    )
    assert {"en_edurabsa, evaluation only", "en_edurabsa, evaluation only, with reader"} <= {f.data for f in figures}

    card, manifest = ((folder.path / name).read_text(encoding="utf-8") for name in (CARD, MANIFEST))
    told = json.loads(manifest)
    for row in told["metrics"]:
        if row["data"] == "rootcause dev, with reader":
            row["value"] = 2.0
    (folder.path / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    again = rejudge.judge_sentiment(data, folder.path, reader_folder)
    assert (again.path / MANIFEST).read_text(encoding="utf-8") == manifest
    # The card tells figures in three places, those that stand from the manifest's four: the last one may differ.
    assert len((again.path / CARD).read_text(encoding="utf-8")) == len(card)

    texts, no = ["good food", "bad service", "it is open"], np.zeros(3, dtype=bool)
    some = SimpleNamespace(cleans=texts, langs=np.array(["en", "en", "en"]), chosen=no)
    monkeypatch.setattr(redecide, "read_training", lambda data: some)
    monkeypatch.setattr(redecide, "kept_back", lambda data, annotated, seed: np.array([True, False, True]))
    monkeypatch.setattr(redecide, "best_neutral_times", lambda judged: 1.0 + len(judged.probs))
    decided = redecide.decide_sentiment(data, folder.path, reader_folder)
    times = decided.manifest["calibration"]["reader"]["neutral_times"]
    assert times == 3
    assert LinearJudge.from_folder(decided).blend.neutral_times == times
    assert f"multiplied by {times:g}" in (decided.path / CARD).read_text(encoding="utf-8")
    assert "accuracy, 3 labels, as labelled" in {row["metric"] for row in decided.manifest["metrics"]}
    with pytest.raises(ModelError, match=r"fitted without a reader.*train sentiment --reader"):
        redecide.decide_sentiment(data, trained.path, reader_folder)


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="does not exist"):
        read_labelled(tmp_path)
