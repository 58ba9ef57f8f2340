import numpy as np
import pytest
from encoder_data import write_data

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import open_model
from feedback_nlp.core.reading import READING_LABELS, TOKEN_LABELS
from feedback_nlp.embed.backends.static import TOKENIZER
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.encoder_bags import Bags

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402 - needs torch

from feedback_nlp.embed.backends.reader import READER_FILE, ReaderEncoder  # noqa: E402 - needs torch
from feedback_nlp.embed.network import LOWER, READER, layer, layers_of, own_layers, reading, states  # noqa: E402
from feedback_nlp.train import reader_tuning  # noqa: E402
from feedback_nlp.train.encoder import FIRST_ROUND, train_encoder  # noqa: E402
from feedback_nlp.train.encoder_write import write_weights  # noqa: E402
from feedback_nlp.train.reader_losses import agreement_loss, padded  # noqa: E402

TEXTS = ["the delivery was late", "الطعام كان جيدا جدا", "کارکنان خیلی خوب بود و غذا گران بود"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def bags():
    return Bags.of([[5 + (n + k) % 60 for k in range(1 + n % 9)] for n in range(30)])


def tuned(weights):
    """Return weights with a reader that has lower layers of its own, unlike the trunk's."""
    own = reader_tuning.start_of(weights)
    return weights | {name: value + 0.03 if name.startswith(LOWER) else value for name, value in own.items()}


class Undrawn:
    """Hides no token."""

    def random(self, shape):
        return np.ones(shape)


def test_the_readers_own_layers_take_the_place_of_the_trunks_last(reader_weights, bags):
    ids, mask = padded(bags, np.arange(8, 20), 128)
    found = states(reader_weights, ids, mask)
    bare = reading(reader_weights, found, mask)
    torch.testing.assert_close(bare, layer(reader_weights, READER, found[-1], mask[:, None, None, :]))
    same = reading(reader_weights | reader_tuning.start_of(reader_weights), found, mask)
    torch.testing.assert_close(same, bare)
    assert not torch.allclose(reading(tuned(reader_weights), found, mask), bare, atol=1e-3)


def test_rows_are_read_alike_however_they_are_cut(reader_weights, tokenizer_file, tmp_path):
    folder = write_weights(tmp_path / "tuned", tuned(reader_weights), tokenizer_file)
    encoder = ReaderEncoder.open(ShippedBackend(model=str(folder.path)))
    clauses = np.array([[row, 0, len(text)] for row, text in enumerate(TEXTS)], dtype=np.int64)
    together = encoder.read(TEXTS, clauses)
    assert together.scores.shape == (3, len(READING_LABELS))
    for row, text in enumerate(TEXTS):
        alone = encoder.read([text], np.array([[0, 0, len(text)]], dtype=np.int64))
        assert alone.scores[0].tobytes() == together.scores[row].tobytes()
        assert alone.clause_scores[0].tobytes() == together.clause_scores[row].tobytes()
        mine = together.token_scores[together.token_owners == row]
        assert alone.token_scores.tobytes() == mine.tobytes()
        assert alone.token_scores.shape[1] == len(TOKEN_LABELS)


@pytest.mark.parametrize("depth", [-1, -2])
def test_frozen_states_are_the_trunks(reader_weights, bags, depth):
    frozen = reader_tuning.freeze(reader_weights, bags, depth)
    rows = np.array([3, 17, 8])
    found, mask = frozen.padded(rows)
    ids, wanted = padded(bags, rows, 128)
    assert torch.equal(mask, wanted)
    expected = states(reader_weights, ids, wanted)[depth] * wanted[:, :, None]
    torch.testing.assert_close(found, expected, rtol=0, atol=0.03)


def test_each_language_is_drawn_to_what_all_say(reader_weights, bags):
    frozen = reader_tuning.freeze(reader_weights, bags, -1 - reader_tuning.OWN_LAYERS)
    weights = {name: value.requires_grad_() for name, value in reader_tuning.start_of(reader_weights).items()}
    alike, unlike = np.array([[4, 5], [4, 5], [4, 5]]), np.array([[4, 5], [14, 16], [24, 27]])

    def gradients(rows):
        run = reader_tuning._layer_of(weights, frozen, Undrawn())
        with torch.random.fork_rng(), pytest.MonkeyPatch.context() as patched:
            patched.setattr(reader_tuning, "_DROP", 0.0)
            loss = agreement_loss(weights, rows, run)
        found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
        return sum(float(one.abs().sum()) for one in found if one is not None)

    assert gradients(alike) < 0.02 * gradients(unlike)


@pytest.fixture
def folder(reader_weights, tokenizer_file, tmp_path, monkeypatch):
    tunings = tuple(reader_tuning.Tuning(later=later, epochs=20, agreed=2) for later in (False, True))
    for name, value in (("_TUNINGS", tunings), ("_SENTIMENT_DRAWN", 4_000), ("_WARM_STEPS", 2)):
        monkeypatch.setattr(reader_tuning, name, value)
    monkeypatch.setattr(reader_tuning, "_RATE", 2e-3)
    return write_weights(tmp_path / "tiny", reader_weights, tokenizer_file).path


@pytest.mark.slow
def test_tuning_learns_and_leaves_the_vectors_alone(folder, data, reader_weights, tmp_path, monkeypatch):
    losses = []
    fit = reader_tuning.fit_reading
    told = {"report": lambda done, kind, loss: losses.append((kind, loss))}
    monkeypatch.setattr(reader_tuning, "fit_reading", lambda *given, **named: fit(*given, **named, **told))
    before = ReaderEncoder.open(ShippedBackend(model=str(folder)))
    first = write_weights(tmp_path / FIRST_ROUND, reader_weights, folder / TOKENIZER)
    made = train_encoder(data, folder, kind="reading", seed=3, work=tmp_path)
    for kind in ("causes", "sentiment"):
        found = [loss for name, loss in losses if name == kind]
        assert np.mean(found[-5:]) < np.mean(found[:5])
    assert {kind for kind, _ in losses} == {"causes", "agreed", "sentiment"}

    assert open_model(first.path).fingerprint != first.fingerprint
    assert {row["use"] for row in made.manifest["training_data"]} == {"sentiment", "root causes"}
    after = ReaderEncoder.open(ShippedBackend(model=str(made.path)))
    none = np.zeros((0, 3), dtype=np.int64)
    old, new = before.read(TEXTS, none), after.read(TEXTS, none)
    np.testing.assert_array_equal(old.vectors, new.vectors)
    assert not np.allclose(old.scores[:, :4], new.scores[:, :4])

    again = reader_tuning.tune_reading(data, folder, tmp_path, unseen=True, seed=3)
    assert again.fingerprint == made.fingerprint
    assert (folder / READER_FILE).stat().st_mode & 0o777 == 0o644
    parts = [load_file(tmp_path / f"reading-last-{number}.safetensors") for number in (1, 2)]
    whole = load_file(folder / READER_FILE)
    for key, value in whole.items():
        torch.testing.assert_close(value, ((parts[0][key] + parts[1][key]) / 2).half())
    assert any(not torch.equal(parts[0][key], parts[1][key]) for key in whole)
    (tmp_path / "reader-last.safetensors").unlink()
    with pytest.raises(ModelError, match=r"its reader is tuned, and .*reader-last.safetensors"):
        reader_tuning.tune_reading(data, folder, tmp_path, unseen=True, seed=3)


def test_tuning_starts_from_the_trunks_last_layers(reader_weights):
    own = reader_tuning.start_of(reader_weights)
    assert own_layers(own) == [f"{LOWER}.{number}" for number in range(reader_tuning.OWN_LAYERS)]
    for number, name in enumerate(own_layers(own), start=layers_of(reader_weights) - reader_tuning.OWN_LAYERS):
        copied = reader_weights[f"encoder.layer.{number}.output.dense.weight"]
        torch.testing.assert_close(own[f"{name}.output.dense.weight"], copied.float())
    assert all(value.dtype == torch.float32 for value in own.values())
