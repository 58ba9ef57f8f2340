"""The file of a run's map: whole, the same for the same parts, without comments that have no vector."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.comment_map import SCHEMA, write_map
from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import INPUT_COLUMNS, LANG, VECTOR
from feedback_nlp.store import write_part


def _parts(folder: Path, rows: int) -> Path:
    vectors = np.random.default_rng(1).standard_normal((rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for index, start in enumerate(range(0, rows, 50)):
        at = range(start, min(start + 50, rows))
        given = {"comment_id": [f"c{row}" for row in at], "text": ["x"] * len(at), "source": ["f"] * len(at)}
        arrays = [pa.array(given.get(column.name, [None] * len(at)), column.dtype) for column in INPUT_COLUMNS]
        batch = CommentBatch(pa.table(dict(zip([column.name for column in INPUT_COLUMNS], arrays, strict=True))))
        valid = np.array([row != 7 for row in at])
        found = {LANG: pa.array(["en"] * len(at)), VECTOR: vector_array(vectors[start : start + len(at)], valid)}
        write_part(folder, index, batch.adding(found, who="test"))
    return folder


def test_the_map_holds_every_comment_with_a_vector(tmp_path: Path) -> None:
    parts = _parts(tmp_path / "parts", 120)
    first, second = tmp_path / "one.parquet", tmp_path / "two.parquet"
    assert write_map(parts, first, seed=3) == 119
    write_map(parts, second, seed=3)
    assert first.read_bytes() == second.read_bytes()
    table = pq.read_table(first)
    assert table.schema.equals(SCHEMA)
    assert table.column("comment_id").to_pylist() == [f"c{row}" for row in range(120) if row != 7]
    assert not np.isnan(table.column("x").to_numpy()).any()


def test_no_parts_give_an_empty_map(tmp_path: Path) -> None:
    assert write_map(tmp_path, tmp_path / "map.parquet", seed=3) == 0
    assert pq.read_table(tmp_path / "map.parquet").num_rows == 0
