import json
import shutil

import numpy as np
import pytest
from embed_samples import SENTENCES

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.embed import Encoder, open_encoder
from feedback_nlp.embed.backends.sentences import pooled, pooling_mode
from feedback_nlp.embed.settings import SentenceTransformersBackend, TransformersBackend

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

KINDS = "sentence_transformers.models"


def write_json(file, value):
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")


def lay_out(folder, bert_folder, *, pooling, dense=None, limit=48):
    """Put a network into the layout of Sentence Transformers."""
    shutil.copytree(bert_folder, folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    write_json(folder / "1_Pooling" / "config.json", pooling)
    if dense is not None:
        modules.append(("2_Dense", "Dense"))
        write_json(folder / "2_Dense" / "config.json", {"activation_function": "torch.nn.modules.activation.Tanh"})
        from safetensors.torch import save_file

        save_file({"linear.weight": dense}, folder / "2_Dense" / "model.safetensors")
    modules.append((f"{len(modules)}_Normalize", "Normalize"))
    rows = [
        {"idx": n, "name": str(n), "path": path, "type": f"{KINDS}.{kind}"} for n, (path, kind) in enumerate(modules)
    ]
    write_json(folder / "modules.json", rows)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": limit, "do_lower_case": True})
    prompts = {"prompts": {"query": "staff "}, "default_prompt_name": None}
    write_json(folder / "config_sentence_transformers.json", prompts)
    return folder


MEAN = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


def opened(folder, **options):
    return open_encoder(SentenceTransformersBackend(model=str(folder), batch_tokens=512, **options))


@pytest.fixture
def folder(bert_folder, tmp_path):
    return lay_out(tmp_path / "model", bert_folder, pooling=MEAN)


def test_mean_pooling_is_that_of_the_bare_network(folder, bert_folder):
    encoder = opened(folder)
    assert isinstance(encoder, Encoder)
    assert encoder.width == 32
    bare = open_encoder(TransformersBackend(model=str(bert_folder), max_tokens=48, batch_tokens=512))
    lower = [text.lower() for text in SENTENCES]
    np.testing.assert_array_equal(encoder.encode(SENTENCES), bare.encode(lower))


def test_first_token_pooling_and_a_dense_layer(bert_folder, tmp_path):
    from transformers import AutoModel, AutoTokenizer

    weight = torch.randn(8, 32, generator=torch.Generator().manual_seed(2))
    folder = lay_out(tmp_path / "model", bert_folder, pooling={"pooling_mode": "cls"}, dense=weight)
    encoder = opened(folder)
    assert encoder.width == 8
    with torch.inference_mode():
        tokens = AutoTokenizer.from_pretrained(bert_folder)(SENTENCES[0].lower(), return_tensors="pt")
        hidden = AutoModel.from_pretrained(bert_folder).eval()(**tokens).last_hidden_state[0, 0]
    expected = torch.nn.functional.normalize(torch.tanh(weight @ hidden), dim=0).numpy()
    np.testing.assert_allclose(encoder.encode(SENTENCES[:1])[0], expected, atol=1e-5)


def test_a_dense_layer_takes_a_true_mean(bert_folder, tmp_path):
    weight = torch.eye(32)[:5] * 3
    dense = opened(lay_out(tmp_path / "dense", bert_folder, pooling=MEAN, dense=weight))
    from transformers import AutoModel, AutoTokenizer

    with torch.inference_mode():
        tokens = AutoTokenizer.from_pretrained(bert_folder)(SENTENCES[1].lower(), return_tensors="pt")
        hidden = AutoModel.from_pretrained(bert_folder).eval()(**tokens).last_hidden_state[0].mean(0)
    expected = torch.nn.functional.normalize(torch.tanh(weight @ hidden), dim=0).numpy()
    np.testing.assert_allclose(dense.encode(SENTENCES[1:2])[0], expected, atol=1e-5)


def test_a_row_does_not_depend_on_its_neighbours(folder):
    encoder = opened(folder)
    texts = [" ".join(SENTENCES[: 1 + i % 3])[: 10 + 7 * (i % 19)] for i in range(40)]
    together = encoder.encode(texts)
    parts = np.concatenate([encoder.encode(texts[:7]), encoder.encode(texts[7:])])
    assert parts.tobytes() == together.tobytes()


def test_the_default_prompt_is_put_before_a_text(folder):
    plain = opened(folder)
    write_json(
        folder / "config_sentence_transformers.json", {"prompts": {"query": "staff "}, "default_prompt_name": "query"}
    )
    np.testing.assert_array_equal(opened(folder).encode(["late"]), plain.encode(["staff late"]))
    np.testing.assert_array_equal(opened(folder, prefix="").encode(["late"]), plain.encode(["late"]))


def test_the_models_own_limit_holds(bert_folder, tmp_path):
    encoder = opened(lay_out(tmp_path / "model", bert_folder, pooling=MEAN, limit=6))
    text = " ".join(SENTENCES)
    np.testing.assert_array_equal(encoder.encode([text]), encoder.encode([text + " kind staff"]))
    longer = opened(lay_out(tmp_path / "longer", bert_folder, pooling=MEAN))
    assert not np.allclose(encoder.encode([text]), longer.encode([text]))


@pytest.mark.parametrize(
    ("mode", "expected"), [("cls", [1, 4]), ("max", [5, 7]), ("lasttoken", [2, 7]), ("mean", [8, 13])]
)
def test_pooling_heeds_the_mask(mode, expected):
    hidden = torch.tensor([[[1.0], [5.0], [2.0], [9.0]], [[4.0], [2.0], [0.0], [7.0]]])
    kept = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    assert pooled(mode, hidden, kept).flatten().tolist() == expected


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        (MEAN, "mean"),
        ({"pooling_mode_lasttoken": True}, "lasttoken"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode": "mean_sqrt_len_tokens"}, "mean_sqrt_len_tokens"),
    ],
)
def test_pooling_modes_in_both_forms(config, mode):
    assert pooling_mode(config) == mode


@pytest.mark.parametrize("config", [{}, {"pooling_mode": "magic"}, MEAN | {"pooling_mode_cls_token": True}])
def test_a_pooling_that_is_not_known_is_refused(config):
    with pytest.raises(ModelError, match="is not one of cls, mean"):
        pooling_mode(config)


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ("modules.json", r"missing modules\.json"),
        ("config.json", r"missing config\.json"),
        ("model.safetensors", r"missing model\.safetensors"),
        ("1_Pooling/config.json", r"missing 1_Pooling/config\.json"),
    ],
)
def test_missing_files_are_named_with_how_to_bring_them(folder, gone, named):
    (folder / gone).unlink()
    with pytest.raises(ModelError, match=f"{named}.*hf download"):
        opened(folder)


def test_a_module_that_is_not_known_is_refused(folder):
    rows = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    write_json(folder / "modules.json", [*rows, {"idx": 9, "name": "9", "path": "9_LSTM", "type": f"{KINDS}.LSTM"}])
    with pytest.raises(ModelError, match="its module LSTM"):
        opened(folder)


def test_a_damaged_list_of_modules_is_said(folder):
    (folder / "modules.json").write_text("[", encoding="utf-8")
    with pytest.raises(ModelError, match="not readable as JSON"):
        opened(folder)


def test_a_hub_name_must_be_pinned():
    with pytest.raises(ConfigError, match=r"pin embed\.backend\.revision"):
        open_encoder(SentenceTransformersBackend(model="sentence-transformers/all-MiniLM-L6-v2"))


def test_sentence_transformers_itself_agrees(folder):
    library = pytest.importorskip("sentence_transformers")
    expected = library.SentenceTransformer(str(folder), device="cpu").encode(list(SENTENCES))
    np.testing.assert_allclose(opened(folder).encode(SENTENCES), expected, atol=1e-5)
