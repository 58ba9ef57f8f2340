"""Lineage: a topic over the nights. Ids are stable from night to night, so each run is asked for the same id."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback_nlp.review.hub import Hub
from feedback_nlp.review.snapshot import Snapshot

if TYPE_CHECKING:
    from feedback_nlp.store import Store

NIGHTS = 14


@dataclass(frozen=True)
class Night:
    """A topic in one run.

    :param run_id: the run.
    :param finished_at: when it ended, RFC 3339.
    :param comments: comments of the topic then; None where it did not exist yet or any more.
    :param all_comments: comments of the run.
    :param status: ``emerging``, ``standing`` or ``dormant``, empty where it did not exist.
    :param label: its names then, by language.
    """

    run_id: str
    finished_at: str
    comments: int | None
    all_comments: int
    status: str
    labels: dict[str, str]


def _nights(store: "Store") -> list[tuple[str, str, int, dict[int, dict[str, Any]]]]:
    found = []
    for record in store.records(limit=NIGHTS):
        rows = store.topics(record.run_id, decided=True).to_pylist()
        topics = {int(row["topic_id"]): row for row in rows}
        found.append((record.run_id, record.finished_at or record.started_at, record.comments, topics))
    return found[::-1]


def lineage_of(store: "Store", hub: Hub, snapshot: Snapshot, topic_id: int) -> list[Night]:
    """Return a topic in the latest runs, the earliest first."""
    nights = hub.cache.get(("nights", snapshot.key), lambda: _nights(store))
    found = []
    for run_id, finished, comments, topics in nights:
        row = topics.get(topic_id)
        labels = {key[-2:]: str(value) for key, value in (row or {}).items() if key.startswith("label_") and value}
        size, status = (int(row["size"]), str(row.get("status") or "")) if row is not None else (None, "")
        found.append(Night(run_id, finished, size, comments, status, labels))
    return found
