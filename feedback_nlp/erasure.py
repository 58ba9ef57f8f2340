"""The right to erasure: takes a comment out of the store, of every run's files, and tells what it could not reach."""

import gzip
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.config import Config
from feedback_nlp.core.archives import BROKEN_ARCHIVE
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import COMMENT_ID, INPUT_COLUMNS
from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.core.modelfolder import MANIFEST
from feedback_nlp.outcome import (
    COMMENTS,
    MAP,
    PARTS,
    REJECTS,
    REPORT,
    SUMMARY,
    TOPIC_MODEL,
    TOPICS,
    WORKBOOK,
    RunResult,
    clear_leftovers,
    seals,
    store_of,
    store_url,
    write_report,
)
from feedback_nlp.store import open_results, parts_done, read_parts, rfc3339, whole_file, write_part
from feedback_nlp.store.erasing import without_examples

_BLOCK = 1 << 20


@dataclass
class Statement:
    """What became of an erasure.

    :param comment_id: the comment.
    :param rows: rows erased or rewritten in the database, by table.
    :param files: files rewritten without it.
    :param holders: files that were not touched and hold it still: backups, exports, dumps.
    :param dumps: names of the dumps that the runs it stood in were made from.
    """

    comment_id: str
    rows: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    holders: list[Path] = field(default_factory=list)
    dumps: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the statement as plain values."""
        files = {name: [str(path) for path in getattr(self, name)] for name in ("files", "holders")}
        return {"comment_id": self.comment_id, "rows": self.rows, **files, "dumps": self.dumps}

    def as_text(self) -> str:
        """Return the statement for a person."""
        rows = ", ".join(f"{count} of {name}" for name, count in self.rows.items()) or "none"
        lines = [f"{self.comment_id} is erased, and no run takes it in again.", f"rows of the store: {rows}"]
        lines += [f"rewritten: {path}" for path in self.files]
        lines += [f"STILL HOLDS IT, yours to delete: {path}" for path in self.holders]
        if self.dumps:
            lines.append(f"It came from: {', '.join(self.dumps)}. Erase it there, and in backups of disks and servers.")
        return "\n".join(lines)


def delete(
    comment_ids: Sequence[str], config: Config, out: Path, *, at: datetime, search: Sequence[Path] = ()
) -> list[Statement]:
    """Erase comments for good; an erasure that was interrupted is brought to its end by another.

    :param out: folder of runs and, by default, the store.
    :param at: when, with a time zone.
    :param search: further folders and files that may hold copies; they are searched, not changed.
    :raises LeaseError: when a run is being written.
    """
    with store_of(config, out) as store, store.lease():
        clear_leftovers(out)
        statements = [Statement(comment_id, store.erase(comment_id, at)) for comment_id in comment_ids]
        for folder in sorted(path.parent for path in out.glob(f"*/{SUMMARY}")):
            _erase_from_run(folder, statements, config, at)
        for parts in sorted(out.glob(f"*/{PARTS}/*")):
            _erase_from_parts(parts, statements)
    own = _own_files(out, store_url(config, out))
    for statement in statements:
        places = [out, *search]
        statement.holders = [path for path in _files(places) if path not in own and holds(path, statement.comment_id)]
    return statements


def _erase_from_run(folder: Path, statements: Sequence[Statement], config: Config, at: datetime) -> None:
    """Rewrite a run's files without the comments; its report last, from what is left. A workbook goes."""
    changed = False
    for statement in statements:
        gone = statement.comment_id
        touched = [
            *_rewritten(folder / COMMENTS, partial(_without_row, gone), _write_results),
            *_rewritten(folder / MAP, partial(_without_row, gone), _write_table),
            *_rewritten(folder / REJECTS, partial(_without_row, gone), _write_table),
            *_rewritten(folder / TOPICS, partial(_without_example, gone), _write_table),
            *_erase_from_model(folder / TOPIC_MODEL, gone),
        ]
        statement.files += touched
        if touched:
            summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
            statement.dumps = sorted({*statement.dumps, *(file["name"] for file in summary["files"])})
            changed = True
    if changed:
        _tell(folder, at)
    # An erasure killed before it came to the reports finds nothing to change the next time, but what they quote.
    stale = {
        name
        for name in (REPORT, WORKBOOK)
        if (folder / name).is_file() and (changed or any(holds(folder / name, one.comment_id) for one in statements))
    }
    if REPORT in stale:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        write_report(RunResult(folder.name, folder, summary, recomputed=False, config=config))
    if WORKBOOK in stale:
        (folder / WORKBOOK).unlink()
    statements[0].files += [folder / name for name in sorted(stale)]


def _tell(folder: Path, at: datetime) -> None:
    """Say in a run's summary that something was erased from it, and count what is left."""
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    summary["counts"]["comments"] = pq.ParquetFile(folder / COMMENTS).metadata.num_rows
    summary["sha256"] = seals(folder)
    summary["erased_at"] = rfc3339(at)
    with whole_file(folder / SUMMARY) as half:
        half.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _rewritten(
    path: Path, change: Callable[[pa.Table], pa.Table], write: Callable[[pa.Table, Path], None]
) -> Iterator[Path]:
    if not path.is_file():
        return
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FeedbackError(f"{path} is damaged: it cannot be told whether it holds the comment. Delete it.") from error
    new = change(table)
    if not new.equals(table):
        write(new, path)
        yield path


def _without_row(comment_id: str, table: pa.Table) -> pa.Table:
    ids = table.column(COMMENT_ID.name).to_pylist()
    return table.filter(pa.array([one != comment_id for one in ids], pa.bool_())) if comment_id in ids else table


def _without_example(comment_id: str, table: pa.Table) -> pa.Table:
    rows = [without_examples(row, comment_id) for row in table.to_pylist()]
    return pa.Table.from_pylist(rows, schema=table.schema)


def _write_results(table: pa.Table, path: Path) -> None:
    inputs = {column.name for column in INPUT_COLUMNS}
    # Columns of stages that did not run hold nulls alone.
    names = [name for name in table.column_names if name in inputs or table.column(name).null_count < table.num_rows]
    table = table.select(names)
    with open_results(path) as results:
        results.write(table)


def _write_table(table: pa.Table, path: Path) -> None:
    with whole_file(path) as half:
        pq.write_table(table, half, compression="zstd")


def _erase_from_model(folder: Path, comment_id: str) -> Iterator[Path]:
    """Take a comment out of the examples of a topic model, and seal its files anew."""
    for path in sorted(folder.glob("*.json")):
        if path.name == MANIFEST:
            continue
        old = json.loads(path.read_text(encoding="utf-8"))
        new = without_examples({"": old}, comment_id)[""]
        if new == old:
            continue
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        content = json.dumps(new, ensure_ascii=False, indent=1)
        manifest["files"][path.name] = hashlib.sha256(content.encode()).hexdigest()
        # The seal first: where this is cut off, the same erasure finds the file again and ends what was begun.
        for name, text in ((MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"), (path.name, content)):
            with whole_file(folder / name) as half:
                half.write_text(text, encoding="utf-8")
        yield path


def _erase_from_parts(parts: Path, statements: Sequence[Statement]) -> None:
    parts_done(parts)
    for index, batch in read_parts(parts):
        table = batch.table
        for statement in statements:
            left = _without_row(statement.comment_id, table)
            if left is not table:
                table = left
                statement.files.append(parts)
        if table is not batch.table:
            write_part(parts, index, CommentBatch(table.combine_chunks()))


def _own_files(out: Path, url: str) -> set[Path]:
    """Return the files that were rewritten or that are the store's own, which were dealt with."""
    runs = [path.parent for path in out.glob(f"*/{SUMMARY}")]
    names = (COMMENTS, MAP, REJECTS, TOPICS, REPORT)
    own = {folder / name for folder in runs for name in names}
    own |= {path for folder in runs for path in (folder / TOPIC_MODEL).rglob("*")}
    own |= set(out.glob(f"*/{PARTS}/*/*"))
    store = Path(url.removeprefix("sqlite:///"))
    return own | {store.with_name(store.name + end) for end in ("", "-wal", "-shm")}


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


def holds(path: Path, comment_id: str) -> bool:
    """Tell whether a file holds an id, whatever it is: text, database, Parquet, workbook, zip or gzip."""
    try:
        if path.suffix in (".parquet", ".pq"):
            return _parquet_holds(path, comment_id)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return any(_stream_holds(archive.open(name), comment_id) for name in archive.namelist())  # type: ignore[arg-type]
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        return _stream_holds(gzip.open(path) if packed else path.open("rb"), comment_id)  # type: ignore[arg-type]
    except (*BROKEN_ARCHIVE, pa.ArrowException):
        # What cannot be read may hold it.
        return True


def _parquet_holds(path: Path, comment_id: str) -> bool:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            texts = [column.cast(pa.string()) for column in batch.columns if pa.types.is_string(column.type)]
            if any(comment_id in (text or "") for column in texts for text in column.to_pylist()):
                return True
    return False


def _stream_holds(stream: BinaryIO, comment_id: str) -> bool:
    wanted = [comment_id.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    tail = b""
    with stream:
        while block := stream.read(_BLOCK):
            seen = tail + block
            if any(word in seen for word in wanted):
                return True
            tail = seen[-4 * len(comment_id) - 4 :]
    return False


def backup_note() -> str:
    """Return what no program can see from here."""
    return "Backups of disks, snapshots and PostgreSQL's archives are out of reach: let them expire, or purge them."
