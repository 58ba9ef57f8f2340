"""Takes over what an earlier run found for comments that have not changed since.

A row's result depends on its own content alone, so a comment of the same id and content needs no second analysis.
Both the earlier run's parts and tonight's chunks are in the order of comment_id: they are met in one pass, and no more
of the earlier run is held in memory than a chunk or two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import COMMENT_ID, INPUT_COLUMNS, TEXT, Column
from feedback_nlp.store import parts_done, read_parts

CONTENT = (TEXT,)
"""The input columns that row-wise stages read; a comment counts as unchanged when these are."""

Positions = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Split:
    """A chunk, parted into comments to analyse and comments whose analysis stands.

    :param batch: the chunk as it was read.
    :param fresh: positions of the comments to analyse, ascending.
    :param known: positions of the others, ascending.
    :param taken: the others' rows as they were found, in the order of ``known``; None where there are none.
    """

    batch: CommentBatch
    fresh: Positions
    known: Positions
    taken: pa.Table | None

    def to_analyse(self) -> CommentBatch:
        """Return the comments to analyse, with input columns only."""
        return self.batch if self.taken is None else CommentBatch(_rows(self.batch.table, self.fresh))

    def joined(self, analysed: CommentBatch | None) -> CommentBatch:
        """Return the whole chunk with its results, in its own order.

        :param analysed: the comments of :meth:`to_analyse` with their results; None where there were none.
        """
        if self.taken is None:
            return self.batch if analysed is None else analysed
        parts = [self.taken] if analysed is None else [self.taken, analysed.table.select(self.taken.column_names)]
        back = np.argsort(np.concatenate([self.known, self.fresh]), kind="stable")
        results = _rows(pa.concat_tables(parts), back)
        # What the dump says today counts, also where only date or branch have changed.
        for column in INPUT_COLUMNS:
            results = results.set_column(
                results.column_names.index(column.name), column.name, self.batch.table.column(column.name)
            )
        return CommentBatch(results.combine_chunks())


class EarlierRows:
    """The rows of an earlier run's parts, met with tonight's chunks, which must come in order.

    :param parts: folder of the earlier run's parts; None where there is nothing to take over.
    :param content: columns that tell whether a comment has changed.
    """

    def __init__(self, parts: Path | None, content: Sequence[Column] = CONTENT) -> None:
        self._tables = _whole_parts(parts)
        self._content = content
        self._held: pa.Table | None = None

    def split(self, batch: CommentBatch) -> Split:
        """Part a chunk into what is to be analysed and what is known."""
        held = self._up_to(batch)
        if held is None or not len(batch):
            return Split(batch, np.arange(len(batch)), np.empty(0, dtype=np.int64), None)
        place = pc.index_in(batch[COMMENT_ID], value_set=held.column(COMMENT_ID.name).combine_chunks())
        found = held.take(place)
        same = place.is_valid()
        for column in self._content:
            same = pc.and_(same, pc.equal(batch[column], found.column(column.name).combine_chunks()))
        same = np.asarray(pc.fill_null(same, False).to_numpy(zero_copy_only=False), dtype=bool)
        known = np.flatnonzero(same)
        taken = _rows(found, known) if len(known) else None
        return Split(batch, np.flatnonzero(~same), known, taken)

    def _up_to(self, batch: CommentBatch) -> pa.Table | None:
        """Return the earlier rows that a chunk may meet, and let go of those that stand before it."""
        if not len(batch):
            return None
        first, last = batch[COMMENT_ID][0], batch[COMMENT_ID][-1]
        parts = [] if self._held is None else [self._held]
        while not parts or _last(parts[-1]) < last.as_py():
            table = next(self._tables, None)
            if table is None:
                break
            if table.num_rows and _last(table) >= first.as_py():
                parts.append(table)
        if not parts:
            return None
        joined = pa.concat_tables(parts)
        ids = joined.column(COMMENT_ID.name)
        self._held = joined.filter(pc.greater(ids, last))
        self._held = self._held if self._held.num_rows else None
        return joined.filter(pc.and_(pc.greater_equal(ids, first), pc.less_equal(ids, last)))


def _last(table: pa.Table) -> str:
    return str(table.column(COMMENT_ID.name)[-1].as_py())


def _rows(table: pa.Table, positions: Positions) -> pa.Table:
    return table.take(pa.array(positions)).combine_chunks()


def _whole_parts(parts: Path | None) -> Iterator[pa.Table]:
    """Yield the parts of a folder that are undamaged; rows of a damaged one are analysed anew."""
    if parts is None:
        return
    parts_done(parts)
    for _, batch in read_parts(parts):
        yield batch.table
