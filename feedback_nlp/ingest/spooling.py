"""Reads inputs row by row onto disk, and makes the Spool."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.connectors import RawTable, open_table
from feedback_nlp.ingest.headers import Filled, Layout, find_layout
from feedback_nlp.ingest.inputs import InputFile, find_inputs
from feedback_nlp.ingest.rejects import DUPLICATE_ID, DUPLICATE_ROW, Reject, RejectWriter
from feedback_nlp.ingest.resolve import Resolution, fingerprint, resolve, write_index
from feedback_nlp.ingest.rows import Comment, RowReader, is_blank
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.spool import INDEX_FILE, REJECTS_FILE, ROWS_FILE, ROWS_SCHEMA, FileSummary, RowsFile, Spool

_FLUSH_ROWS = 8192
_FLUSH_CHARACTERS = 1 << 23


class _RowsWriter:
    """Writes accepted rows as they come, holding a few thousand in memory."""

    def __init__(self, sink: pa.NativeFile) -> None:
        self._writer = pa.ipc.new_file(sink, ROWS_SCHEMA)
        self._waiting: list[tuple[object, ...]] = []
        self._characters = 0

    def add(self, comment: Comment, file: int) -> None:
        row, *rest = comment
        self._waiting.append((*rest, file, row))
        self._characters += len(comment.text) + len(comment.meta or "")
        if len(self._waiting) >= _FLUSH_ROWS or self._characters >= _FLUSH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            columns = zip(*self._waiting, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, ROWS_SCHEMA, strict=True)]
            self._writer.write_batch(pa.record_batch(arrays, schema=ROWS_SCHEMA))
        self._waiting = []
        self._characters = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._flush()
            self._writer.close()


def _measure(table: RawTable, names: Sequence[str]) -> dict[str, Filled]:
    """Count the non-blank cells of columns, and their characters, over the whole table."""
    cells = dict.fromkeys(names, 0)
    characters = dict.fromkeys(names, 0)
    for row in table.rows():
        for name in names if row.cells is not None else ():
            value = (row.cells or {}).get(name)
            if isinstance(value, str) and not is_blank(value):
                cells[name] += 1
                characters[name] += len(value)
    return {name: Filled(cells[name], characters[name]) for name in names}


def _layout(table: RawTable, settings: IngestSettings, source: str) -> Layout:
    return find_layout(table.columns, settings, source=source, measure=lambda names: _measure(table, names))


def _read_file(
    file: InputFile,
    settings: IngestSettings,
    limit: int | None,
    accept: Callable[[Comment], None],
    rejects: RejectWriter,
) -> FileSummary:
    """Read one file; duplicates are not known yet, so accepted and rejected are not final."""
    table = open_table(file, settings)
    layout = _layout(table, settings, file.source)
    reader = RowReader(layout, settings, file.source)
    accepted = rejected = 0
    for row in islice(table.rows(), limit):
        found = reader.read(row)
        if isinstance(found, Comment):
            accept(found)
            accepted += 1
        else:
            rejects.add(found)
            rejected += 1
    return FileSummary(
        name=file.source,
        format=table.format,
        encoding=table.encoding,
        delimiter=table.delimiter,
        columns=layout.mapped(),
        rows_in=accepted + rejected,
        accepted=accepted,
        rejected=rejected,
        dates_unread=reader.dates_unread,
    )


def _state(file: InputFile) -> tuple[int, int, int] | None:
    """Return what tells whether a file is the one it was: size, time of change and place on the disk."""
    try:
        found = file.path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


@contextmanager
def _unchanged(file: InputFile) -> Iterator[None]:
    """Make sure that a file stays the same while it is read: a part of it must never pass for all of it.

    :raises BadDataError: when it does not.
    """
    before = _state(file)
    try:
        yield
    finally:
        if _state(file) != before:
            raise BadDataError(
                f"{file.source} was changed while it was read. Let it be written to its end, then run again."
            )


def _read_files(
    files: Sequence[InputFile], settings: IngestSettings, limit: int | None, path: Path, rejects: RejectWriter
) -> list[FileSummary]:
    summaries = []
    left = limit
    with pa.OSFile(str(path), "wb") as sink, _RowsWriter(sink) as writer:
        for number, file in enumerate(files):
            with _unchanged(file):
                summary = _read_file(file, settings, left, partial(writer.add, file=number), rejects)
            summaries.append(summary)
            left = None if left is None else left - summary.rows_in
    return summaries


def _duplicates(rows: RowsFile, found: Resolution, sources: list[str]) -> Iterator[Reject]:
    for start in range(0, len(found.lost), _FLUSH_ROWS):
        part = rows.take(found.lost[start : start + _FLUSH_ROWS]).select(["file", "row", "comment_id", "text"])
        same = found.lost_same[start : start + _FLUSH_ROWS].tolist()
        for (file, row, comment_id, text), equal in zip(
            zip(*part.to_pydict().values(), strict=True), same, strict=True
        ):
            yield Reject(sources[file], row, DUPLICATE_ROW if equal else DUPLICATE_ID, "", comment_id, text)


def _final(summaries: Sequence[FileSummary], lost_by_file: Sequence[int]) -> list[FileSummary]:
    return [
        FileSummary(**{**vars(s), "accepted": s.accepted - lost, "rejected": s.rejected + lost})
        for s, lost in zip(summaries, lost_by_file, strict=True)
    ]


def spool(inputs: Sequence[str | Path], settings: IngestSettings, folder: Path, *, limit: int | None = None) -> Spool:
    """Read every row of the inputs; accept it or reject it with a reason.

    :param inputs: files, globs and folders.
    :param folder: where the spool's files are written; made when missing, earlier ones are overwritten.
    :param limit: most data rows to read over all files, in order of the files' names; None = all.
    :returns: the spool; ``rows + rejected == rows_in`` always.
    :raises MissingInputError: when an input does not exist, matches nothing or cannot be opened.
    :raises BadDataError: when a file cannot be read as what it claims to be, or no column holds the comments.
    """
    files = find_inputs(inputs)
    folder.mkdir(parents=True, exist_ok=True)
    sources = [file.source for file in files]
    parts = {name: folder / f"{name}.part" for name in (ROWS_FILE, INDEX_FILE, REJECTS_FILE)}
    with RejectWriter(parts[REJECTS_FILE]) as rejects:
        summaries = _read_files(files, settings, limit, parts[ROWS_FILE], rejects)
        rows = RowsFile(parts[ROWS_FILE])
        found = resolve(rows)
        for reject in _duplicates(rows, found, sources):
            rejects.add(reject)
    write_index(parts[INDEX_FILE], found)
    # Files are replaced, never rewritten: an earlier spool of the folder may still be mapped in memory.
    for name, part in parts.items():
        part.replace(folder / name)
    lost_by_file = np.bincount(rows.column("file").to_numpy()[found.lost], minlength=len(files)).tolist()
    summaries = _final(summaries, lost_by_file)
    rows_in = sum(summary.rows_in for summary in summaries)
    return Spool(
        folder=folder,
        rows=len(found.kept),
        rejected=rows_in - len(found.kept),
        rows_in=rows_in,
        fingerprint=fingerprint(rows, found, sources),
        files=summaries,
        reject_reasons=dict(sorted(rejects.counts.items())),
        rejects_path=folder / REJECTS_FILE,
    )
