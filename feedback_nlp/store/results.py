"""The result of a run as one table, and as one Parquet file written piece by piece."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.core.batch import CommentBatch, check_column
from feedback_nlp.core.columns import INPUT_COLUMNS, RESULT_COLUMNS
from feedback_nlp.core.errors import FeedbackError, StageContractError

ROW_GROUP = 16_384
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where there is no more room: on the disk, in a quota, in a file."""
RESULT_SCHEMA = pa.schema([pa.field(column.name, column.dtype) for column in RESULT_COLUMNS])


def as_results(table: pa.Table | CommentBatch) -> pa.Table:
    """Return exactly the result columns, in order, each in one chunk.

    Columns between stages are left out; columns of stages that did not run become nulls.

    :raises StageContractError: when an input column is missing, or a column breaks its declaration.
    """
    given = table.table if isinstance(table, CommentBatch) else table
    missing = [column.name for column in INPUT_COLUMNS if column.name not in given.column_names]
    if missing:
        raise StageContractError(f"results: input columns missing: {', '.join(missing)}.")
    arrays = []
    for column in RESULT_COLUMNS:
        if column.name not in given.column_names:
            arrays.append(pa.nulls(given.num_rows, column.dtype))
            continue
        arrays.append(check_column(column, given.column(column.name), given.num_rows, "results"))
    return pa.Table.from_arrays(arrays, schema=RESULT_SCHEMA)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its name when the block ends well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield half
        with half.open("rb") as stream:
            os.fsync(stream.fileno())
        half.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise FeedbackError(f"{path}: the disk is full. Make room and run again; what was finished is safe.") from error
    finally:
        half.unlink(missing_ok=True)


class ResultWriter:
    """Writes tables of results, one after another, into row groups of one size, however the tables were cut."""

    def __init__(self, parquet: pq.ParquetWriter) -> None:
        self._parquet = parquet
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table | CommentBatch) -> None:
        """Append a table; see :func:`as_results` for its columns."""
        results = as_results(table)
        self._waiting.append(results)
        self._rows += results.num_rows
        while self._rows >= ROW_GROUP:
            self._flush(ROW_GROUP)

    def finish(self) -> None:
        """Write what still waits."""
        if self._rows:
            self._flush(self._rows)

    def _flush(self, rows: int) -> None:
        joined = pa.concat_tables(self._waiting)
        # Copied, as a slice's own buffers would show in how pages are cut.
        group = joined.slice(0, rows).combine_chunks()
        self._parquet.write_table(group, row_group_size=rows)
        rest = joined.slice(rows)
        self._rows = rest.num_rows
        self._waiting = [rest] if self._rows else []


@contextmanager
def open_results(path: str | Path) -> Iterator[ResultWriter]:
    """Open a Parquet file of results for writing; it appears, whole, when the block ends well.

    The same rows give the same bytes, however they were cut into tables.
    """
    options = {"compression": "zstd", "compression_level": 3}
    with whole_file(Path(path)) as half, pq.ParquetWriter(half, RESULT_SCHEMA, **options) as parquet:
        writer = ResultWriter(parquet)
        yield writer
        writer.finish()
