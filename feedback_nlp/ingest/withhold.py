"""Keeps comments that were erased out of a spool, as though the dumps had never held them."""

from collections.abc import Container
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.ingest.resolve import Resolution, fingerprint, write_index
from feedback_nlp.ingest.spool import INDEX_FILE, ROWS_FILE, FileSummary, RowsFile, Spool


def withhold(spooled: Spool, erased: Container[str]) -> tuple[Spool, int]:
    """Take comments and rejects of erased ids out of a spool.

    :param erased: tells whether it contains an id.
    :returns: the spool without them, whose fingerprint is that of dumps without them, and how many rows that were.
    """
    with pa.memory_map(str(spooled.folder / INDEX_FILE)) as mapped:
        index = pa.ipc.open_file(mapped).read_all().combine_chunks()
    keep = np.array([comment_id not in erased for comment_id in index.column("comment_id").to_pylist()], dtype=bool)
    rejects = pq.read_table(spooled.rejects_path)
    stay = np.array([one is None or one not in erased for one in rejects.column("comment_id").to_pylist()], dtype=bool)
    if keep.all() and stay.all():
        return spooled, 0
    gone = rejects.filter(pa.array(~stay))
    rejects = rejects.filter(pa.array(stay))
    part = spooled.rejects_path.with_suffix(".part")
    pq.write_table(rejects, part)
    part.replace(spooled.rejects_path)
    rows = RowsFile(spooled.folder / ROWS_FILE)
    position = index.column("position").to_numpy()
    none = np.empty(0, dtype=np.int64)
    ids = index.column("comment_id").combine_chunks().filter(pa.array(keep))
    found = Resolution(position[keep], ids, none, none.astype(bool))
    part = spooled.folder / f"{INDEX_FILE}.part"
    write_index(part, found)
    part.replace(spooled.folder / INDEX_FILE)
    file = rows.column("file").to_numpy()[position[~keep]]
    files = [_without(one, int(np.sum(file == place)), gone) for place, one in enumerate(spooled.files)]
    withheld = int(np.sum(~keep)) + gone.num_rows
    reasons = rejects.column("reason").to_pylist()
    changed = replace(
        spooled,
        rows=int(np.sum(keep)),
        rejected=rejects.num_rows,
        rows_in=spooled.rows_in - withheld,
        fingerprint=fingerprint(rows, found, [one.name for one in spooled.files]),
        files=files,
        reject_reasons={reason: reasons.count(reason) for reason in sorted(set(reasons))},
    )
    return changed, withheld


def _without(summary: FileSummary, accepted: int, gone: pa.Table) -> FileSummary:
    rejected = gone.column("file").to_pylist().count(summary.name)
    return replace(
        summary,
        rows_in=summary.rows_in - accepted - rejected,
        accepted=summary.accepted - accepted,
        rejected=summary.rejected - rejected,
    )
