import numpy as np
import pytest
from encoder_data import write_data

from feedback_nlp.core.modelfolder import open_model
from feedback_nlp.core.reading import READING_LABELS, READING_SLICES, TOKEN_LABELS
from feedback_nlp.embed.backends.static import TOKENIZER, open_tokenizer
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.encoder_bags import Bags
from feedback_nlp.train.reader_data import read_caused

torch = pytest.importorskip("torch")

from feedback_nlp.embed.backends.reader import READER_FILE, ReaderEncoder  # noqa: E402 - needs torch
from feedback_nlp.embed.network import READERS, Spans, new_reader, read_twice, trunk  # noqa: E402
from feedback_nlp.train import reader_second  # noqa: E402
from feedback_nlp.train.encoder import FIRST_ROUND, train_encoder  # noqa: E402
from feedback_nlp.train.encoder_write import write_weights  # noqa: E402
from feedback_nlp.train.reader_losses import ALONE, padded  # noqa: E402

FIRST = [READING_SLICES[part] for part in ("polarity", "sentiment")]
TEXTS = ["the delivery was late", "الطعام كان جيدا جدا", "کارکنان خیلی خوب بود و غذا گران بود"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def bags():
    return Bags.of([[5 + (n + k) % 60 for k in range(1 + n % 9)] for n in range(30)])


def with_second(weights, other):
    return weights | {name.replace(*READERS, 1): value for name, value in other.items()}


def other_reader(weights, seed):
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    return {name: value + 0.05 for name, value in new_reader(width, seed=seed).items()}


def test_two_layers_are_averaged_and_polarity_is_the_firsts(reader_weights, bags):
    other = other_reader(reader_weights, 9)
    ids, mask = padded(bags, np.arange(8, 20), 128)
    hidden, spans = trunk(reader_weights, ids, mask), Spans(torch.arange(12), mask)
    one, one_tokens = read_twice(reader_weights, hidden, mask, spans)
    two, two_tokens = read_twice(reader_weights | other, hidden, mask, spans)
    both, tokens = read_twice(with_second(reader_weights, other), hidden, mask, spans)
    torch.testing.assert_close(tokens, (one_tokens + two_tokens) / 2)
    averaged = (one + two) / 2
    for part in FIRST:
        averaged[:, part] = one[:, part]
    torch.testing.assert_close(both, averaged)
    assert not torch.allclose(one, two)


def test_rows_are_read_alike_however_they_are_cut(reader_weights, tokenizer_file, tmp_path):
    weights = with_second(reader_weights, other_reader(reader_weights, 9))
    folder = write_weights(tmp_path / "twice", weights, tokenizer_file)
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


def test_frozen_states_are_the_trunks(reader_weights, bags):
    frozen = reader_second.freeze(reader_weights, bags)
    rows = np.array([3, 17, 8])
    states, mask = frozen.padded(rows)
    ids, wanted = padded(bags, rows, 128)
    assert torch.equal(mask, wanted)
    expected = trunk(reader_weights, ids, wanted) * wanted[:, :, None]
    torch.testing.assert_close(states, expected, rtol=0, atol=0.03)


def test_all_languages_are_taught_the_same(reader_weights, bags):
    targets = reader_second.together(reader_weights, reader_second.freeze(reader_weights, bags))
    assert targets.shape == (30, len(READING_LABELS))
    assert torch.equal(targets[:10], targets[10:20])
    assert torch.equal(targets[:10], targets[20:])
    for name, part in READING_SLICES.items():
        assert 0 <= float(targets[:, part].min()) <= float(targets[:, part].max()) <= 1
        if name not in ALONE:
            torch.testing.assert_close(targets[:, part].sum(1), torch.ones(30))


@pytest.fixture
def folder(reader_weights, tokenizer_file, tmp_path, monkeypatch):
    monkeypatch.setattr(reader_second, "_EPOCHS", 20)
    monkeypatch.setattr(reader_second, "_TAUGHT_EPOCHS", 2)
    monkeypatch.setattr(reader_second, "_WARM_STEPS", 2)
    return write_weights(tmp_path / "tiny", reader_weights, tokenizer_file).path


@pytest.mark.slow
def test_a_second_layer_learns_and_is_put_beside_the_first(folder, data, reader_weights, tmp_path):
    before = ReaderEncoder.open(ShippedBackend(model=str(folder)))
    losses = []
    weights = before._weights
    caused = read_caused(data, open_tokenizer(folder / TOKENIZER), seed=3, unseen=True)
    taught = reader_second.freeze(weights, reader_second.read_three(data, folder / TOKENIZER))
    targets = reader_second.together(weights, taught)
    reader_second.fit_second(
        caused,
        reader_second.freeze(weights, caused.bags),
        taught,
        targets,
        seed=4,
        report=lambda done, kind, loss: losses.append((kind, loss)),
    )
    of_causes = [loss for kind, loss in losses if kind == "causes"]
    assert np.mean(of_causes[-5:]) < np.mean(of_causes[:5])
    assert {kind for kind, _ in losses} == {"causes", "taught"}

    first = write_weights(tmp_path / FIRST_ROUND, reader_weights, folder / TOKENIZER)
    made = train_encoder(data, folder, kind="second", seed=3, work=tmp_path)
    assert open_model(first.path).fingerprint != first.fingerprint
    assert made.fingerprint != open_model(first.path).fingerprint
    after = ReaderEncoder.open(ShippedBackend(model=str(made.path)))
    none = np.zeros((0, 3), dtype=np.int64)
    old, new = before.read(TEXTS, none), after.read(TEXTS, none)
    np.testing.assert_array_equal(old.vectors, new.vectors)
    for part in FIRST:
        np.testing.assert_array_equal(old.scores[:, part], new.scores[:, part])
    assert not np.allclose(old.scores[:, :4], new.scores[:, :4])

    again = reader_second.add_second(data, folder, tmp_path, unseen=True, seed=3)
    assert again.fingerprint == made.fingerprint
    assert (folder / READER_FILE).stat().st_mode & 0o777 == 0o644
