import hashlib
import shutil

import numpy as np
import pytest
from encoder_data import PHRASES, VERDICTS, write_data

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.embed.settings import ShippedBackend, StaticBackend
from feedback_nlp.train import evaluate_embedding
from feedback_nlp.train.evaluate_embedding import by_name, evaluate, judge, nearest


@pytest.fixture(autouse=True)
def _one_run(monkeypatch):
    monkeypatch.setattr(evaluate_embedding, "_CLUSTER_RUNS", 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("judged") / "data")


class Oracle:
    """Knows every phrase, verdict and number, and nothing of languages."""

    width = 64

    def encode(self, texts):
        return np.array([self._vector(text) for text in texts], dtype=np.float32)

    def _vector(self, text):
        out = np.zeros(self.width, dtype=np.float32)
        for lists in (PHRASES, VERDICTS):
            for words in lists.values():
                for number, phrase in enumerate(words):
                    if phrase in text:
                        out[number + 8 * (lists is VERDICTS)] = 1
        for word in text.split():
            if word.isdigit():
                out[16 + int(word) % 48] += 1
        return out / max(np.linalg.norm(out), 1e-6)


class Babel:
    """Gives every text a direction of its own."""

    width = 32

    def encode(self, texts):
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        vectors = np.array([np.random.default_rng(seed).normal(size=self.width) for seed in seeds])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_nearest():
    left = np.eye(3, dtype=np.float32)
    assert list(nearest(left, left[[2, 0, 1]])) == [1, 2, 0]


@pytest.mark.slow
def test_a_perfect_encoder_and_a_blind_one(data):
    seeing = judge(data, Oracle())
    blind = judge(data, Babel())
    for found, missed in zip(seeing, blind, strict=True):
        if "retrieval" in found.metric and "Latn" not in found.lang:
            assert found.value == 1
            assert missed.value < 0.3
    assert by_name(seeing)["multi_sib200 all leak"] < 0.05


def test_every_figure_is_whole(data):
    figures = judge(data, Oracle())
    assert {figure.suite for figure in figures} == {"embedding"}
    assert {figure.lang for figure in figures} >= {"en-ar", "en-fa", "ar-fa", "ar", "fa", "en", "all"}
    for figure in figures:
        assert 0 <= figure.value <= 1
        assert figure.n > 0
        if figure.low is not None:
            assert figure.low <= figure.high
    assert len({(figure.data, figure.lang, figure.metric) for figure in figures}) == len(figures)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(data):
    assert judge(data, Babel(), seed=5) == judge(data, Babel(), seed=5)


def test_missing_data_is_named(tmp_path):
    with pytest.raises(MissingInputError, match="tatoeba_laser_en_ar"):
        judge(tmp_path, Babel())


@pytest.mark.slow
def test_encoders_stand_side_by_side(data, static_folder, tmp_path):
    other = shutil.copytree(static_folder, tmp_path / "other")
    backends = [StaticBackend(model=str(folder)) for folder in (static_folder, other)]
    figures = evaluate(data, backends=backends)
    half = len(figures) // 2
    assert [figure.value for figure in figures[:half]] == [figure.value for figure in figures[half:]]
    assert {figure.data.rsplit(", ", 1)[1] for figure in figures} == {str(static_folder), str(other)}


def test_what_needs_torch_is_left_out_without_it(data, monkeypatch):
    monkeypatch.setattr(evaluate_embedding, "find_spec", lambda name: None)
    assert evaluate(data, backends=[ShippedBackend(model="nowhere")]) == []
