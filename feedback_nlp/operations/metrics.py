"""Metrics of the last runs in Prometheus's text format; labels hold names of ours only, never a customer's word."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from feedback_nlp.core.version import __version__
from feedback_nlp.ingest import REASONS
from feedback_nlp.insights.drift import MIX_COLUMNS
from feedback_nlp.store import RunRecord, whole_file

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_PREFIX = "feedback_nlp"
_BY_VALUE = tuple(column.name for column in MIX_COLUMNS if column.allowed)


class _Metric(NamedTuple):
    name: str
    meaning: str
    values: Mapping[tuple[str, ...], float]
    labels: tuple[str, ...] = ()


def render_metrics(records: Sequence[RunRecord]) -> bytes:
    """Return the metrics of the newest run and of the newest finished one.

    :param records: runs of a store, the newest first, unfinished ones among them.
    """
    from prometheus_client import generate_latest

    return generate_latest(_registry(records))


def write_metrics(records: Sequence[RunRecord], path: Path) -> None:
    """Write the metrics for the textfile collector, which never sees half a file.

    :raises OSError: when the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as half:
        half.write_bytes(render_metrics(records))


def _registry(records: Sequence[RunRecord]) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    for name, meaning, values, labels in _metrics(records):
        made = Gauge(f"{_PREFIX}_{name}", meaning, labels, registry=registry)
        for key, value in values.items():
            (made.labels(*key) if labels else made).set(value)
    return registry


def _metrics(records: Sequence[RunRecord]) -> list[_Metric]:
    found = [_Metric("info", "Version of the program.", {(__version__,): 1}, ("version",))]
    if records:
        newest = records[0]
        found += [
            _Metric(
                "last_run_started_timestamp_seconds", "Start of the newest run.", {(): _seconds(newest.started_at)}
            ),
            _Metric("last_run_success", "1 when the newest run finished.", {(): float(newest.state == "finished")}),
        ]
    for one in records:
        if one.state == "finished" and one.summary and one.finished_at:
            began, ended = _seconds(one.started_at), _seconds(one.finished_at)
            found += [
                _Metric("finished_run_timestamp_seconds", "End of the newest finished run.", {(): ended}),
                _Metric("finished_run_duration_seconds", "Wall time of that run.", {(): ended - began}),
                *_of_summary(one.summary),
            ]
            break
    return found


def _of_summary(summary: Mapping[str, Any]) -> list[_Metric]:
    counts = summary.get("counts", {})
    rejects = summary.get("rejects", {})
    mix = summary.get("mix", {})
    return [
        _Metric("rows_in", "Rows read.", {(): counts.get("rows_in", 0)}),
        _Metric("comments", "Comments analysed.", {(): counts.get("comments", 0)}),
        _Metric("topics", "Topics found.", {(): counts.get("topics", 0)}),
        _Metric("comments_without_topic", "Comments without a topic.", {(): counts.get("without_topic", 0)}),
        _Metric(
            "rejects",
            "Rows rejected.",
            {(reason,): rejects.get(reason, 0) for reason in REASONS},
            ("reason",),
        ),
        _Metric(
            "stage_cpu_seconds", "CPU by step.", {(k,): v for k, v in summary.get("stages", {}).items()}, ("stage",)
        ),
        _Metric(
            "comments_by_value",
            "Comments by value of a column.",
            {(name, value): count for name in _BY_VALUE for value, count in mix.get(name, {}).items()},
            ("column", "value"),
        ),
        _Metric(
            "drift_psi",
            "Population stability index against the nights before.",
            {(one["column"],): one["psi"] for one in summary.get("drift", {}).get("columns", [])},
            ("column",),
        ),
        _Metric("warnings", "Warnings of the run.", {(): len(summary.get("warnings", []))}),
    ]


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
