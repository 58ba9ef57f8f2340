import json
import shutil

import numpy as np
import pytest
from embed_samples import SENTENCES

from feedback_nlp.core import huggingface as core
from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.embed import Encoder, open_encoder
from feedback_nlp.embed.settings import TransformersBackend

pytest.importorskip("torch")
pytest.importorskip("transformers")

SHA = "0123456789abcdef0123456789abcdef01234567"


def backend(folder, **options):
    return TransformersBackend(model=str(folder), max_tokens=48, batch_tokens=512, **options)


@pytest.fixture(scope="module")
def encoder(bert_folder):
    return open_encoder(backend(bert_folder))


def test_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.width == 32


def test_rows_are_unit_length_and_empty_ones_zero(encoder):
    vectors = encoder.encode([*SENTENCES, "", "  "])
    np.testing.assert_allclose(np.linalg.norm(vectors[:-2], axis=1), 1, rtol=1e-5)
    assert not vectors[-2:].any()
    assert encoder.encode([]).shape == (0, 32)


def test_mean_pooling_is_over_real_tokens_only(encoder, bert_folder):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bert_folder)
    network = AutoModel.from_pretrained(bert_folder).eval()
    with torch.inference_mode():
        hidden = network(**tokenizer(SENTENCES[0], return_tensors="pt")).last_hidden_state[0]
    expected = torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy()
    np.testing.assert_allclose(encoder.encode(SENTENCES[:1])[0], expected, atol=1e-5)


def test_a_row_does_not_depend_on_its_neighbours(encoder):
    texts = [" ".join(SENTENCES[: 1 + i % 3])[: 10 + 7 * (i % 19)] for i in range(70)]
    together = encoder.encode(texts)
    for cut in (1, 17, 64):
        parts = np.concatenate([encoder.encode(texts[:cut]), encoder.encode(texts[cut:])])
        assert parts.tobytes() == together.tobytes()
    backwards = encoder.encode(texts[::-1])[::-1]
    assert backwards.tobytes() == together.tobytes()


def test_long_texts_are_cut(encoder):
    text = " ".join(SENTENCES * 20)
    np.testing.assert_array_equal(encoder.encode([text]), encoder.encode([text + " kind staff"]))


def test_a_prefix_is_put_before_every_text(encoder, bert_folder):
    prefixed = open_encoder(backend(bert_folder, prefix="staff "))
    np.testing.assert_array_equal(prefixed.encode(["late"]), encoder.encode(["staff late"]))
    assert not prefixed.encode([""]).any()


def test_torch_threads_are_given_back(encoder):
    import torch

    before = torch.get_num_threads()
    encoder.encode(["kind staff"])
    assert torch.get_num_threads() == before


def test_a_hub_name_must_be_pinned():
    with pytest.raises(ConfigError, match=r"pin embed\.backend\.revision"):
        open_encoder(TransformersBackend(model="intfloat/multilingual-e5-small"))


def test_a_folder_is_not_pinned(bert_folder):
    with pytest.raises(ConfigError, match="Leave it out"):
        open_encoder(TransformersBackend(model=str(bert_folder), revision=SHA))


def test_a_model_that_is_not_here_says_how_to_bring_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=rf"hf download no/such-model --revision {SHA}"):
        open_encoder(TransformersBackend(model="no/such-model", revision=SHA))


@pytest.mark.parametrize(
    ("gone", "named"),
    [("config.json", "config.json"), ("model.safetensors", "model.safetensors"), ("vocab.txt", "a tokenizer")],
)
def test_missing_files_are_named(bert_folder, tmp_path, gone, named):
    folder = shutil.copytree(bert_folder, tmp_path / "copy")
    for file in folder.glob("tokenizer.json"):
        file.unlink()
    (folder / gone).unlink()
    with pytest.raises(ModelError, match=f"missing {named}"):
        open_encoder(TransformersBackend(model=str(folder)))


def test_pickled_weights_are_never_read(bert_folder, tmp_path):
    folder = shutil.copytree(bert_folder, tmp_path / "copy")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled weights are never read"):
        open_encoder(TransformersBackend(model=str(folder)))


def test_a_model_that_wants_its_own_code_is_refused(bert_folder, tmp_path):
    folder = shutil.copytree(bert_folder, tmp_path / "copy")
    config = {"model_type": "strange", "auto_map": {"AutoModel": "strange.Strange", "AutoConfig": "strange.Config"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "strange.py").write_text("raise SystemExit('this code must not run')\n", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot load it"):
        open_encoder(TransformersBackend(model=str(folder)))


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(core, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"feedback-nlp\[transformers\]"):
        open_encoder(TransformersBackend(model="any"))


def test_opening_writes_nothing_to_the_terminal(bert_folder, capfd):
    open_encoder(backend(bert_folder))
    assert capfd.readouterr() == ("", "")
