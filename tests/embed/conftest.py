import json

import numpy as np
import pytest
from embed_samples import SENTENCES

from feedback_nlp.core.folding import fold
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.embed.backends import static
from feedback_nlp.train.encoder_tokenizer import train_tokenizer


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory):
    texts = [fold(sentence) for sentence in SENTENCES] * 20
    return train_tokenizer(texts, tmp_path_factory.mktemp("tokenizer") / static.TOKENIZER, pieces=70)


@pytest.fixture(scope="session")
def static_folder(tokenizer_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-static"
    folder.mkdir()
    (folder / static.TOKENIZER).write_bytes(tokenizer_file.read_bytes())
    table = np.random.default_rng(5).normal(size=(70, 24)).astype(np.float32)
    table[static.silent_pieces(static.open_tokenizer(tokenizer_file))] = 0
    write_model(folder, kind=static.KIND, name="tiny", version="1", details={}, arrays=static.pack_table(table))
    return folder


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory):
    """A tiny BERT with its own word-piece tokenizer, as a user would bring it."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("bert")
    words = sorted({word for sentence in SENTENCES for word in fold(sentence).replace(",", "").split()})
    letters = sorted({char for word in words for char in word})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *[f"##{char}" for char in letters]]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}), encoding="utf-8")
    torch.manual_seed(5)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def reader_weights():
    """A trunk of three layers and a reading layer, untrained, for the tokenizer of 70 pieces."""
    torch = pytest.importorskip("torch")
    from feedback_nlp.embed.network import new_reader

    generator = torch.Generator().manual_seed(5)
    width = 32
    shapes = {
        "embeddings.word_embeddings.weight": (70, width),
        "embeddings.position_embeddings.weight": (128, width),
        "embeddings.token_type_embeddings.weight": (1, width),
    }
    for number in range(3):
        name = f"encoder.layer.{number}"
        dense = {f"attention.self.{part}": (width, width) for part in ("query", "key", "value")}
        dense |= {
            "attention.output.dense": (width, width),
            "intermediate.dense": (4 * width, width),
            "output.dense": (width, 4 * width),
        }
        for part, shape in dense.items():
            shapes |= {f"{name}.{part}.weight": shape, f"{name}.{part}.bias": shape[:1]}
    weights = {name: torch.randn(shape, generator=generator) * 0.2 for name, shape in shapes.items()}
    norms = ["embeddings.LayerNorm"]
    norms += [f"encoder.layer.{n}.{part}output.LayerNorm" for n in range(3) for part in ("attention.", "")]
    for name in norms:
        weights |= {f"{name}.weight": torch.ones(width), f"{name}.bias": torch.zeros(width)}
    reading = new_reader(width, seed=5)
    for name, value in reading.items():
        if value.ndim == 2:
            reading[name] = torch.randn(value.shape, generator=generator) * 0.2
    return weights | reading


@pytest.fixture(scope="session")
def reader_folder(reader_weights, tokenizer_file, tmp_path_factory):
    """The tiny reader as a model folder."""
    pytest.importorskip("transformers")
    from feedback_nlp.train.encoder_write import write_weights

    return write_weights(tmp_path_factory.mktemp("models") / "tiny-reader", reader_weights, tokenizer_file).path
