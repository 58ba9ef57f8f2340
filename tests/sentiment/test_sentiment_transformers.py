"""Any Hugging Face classifier as the judge: labels, clauses, formats, independence of rows, and every refusal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sentiment_batches import batch_of

from feedback_nlp.config import Config
from feedback_nlp.core import huggingface
from feedback_nlp.core.columns import CLAUSES, SENTIMENT, SENTIMENT_PROBS, VECTOR
from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.sentiment import SentimentSettings, SentimentStage, open_stage
from feedback_nlp.sentiment.settings import TransformersSentiment

pytest.importorskip("torch")
pytest.importorskip("transformers")

SHA = "0123456789abcdef0123456789abcdef01234567"
TEXTS = ["good food", "bad service. good room", "خدمة سيئة", "غذا عالی", "the food was very good and the room was bad"]
THREE = ("NEG", "NEU", "POS")


def stage_of(folder: Path | str, *, clauses: bool = True, **options: Any) -> SentimentStage:
    backend = TransformersSentiment(model=str(folder), **{"batch_tokens": 128} | options)
    return open_stage(SentimentSettings(backend=backend, clauses=clauses))


def probs_of(stage: SentimentStage, texts: list[str]) -> np.ndarray:
    rows = stage.compute(batch_of(texts))[SENTIMENT_PROBS].to_pylist()
    return np.array([[row["negative"], row["neutral"], row["positive"]] for row in rows])


@pytest.fixture(scope="module")
def three(make_checkpoint: Callable[..., Path]) -> Path:
    return make_checkpoint(*THREE)


@pytest.fixture(scope="module")
def stage(three: Path) -> SentimentStage:
    return stage_of(three)


def test_it_gives_what_transformers_gives(stage: SentimentStage, three: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(three)
    network = AutoModelForSequenceClassification.from_pretrained(three).eval()
    with torch.inference_mode():
        wanted = [network(**tokenizer(text, return_tensors="pt")).logits.softmax(1)[0].tolist() for text in TEXTS]
    np.testing.assert_allclose(probs_of(stage, TEXTS), wanted, atol=1e-5)
    assert np.ptp(wanted, axis=0).max() > 0.1


def test_it_needs_no_vectors(stage: SentimentStage) -> None:
    assert VECTOR not in stage.requires


def test_a_clause_is_judged_as_a_text_of_its_own(stage: SentimentStage) -> None:
    clauses = stage.compute(batch_of(["bad service. good room"]))[CLAUSES].to_pylist()[0]
    alone = stage.compute(batch_of(["bad service", "good room"]))
    for clause, probs in zip(clauses, alone[SENTIMENT_PROBS].to_pylist(), strict=True):
        assert clause["score"] == pytest.approx(max(probs.values()), abs=1e-6)
        assert clause["sentiment"] == max(probs, key=probs.get)
    assert [clause["start"] for clause in clauses] == [0, 13]


@pytest.mark.parametrize("dtype", ["float32", "bf16", "int8"])
def test_a_row_does_not_depend_on_its_neighbours(three: Path, dtype: str) -> None:
    stage = stage_of(three, dtype=dtype)
    texts = [" ".join((TEXTS * 3)[: 1 + k % 9]) for k in range(40)]
    together = probs_of(stage, texts)
    for cut in (1, 7, 39):
        parts = np.concatenate([probs_of(stage, texts[:cut]), probs_of(stage, texts[cut:])])
        assert parts.tobytes() == together.tobytes()


@pytest.mark.parametrize(("dtype", "apart"), [("bf16", 0.05), ("int8", 0.05)])
def test_smaller_formats_stay_near_float32(stage: SentimentStage, three: Path, dtype: str, apart: float) -> None:
    small = probs_of(stage_of(three, dtype=dtype), TEXTS)
    assert not np.array_equal(small, probs_of(stage, TEXTS))
    np.testing.assert_allclose(small, probs_of(stage, TEXTS), atol=apart)


def test_stars_are_added_up(make_checkpoint: Callable[..., Path]) -> None:
    stars = make_checkpoint(*[f"{n} stars" for n in range(1, 6)])
    plain = make_checkpoint("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4")
    found = probs_of(stage_of(stars), TEXTS)
    np.testing.assert_array_equal(found, probs_of(stage_of(plain), TEXTS))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    told = {f"{n} stars": "positive" if n > 3 else "negative" for n in range(1, 6)}
    moved = probs_of(stage_of(stars, labels=told), TEXTS)
    np.testing.assert_allclose(moved[:, 0], found[:, 0] + found[:, 1], atol=1e-6)
    assert not moved[:, 1].any()


def test_two_labels_leave_neutral_out(make_checkpoint: Callable[..., Path]) -> None:
    assert not probs_of(stage_of(make_checkpoint("HAPPY", "SAD")), TEXTS)[:, 1].any()


def test_a_label_for_mixed_is_used(make_checkpoint: Callable[..., Path]) -> None:
    folder = make_checkpoint("positive", "negative", "mixed", seed=11)
    stage = stage_of(folder, labels={"positive": "positive", "negative": "negative", "mixed": "mixed"})
    found = stage.compute(batch_of([f"{a} {b}" for a in TEXTS for b in TEXTS]))
    assert "mixed" in found[SENTIMENT].to_pylist()
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-5) for row in found[SENTIMENT_PROBS].to_pylist())


def test_without_such_a_label_mixed_comes_from_the_clauses(three: Path) -> None:
    low, high = stage_of(three, mixed_from=0.0), stage_of(three, mixed_from=1.0)
    batch = batch_of(["bad service. good room", "good food"])
    assert low.compute(batch)[SENTIMENT].to_pylist()[0] == "mixed"
    assert "mixed" not in high.compute(batch)[SENTIMENT].to_pylist()


def test_a_temperature_makes_it_less_sure(stage: SentimentStage, three: Path) -> None:
    warm = probs_of(stage_of(three, temperature=4.0), TEXTS)
    assert np.all(warm.max(axis=1) < probs_of(stage, TEXTS).max(axis=1))
    np.testing.assert_array_equal(warm.argmax(axis=1), probs_of(stage, TEXTS).argmax(axis=1))


def test_long_and_strange_texts_are_taken(stage: SentimentStage, make_checkpoint: Callable[..., Path]) -> None:
    texts = ["good " * 900, "😡😡", "\u200c", "x" * 3000]
    assert np.isfinite(probs_of(stage, texts)).all()
    short = stage_of(make_checkpoint(*THREE, positions=40))
    np.testing.assert_array_equal(probs_of(short, ["good " * 900]), probs_of(short, ["good " * 950]))


def test_no_rows_give_no_rows(stage: SentimentStage) -> None:
    assert all(len(values) == 0 for values in stage.compute(batch_of([])).values())


def test_sharded_weights_are_read_and_a_missing_shard_is_named(
    make_checkpoint: Callable[..., Path], three: Path, tmp_path: Path
) -> None:
    folder = make_checkpoint(*THREE, shards="20KB")
    np.testing.assert_allclose(probs_of(stage_of(folder), TEXTS), probs_of(stage_of(three), TEXTS), atol=1e-6)
    copy = shutil.copytree(folder, tmp_path / "copy")
    shard = sorted(copy.glob("model-*.safetensors"))[-1]
    shard.unlink()
    with pytest.raises(ModelError, match=f"missing {shard.name}"):
        stage_of(copy)
    (copy / "model.safetensors.index.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError, match="not readable as a list of weight files"):
        stage_of(copy)


@pytest.mark.parametrize(
    ("gone", "named"),
    [("config.json", "config.json"), ("model.safetensors", "model.safetensors"), ("vocab.txt", "a tokenizer")],
)
def test_missing_files_are_named_with_how_to_bring_them(three: Path, tmp_path: Path, gone: str, named: str) -> None:
    folder = shutil.copytree(three, tmp_path / "copy")
    (folder / gone).unlink()
    with pytest.raises(ModelError, match=rf"missing {named}.*hf download .*sentiment\.backend\.model"):
        stage_of(folder)


def test_pickled_weights_are_never_read(three: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(three, tmp_path / "copy")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled weights are never read"):
        stage_of(folder)


def test_code_of_a_model_never_runs(three: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(three, tmp_path / "copy")
    maps = {"AutoModelForSequenceClassification": "strange.Strange", "AutoConfig": "strange.Config"}
    (folder / "config.json").write_text(json.dumps({"model_type": "strange", "auto_map": maps}), encoding="utf-8")
    (folder / "strange.py").write_text("raise SystemExit('this code must not run')\n", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot load it"):
        stage_of(folder)


def test_an_encoder_without_a_head_is_refused(three: Path, tmp_path: Path) -> None:
    from transformers import BertModel

    folder = shutil.copytree(three, tmp_path / "copy")
    BertModel.from_pretrained(three).save_pretrained(folder)
    with pytest.raises(ModelError, match=r"not trained for classification, its weights lack classifier"):
        stage_of(folder)


@pytest.mark.parametrize("change", [{"problem_type": "multi_label_classification"}, {"num_labels": 1}])
def test_a_model_without_a_choice_of_labels_is_refused(
    make_checkpoint: Callable[..., Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    names = ("a",) if "num_labels" in change else THREE
    folder = shutil.copytree(make_checkpoint(*names), tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if "problem_type" in change:
        config |= change
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="no choice of one label among several"):
        stage_of(folder)


def test_labels_that_say_nothing_are_refused(make_checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"\(sports, politics\) do not say what they mean"):
        stage_of(make_checkpoint("sports", "politics"))


def test_a_hub_name_must_be_pinned_and_a_folder_not(three: Path) -> None:
    with pytest.raises(ConfigError, match=r"pin sentiment\.backend\.revision"):
        stage_of("some/model")
    with pytest.raises(ConfigError, match="Leave it out"):
        stage_of(three, revision=SHA)
    with pytest.raises(ValidationError, match="revision"):
        TransformersSentiment(model="some/model", revision="main")


def test_a_model_that_is_not_here_says_how_to_bring_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=rf"hf download no/such-model --revision {SHA}"):
        stage_of("no/such-model", revision=SHA)


def test_a_missing_extra_is_named(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"feedback-nlp\[transformers\].*kind: linear"):
        stage_of(three)


def test_the_configuration_takes_it(three: Path) -> None:
    backend = {"kind": "transformers", "model": str(three), "labels": {"NEG": "negative"}, "dtype": "int8"}
    config = Config(sentiment={"backend": backend})
    assert config.sentiment.backend == TransformersSentiment(**backend)
    with pytest.raises(ValidationError, match="labels"):
        Config(sentiment={"backend": backend | {"labels": {"NEG": "awful"}}})


def test_opening_writes_nothing_to_the_terminal(three: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stage_of(three)
    assert capfd.readouterr() == ("", "")
