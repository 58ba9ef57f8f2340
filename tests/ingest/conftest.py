"""Fixtures for the tests of ingest."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from feedback_nlp.ingest import IngestSettings, Spool, spool

Spooler = Callable[..., Spool]


@pytest.fixture
def dump(tmp_path: Path) -> Callable[..., Path]:
    """Write a file: text in an encoding, bytes as they are, compressed where its name ends in .gz."""

    def write(name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode(encoding) if isinstance(content, str) else content
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write


@pytest.fixture
def spooled(tmp_path: Path) -> Spooler:
    """Spool inputs with settings given as keywords."""
    count = 0

    def run(*inputs: str | Path, limit: int | None = None, **settings: object) -> Spool:
        nonlocal count
        count += 1
        made = spool(inputs, IngestSettings(**settings), tmp_path / f"spool{count}", limit=limit)
        assert made.rows + made.rejected == made.rows_in
        assert made.rows_in == sum(file.rows_in for file in made.files)
        assert all(file.accepted + file.rejected == file.rows_in for file in made.files)
        assert sum(made.reject_reasons.values()) == made.rejected == pq.read_metadata(made.rejects_path).num_rows
        return made

    return run
