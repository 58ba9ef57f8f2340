"""Listing: topics with their figures, filtered and sorted, as a reader asks for them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from feedback_nlp.core.columns import LANGS, SENTIMENTS
from feedback_nlp.core.folding import fold
from feedback_nlp.lang.pack import CODES
from feedback_nlp.review.counts import Counts, TopicCounts, count_topics
from feedback_nlp.review.filters import Filter, matching
from feedback_nlp.review.hub import Hub
from feedback_nlp.review.search import Readings
from feedback_nlp.review.snapshot import NO_TOPIC, Row, Snapshot

SORTS = ("size", "name", "negative", "policy", "employee", "praise", "rising")
NOTHING = TopicCounts(0, 0, 0.0, (0,) * len(SENTIMENTS), (0,) * len(LANGS), 0, 0, 0, 0, ())
"""Figures of a topic without comments."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A topic in the table.

    :param topic: the topic as decided.
    :param counts: its figures among the comments asked for.
    """

    topic: Mapping[str, Any]
    counts: TopicCounts

    @property
    def id(self) -> int:
        """The topic's id."""
        return int(self.topic["topic_id"])

    def name(self, lang: str) -> str:
        """Return its name in a language, empty where it has none."""
        return str(self.topic.get(f"label_{lang}") or "")

    @property
    def rise(self) -> float:
        """How much more often it came in the last third of the time than before, as a ratio."""
        trend = self.counts.trend
        late = len(trend) // 3
        if not late:
            return 0.0
        before = sum(trend[:-late]) / (len(trend) - late)
        return (sum(trend[-late:]) / late + 1) / (before + 1)


def counts_of(hub: Hub, snapshot: Snapshot, wanted: Filter, readings: Readings) -> Counts:
    """Return the figures of all topics among the comments a filter lets through; remembered."""
    key = ("counts", snapshot.key, wanted)
    return hub.cache.get(key, lambda: count_topics(snapshot, matching(snapshot, wanted, readings)))


def _key(sort: str, lang: str) -> Callable[[Entry], Any]:
    keys: dict[str, Callable[[Entry], Any]] = {
        "size": lambda entry: -entry.counts.comments,
        "name": lambda entry: fold(entry.name(lang)) or "\uffff",
        "negative": lambda entry: -_or_zero(entry.counts.negative_share),
        "policy": lambda entry: -(entry.counts.policy + entry.counts.both) / max(entry.counts.comments, 1),
        "employee": lambda entry: -(entry.counts.employee + entry.counts.both) / max(entry.counts.comments, 1),
        "praise": lambda entry: -entry.counts.praise / max(entry.counts.comments, 1),
        "rising": lambda entry: -entry.rise,
    }
    return keys[sort]


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _named(topic: Row, words: list[str]) -> bool:
    text = [str(topic.get(f"label_{lang}") or "") for lang in CODES]
    text += [str(word) for lang in CODES for word in topic.get(f"keywords_{lang}") or ()]
    names = fold(" ".join(text)).split()
    return all(any(name.startswith(word) for name in names) for word in words)


def list_topics(
    hub: Hub,
    snapshot: Snapshot,
    wanted: Filter,
    *,
    sort: str = "size",
    lang: str = "en",
    hidden: bool = False,
    readings: Readings,
) -> tuple[Entry, ...]:
    """Return the topics that have comments asked for, or bear the name searched for, in order.

    :param sort: one of ``SORTS``; equals stand by falling size, then id.
    :param lang: language of the names.
    :param hidden: whether hidden topics are listed too.
    """

    def make() -> tuple[Entry, ...]:
        counts = counts_of(hub, snapshot, wanted, readings)
        words = fold(wanted.q).split()
        found = []
        for topic_id, topic in snapshot.topics.items():
            if topic_id == NO_TOPIC or (topic.get("hidden") and not hidden):
                continue
            own = counts.topics.get(topic_id)
            if own is None and wanted and not (words and _named(topic, words)):
                continue
            found.append(Entry(topic, own or replace(NOTHING, topic_id=topic_id)))
        found.sort(key=lambda entry: (-entry.counts.comments, entry.id))
        return tuple(sorted(found, key=_key(sort, lang)))

    return hub.cache.get(("list", snapshot.key, wanted, sort, lang, hidden), make)


def find_topic(hub: Hub, snapshot: Snapshot, topic_id: int, wanted: Filter, readings: Readings) -> Entry | None:
    """Return a topic with its figures among the comments asked for; None where the run has no such topic."""
    topic = snapshot.topics.get(topic_id)
    if topic is None:
        return None
    found = counts_of(hub, snapshot, wanted, readings).topics.get(topic_id)
    return Entry(topic, found or replace(NOTHING, topic_id=topic_id))


def neighbours_of(hub: Hub, snapshot: Snapshot, topic_id: int, readings: Readings) -> list[Entry]:
    """Return the other topics of the same theme, the largest first."""
    parent = snapshot.topics[topic_id].get("parent_id")
    if parent is None:
        return []
    listed = list_topics(hub, snapshot, Filter(), readings=readings)
    return [entry for entry in listed if entry.topic.get("parent_id") == parent and entry.id != topic_id]


def rows_of(hub: Hub, snapshot: Snapshot, topic_id: int | None, wanted: Filter, readings: Readings) -> Any:  # noqa: ANN401
    """Return the rows of the comments asked for, the newest first and those without a date last.

    :param topic_id: only of this topic; None takes all.
    :returns: int32 array.
    """

    def make() -> Any:  # noqa: ANN401 - an array
        kept = matching(snapshot, wanted, readings)
        if topic_id is not None:
            own = snapshot.topic == topic_id
            kept = own if kept is None else kept & own
        rows = np.arange(len(snapshot.corpus)) if kept is None else np.flatnonzero(kept)
        return rows[np.argsort(-snapshot.corpus.days[rows], kind="stable")].astype(np.int32)

    return hub.cache.get(("rows", snapshot.key, topic_id, wanted), make)
