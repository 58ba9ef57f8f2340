from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from store_tables import results

from feedback_nlp.core.columns import COMMENT_ID, RESULT_COLUMNS, Column
from feedback_nlp.core.errors import StageContractError
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
def test_any_results_come_back_bit_for_bit(tmp_path: Path, found: list[dict[str, Any]]) -> None:
    table = as_table(found)
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
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
    assert from_json(to_json(array), pa.float32()).equals(array)


@given(st.lists(st.none() | MICROSECONDS))
def test_times_survive_and_sort_as_texts(moments: list[int | None]) -> None:
    column = next(column for column in RESULT_COLUMNS if column.name == "created_at")
    array = pa.array(moments, column.dtype)
    texts = to_values(array)
    assert from_values(texts, column).equals(array)
    known = sorted(moment for moment in moments if moment is not None)
    assert sorted(text for text in texts if text is not None) == to_values(pa.array(known, column.dtype))


def test_times_are_rfc3339_in_utc() -> None:
    column = next(column for column in RESULT_COLUMNS if column.name == "created_at")
    assert to_values(pa.array([1_790_000_000_123_456], column.dtype)) == ["2026-09-21T14:13:20.123456Z"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_without_json_are_refused(number: float) -> None:
    with pytest.raises(StageContractError, match="cannot be stored as JSON"):
        to_json(pa.array([[number]], pa.list_(pa.float32())))


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
