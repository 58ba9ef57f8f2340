"""Part files: every finished chunk of a run's first pass with all its columns, so that a killed run can resume.

A part is a Parquet file that carries its chunk's number and its own sha256 in its name: ``part-000007-3f0c….parquet``.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import Column
from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.store.results import whole_file

_NAME = re.compile(r"part-(\d{6,})-([0-9a-f]{64})\.parquet")


def _paths(folder: Path) -> list[tuple[int, Path]]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return sorted((int(match[1]), path) for path in paths if (match := _NAME.fullmatch(path.name)))


def _verified(path: Path) -> bytes | None:
    """Return a part's content, None where it is not the one its name tells of."""
    content = path.read_bytes()
    return content if path.stem.endswith(hashlib.sha256(content).hexdigest()) else None


def write_part(folder: str | Path, index: int, batch: CommentBatch) -> Path:
    """Write a chunk with all its columns in place of an earlier part; the file appears whole or not at all.

    :param index: the chunk's number in the run.
    :returns: the file.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        batch.table, sink, compression="zstd", compression_level=1, use_dictionary=False, write_statistics=False
    )
    content = sink.getvalue()
    earlier = [path for number, path in _paths(Path(folder)) if number == index]
    written = Path(folder) / f"part-{index:06d}-{hashlib.sha256(content).hexdigest()}.parquet"
    with whole_file(written) as half:
        half.write_bytes(content)
    for path in earlier:
        if path != written:
            path.unlink()
    return written


def parts_done(folder: str | Path) -> set[int]:
    """Return the numbers of the chunks whose part is there and undamaged to the last byte; others are deleted."""
    done = set()
    for index, path in _paths(Path(folder)):
        if index in done or _verified(path) is None:
            path.unlink()
        else:
            done.add(index)
    return done


def read_parts(folder: str | Path, columns: Sequence[Column] | None = None) -> Iterator[tuple[int, CommentBatch]]:
    """Read parts in the order of their numbers, one at a time.

    :param columns: columns to read; None reads all.
    :returns: pairs of the chunk's number and the chunk.
    :raises FeedbackError: when a part is damaged, naming it.
    """
    names = None if columns is None else [column.name for column in columns]
    for index, path in _paths(Path(folder)):
        content = _verified(path)
        if content is None:
            raise FeedbackError(f"{path} is damaged. Run again with --resume: it will be made anew.")
        yield index, CommentBatch(pq.ParquetFile(pa.BufferReader(content)).read(columns=names).combine_chunks())
