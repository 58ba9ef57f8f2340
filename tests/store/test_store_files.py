import errno
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_tables import results, with_internal_columns

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import RESULT_COLUMNS, TEXT, VECTOR
from feedback_nlp.core.errors import FeedbackError, StageContractError
from feedback_nlp.store import open_results, parts_done, read_parts, write_part
from feedback_nlp.store import results as results_module


def test_a_part_comes_back_with_every_column(tmp_path: Path) -> None:
    batch = with_internal_columns(results(70))
    write_part(tmp_path / "parts", 4, batch)
    [(index, got)] = read_parts(tmp_path / "parts")
    assert index == 4
    assert got.table.equals(batch.table)
    assert got[VECTOR].type.list_size == 16
    assert np.array_equal(got.vectors(), batch.vectors())


def test_parts_come_in_the_order_of_their_numbers_with_the_columns_wanted(tmp_path: Path) -> None:
    for index in (10, 2, 1_000_000, 0):
        write_part(tmp_path, index, with_internal_columns(results(3, first=index)))
    found = list(read_parts(tmp_path, columns=(VECTOR, TEXT)))
    assert [index for index, _ in found] == [0, 2, 10, 1_000_000]
    assert set(found[0][1].table.column_names) == {"vector", "text"}
    assert parts_done(tmp_path) == {0, 2, 10, 1_000_000}


def test_an_empty_part_and_one_without_vectors(tmp_path: Path) -> None:
    write_part(tmp_path, 0, CommentBatch(results(0)))
    write_part(tmp_path, 1, CommentBatch(results(4)))
    assert [len(batch) for _, batch in read_parts(tmp_path)] == [0, 4]


def test_no_folder_has_no_parts(tmp_path: Path) -> None:
    assert parts_done(tmp_path / "none") == set()
    assert list(read_parts(tmp_path / "none")) == []


def test_the_same_part_is_the_same_bytes(tmp_path: Path) -> None:
    batch = with_internal_columns(results(200))
    sliced = CommentBatch(pa.concat_tables([batch.table, batch.table]).combine_chunks().slice(200, 200))
    first = write_part(tmp_path / "a", 0, batch).read_bytes()
    assert write_part(tmp_path / "b", 0, batch).read_bytes() == first
    write_part(tmp_path / "c", 0, sliced)
    [(_, got)] = read_parts(tmp_path / "c")
    assert got.table.equals(batch.table)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_part_is_done_again(tmp_path: Path, share: float) -> None:
    for index in range(3):
        path = write_part(tmp_path, index, with_internal_columns(results(50)))
        if index == 1:
            content = path.read_bytes()
            path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FeedbackError, match=r"part-000001-\w{64}.parquet is damaged. Run again with --resume"):
        list(read_parts(tmp_path))
    assert parts_done(tmp_path) == {0, 2}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_part_written_again_replaces_the_earlier(tmp_path: Path) -> None:
    old = write_part(tmp_path, 0, CommentBatch(results(5)))
    stale = old.read_bytes()
    new = write_part(tmp_path, 0, CommentBatch(results(6)))
    assert list(tmp_path.iterdir()) == [new]
    old.write_bytes(stale)
    assert parts_done(tmp_path) == {0}
    assert len(list(read_parts(tmp_path))) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_never_changes_a_value_unseen(tmp_path: Path, place: float, flip: int) -> None:
    batch = with_internal_columns(results(40))
    path = write_part(tmp_path, 0, batch)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= flip
    path.write_bytes(content)
    if parts_done(tmp_path):
        [(_, got)] = read_parts(tmp_path)
        assert got.table.equals(batch.table)


def test_a_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    strange = CommentBatch(pa.table({"text": pa.nulls(2, pa.month_day_nano_interval())}))
    with pytest.raises(pa.ArrowException):
        write_part(tmp_path, 0, strange)
    assert list(tmp_path.iterdir()) == []


def test_half_written_files_of_a_killed_run_are_no_parts(tmp_path: Path) -> None:
    (tmp_path / ".part-000000.parquet.123.part").write_bytes(b"PAR1")
    (tmp_path / "notes.txt").write_text("x")
    assert parts_done(tmp_path) == set()


def write_cut(path: Path, table: pa.Table, cuts: list[int]) -> bytes:
    with open_results(path) as writer:
        for first, last in zip([0, *cuts], [*cuts, table.num_rows], strict=True):
            writer.write(table.slice(first, last - first))
    return path.read_bytes()


@pytest.mark.parametrize("cuts", [[], [1], [99, 100, 100, 250], list(range(0, 300, 7))])
def test_the_result_file_is_the_same_bytes_however_it_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[int]
) -> None:
    monkeypatch.setattr(results_module, "ROW_GROUP", 100)
    table = results(300)
    expected = write_cut(tmp_path / "whole.parquet", table, [])
    assert write_cut(tmp_path / "cut.parquet", table, cuts) == expected
    file = pq.ParquetFile(tmp_path / "cut.parquet")
    assert file.num_row_groups == 3
    assert file.read().equals(table)


def test_the_result_file_has_exactly_the_result_columns(tmp_path: Path) -> None:
    with open_results(tmp_path / "deep" / "comments.parquet") as writer:
        writer.write(with_internal_columns(results(5)))
    table = pq.read_table(tmp_path / "deep" / "comments.parquet")
    assert [(field.name, field.type) for field in table.schema] == [(c.name, c.dtype) for c in RESULT_COLUMNS]
    assert table.equals(results(5))


def test_no_comments_make_an_empty_file_that_can_be_read(tmp_path: Path) -> None:
    with open_results(tmp_path / "comments.parquet"):
        pass
    assert pq.read_table(tmp_path / "comments.parquet").num_rows == 0


def test_a_result_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "comments.parquet"

    def write() -> None:
        with open_results(path) as writer:
            writer.write(results(5))
            assert not path.exists()
            writer.write(pa.table({"text": ["x"]}))

    with pytest.raises(StageContractError):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_parts(tmp_path: Path) -> None:
    batch = with_internal_columns(results(4096), width=256)
    for index in range(4):
        write_part(tmp_path, index, batch)
    sum(len(part) for _, part in read_parts(tmp_path))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(4, 24):
        write_part(tmp_path, index, batch)
    with open_results(tmp_path / "comments.parquet") as writer:
        for _, part in read_parts(tmp_path):
            writer.write(part)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 120


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, FeedbackError), (errno.EIO, OSError)])
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]) -> None:
    def full(_: int) -> None:
        raise OSError(code, "told by the system")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(kind, match=r"the disk is full\. Make room|told by the system"):
        write_part(tmp_path, 0, CommentBatch(results(3)))
    assert list(tmp_path.iterdir()) == []
