"""The linear backend: clause tables, the mixed decision, and the head as read from its folder."""

from pathlib import Path

import numpy as np
import pytest

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.linear import LinearHead
from feedback_nlp.core.modelfolder import open_model, resolve_model, write_model
from feedback_nlp.core.ngrams import NgramSpec, extract, within_spans
from feedback_nlp.sentiment.backends import Clauses, Given, Judgement
from feedback_nlp.sentiment.backends.linear import KIND, LinearJudge, mixed_features
from feedback_nlp.sentiment.stage import MIXED, decide


def spans(*rows: tuple[int, int, int]) -> Clauses:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Clauses(table[:, 0], table[:, 1], table[:, 2])


def test_a_clause_keeps_its_own_ngrams() -> None:
    spec = NgramSpec(words=(1, 2), chars=(), bits=18)
    clauses = spans((0, 0, 10), (0, 11, 22), (1, 0, 4))
    table = within_spans(extract(["good food, bad service", "fine"], spec), clauses.rows, clauses.starts, clauses.ends)
    alone = extract(["good food,", "bad service", "fine"], spec)
    for clause in range(3):
        assert sorted(table.features[table.rows == clause]) == sorted(alone.features[alone.rows == clause])


def test_without_clauses_there_are_no_ngrams() -> None:
    table = within_spans(extract(["good"], NgramSpec()), *(np.empty(0, dtype=np.int64),) * 3)
    assert table.n_rows == 0
    assert len(table.rows) == 0


def test_mixed_rests_on_the_strongest_clauses() -> None:
    probs = np.array([[0.5, 0.1, 0.4], [0.2, 0.6, 0.2]], dtype=np.float32)
    clauses = np.array([[0.1, 0.1, 0.8], [0.7, 0.2, 0.1]], dtype=np.float32)
    features = mixed_features(probs, np.array([0.5, -2], dtype=np.float32), clauses, np.array([0, 0]))
    assert features.shape == (2, 9)
    assert features[0, 3:6] == pytest.approx([0.7, 0.8, 0.7])
    assert features[1, 3:8] == pytest.approx(0)
    assert features[:, 8].tolist() == [0.5, -2]


def test_the_decision_takes_mixed_first_and_scales_the_rest() -> None:
    probs = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8]], dtype=np.float32)
    halves, ones = np.float32([0.5, 0.5]), np.float32([1, 1])
    labels, scores = decide(Judgement(probs, np.array([0.2, 0.6], dtype=np.float32), halves, probs[:0], ones))
    assert labels.tolist() == [2, MIXED]
    assert scores == pytest.approx([0.8 * 0.8, 0.6])


def test_neutral_is_taken_where_its_probability_times_a_factor_is_highest_and_keeps_its_score() -> None:
    probs = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.0, 0.9]], dtype=np.float32)
    none, never = np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)
    labels, scores = decide(Judgement(probs, none, never, probs[:0], np.float32([1, 2, 2])))
    assert labels.tolist() == [0, 1, 2]
    assert scores == pytest.approx([0.5, 0.3, 0.9])
    empty = Judgement(probs[:0], none[:0], none[:0], probs[:0], none[:0])
    assert [len(found) for found in decide(empty)] == [0, 0]


def test_a_folder_gives_back_what_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    head = LinearHead(rng.normal(size=(1 << 10, 4)).astype(np.float32), np.zeros(4, dtype=np.float32))
    arrays = (
        head.to_arrays()
        | head.to_arrays("bare_")
        | {
            "vector_weights": np.ones((4, 4), dtype=np.float32),
            "mixed_weights": np.zeros(9, dtype=np.float32),
            "mixed_bias": np.array([-9], dtype=np.float32),
        }
    )
    details = {
        "ngrams": {"words": [1], "chars": [3], "bits": 10},
        "calibration": {"temperatures": {"en": 2.0, "*": 1.0}, "mixed_from": 0.5},
    }
    write_model(tmp_path, kind=KIND, name="small", version="1", details=details, arrays=arrays)
    judge = LinearJudge.open(tmp_path)
    assert judge.spec == NgramSpec((1,), (3,), 10)
    warm = judge.judge(Given(["good food"], ["en"], spans((0, 0, 9))))
    cool = judge.judge(Given(["good food"], ["fa"], spans()))
    assert warm.probs.max() < cool.probs.max()
    assert warm.clause_probs[0] == pytest.approx(warm.probs[0])
    moved = judge.judge(Given(["good food"], ["en"], spans(), np.array([[9, 0, 0, 0]], dtype=np.float32)))
    assert moved.probs == pytest.approx(warm.probs, abs=1e-5)
    with pytest.raises(ModelError, match="fitted to 4"):
        judge.judge(Given(["good food"], ["en"], spans(), np.ones((1, 5), dtype=np.float32)))


def test_clauses_and_texts_without_a_vector_are_judged_by_n_grams_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    heads = [LinearHead(rng.normal(size=(1 << 10, 4)).astype(np.float32), np.zeros(4, dtype=np.float32)) for _ in "ab"]
    judge = LinearJudge(
        NgramSpec((1,), (3,), 10),
        *heads,
        np.zeros((4, 4), dtype=np.float32),
        np.zeros(9, dtype=np.float32),
        -9,
        0.5,
        {"*": 1},
    )
    texts, langs, clauses = ["good food", "good food", "bad room"], ["en"] * 3, spans((0, 0, 9))
    vectors = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=np.float32)
    some = judge.judge(Given(texts, langs, clauses, vectors))
    none = judge.judge(Given(texts, langs, clauses))
    assert some.probs[[0, 2]].tobytes() == none.probs[[0, 2]].tobytes()
    assert np.abs(some.probs[1] - none.probs[1]).max() > 0.01
    np.testing.assert_array_equal(some.clause_probs, none.clause_probs)
    assert some.clause_probs[0] == pytest.approx(none.probs[0])


def test_the_shipped_folder_tells_how_it_was_made() -> None:
    manifest = open_model(resolve_model("sentiment")).manifest
    assert manifest["labels"] == ["negative", "neutral", "positive"]
    assert set(manifest["calibration"]["temperatures"]) == {"ar", "fa", "en", "*"}
    assert manifest["training_data"]
    assert any(metric["metric"] == "ECE" for metric in manifest["metrics"])
