import json
from collections.abc import Callable
from pathlib import Path

import pytest

WORDS = (
    "good",
    "bad",
    "food",
    "service",
    "and",
    "but",
    "was",
    "the",
    "very",
    "room",
    "خدمة",
    "سيئة",
    "غذا",
    "عالی",
    ".",
)


@pytest.fixture(scope="session")
def make_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a maker of tiny, untrained BERT classifiers with a word-piece tokenizer, as a user would bring them."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    def make(*labels: str, positions: int = 64, seed: int = 5, shards: str = "5GB") -> Path:
        folder = tmp_path_factory.mktemp("checkpoint")
        letters = sorted({char for word in WORDS for char in word})
        pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *[f"##{char}" for char in letters]]
        (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)), encoding="utf-8")
        tokenizer = {"tokenizer_class": "BertTokenizer", "strip_accents": False}
        (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
        torch.manual_seed(seed)
        config = transformers.BertConfig(
            vocab_size=len(dict.fromkeys(pieces)),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=positions,
            initializer_range=0.4,
            id2label=dict(enumerate(labels)),
            label2id={label: place for place, label in enumerate(labels)},
        )
        network = transformers.BertForSequenceClassification(config)
        network.save_pretrained(folder, max_shard_size=shards)
        return folder

    return make


@pytest.fixture(scope="session")
def reader_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny, untrained reading encoder as a model folder."""
    torch = pytest.importorskip("torch")
    from feedback_nlp.embed.network import new_reader
    from feedback_nlp.train.encoder_tokenizer import train_tokenizer
    from feedback_nlp.train.encoder_write import write_weights

    width, generator = 32, torch.Generator().manual_seed(5)
    texts = [f"{first} {second}" for first in WORDS for second in WORDS]
    tokenizer = train_tokenizer(texts, tmp_path_factory.mktemp("tokenizer") / "tokenizer.model", pieces=48)
    layer = "encoder.layer.0"
    shapes = {
        "embeddings.word_embeddings.weight": (48, width),
        "embeddings.position_embeddings.weight": (128, width),
        "embeddings.token_type_embeddings.weight": (1, width),
        f"{layer}.attention.output.dense.weight": (width, width),
        f"{layer}.intermediate.dense.weight": (4 * width, width),
        f"{layer}.output.dense.weight": (width, 4 * width),
    }
    shapes |= {f"{layer}.attention.self.{part}.weight": (width, width) for part in ("query", "key", "value")}
    shapes |= {f"{name.removesuffix('weight')}bias": shape[:1] for name, shape in shapes.items() if layer in name}
    weights = {name: torch.randn(shape, generator=generator) * 0.2 for name, shape in shapes.items()}
    for name in ("embeddings.", f"{layer}.attention.output.", f"{layer}.output."):
        weights |= {f"{name}LayerNorm.weight": torch.ones(width), f"{name}LayerNorm.bias": torch.zeros(width)}
    reading = {
        name: torch.randn(value.shape, generator=generator) * 0.2 if value.ndim == 2 else value
        for name, value in new_reader(width, seed=5).items()
    }
    return write_weights(tmp_path_factory.mktemp("models") / "tiny-reader", weights | reading, tokenizer).path
