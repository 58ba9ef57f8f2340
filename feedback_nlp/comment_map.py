"""The file of a run's map: where each comment lies in two dimensions, for the review page to draw."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.core.columns import COMMENT_ID, LANG, VECTOR
from feedback_nlp.store import read_parts, whole_file

SCHEMA = pa.schema([("comment_id", pa.string()), ("x", pa.float32()), ("y", pa.float32())])


def write_map(parts: Path, target: Path, *, seed: int) -> int:
    """Draw the map of finished parts and write it; the same parts and seed give the same bytes.

    :param parts: folder of a run's part files.
    :param target: Parquet file of comment_id, x and y; a comment without a vector is left out.
    :returns: comments on the map.
    """
    from feedback_nlp.topics.mapping import Comments, draw_map

    def comments() -> Iterator[Comments]:
        for _, batch in read_parts(parts, (COMMENT_ID, LANG, VECTOR)):
            yield batch.values(COMMENT_ID), batch.values(LANG), batch.vectors()

    drawn = 0
    with whole_file(target) as half, pq.ParquetWriter(half, SCHEMA, compression="zstd") as writer:
        for ids, places in draw_map(comments, seed=seed):
            known = np.flatnonzero(~np.isnan(places[:, 0])).tolist()
            drawn += len(known)
            columns = [
                pa.array([ids[at] for at in known], pa.string()),
                *(pa.array(places[known, at]) for at in (0, 1)),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
    return drawn
