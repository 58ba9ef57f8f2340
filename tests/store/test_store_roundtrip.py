import json
from datetime import UTC, datetime
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from store_tables import results

from feedback_nlp.core.columns import COMMENT_ID, RESULT_COLUMNS, Column
from feedback_nlp.core.errors import FeedbackError, StageContractError
from feedback_nlp.store import as_results, open_store
from feedback_nlp.store.jsontext import from_json, to_json
from feedback_nlp.store.rows import from_values, to_values

NIGHT = datetime(2026, 11, 28, tzinfo=UTC)
MICROSECONDS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


def values_of(dtype: pa.DataType, column: Column | None = None) -> st.SearchStrategy[Any]:
    if column is not None and column.allowed is not None:
        return st.sampled_from(column.allowed)
    if column is not None and column.low is not None and pa.types.is_floating(dtype):
        return st.floats(column.low, column.high, width=32)
    if pa.types.is_struct(dtype):
        return st.fixed_dictionaries({field.name: values_of(field.type) for field in dtype})
    if pa.types.is_list(dtype):
        return st.lists(values_of(dtype.value_type), max_size=3)
    if pa.types.is_timestamp(dtype):
        return MICROSECONDS
    if pa.types.is_boolean(dtype):
        return st.booleans()
    if pa.types.is_floating(dtype):
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    if pa.types.is_integer(dtype):
        high = 5 if column is not None and column.high else 2**31 - 1
        return st.integers(0, high)
    return WORDS


def rows() -> st.SearchStrategy[list[dict[str, Any]]]:
    columns = {}
    for column in RESULT_COLUMNS:
        values = values_of(column.dtype, column)
        columns[column.name] = st.none() | values if column.nullable else values
    return st.lists(st.fixed_dictionaries(columns), max_size=4)


def as_table(found: list[dict[str, Any]]) -> pa.Table:
    for row in found:
        for driver in row["drivers"]:
            driver["driver"], driver["sign"] = "policy", "-"
    arrays = [pa.array([row[column.name] for row in found], column.dtype) for column in RESULT_COLUMNS]
    return pa.Table.from_arrays(arrays, names=[column.name for column in RESULT_COLUMNS])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(found=rows())
def test_any_results_come_back_bit_for_bit(store_url: str, found: list[dict[str, Any]]) -> None:
    table = as_table(found)
    with open_store(store_url) as store:
        store.begin_run(
            "r",
            fingerprint="",
            input_fingerprint="",
            config={},
            models={},
            code_version="",
            inputs=[],
            started_at=NIGHT,
        )
        store.write_chunk("r", 0, table)
        got = store.comments("r", unfinished=True)
        store.drop_run("r")
    assert got.schema == table.schema
    assert got.equals(table)


@given(st.lists(st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_float32_survives_json(numbers: list[float | None]) -> None:
    array = pa.array(numbers, pa.float32())
    assert from_json(to_json(array).to_pylist(), pa.float32()).equals(array)


@given(st.lists(st.none() | MICROSECONDS))
def test_times_survive_and_sort_as_texts(moments: list[int | None]) -> None:
    column = next(column for column in RESULT_COLUMNS if column.name == "created_at")
    array = pa.array(moments, column.dtype)
    texts = to_values(array).to_pylist()
    assert from_values(texts, column).equals(array)
    known = sorted(moment for moment in moments if moment is not None)
    assert sorted(text for text in texts if text is not None) == to_values(pa.array(known, column.dtype)).to_pylist()


def test_times_are_rfc3339_in_utc() -> None:
    column = next(column for column in RESULT_COLUMNS if column.name == "created_at")
    assert to_values(pa.array([1_790_000_000_123_456], column.dtype)).to_pylist() == ["2026-09-21T14:13:20.123456Z"]


TYPES = (pa.string(), pa.int32(), pa.bool_(), pa.float32(), pa.float64(), pa.null())


def any_type() -> st.SearchStrategy[pa.DataType]:
    def deeper(inner: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
        fields = st.lists(inner, min_size=1, max_size=3)
        structs = fields.map(lambda kinds: pa.struct([(f'n"{place}', kind) for place, kind in enumerate(kinds)]))
        return inner.map(pa.list_) | structs

    return st.recursive(st.sampled_from(TYPES), deeper, max_leaves=4)


def nullable(dtype: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_null(dtype):
        return st.none()
    if pa.types.is_struct(dtype):
        return st.none() | st.fixed_dictionaries({field.name: nullable(field.type) for field in dtype})
    if pa.types.is_list(dtype):
        return st.none() | st.lists(nullable(dtype.value_type), max_size=3)
    if pa.types.is_float64(dtype):
        return st.none() | st.floats(allow_nan=False, allow_infinity=False)
    return st.none() | values_of(dtype)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_arrows_json_says_what_pythons_says(data: st.DataObject) -> None:
    dtype = data.draw(any_type())
    values = data.draw(st.lists(nullable(dtype), max_size=6))
    cut = data.draw(st.integers(0, len(values)))
    array = pa.array(values, dtype).slice(cut)
    written = to_json(array).to_pylist()
    assert [None if text is None else json.loads(text) for text in written] == array.to_pylist()
    assert from_json(written, dtype).equals(array)


def test_a_text_that_is_no_longer_json_is_told_without_its_words() -> None:
    for text in ('["a comment', '["a comment"]'):
        with pytest.raises(FeedbackError, match="The store is damaged") as caught:
            from_json([text], pa.list_(pa.int32()))
        assert "comment" not in str(caught.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_without_json_are_refused(number: float) -> None:
    with pytest.raises(StageContractError, match="cannot be stored as JSON"):
        to_json(pa.array([[number]], pa.list_(pa.float32())))


@given(st.lists(st.none() | st.text(st.sampled_from("a01\x00\ufdd0\ufdd1"), max_size=6)))
def test_texts_come_back_with_their_nul_characters(texts: list[str | None]) -> None:
    array = pa.array(texts, pa.string())
    stored = to_values(array)
    assert not any("\x00" in text for text in stored.to_pylist() if text is not None)
    assert from_values(stored.to_pylist(), COMMENT_ID).equals(array)


def test_as_results_drops_internal_columns_and_keeps_order() -> None:
    table = results(6)
    shuffled = table.select(sorted(table.column_names)).append_column("clean_starts", pa.nulls(6))
    assert as_results(shuffled).equals(table)
    cut = as_results(pa.concat_tables([table.slice(0, 2), table.slice(2)]))
    assert cut.equals(table)
    assert cut.column(COMMENT_ID.name).num_chunks == 1


def test_awkward_texts_keep_their_evidence() -> None:
    table = results(10)
    assert np.array_equal(
        table.column("text").to_pylist()[4], 'quotes " and \\ and \n newline \x07 \u200c \U0001f9d1\u200d\U0001f4bb'
    )
