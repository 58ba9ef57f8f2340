"""The head: one vector of all layers and the static encoder's."""

import shutil

import numpy as np
import pytest
from embed_samples import SENTENCES

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.encoder_bags import Bags, unit

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from feedback_nlp.embed.network import TABLE, new_head  # noqa: E402 - needs torch
from feedback_nlp.train import encoder_head  # noqa: E402
from feedback_nlp.train.encoder_write import card_notes, write_weights  # noqa: E402
from feedback_nlp.train.reader_pairs import UNTAUGHT, Paired  # noqa: E402

WIDTH, LAYERS = 32, 3
TEXTS = [*SENTENCES, "", "𒀀", " ".join(SENTENCES)]


@pytest.fixture(scope="module")
def table_folder(tokenizer_file, tmp_path_factory):
    """A static encoder as wide as the tiny reader."""
    folder = tmp_path_factory.mktemp("models") / "wide-static"
    folder.mkdir()
    shutil.copyfile(tokenizer_file, folder / static.TOKENIZER)
    table = np.random.default_rng(6).normal(size=(70, WIDTH)).astype(np.float32)
    table[static.silent_pieces(static.open_tokenizer(tokenizer_file))] = 0
    write_model(folder, kind=static.KIND, name="wide", version="1", details={}, arrays=static.pack_table(table))
    return folder


@pytest.fixture(scope="module")
def head_folder(reader_weights, table_folder, tokenizer_file, tmp_path_factory):
    found = new_head(WIDTH, LAYERS + 2, seed=5)
    found["head.outer.weight"] = torch.randn(found["head.outer.weight"].shape, generator=torch.manual_seed(5)) * 0.01
    found["head.mean"] = torch.full((WIDTH,), 0.05)
    out = tmp_path_factory.mktemp("models") / "tiny-head"
    return write_weights(out, reader_weights | found, tokenizer_file, str(table_folder)).path


def test_vectors_are_units_or_zero_and_differ_from_those_without_a_head(head_folder, reader_folder):
    vectors = open_encoder(ShippedBackend(model=str(head_folder))).encode(TEXTS)
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [*[1] * len(SENTENCES), 0, 0, 1], atol=1e-5)
    bare = open_encoder(ShippedBackend(model=str(reader_folder))).encode(TEXTS)
    assert np.abs(vectors - bare).max() > 0.05


def test_a_row_does_not_depend_on_its_neighbours(head_folder):
    encoder = open_encoder(ShippedBackend(model=str(head_folder)))
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_array_equal(together, alone)
    read = encoder.read(TEXTS, np.zeros((0, 3), dtype=np.int64))
    np.testing.assert_array_equal(read.vectors, together)


def test_the_readings_are_those_without_a_head(head_folder, reader_folder):
    none = np.zeros((0, 3), dtype=np.int64)
    first, second = (
        open_encoder(ShippedBackend(model=str(path))).read(TEXTS, none) for path in (head_folder, reader_folder)
    )
    np.testing.assert_array_equal(first.scores, second.scores)


def test_another_static_encoder_is_refused(head_folder, table_folder, tmp_path):
    kept = tmp_path / "kept"
    shutil.copytree(table_folder, kept)
    try:
        write_model(table_folder, kind=static.KIND, name="w", version="1", details={}, arrays={"table": np.ones(3)})
        with pytest.raises(ModelError, match=r"was fitted on .*Bring both folders of one version"):
            open_encoder(ShippedBackend(model=str(head_folder)))
    finally:
        shutil.rmtree(table_folder)
        shutil.copytree(kept, table_folder)


def test_a_head_that_names_no_static_encoder_is_refused(head_folder, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "nameless"
    shutil.copytree(head_folder, folder)
    save_file(load_file(folder / "head.safetensors"), folder / "head.safetensors")
    write_model(folder, kind="encoder", name="nameless", version="1", details={})
    with pytest.raises(ModelError, match="does not say which static encoder"):
        open_encoder(ShippedBackend(model=str(folder)))


def fitted(reader_weights, table, tokenizer_file, monkeypatch, seen=None):
    """Fit a head to 90 texts of two to eight pieces, each beside the same text without its last piece."""
    monkeypatch.setattr(encoder_head, "_BATCH", 32)
    monkeypatch.setattr(encoder_head, "_NEGATIVES", 16)
    monkeypatch.setattr(encoder_head, "_EPOCHS", 60)
    monkeypatch.setattr(encoder_head, "feedback_texts", lambda *_, **__: [("set", text) for text in SENTENCES])
    rng = np.random.default_rng(2)
    ids = [rng.integers(5, 70, size=2 + n % 7).tolist() for n in range(90)]
    left, right = np.arange(90), np.arange(90, 180)
    right[:10] = left[:10]
    target_of = np.where(left % 9 == 0, UNTAUGHT, left)
    goals = unit(rng.normal(size=(90, WIDTH)).astype(np.float32))
    bags = Bags.of([*ids, *[one[:-1] for one in ids]])
    paired = Paired(bags, left, right, target_of, goals, np.ones(90, dtype=np.float32), {})
    trunk = {name: value for name, value in reader_weights.items() if not name.startswith("reader.")}
    trunk = trunk | {TABLE: torch.from_numpy(table)}
    report = None if seen is None else lambda step, steps, loss: seen.append(loss)
    return encoder_head.fit_head(trunk, paired, tokenizer_file.parent, tokenizer_file, seed=3, report=report)


def test_training_lowers_the_loss_and_gives_the_same_again(reader_weights, table_folder, tokenizer_file, monkeypatch):
    from feedback_nlp.core.modelfolder import open_model

    table = static.unpack_table(open_model(table_folder).arrays())
    losses: list[float] = []
    first = fitted(reader_weights, table, tokenizer_file, monkeypatch, losses)
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    again = fitted(reader_weights, table, tokenizer_file, monkeypatch)
    assert {name: value.tolist() for name, value in first.items()} == {
        name: value.tolist() for name, value in again.items()
    }


def test_evening_takes_the_mean_off_and_weakens_strong_directions():
    weights = new_head(4, 2, seed=1)
    rng = np.random.default_rng(4)
    given = (rng.normal(size=(500, 8)) * [1, 1, 1, 1, 9, 1, 1, 1] + 1).astype(np.float16)
    found = encoder_head.evening(weights, given)
    made = encoder_head._made(weights, given).numpy()
    even = (made - found["head.mean"].numpy()) @ found["head.evening.weight"].numpy().T
    np.testing.assert_allclose(even.mean(axis=0), 0, atol=1e-4)
    before, after = made.var(axis=0), even.var(axis=0)
    assert after.max() / after.min() < before.max() / before.min()


def test_notes_of_a_card_are_found(tmp_path):
    (tmp_path / "README.md").write_text("# x\n\n- Width 8, 1 MB, seed 3.\n- one\n  more\n\n## Figures\n- no\n")
    assert card_notes(tmp_path) == "- one\n  more\n"
