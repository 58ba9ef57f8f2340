from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from encoder_data import said, write_data

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.core.folding import fold
from feedback_nlp.core.reading import READ_CAUSES, READING_SLICES
from feedback_nlp.embed.backends.static import TOKENIZER, open_tokenizer
from feedback_nlp.train.encoder_bags import Bags
from feedback_nlp.train.reader import fit_reader, round_of_batches, starting_weights
from feedback_nlp.train.reader_data import UNSEEN, read_caused, read_judged
from feedback_nlp.train.reader_pairs import UNTAUGHT, Paired
from feedback_nlp.train.rootcause_data import CAUSE_LABELS, SOURCE_FOLDS

torch = pytest.importorskip("torch")

from feedback_nlp.train import reader_losses  # noqa: E402 - needs torch


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def tokenizer(tokenizer_file):
    return open_tokenizer(tokenizer_file)


def texts_of(bags, tokenizer):
    return [tokenizer.decode(bags.flat[a:b].tolist()) for a, b in zip(bags.ends[:-1], bags.ends[1:], strict=True)]


def test_causes_stand_in_the_readers_order():
    assert CAUSE_LABELS == READ_CAUSES
    assert set(UNSEEN) == set(SOURCE_FOLDS[0])


@pytest.fixture(scope="module")
def caused(data, tokenizer):
    return read_caused(data, tokenizer, seed=1, unseen=False)


@pytest.mark.slow
def test_unseen_sources_are_read_in_the_last_round_only(data, tokenizer, caused):
    last = read_caused(data, tokenizer, seed=1, unseen=True)
    assert "en_twitter_us_airline" not in caused.rows
    assert last.rows["en_twitter_us_airline"] == 18
    assert sum(last.weights == 1) == sum(caused.weights == 1) + 18
    retyped = last.weights == 0.25
    assert sum(retyped) == last.rows["ar_shop"] + last.rows["fa_shop"] + 12
    assert not set(last.evidence[:, 0].tolist()) & set(np.flatnonzero(retyped).tolist())
    first, second = (read_judged(data, tokenizer, seed=1, unseen=unseen) for unseen in (False, True))
    assert len(second.labels) > len(first.labels)


def test_evidence_is_where_it_was_annotated(caused, tokenizer):
    assert len(caused.evidence) > 50
    assert (np.diff(caused.evidence[:, 0]) >= 0).all()
    for row, label, first, last in caused.evidence[:60].tolist():
        assert caused.causes[row, label]
        pieces = caused.bags.flat[caused.bags.ends[row] : caused.bags.ends[row + 1]]
        assert 0 <= first < last <= len(pieces)
    whole = [
        row
        for row, text in enumerate(texts_of(caused.bags, tokenizer))
        if text.startswith(fold(said("en", 1))) and text.endswith("thanks")
    ]
    _, _, first, last = caused.evidence[caused.evidence[:, 0] == whole[0]][0].tolist()
    start = int(caused.bags.ends[whole[0]])
    assert tokenizer.decode(caused.bags.flat[start + first : start + last].tolist()) == fold(said("en", 1)).strip()


def test_comments_kept_for_judging_are_not_read(data, tokenizer):
    judged = read_judged(data, tokenizer, seed=1, unseen=True)
    texts = set(texts_of(judged.bags, tokenizer))
    kept = [f"{said('fa', n)} {n}" for n in range(0, 40, 4)]
    assert not texts.intersection(tokenizer.decode(tokenizer.encode(fold(text))) for text in kept)
    assert judged.rows["fa_snappfood"] == 30
    assert judged.annotated.sum() == judged.rows["rootcause"]
    assert set(judged.labels) <= set(range(len(SENTIMENTS)))
    assert judged.weights.min() > 0


def test_rounds_hold_every_row_as_often_as_its_weight():
    sizes = np.concatenate([1 + np.arange(900) % 90, np.zeros(20, dtype=np.int64)])
    weights = np.where(np.arange(920) < 300, 2, 1).astype(np.float32)
    batches = round_of_batches(sizes, weights, np.random.default_rng(4))
    counts = np.bincount(np.concatenate(batches), minlength=920)
    np.testing.assert_array_equal(counts[:900], weights[:900])
    assert not counts[900:].any()
    assert all(len(rows) * sizes[rows].max() <= 4_096 for rows in batches)
    again = round_of_batches(sizes, weights, np.random.default_rng(4))
    assert all((one == other).all() for one, other in zip(batches, again, strict=True))


def test_a_translation_is_told_from_the_others():
    units = torch.nn.functional.normalize(torch.randn(6, 8, generator=torch.Generator().manual_seed(1)), dim=1)
    each = np.arange(6)
    assert reader_losses.translation_loss(units, units, each) < reader_losses.translation_loss(units, -units, each)
    twice = torch.cat([units[:1], units[:1]])
    assert float(reader_losses.translation_loss(twice, twice, np.array([7, 7]))) < 1e-6
    assert float(reader_losses.translation_loss(twice, twice, np.array([7, 8]))) > 0.6


def small_pairs():
    bags = Bags.of([[5 + n, 6 + n, 7] for n in range(24)])
    rows = np.arange(12, dtype=np.int64)
    right = np.where(rows < 8, rows + 12, rows)
    targets = np.eye(12, 32, dtype=np.float32)
    return Paired(bags, rows, right, np.where(rows == 3, UNTAUGHT, rows), targets, np.ones(12, dtype=np.float32), {})


@pytest.fixture
def weights(reader_weights):
    return {name: value.clone() for name, value in reader_weights.items()}


def cause_loss_of(weights, caused, count, rng):
    run = reader_losses.layer_of(weights, caused.bags, rng)
    return reader_losses.cause_loss(weights, caused, np.arange(count), run)


def losses(weights, data_losses):
    rng = np.random.default_rng(0)
    return {name: float(loss(weights, rng).detach()) for name, loss in data_losses.items()}


@pytest.mark.slow
def test_training_lowers_every_loss_and_spares_the_word_vectors(
    weights, data, tokenizer, caused, tmp_path, monkeypatch
):
    monkeypatch.setattr("feedback_nlp.train.reader._WARM_STEPS", 5)
    # A clock that is asked twice a step: as many steps on a slow machine as on a quick one.
    asked_at = count()
    monkeypatch.setattr("feedback_nlp.train.reader.time", SimpleNamespace(monotonic=lambda: 0.02 * next(asked_at)))
    monkeypatch.setattr(reader_losses, "_NEGATIVES", 8)
    judged, paired = read_judged(data, tokenizer, seed=1, unseen=False), small_pairs()
    monkeypatch.setattr("feedback_nlp.train.reader._SENTIMENT_DRAWN", len(judged.labels))
    asked = {
        "pairs": lambda w, rng: reader_losses.pair_loss(w, paired, np.arange(8), rng),
        "sentiment": lambda w, rng: reader_losses.sentiment_loss(
            w, judged, np.arange(len(judged.labels)), reader_losses.layer_of(w, judged.bags, rng)
        ),
        "causes": lambda w, rng: cause_loss_of(w, caused, 60, rng),
    }
    before, words = losses(weights, asked), weights["embeddings.word_embeddings.weight"].clone()
    seen = []
    trained = fit_reader(
        weights,
        paired,
        judged,
        caused,
        minutes=0.1,
        rate=3e-3,
        seed=1,
        work=tmp_path,
        report=lambda progress, kind, loss: seen.append((progress.steps, kind)),
    )
    after = losses(trained, asked)
    assert {name: after[name] < before[name] for name in asked} == dict.fromkeys(asked, True), (before, after)
    assert torch.equal(trained["embeddings.word_embeddings.weight"], words)
    assert {kind for _, kind in seen} == {*asked, "alone"}

    resumed = []
    fresh = {name: value.detach().clone() for name, value in weights.items()}
    fit_reader(
        fresh,
        paired,
        judged,
        caused,
        minutes=0.13,
        seed=1,
        work=tmp_path,
        report=lambda progress, kind, loss: resumed.append(progress.steps),
    )
    assert resumed[0] == seen[-1][0] + 1
    kept = starting_weights(tmp_path / "reader-checkpoint.safetensors", seed=1)
    assert torch.equal(kept["reader.token.weight"], fresh["reader.token.weight"])


def test_evidence_pulls_token_scores_apart(weights, caused):
    """The span's tokens are asked to be high, the others low."""
    rng = np.random.default_rng(0)
    named = {name: value.clone().requires_grad_(name == "reader.token.bias") for name, value in weights.items()}
    cause_loss_of(named, caused, 30, rng).backward()
    rare = READING_SLICES["causes"].start + READ_CAUSES.index("policy.handoff+")
    assert named["reader.token.bias"].grad[rare] > 0


def test_a_distilled_transformer_gets_a_new_reading_layer(weights, tmp_path):
    from safetensors.torch import save_file

    bare = {f"network.{name}": value for name, value in weights.items() if not name.startswith("reader.")}
    save_file(bare | {"adam.0.step": torch.ones(1)}, tmp_path / TOKENIZER)
    started = starting_weights(tmp_path / TOKENIZER, seed=3)
    assert set(started) == set(weights)
    again = starting_weights(tmp_path / TOKENIZER, seed=3)
    assert all(torch.equal(started[name], again[name]) for name in started)
