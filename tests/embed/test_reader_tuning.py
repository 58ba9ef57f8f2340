import shutil
from dataclasses import replace

import numpy as np
import pytest
from encoder_data import write_data
from pretrained_data import WIDTH, write_pretrained

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import CARD, open_model, write_model
from feedback_nlp.core.reading import READING_LABELS, TOKEN_LABELS
from feedback_nlp.embed.backends.static import TOKENIZER
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.encoder_bags import Bags

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402 - needs torch

from feedback_nlp.embed.arithmetic import fast_dtype  # noqa: E402 - needs torch
from feedback_nlp.embed.backends.reader import (  # noqa: E402 - needs torch
    HEAD_FILE,
    KIND,
    READER_FILE,
    TRUNK_FILE,
    ReaderEncoder,
    load_weights,
)
from feedback_nlp.embed.network import JOIN, PLACES, WORDS, layer, new_head, own_layers, reading, states  # noqa: E402
from feedback_nlp.train import quantise, reader_tuning  # noqa: E402
from feedback_nlp.train.encoder import FIRST_ROUND, train_encoder  # noqa: E402
from feedback_nlp.train.encoder_write import write_head, write_weights  # noqa: E402
from feedback_nlp.train.reader_data import Caused  # noqa: E402
from feedback_nlp.train.reader_losses import agreement_loss, padded  # noqa: E402

TEXTS = ["the delivery was late", "الطعام كان جيدا جدا", "کارکنان خیلی خوب بود و غذا گران بود"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def bags():
    return Bags.of([[5 + (n + k) % 60 for k in range(1 + n % 9)] for n in range(30)])


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    file = tmp_path_factory.mktemp("pretrained") / "e5.bin"
    write_pretrained(file)
    return file


@pytest.fixture(autouse=True)
def few_layers(monkeypatch):
    monkeypatch.setattr(reader_tuning, "LAYERS", 2)
    monkeypatch.setattr(reader_tuning, "_WORD_LENGTH", 2)
    monkeypatch.setattr(quantise, "_SAMPLE", 500)


@pytest.fixture
def start(reader_weights, tokenizer_file, pretrained):
    """A reader of its own with heads that say something, as they are after some steps."""
    found = reader_tuning.start_of(reader_weights, tokenizer_file, pretrained, seed=1)
    drawn = torch.Generator().manual_seed(2)
    for name in (f"{JOIN}.weight", "reader.comment.weight", "reader.token.weight"):
        found[name] = torch.randn(found[name].shape, generator=drawn) * 0.2
    return found


def trunk_of(weights):
    return {name: value for name, value in weights.items() if not name.startswith("reader.")}


class Undrawn:
    """Hides no token."""

    def random(self, shape):
        return np.ones(shape)


def test_what_is_tuned_starts_from_what_was_pretrained(reader_weights, tokenizer_file, pretrained):
    start = reader_tuning.start_of(reader_weights, tokenizer_file, pretrained, seed=1)
    assert own_layers(start) == ["reader.lower.0"]
    assert start[PLACES].shape == (len(reader_weights["embeddings.position_embeddings.weight"]), WIDTH)
    assert not start[f"{JOIN}.weight"].any()
    assert all(value.dtype == torch.float32 for value in start.values())


def test_the_reader_adds_the_trunk_to_word_vectors_of_its_own(reader_weights, start, bags):
    ids, mask = padded(bags, np.arange(8, 20), 128)
    below = states(reader_weights, ids, mask)[-1]
    weights = trunk_of(reader_weights) | start
    words = start[WORDS][ids] + start[PLACES][: ids.shape[1]]
    hidden = torch.nn.functional.layer_norm(
        words, (WIDTH,), start["reader.norm.weight"], start["reader.norm.bias"], 1e-12
    )
    hidden = hidden + below @ start[f"{JOIN}.weight"].T
    for name in ("reader.lower.0", "reader.layer"):
        hidden = layer(start, name, hidden, mask[:, None, None, :], heads=1)
    torch.testing.assert_close(reading(weights, ids, below, mask), hidden)
    without = weights | {f"{JOIN}.weight": torch.zeros_like(start[f"{JOIN}.weight"])}
    assert not torch.allclose(reading(without, ids, below, mask), hidden, atol=1e-3)


@pytest.fixture
def packed_folder(reader_weights, start, bags, tokenizer_file, tmp_path):
    folder = write_weights(tmp_path / "packed", reader_weights, tokenizer_file).path
    moments = reader_tuning.moments_of(start, trunk_of(reader_weights), bags)
    assert all(float(found.diagonal().sum()) > 0 for found in moments.values())
    save_file(reader_tuning.packed(start, moments, np.ones(70, dtype=np.float32)), folder / READER_FILE)
    write_model(folder, kind=KIND, name="packed", version="1", details={})
    return folder


def test_a_new_head_leaves_a_packed_reader_as_it_is(packed_folder, tmp_path):
    folder = tmp_path / "headed"
    shutil.copytree(packed_folder, folder)
    write_head(folder, new_head(*load_weights(folder)["embeddings.LayerNorm.weight"].shape, 5, seed=1))
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert HEAD_FILE in found
    for name in (TRUNK_FILE, READER_FILE):
        assert found[name] == (packed_folder / name).read_bytes()


def test_what_is_stored_is_nearly_what_was_tuned(packed_folder, start):
    found = load_weights(packed_folder)
    assert set(start) == {name for name in found if name.startswith("reader.")}
    assert found[WORDS].dtype == torch.float16
    assert found["reader.lower.0.output.dense.weight"].dtype == found[f"{JOIN}.weight"].dtype == fast_dtype()
    for name, value in start.items():
        lost = ((found[name].float() - value) ** 2).sum() / (value**2).sum().clamp(min=1e-6)
        assert lost < 0.05, name


def test_rows_are_read_alike_however_they_are_cut(packed_folder, reader_weights, tokenizer_file, tmp_path):
    old = write_weights(tmp_path / "old", reader_weights, tokenizer_file).path
    for folder in (packed_folder, old):
        encoder = ReaderEncoder.open(ShippedBackend(model=str(folder)))
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


def test_each_language_is_drawn_to_what_all_say(reader_weights, start, bags):
    own = {name: value.requires_grad_() for name, value in start.items()}
    weights = trunk_of(reader_weights) | own
    alike, unlike = np.array([[4, 5], [4, 5], [4, 5]]), np.array([[4, 5], [14, 16], [24, 27]])

    def gradients(rows):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(reader_tuning, "_DROP", 0.0)
            loss = agreement_loss(weights, rows, reader_tuning._layer_of(weights, bags, Undrawn()))
        found = torch.autograd.grad(loss, list(own.values()), allow_unused=True)
        return sum(float(one.abs().sum()) for one in found if one is not None)

    assert gradients(alike) < 0.1 * gradients(unlike)


def test_other_causes_weigh_as_asked(reader_weights, start, bags):
    weights, rows = trunk_of(reader_weights) | start, np.array([[4, 5], [14, 16], [24, 27]])

    def loss(others):
        run = reader_tuning._layer_of(weights, bags, np.random.default_rng(1))
        torch.manual_seed(1)
        return float(agreement_loss(weights, rows, run, others=others).detach())

    none, usual, twice = (loss(others) for others in (0.0, 1.0, 2.0))
    assert twice - usual == pytest.approx(usual - none, rel=1e-3)
    assert usual - none > 0.1


def test_comments_with_a_rare_cause_and_careful_ones_are_drawn_more_often(bags):
    causes = np.zeros((30, 3), dtype=bool)
    causes[:12, 0] = causes[12:15, 1] = causes[0, 2] = True
    nothing, emotion = np.full(30, -1), np.full(30, -1)
    emotion[20] = 2
    weights = np.full(30, 0.5, dtype=np.float32)
    weights[[12, 13]] = 1.0
    caused = Caused(
        bags,
        weights,
        causes,
        np.zeros((30, 2), dtype=bool),
        nothing,
        {"emotion": emotion, "effort": nothing},
        np.zeros((0, 4), dtype=np.int64),
        {},
    )
    found = reader_tuning.repeats(caused, replace(reader_tuning.ANEW, rare=0.3, careful=2.0))
    assert found[5] == found[25] == 1, "a frequent cause, and none"
    assert found[20] == 2
    assert found[[0, 12, 14]] == pytest.approx(np.sqrt([0.3 * 16 / 0.5, 0.3 * 16 / 2.5, 0.3 * 16 / 2.5]))
    assert (reader_tuning.repeats(caused, reader_tuning.ANEW) == 1).all()


@pytest.fixture
def folder(reader_weights, tokenizer_file, tmp_path, monkeypatch):
    anew = replace(reader_tuning.ANEW, epochs=8, drawn=1_500, rate=2e-3)
    once = replace(anew, epochs=1, rate=2e-4, draws=2)
    further = {"": once, " again": replace(once, draws=3, rare=0.05, careful=2.0, others=1.0)}
    for name, value in (("ANEW", anew), ("FURTHER", further), ("_WARM_STEPS", 2)):
        monkeypatch.setattr(reader_tuning, name, value)
    return write_weights(tmp_path / "tiny", reader_weights, tokenizer_file).path


def test_every_further_round_draws_and_is_told_by_itself():
    rounds = reader_tuning.FURTHER
    assert len({one.draws for one in [reader_tuning.ANEW, *rounds.values()]}) == len(rounds) + 1
    notes = [reader_tuning._further_note(again) for again in rounds]
    assert len({note.partition("\n")[0] for note in notes}) == len(rounds)


@pytest.mark.slow
def test_tuning_learns_and_leaves_the_vectors_alone(folder, data, reader_weights, pretrained, tmp_path, monkeypatch):
    losses = []
    fit = reader_tuning.fit_reading
    told = {"report": lambda done, kind, loss: losses.append((kind, loss))}
    monkeypatch.setattr(reader_tuning, "fit_reading", lambda *given, **named: fit(*given, **named, **told))
    monkeypatch.setattr(reader_tuning, "package_file", lambda: pretrained)
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
    tuned = load_file(tmp_path / "reading-last.safetensors")
    assert set(tuned) == {name for name in load_weights(folder) if name.startswith("reader.")}
    (tmp_path / "reading-last.safetensors").unlink()
    assert reader_tuning.tune_reading(data, folder, tmp_path, unseen=True, seed=3).fingerprint == made.fingerprint


@pytest.mark.slow
def test_tuning_further_starts_from_what_stands_as_often_as_there_are_rounds(
    folder, data, reader_weights, pretrained, tmp_path, monkeypatch
):
    monkeypatch.setattr(reader_tuning, "package_file", lambda: pretrained)
    with pytest.raises(ModelError, match=r"no reader with word vectors of its own.*--kind reading"):
        train_encoder(data, folder, kind="further", seed=3, work=tmp_path)
    (folder / CARD).write_text(
        "# tiny\n\nA BERT.\n\n- Width 16, 0.1 MB, seed 3.\n\n## Figures\n\n## Data\n\n## Limits\nNone.\n"
    )
    write_weights(tmp_path / FIRST_ROUND, reader_weights, folder / TOKENIZER)
    train_encoder(data, folder, kind="reading", seed=3, work=tmp_path)
    before = reader_tuning.standing(folder)
    train_encoder(data, folder, kind="further", seed=3, work=tmp_path)
    assert {path.stem for path in tmp_path.glob("reading-*")} == {
        "reading-first",
        "reading-first-further-2",
        "reading-last",
        "reading-last-further-2",
    }

    def away(tuned):
        return sum(float((tuned[name] - value).square().sum()) for name, value in before.items())

    further, anew = (load_file(tmp_path / f"reading-last{name}.safetensors") for name in ("-further-2", ""))
    drawn = reader_tuning.start_of(reader_weights, folder / TOKENIZER, pretrained, seed=1)
    assert 0 < away(further) < 0.2 * away(drawn)
    assert set(further) == set(anew) == set(before)
    card = (folder / CARD).read_text(encoding="utf-8")
    assert "at 10% of the learning rate" in card
    once = open_model(folder).fingerprint
    train_encoder(data, folder, kind="further", seed=3, work=tmp_path)
    assert open_model(folder).fingerprint != once
    assert (tmp_path / "reading-last-further-3.safetensors").exists()
    card = (folder / CARD).read_text(encoding="utf-8")
    assert card.count("was tuned further") == 2
    assert [card.count(f"was tuned further{again},") for again in reader_tuning.FURTHER] == [1, 1]
    assert card.count("a cause that fewer than 5% have") == card.count("Other causes weighed 1 beside") == 1
    with pytest.raises(ConfigError, match=r"tuned further 2 times before.*--kind reading"):
        train_encoder(data, folder, kind="further", seed=3, work=tmp_path)
    train_encoder(data, folder, kind="reading", seed=3, work=tmp_path)
    card = (folder / CARD).read_text(encoding="utf-8")
    assert "tuned further" not in card
    assert card.count("The reader has word vectors") == 1
