"""Blending a reader's scores: weights, rows that were not read, evidence from tokens, cutting, and the stage."""

import functools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from rootcause_batches import batch_of

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    CLAUSE_READINGS,
    CLAUSE_SPANS,
    DRIVER_SPANS,
    EMOTION,
    EMOTIONS,
    OTHER_CAUSE_LIST,
    READING,
    READINGS,
    TOKEN_READINGS,
    TOKEN_SPANS,
)
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.reading import READING_LABELS, READING_SLICES, TOKEN_LABELS
from feedback_nlp.rootcause import RootCauseSettings, RootCauseStage, open_taxonomy
from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Read
from feedback_nlp.rootcause.backends.blend import Blend, label_scores
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.rootcause.evidence import find_words

LABELS = len(TOKEN_LABELS)
TOLD = "policy.tools-"


def told_blend() -> Blend:
    """Believe the reader alone."""
    weights = np.zeros((5, LABELS), dtype=np.float32)
    weights[2] = 1
    return Blend(
        weights,
        np.full(LABELS, 0.5, dtype=np.float32),
        np.array([[0, 0], [1, 1], [0, 0]], dtype=np.float32),
        np.array([0.5, 0.5], dtype=np.float32),
        {name: np.array([0, 1], dtype=np.float32) for name in READING_VALUES},
        {name: np.zeros(len(values), dtype=np.float32) for name, values in READING_VALUES.items()},
        np.array([0, 1], dtype=np.float32),
    )


@functools.cache
def tagger() -> LinearTagger:
    return replace(LinearTagger.open("rootcause"), blend=told_blend())


def reading(cause: str | None = None, emotion: str = "none") -> np.ndarray:
    """Return scores that say of a comment that one cause is there."""
    scores = np.full(len(READING_LABELS), -5, dtype=np.float32)
    scores[READING_SLICES["emotion"].start + EMOTIONS.index(emotion)] = 5
    if cause is not None:
        label_scores(scores[None])[0, TOKEN_LABELS.index(cause)] = 5
        label_scores(scores[None])[0, TOKEN_LABELS.index(f"{cause.split('.')[0]}{cause[-1]}")] = 5
    return scores


def read_of(text: str, word: str, cause: str = TOLD) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Return words as tokens, and their scores: one word speaks for the cause."""
    spans, at = [], 0
    for piece in text.split():
        at = text.index(piece, at)
        spans.append((at, at + len(piece)))
        at += len(piece)
    scores = np.full((len(spans), LABELS), -4, dtype=np.float32)
    for k, (start, end) in enumerate(spans):
        if text[start:end].strip(".,") == word:
            scores[k, [TOKEN_LABELS.index(cause), TOKEN_LABELS.index("policy-")]] = 3
    return spans, scores


def comments(*told: tuple[str, str | None]) -> Comments:
    """Return comments of one clause; those with a word are read and said to be of ``TOLD`` because of it."""
    texts = [text for text, _ in told]
    clauses = np.array([(row, 0, len(text)) for row, text in enumerate(texts)], dtype=np.int64).reshape(-1, 3)
    spans, tokens = [], [np.zeros((0, LABELS), dtype=np.float32)]
    for row, (text, word) in enumerate(told):
        if word is not None:
            found, scores = read_of(text, word)
            spans += [(row, *span) for span in found]
            tokens.append(scores)
    zeros = np.zeros(len(READING_LABELS), dtype=np.float32)
    wholes = np.array([zeros if word is None else reading(TOLD, "anger") for _, word in told])
    known = np.array([word is not None for _, word in told], dtype=bool)
    read = Read(known, wholes, wholes, np.array(spans, dtype=np.int64).reshape(-1, 3), np.concatenate(tokens))
    return Comments(texts, None, clauses, read)


def test_a_blend_survives_being_written() -> None:
    blend = told_blend()
    again = Blend.from_arrays(blend.to_arrays())
    assert again is not None
    assert all(np.array_equal(again.to_arrays()[name], value) for name, value in blend.to_arrays().items())
    assert Blend.from_arrays({}) is None


def test_both_scores_are_weighed() -> None:
    weights = np.array([1, 2, 3, 4, 5], dtype=np.float32)[:, None].repeat(LABELS, axis=1)
    ones = np.ones((1, LABELS), dtype=np.float32)
    read = np.zeros((1, len(READING_LABELS)), dtype=np.float32)
    label_scores(read)[:] = -2
    probs = replace(told_blend(), weights=weights).probabilities(ones, ones, read, ones)
    assert probs[0] == pytest.approx(1 / (1 + np.exp(-(1 + 2 - 6 + 4 + 5))))


def test_the_reader_s_word_counts_where_it_has_read() -> None:
    text = "lovely staff but the kiosk thing again"
    tags = tagger().tag(comments((text, "kiosk"), ("ok", None)))
    (found,) = [piece for piece in tags.found if piece.row == 0]
    assert (found.cause, found.sign) == ("tools", "-")
    assert text[found.start : found.end] == "kiosk"
    assert EMOTIONS[tags.readings["emotion"].labels[0]] == "anger"
    assert tags.others[0] == []


def test_a_comment_that_was_not_read_is_judged_as_without_a_reader() -> None:
    rude = ("the waiter was very rude", None)
    tags = tagger().tag(comments(rude, ("the kiosk", "kiosk")))
    alone = replace(tagger(), blend=None).tag(comments(rude))
    assert [one for one in tags.found if one.row == 0] == list(alone.found)
    assert tags.readings["emotion"].scores[0] == alone.readings["emotion"].scores[0]


def test_nothing_hangs_on_neighbours() -> None:
    told = [("the kiosk fails", "kiosk"), ("", None), ("nice", None), ("a b c", "b"), ("bad kiosk. again", "kiosk")]
    together = tagger().tag(comments(*told))
    for row, one in enumerate(told):
        alone = tagger().tag(comments(one))
        assert [replace(piece, row=0) for piece in together.found if piece.row == row] == list(alone.found)
        assert together.readings["stage"].scores[row] == alone.readings["stage"].scores[0]


def test_a_part_of_comments_is_numbered_anew() -> None:
    part = comments(("a b", "b"), ("c", None), ("d e f", "e")).part(1, 3)
    assert part.texts == ["c", "d e f"]
    assert part.clauses[:, 0].tolist() == [0, 1]
    assert part.read is not None
    assert part.read.known.tolist() == [False, True]
    assert part.read.spans.tolist() == [[1, 0, 1], [1, 2, 3], [1, 4, 5]]
    assert len(part.read.tokens) == 3


def test_a_word_without_a_token_is_no_evidence_by_itself() -> None:
    words = find_words("one two three", np.array([[0, 13]]))
    spans, tokens = np.array([[0, 3], [4, 7]]), np.array([1.0, 3.0], dtype=np.float32)
    gains = told_blend().word_gains(np.zeros(3), words, spans, tokens)
    assert gains.tolist() == pytest.approx([-1, 1, -11])


def test_a_model_without_a_blend_cannot_blend() -> None:
    zeros = np.zeros((1, LABELS), dtype=np.float32)
    with pytest.raises(ModelError, match="without a reader"):
        replace(tagger(), blend=None).blended(zeros, zeros, zeros, zeros)


def read_batch(texts: list[str | None], word: str) -> CommentBatch:
    """Return a batch that a reader has read; it says of every comment that ``word`` is a tool that failed."""
    batch = batch_of(texts)
    columns: dict = {READING: [], CLAUSE_READINGS: [], TOKEN_SPANS: [], TOKEN_READINGS: []}
    for text, clauses in zip(texts, batch.values(CLAUSE_SPANS), strict=True):
        if not text:
            for values in columns.values():
                values.append(None)
            continue
        spans, scores = read_of(text, word)
        columns[READING].append(reading(TOLD, "anger").tolist())
        columns[CLAUSE_READINGS].append([reading(TOLD).tolist() for _ in clauses])
        columns[TOKEN_SPANS].append([{"start": start, "end": end} for start, end in spans])
        columns[TOKEN_READINGS].append(scores.tolist())
    return batch.adding({column: pa.array(values, column.dtype) for column, values in columns.items()}, who="test")


def test_the_stage_hands_on_what_was_read() -> None:
    stage = RootCauseStage(RootCauseSettings(), tagger(), open_taxonomy())
    text = "Nice view. The kiosk is slow"
    out = stage.compute(read_batch([None, text, "kiosk"], "kiosk"))
    (driver,) = out[DRIVER_SPANS][1].as_py()
    assert (driver["driver"], driver["cause"], driver["sign"]) == ("policy", "tools", "-")
    assert text[driver["start"] : driver["end"]] == "kiosk"
    assert out[EMOTION].to_pylist() == [None, "anger", "anger"]
    assert out[OTHER_CAUSE_LIST].to_pylist()[1] == []
    assert all(out[column][0].as_py() is None for column in READINGS)


def test_columns_of_nulls_change_nothing() -> None:
    stage = RootCauseStage(RootCauseSettings(), tagger(), open_taxonomy())
    texts: list[str | None] = ["the waiter was rude", None]
    plain = batch_of(texts)
    nulls = {column: pa.nulls(2, column.dtype) for column in (READING, CLAUSE_READINGS, TOKEN_SPANS, TOKEN_READINGS)}
    for column, values in stage.compute(plain.adding(nulls, who="test")).items():
        assert values.to_pylist() == stage.compute(plain)[column].to_pylist()
