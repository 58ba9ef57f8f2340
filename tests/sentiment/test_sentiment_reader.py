"""The reader's part: fitted on unseen sources, used where a comment was read, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sentiment_batches import batch_of

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    CLAUSE_READINGS,
    CLAUSE_SPANS,
    CLAUSES,
    POLARITIES,
    READING,
    SENTIMENT,
    SENTIMENT_PROBS,
)
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.linear import softmax
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.core.reading import READING_LABELS, READING_SLICES
from feedback_nlp.sentiment import SentimentSettings, SentimentStage
from feedback_nlp.sentiment.backends import Clauses, Readings
from feedback_nlp.sentiment.backends.blend import Blend, blended, log_softmax, reader_logs, rows_of
from feedback_nlp.sentiment.backends.linear import KIND, LinearJudge
from feedback_nlp.train import sentiment_reader
from feedback_nlp.train.sentiment_reader import Compared, fit_blend, fit_weights, unseen_figures

POLARITY, FOUR = READING_SLICES["polarity"], READING_SLICES["sentiment"]
TRUSTING = {"*": (0.0, 1.0, 0.0)}
NEVER_MIXED = Blend(TRUSTING, TRUSTING, np.zeros(10, dtype=np.float32), -9.0, 0.5)


def reading(polarity: int, *, mixed: float = 0.0) -> list[float]:
    row = np.zeros(len(READING_LABELS), dtype=np.float32)
    row[POLARITY.start + polarity] = 4
    row[FOUR.stop - 1] = mixed
    return row.tolist()


def read_batch(batch: CommentBatch, readings: list[list[float] | None]) -> CommentBatch:
    """Put readings into a batch; each clause gets the opposite of its comment's."""
    spans = batch.values(CLAUSE_SPANS)
    clauses = [
        None if row is None else [opposite(row) for _ in span] for row, span in zip(readings, spans, strict=True)
    ]
    columns = {
        READING: pa.array(readings, READING.dtype),
        CLAUSE_READINGS: pa.array(clauses, CLAUSE_READINGS.dtype),
    }
    return batch.adding(columns, who="test")


def opposite(row: list[float]) -> list[float]:
    turned = np.array(row, dtype=np.float32)
    turned[POLARITY] = turned[POLARITY][::-1]
    return turned.tolist()


@pytest.fixture(scope="module")
def judge() -> LinearJudge:
    folder = open_model(resolve_model("sentiment")).require(KIND)
    return replace(LinearJudge.from_folder(folder), blend=None)


def stage_of(judge: LinearJudge, blend: Blend | None) -> SentimentStage:
    return SentimentStage(SentimentSettings(), replace(judge, blend=blend))


def test_log_softmax_and_blending_by_hand() -> None:
    logs = log_softmax(np.array([[0, 0], [1000, 0]], dtype=np.float32))
    np.testing.assert_allclose(np.exp(logs), [[0.5, 0.5], [1, 0]])
    readings = np.array([reading(2)], dtype=np.float32)
    polarity, four = reader_logs(readings)
    own = np.array([[1, 2, 3]], dtype=np.float32)
    weights = rows_of({"en": (2, 3, 5), "*": (0,) * 3}, ["en"])
    wanted = 2 * own + 3 * polarity + 5 * four[:, :3]
    np.testing.assert_allclose(blended(own, readings, weights), wanted, rtol=1e-6)
    assert not rows_of({"en": (1,) * 3, "*": (0,) * 3}, ["ku"]).any()


def test_a_reading_decides_where_the_blend_trusts_it(judge: LinearJudge) -> None:
    batch = read_batch(batch_of(["awful food", "lovely food"]), [reading(2), reading(0)])
    out = stage_of(judge, NEVER_MIXED).compute(batch)
    assert out[SENTIMENT].to_pylist() == ["positive", "negative"]
    assert [row[0]["sentiment"] for row in out[CLAUSES].to_pylist()] == ["negative", "positive"]
    assert stage_of(judge, None).compute(batch)[SENTIMENT].to_pylist() == ["negative", "positive"]


def test_a_comment_that_was_not_read_is_judged_as_without_a_reader(judge: LinearJudge) -> None:
    texts = ["awful food", "lovely food. rude staff", "lovely room"]
    plain = stage_of(judge, NEVER_MIXED).compute(batch_of(texts))
    some = stage_of(judge, NEVER_MIXED).compute(read_batch(batch_of(texts), [None, reading(0), None]))
    none = stage_of(judge, NEVER_MIXED).compute(read_batch(batch_of(texts), [None, None, None]))
    for column, values in plain.items():
        assert none[column].to_pylist() == values.to_pylist()
        assert [some[column][row] for row in (0, 2)] == [values[row] for row in (0, 2)]


def test_a_row_does_not_depend_on_its_neighbours(judge: LinearJudge) -> None:
    texts = ["awful food", "lovely food. rude staff. ok", "", "lovely room", "خدمة سيئة. غرفة جميلة"]
    given = [reading(2, mixed=3), reading(0), None, None, reading(1)]
    blend = Blend({"*": (0.7, 0.4, 0.3)}, {"*": (0.5, 0.9, 0)}, np.full(10, 0.3, dtype=np.float32), -0.5, 0.4)
    stage = stage_of(judge, blend)
    together = stage.compute(read_batch(batch_of(texts), given))
    for row, (text, one) in enumerate(zip(texts, given, strict=True)):
        alone = stage.compute(read_batch(batch_of([text]), [one]))
        assert all(alone[column][0].as_py() == values[row].as_py() for column, values in together.items())
    assert together[SENTIMENT_PROBS].null_count == 1


def test_vectors_of_a_reader_need_not_be_those_of_the_model(judge: LinearJudge) -> None:
    batch = batch_of(["awful food"], width=8)
    out = stage_of(judge, NEVER_MIXED).compute(read_batch(batch, [reading(2)]))
    assert out[SENTIMENT].to_pylist() == ["positive"]
    with pytest.raises(ModelError, match="width 8"):
        stage_of(judge, NEVER_MIXED).compute(batch)


def compared(*, n: int = 1200, own: float, polarity: float, seed: int = 3) -> Compared:
    """Make comments whose truth both models see, each so clearly."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    annotated = np.arange(n) % 4 == 0
    mixed = annotated & (rng.random(n) < 0.3)
    labels = np.where(mixed, 3, labels)
    truth = np.eye(4)[labels][:, :3]
    scores = np.concatenate([own * truth + rng.normal(size=(n, 3)), mixed[:, None] * 2.0], axis=1)
    readings = rng.normal(size=(n, len(READING_LABELS))).astype(np.float32)
    readings[:, POLARITY] += polarity * truth
    readings[:, FOUR] += polarity * np.eye(4)[labels]
    clauses = np.arange(n)
    spans = Clauses(clauses, np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64))
    return Compared(
        labels,
        np.array(["en", "fa"])[np.arange(n) % 2],
        np.array(["one", "two"])[np.arange(n) % 2],
        annotated,
        scores.astype(np.float32),
        spans,
        scores[:, :3].astype(np.float32),
        Readings(np.ones(n, dtype=bool), readings, readings),
    )


def test_the_better_model_gets_the_weight() -> None:
    reader, ngrams = (fit_weights(compared(own=own, polarity=pol))["*"] for own, pol in ((0, 3), (3, 0)))
    assert reader[1] + reader[2] > 5 * abs(reader[0])
    assert ngrams[0] > 5 * abs(ngrams[1] + ngrams[2])


def test_the_blend_is_calibrated_and_better_than_either() -> None:
    found, fresh = compared(n=4000, own=1.5, polarity=1.5), compared(n=4000, own=1.5, polarity=1.5, seed=8)
    weights = rows_of(fit_weights(found), fresh.langs.tolist())
    kept = fresh.labels < 3
    probs = softmax(blended(fresh.own[:, :3], fresh.readings.scores, weights))[kept]
    right = probs.argmax(axis=1) == fresh.labels[kept]
    assert right.mean() == pytest.approx(probs.max(axis=1).mean(), abs=0.04)
    for alone in (fresh.own[kept, :3], fresh.readings.scores[kept][:, POLARITY]):
        assert right.mean() > np.mean(alone.argmax(axis=1) == fresh.labels[kept]) + 0.02


def test_a_source_cut_into_good_and_bad_says_nothing_of_neutral() -> None:
    found = compared(own=1.0, polarity=1.0)
    sided = replace(found, annotated=np.zeros_like(found.annotated), labels=np.where(found.labels == 2, 2, 0))
    shouting = replace(sided, own=sided.own + np.array([0, 50, 0, 0], dtype=np.float32))
    assert fit_weights(shouting)["*"] == pytest.approx(fit_weights(sided)["*"], abs=0.02)


def test_all_of_a_blend_survives_the_manifest() -> None:
    found = compared(own=1.0, polarity=2.0)
    blend = fit_blend(found)
    again = Blend.from_folder(blend.as_dict(), blend.mixed_weights)
    assert again.as_dict() == blend.as_dict()
    assert set(blend.texts) == set(blend.clauses) == {"en", "fa", "*"}
    assert 0.1 <= blend.mixed_from <= 0.7
    assert len(blend.mixed_weights) == 10


def test_unseen_sources_are_measured_with_weights_of_the_other_half() -> None:
    figures = unseen_figures(compared(own=1.0, polarity=2.0))
    assert {figure.data for figure in figures} == {f"{name}, source never seen, with reader" for name in ("one", "two")}
    assert {"accuracy, 3 labels", "ECE"} <= {figure.metric for figure in figures}
    assert all(0 <= figure.value <= 1 for figure in figures)


def test_reading_in_parts_changes_nothing(reader_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = sentiment_reader.open_reader(reader_folder)
    texts = ["good food and bad service", "the room", "", "very good", "bad bad food"]
    clauses = Clauses(np.array([0, 0, 1, 3, 4]), np.array([0, 10, 0, 0, 4]), np.array([9, 25, 8, 9, 12]))
    whole = sentiment_reader.read(encoder, texts, clauses)
    monkeypatch.setattr(sentiment_reader, "_AT_ONCE", 2)
    parts = sentiment_reader.read(encoder, texts, clauses)
    assert whole.known.tolist() == parts.known.tolist() == [True, True, False, True, True]
    np.testing.assert_array_equal(whole.scores, parts.scores)
    np.testing.assert_array_equal(whole.clause_scores, parts.clause_scores)
    assert whole.scores.shape[1] == len(READING_LABELS)
    assert len(POLARITIES) == 3
