"""Lineage: a topic over the nights. Ids are stable from night to night, so each run is asked for the same id."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from feedback_nlp.core.decidedtopics import merged_into
from feedback_nlp.core.errors import ConfigError
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
    :param comments: comments of the topic then, in the run that readers see as decided; None where it did not exist.
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


def _topics_then(store: "Store", run_id: str) -> dict[int, dict[str, Any]] | None:
    """Return a run's topics as it wrote them, by id; None where it was dropped as too old meanwhile."""
    try:
        rows = store.topics(run_id, decided=False).to_pylist()
    except ConfigError:
        return None
    return {int(row["topic_id"]): row for row in rows}


def lineage_of(store: "Store", hub: Hub, snapshot: Snapshot, topic_id: int) -> list[Night]:
    """Return a topic in the latest runs, the earliest first: its size with what was merged into it, its name then."""
    # Tonight's run is among the records too while it is written, and readers see none of its topics yet.
    finished = [record for record in store.records() if record.state == "finished"][:NIGHTS]
    held = [topic_id, *merged_into(snapshot.decided, topic_id)]
    found = []
    for record in finished[::-1]:
        topics = hub.cache.get(("topics then", record.run_id), partial(_topics_then, store, record.run_id))
        if topics is None:
            continue
        row = topics.get(topic_id)
        labels = {key[-2:]: str(value) for key, value in (row or {}).items() if key.startswith("label_") and value}
        sizes = [int(topics[each]["size"]) for each in held if each in topics]
        size = int(snapshot.topics[topic_id]["size"]) if record.run_id == snapshot.corpus.run_id else None
        size = size if size is not None else sum(sizes) if sizes else None
        ended = record.finished_at or record.started_at
        found.append(Night(record.run_id, ended, size, record.comments, str((row or {}).get("status") or ""), labels))
    return found
