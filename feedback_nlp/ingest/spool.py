"""Spool: the accepted comments of a run on disk, read in one canonical order whatever order the dumps had."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import COMMENT_ID, CREATED_AT, META, SOURCE, TEXT

ROWS_FILE = "rows.arrow"
INDEX_FILE = "index.arrow"
REJECTS_FILE = "rejects.parquet"

ROWS_SCHEMA = pa.schema(
    [
        pa.field("comment_id", pa.string()),
        pa.field("text", pa.string(), nullable=False),
        pa.field("created_at", CREATED_AT.dtype),
        pa.field("meta", pa.string()),
        pa.field("digest", pa.binary(16), nullable=False),
        pa.field("file", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ]
)
INDEX_SCHEMA = pa.schema(
    [
        pa.field("comment_id", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True)
class FileSummary:
    """What became of one input file.

    :param name: its name in the column ``source``.
    :param format: csv, tsv, jsonl, json, parquet or xlsx.
    :param encoding: codec name of a text format, None otherwise.
    :param delimiter: cell delimiter, None where there is none.
    :param columns: the dump's column by our field name.
    :param rows_in: data rows read; accepted + rejected.
    :param dates_unread: rows whose date could not be read; kept, without a date.
    """

    name: str
    format: str
    encoding: str | None
    delimiter: str | None
    columns: dict[str, str]
    rows_in: int
    accepted: int
    rejected: int
    dates_unread: int


class RowsFile:
    """The memory-mapped file of rows as they were read."""

    def __init__(self, path: Path) -> None:
        with pa.memory_map(str(path)) as mapped:
            reader = pa.ipc.open_file(mapped)
            self._batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column of all rows."""
        at = ROWS_SCHEMA.get_field_index(name)
        return pa.chunked_array([batch.column(at) for batch in self._batches], ROWS_SCHEMA.field(at).type)

    def take(self, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
        """Return rows by their positions, in the order given, one chunk a column."""
        # Arrow's own take over many chunks would join whole columns in memory first.
        owner = np.searchsorted(self._starts, positions, side="right") - 1
        order = np.argsort(owner, kind="stable")
        parts = []
        for number in np.unique(owner):
            local = positions[order][owner[order] == number] - self._starts[number]
            parts.append(self._batches[number].take(pa.array(local)))
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return pa.Table.from_batches(parts, ROWS_SCHEMA).combine_chunks().take(pa.array(back))


@dataclass(frozen=True)
class Spool:
    """Accepted comments on disk, and the account of every row read.

    It holds paths and counts only, so it may be sent to other processes.

    :param folder: where its files stand.
    :param rows: comments accepted.
    :param rejected: rows rejected; ``rows + rejected == rows_in``.
    :param rows_in: data rows read.
    :param fingerprint: sha256 over the accepted comments in canonical order, in hexadecimal; the order of rows and
        files does not change it.
    :param files: one summary a file, sorted by name.
    :param reject_reasons: rejects by reason, a key of ``REASONS``; sorted, without zeros.
    :param rejects_path: Parquet file of the rejects: file, row, reason, detail, comment_id, text (cut).
    """

    folder: Path
    rows: int
    rejected: int
    rows_in: int
    fingerprint: str
    files: list[FileSummary]
    reject_reasons: dict[str, int]
    rejects_path: Path

    def chunks(self, size: int) -> Iterator[CommentBatch]:
        """Read the comments in canonical order: by comment_id, code point by code point.

        :param size: comments a batch, at least 1; the last batch may be smaller.
        """
        sources = pa.array([file.name for file in self.files], pa.string())
        rows = RowsFile(self.folder / ROWS_FILE)
        with pa.memory_map(str(self.folder / INDEX_FILE)) as mapped:
            index = pa.ipc.open_file(mapped).read_all()
        for start in range(0, self.rows, max(1, size)):
            part = index.slice(start, max(1, size)).combine_chunks()
            table = rows.take(part.column("position").to_numpy())
            yield CommentBatch.from_columns(
                {
                    COMMENT_ID: part.column("comment_id"),
                    TEXT: table.column("text"),
                    CREATED_AT: table.column("created_at"),
                    SOURCE: sources.take(table.column("file").combine_chunks()),
                    META: table.column("meta"),
                },
                who="ingest",
            )
