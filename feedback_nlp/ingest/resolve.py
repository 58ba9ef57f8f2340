"""Gives every accepted row an id, settles duplicate ids, and sets the canonical order.

All of it depends on the rows' content alone, never on the order in which they were read.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.ingest.rows import DIGEST_SIZE
from feedback_nlp.ingest.spool import INDEX_SCHEMA, RowsFile

_STEP = 65_536
_MADE_DIGITS = 20

Positions = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Resolution:
    """The outcome.

    :param kept: positions of accepted rows in canonical order.
    :param ids: their comment ids.
    :param lost: positions of rows whose id another row keeps, in reading order.
    :param lost_same: for each of them, whether the kept row has the same content.
    """

    kept: Positions
    ids: pa.Array
    lost: Positions
    lost_same: np.ndarray[Any, np.dtype[np.bool_]]


def _digests(rows: RowsFile) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return the rows' digests as uint64 array of shape (rows, 2) that sorts as the bytes do."""
    chunks = [
        np.frombuffer(chunk.buffers()[1], dtype=">u8").reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in rows.column("digest").chunks
        if len(chunk)
    ]
    return np.concatenate(chunks).astype(np.uint64) if chunks else np.empty((0, 2), dtype=np.uint64)


def _made_ids(digests: np.ndarray[Any, np.dtype[np.uint64]]) -> pa.Array:
    """Make ids for rows given in canonical order: ``c-`` + 20 hex digits of the content + ``-`` + its occurrence."""
    count = len(digests)
    new = np.ones(count, dtype=bool)
    new[1:] = np.any(digests[1:] != digests[:-1], axis=1)
    place = np.arange(count)
    occurrence = place - np.maximum.accumulate(np.where(new, place, 0)) + 1
    pairs = zip(digests.tolist(), occurrence.tolist(), strict=True)
    return pa.array([f"c-{f'{a:016x}{b:016x}'[:_MADE_DIGITS]}-{n}" for (a, b), n in pairs], pa.string())


def _all_ids(rows: RowsFile, digests: np.ndarray[Any, Any], file: Positions, row: Positions) -> pa.Array:
    given = rows.column("comment_id")
    given = given.combine_chunks() if given.num_chunks else pa.array([], pa.string())
    if not given.null_count:
        return given
    missing = np.flatnonzero(given.is_null().to_numpy(zero_copy_only=False))
    part = digests[missing]
    order = np.lexsort((row[missing], file[missing], part[:, 1], part[:, 0]))
    made = _made_ids(part[order])
    back = np.argsort(order, kind="stable")
    return pc.replace_with_mask(given, given.is_null(), made.take(pa.array(back)))


def resolve(rows: RowsFile) -> Resolution:
    """Settle ids and order.

    Of rows with one id the one with the smallest content hash keeps it; of equal contents the one that stands first
    by file name and row.
    """
    digests = _digests(rows)
    file = rows.column("file").to_numpy().astype(np.int64)
    row = rows.column("row").to_numpy()
    ids = _all_ids(rows, digests, file, row)
    keys = pa.table({"id": ids, "a": digests[:, 0], "b": digests[:, 1], "file": file, "row": row})
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names]).to_numpy()
    order = order.astype(np.int64)
    sorted_ids = ids.take(pa.array(order))
    first = np.ones(len(order), dtype=bool)
    if len(order) > 1:
        first[1:] = pc.not_equal(sorted_ids[1:], sorted_ids[:-1]).to_numpy(zero_copy_only=False)
    keeper = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    lost, keepers = order[~first], keeper[~first]
    reading = np.argsort(lost, kind="stable")
    lost, keepers = lost[reading], keepers[reading]
    same = np.all(digests[lost] == digests[keepers], axis=1)
    return Resolution(order[first], sorted_ids.filter(pa.array(first)), lost, same)


def write_index(path: Path, found: Resolution) -> None:
    """Write ids and positions in canonical order."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, INDEX_SCHEMA) as writer:
        writer.write_table(pa.table({"comment_id": found.ids, "position": found.kept}, schema=INDEX_SCHEMA))


def fingerprint(rows: RowsFile, found: Resolution, sources: list[str]) -> str:
    """Return the sha256, in hexadecimal, of the accepted comments in canonical order: id, content and source."""
    hasher = hashlib.sha256()
    digests = _digests(rows).astype(">u8")
    files = rows.column("file").to_numpy()
    named = [source.encode() for source in sources]
    for start in range(0, len(found.kept), _STEP):
        part = found.kept[start : start + _STEP]
        content = digests[part].tobytes()
        for place, (comment_id, file) in enumerate(
            zip(found.ids.slice(start, _STEP).to_pylist(), files[part].tolist(), strict=True)
        ):
            key = comment_id.encode()
            hasher.update(b"%d:%b%d:%b" % (len(key), key, len(named[file]), named[file]))
            hasher.update(content[place * DIGEST_SIZE : (place + 1) * DIGEST_SIZE])
    return hasher.hexdigest()
