"""Backends that are off by default, through settings and stage: inference models of Hugging Face, and endpoints."""

import json

import numpy as np
import pytest
from fake_chat import fake_chat

from feedback_nlp.api import classify
from feedback_nlp.config import load_config
from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.pipeline import open_models
from feedback_nlp.rootcause.backends.entailment import TransformersEntailment
from feedback_nlp.rootcause.settings import ZeroShotRootCause

WORDS = (
    "the",
    "app",
    "is",
    "slow",
    "she",
    "was",
    "kind",
    "customer",
    "complains",
    "about",
    "this",
    "praises",
    ":",
    ".",
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return a maker of tiny, untrained inference models in Hugging Face format."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    def make(*labels):
        folder = tmp_path_factory.mktemp("nli")
        letters = sorted({char for word in WORDS for char in word} | set("abcdefghijklmnopqrstuvwxyz"))
        pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *[f"##{char}" for char in letters]]
        pieces = list(dict.fromkeys(pieces))
        (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
        torch.manual_seed(5)
        config = transformers.BertConfig(
            vocab_size=len(pieces),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
            initializer_range=0.5,
            id2label=dict(enumerate(labels)),
            label2id={label: place for place, label in enumerate(labels)},
        )
        transformers.BertForSequenceClassification(config).save_pretrained(folder)
        return folder

    return make


NLI = ("entailment", "neutral", "contradiction")


def test_pairs_are_judged_alike_however_they_are_batched(checkpoint):
    folder = str(checkpoint(*NLI))
    premises = ["the app is slow", "she was kind", "the app", "kind"] * 3
    hypotheses = ["the customer complains about this: the app", "the customer praises this"] * 6
    whole, single = (
        TransformersEntailment.open(ZeroShotRootCause(model=folder, max_tokens=64, batch_tokens=size))
        for size in (4096, 64)
    )
    first = whole.entailed(premises, hypotheses)
    assert first.shape == (12,)
    assert np.all((first > 0) & (first < 1))
    assert len(set(np.round(first, 4))) > 2
    np.testing.assert_allclose(first, single.entailed(premises, hypotheses), atol=1e-3)
    np.testing.assert_allclose(first[:4], whole.entailed(premises[:4], hypotheses[:4]), atol=1e-3)


def test_the_order_of_labels_does_not_matter_but_their_names_do(checkpoint):
    first = TransformersEntailment.open(
        ZeroShotRootCause(model=str(checkpoint("CONTRADICTION", "NEUTRAL", "ENTAILMENT")))
    )
    assert first.entailed(["the app"], ["slow"]).shape == (1,)
    with pytest.raises(ModelError, match="entailment from contradiction"):
        TransformersEntailment.open(ZeroShotRootCause(model=str(checkpoint("LABEL_0", "LABEL_1"))))


def test_a_model_that_is_not_there_says_how_to_bring_it():
    pinned = ZeroShotRootCause(model="nobody/nli", revision="0" * 40)
    with pytest.raises(ModelError, match="hf download nobody/nli"):
        TransformersEntailment.open(pinned)
    with pytest.raises(ConfigError, match="40 hexadecimal digits"):
        TransformersEntailment.open(ZeroShotRootCause(model="nobody/nli"))


def test_zero_shot_by_configuration(checkpoint):
    backend = {"kind": "zero-shot", "model": str(checkpoint(*NLI)), "threshold": 0.5, "max_tokens": 64}
    config = load_config(rootcause__backend=backend)
    assert "rootcause" in {model.manifest["name"] for model in open_models(config)}
    found = classify(["the app is slow. she was kind"], config=config)
    assert found["root_cause"][0] is not None
    for one in found["drivers"][0]:
        assert "the app is slow. she was kind"[one["start"] : one["end"]].strip()


def test_an_endpoint_by_configuration_never_sees_personal_data():
    text = "call me on 0912 345 6789, the agent was rude"

    def answer(_):
        cause = {"cause": "attitude", "sign": "-", "evidence": "the agent was rude", "score": 0.9}
        return {"causes": [cause], "other_causes": []}

    with fake_chat(answer) as fake:
        endpoint = {"url": fake.url, "model": "small"}
        found = classify([text], config=load_config(rootcause__backend={"kind": "llm", "endpoint": endpoint}))
    (asked,) = fake.asked
    assert "6789" not in json.dumps(asked)
    assert found["root_cause"][0] == "employee"
    (driver,) = found["drivers"][0]
    assert text[driver["start"] : driver["end"]] == "the agent was rude"
