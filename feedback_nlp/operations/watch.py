"""Adds to a run's summary what watchers need: its mix, the drift against the nights before, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp.insights.drift import MIX_COLUMNS, Drift, drift, mix_of


def read_mix_columns(comments: Path) -> pa.Table:
    """Read the columns of a result file that are counted night by night, as far as it has them."""
    file = pq.ParquetFile(comments)
    names = [column.name for column in MIX_COLUMNS if column.name in file.schema_arrow.names]
    return file.read(columns=names)


def watch(summary: Mapping[str, Any], comments: pa.Table, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the entries ``mix``, ``drift`` and ``warnings`` of a run's summary.

    :param summary: what the run told so far.
    :param comments: its comments; only the columns that are counted are needed.
    :param earlier: summaries of finished runs before it; those without a mix are passed over.
    """
    mix = mix_of(comments)
    mixes = [one["mix"] for one in earlier if one.get("mix")]
    found = drift(mix, mixes)
    warnings = [_drift_warning(one, len(mixes)) for one in found if one.level == "major"]
    counts = summary["counts"]
    if not counts["comments"]:
        warnings.append("no comment was read")
    unread = sum(int(file.get("dates_unread", 0)) for file in summary.get("files", []))
    if unread:
        warnings.append(f"{unread} dates could not be read; their comments have no created_at")
    return {
        "mix": mix,
        "drift": {"nights": len(mixes), "columns": [asdict(one) for one in found]},
        "warnings": warnings,
    }


def _drift_warning(one: Drift, nights: int) -> str:
    return (
        f"{one.column}: the mix changed against the last {nights} night(s) (PSI {one.psi:.2f}); "
        f"most for '{one.grown}' ({one.change:+.1%} of comments)"
    )
