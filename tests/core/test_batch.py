"""CommentBatch: nothing enters a table that breaks its declaration."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import (
    ALL_COLUMNS,
    CLEAN,
    INPUT_COLUMNS,
    LANG,
    LANG_SCORE,
    PROBLEMS,
    RESULT_COLUMNS,
    TEXT,
    VECTOR,
    Column,
    columns_as_markdown,
)
from feedback_nlp.core.errors import StageContractError


def test_columns_are_declared_once() -> None:
    names = [column.name for column in ALL_COLUMNS]
    assert len(names) == len(set(names))
    assert all(column.doc for column in ALL_COLUMNS)
    assert all(column.public for column in RESULT_COLUMNS)


def test_from_texts_keeps_order_and_text() -> None:
    batch = CommentBatch.from_texts(["b", "a", "a"])
    assert batch.values(TEXT) == ["b", "a", "a"]
    assert len(batch) == 3
    assert len(CommentBatch.from_texts([])) == 0


def test_adding_returns_a_new_batch() -> None:
    batch = CommentBatch.from_texts(["a"])
    more = batch.adding({CLEAN: pa.array(["a"])}, who="test")
    assert CLEAN in more
    assert CLEAN not in batch


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (LANG, pa.array(["ar"]), "1 values for 2 comments"),
        (LANG, pa.array([1, 2]), "must be string"),
        (LANG, pa.array(["ar", None]), "1 nulls"),
        (LANG, pa.array(["ar", "xx"]), "outside .*'xx'"),
        (LANG_SCORE, pa.array([0.1, 1.5], pa.float32()), "must lie in 0..1"),
        (LANG_SCORE, pa.array([0.1, float("nan")], pa.float32()), "NaN"),
        (VECTOR, pa.array([[1], [2]], pa.list_(pa.int32())), "must be list"),
    ],
)
def test_broken_promises_are_named(column: Column, values: pa.Array, message: str) -> None:
    with pytest.raises(StageContractError, match=message):
        CommentBatch.from_texts(["a", "b"]).adding({column: values}, who="stage")


def test_a_column_is_never_overwritten() -> None:
    batch = CommentBatch.from_texts(["a"])
    with pytest.raises(StageContractError, match="exists already"):
        batch.adding({TEXT: pa.array(["b"])}, who="stage")


def test_problems_of_several_stages_are_joined() -> None:
    batch = CommentBatch.from_texts(["a", "b"])
    batch = batch.adding({PROBLEMS: pa.array([[], ["x"]], PROBLEMS.dtype)}, who="one")
    batch = batch.adding({PROBLEMS: pa.array([["y"], ["z"]], PROBLEMS.dtype)}, who="two")
    assert batch.values(PROBLEMS) == [["y"], ["x", "z"]]


def test_missing_input_columns_are_listed() -> None:
    with pytest.raises(StageContractError, match="text, created_at"):
        CommentBatch.from_columns({INPUT_COLUMNS[0]: pa.array(["1"])}, who="ingest")


def test_asking_for_a_column_not_made_lists_what_there_is() -> None:
    with pytest.raises(StageContractError, match="The batch has: comment_id"):
        CommentBatch.from_texts(["a"])[LANG]


@given(st.integers(0, 5), st.integers(1, 4), st.randoms(use_true_random=False))
def test_vectors_round_trip_with_nulls(rows: int, width: int, random: object) -> None:
    rng = np.random.default_rng(rows * 7 + width)
    vectors = rng.standard_normal((rows, width)).astype(np.float32)
    valid = rng.random(rows) < 0.6
    batch = CommentBatch.from_texts(["x"] * rows).adding({VECTOR: vector_array(vectors, valid)}, who="embed")
    expected = np.where(valid[:, None], vectors, 0)
    np.testing.assert_array_equal(batch.vectors(), expected)
    np.testing.assert_array_equal(CommentBatch(batch.table.slice(1)).vectors(), expected[1:])


def test_the_documentation_of_columns_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "columns.md"
    assert page.read_text(encoding="utf-8") == columns_as_markdown(), (
        "python -m feedback_nlp.core.columns > docs/columns.md"
    )
