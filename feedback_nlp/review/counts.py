"""Counts: every topic in figures, over all comments or those a filter lets through; pure array work."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.columns import LANGS, SENTIMENTS
from feedback_nlp.review.corpus import Bools
from feedback_nlp.review.snapshot import NO_TOPIC, Snapshot

Table = np.ndarray[Any, np.dtype[np.int64]]

SPARK_BINS = 24
FAMILIES = ("policy", "employee", "both", "praise")


@dataclass(frozen=True, eq=False)
class TopicCounts:
    """Figures of one topic among the comments counted.

    :param topic_id: its id, -1 for comments without one.
    :param comments: how many.
    :param share: of all comments counted.
    :param sentiments: in the order of ``SENTIMENTS``; comments without one are in none.
    :param langs: in the order of ``LANGS``.
    :param policy: comments that complain about policy, not about employees; likewise ``employee``; ``both`` about both.
    :param praise: comments that praise either.
    :param trend: comments in each part of the time counted, earliest first; empty where there are no dates.
    """

    topic_id: int
    comments: int
    share: float
    sentiments: tuple[int, ...]
    langs: tuple[int, ...]
    policy: int
    employee: int
    both: int
    praise: int
    trend: tuple[int, ...]

    @property
    def negative_share(self) -> float:
        """Share of negative comments among those with a sentiment, NaN where none has."""
        judged = sum(self.sentiments)
        return self.sentiments[SENTIMENTS.index("negative")] / judged if judged else float("nan")


@dataclass(frozen=True, eq=False)
class Counts:
    """Figures of all topics.

    :param topics: by topic id; only topics with comments.
    :param comments: all comments counted.
    :param first_day: first and ``last_day`` last day among them, days since 1970; None where there are no dates.
    """

    topics: dict[int, TopicCounts]
    comments: int
    first_day: int | None
    last_day: int | None

    @property
    def without(self) -> int:
        """Comments in no topic."""
        found = self.topics.get(NO_TOPIC)
        return 0 if found is None else found.comments


def _crossed(place: Table, codes: Any, width: int, height: int) -> Table:  # noqa: ANN401 - codes of any integer type
    """Count pairs of topic and code; codes below zero count nowhere."""
    known = codes >= 0
    flat = place[known] * width + codes[known]
    return np.bincount(flat, minlength=height * width).reshape(height, width)


def count_topics(snapshot: Snapshot, kept: Bools | None = None) -> Counts:
    """Count every topic.

    :param kept: which comments count; None counts all.
    """
    take: Any = slice(None) if kept is None else kept
    topic = snapshot.topic[take]
    if not len(topic):
        return Counts({}, 0, None, None)
    ids, place = np.unique(topic, return_inverse=True)
    height = len(ids)
    sizes = np.bincount(place, minlength=height)
    sentiments = _crossed(place, snapshot.sentiment[take].astype(np.int64), len(SENTIMENTS), height)
    langs = _crossed(place, snapshot.corpus.lang[take].astype(np.int64), len(LANGS), height)
    families = _families(snapshot, take, place, height)
    days = snapshot.corpus.days[take].astype(np.int64)
    dated = days[days >= 0]
    first, last = (int(dated.min()), int(dated.max())) if len(dated) else (None, None)
    trend = np.zeros((height, 0), np.int64)
    if first is not None and last is not None:
        bins = min(SPARK_BINS, last - first + 1)
        part = np.where(days >= 0, (days - first) * bins // (last - first + 1), -1)
        trend = _crossed(place, part, bins, height)
    found = {}
    for at, topic_id in enumerate(ids.tolist()):
        found[topic_id] = TopicCounts(
            topic_id=topic_id,
            comments=int(sizes[at]),
            share=float(sizes[at] / len(topic)),
            sentiments=tuple(sentiments[at].tolist()),
            langs=tuple(langs[at].tolist()),
            **{name: int(counts[at]) for name, counts in families.items()},
            trend=tuple(trend[at].tolist()),
        )
    return Counts(found, len(topic), first, last)


def _families(snapshot: Snapshot, take: Any, place: Table, height: int) -> dict[str, Table]:  # noqa: ANN401
    marks = {name: flags[take] for name, flags in snapshot.marks.items()}
    policy, employee = marks["policy-"], marks["employee-"]
    flags = (policy & ~employee, employee & ~policy, policy & employee, marks["policy+"] | marks["employee+"])
    return {
        name: np.bincount(place[flag], minlength=height).astype(np.int64)
        for name, flag in zip(FAMILIES, flags, strict=True)
    }
