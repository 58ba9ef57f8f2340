"""Comparing: two nights side by side, as shares of each night's comments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from feedback_nlp.core.columns import LANGS, ROOT_CAUSES, SENTIMENTS
from feedback_nlp.insights.drift import Drift, drift
from feedback_nlp.review.snapshot import NO_TOPIC, Row, Snapshot

NOTHING = "unjudged"


@dataclass(frozen=True)
class Pair:
    """One value on both nights.

    :param code: the value, ``unjudged`` for comments without one.
    :param before: comments on the earlier night, and ``after`` on the later.
    :param share_before: of all comments of the night, 0 to 1; likewise ``share_after``.
    """

    code: str
    before: int
    after: int
    share_before: float
    share_after: float

    @property
    def change(self) -> float:
        """Change of the share, -1 to 1."""
        return self.share_after - self.share_before


@dataclass(frozen=True, eq=False)
class TopicPair:
    """A topic on both nights.

    :param topic: the topic as the later night has it, or the earlier one where only that has it.
    :param pair: its comments.
    :param fate: ``new``, ``gone`` or ``both``.
    """

    topic: Row
    pair: Pair
    fate: str

    @property
    def id(self) -> int:
        """The topic's id."""
        return int(self.topic["topic_id"])

    def name(self, lang: str) -> str:
        """Return its name in a language, empty where it has none."""
        return str(self.topic.get(f"label_{lang}") or "")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two nights.

    :param comments: comments of the earlier and the later night.
    :param shared: comments that stand in both, by their ids.
    :param mixes: ``lang``, ``sentiment`` and ``root_cause``, each with its values in their usual order.
    :param topics: topics by falling change of share.
    :param drifts: population stability index by column.
    """

    comments: tuple[int, int]
    shared: int
    mixes: Mapping[str, Sequence[Pair]]
    topics: Sequence[TopicPair]
    drifts: Mapping[str, Drift]


def _counted(codes: np.ndarray, known: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(codes.astype(np.int64) + 1, minlength=len(known) + 1)
    return {NOTHING if at < 0 else known[at]: int(counts[at + 1]) for at in [*range(len(known)), -1]}


def _mixes(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    return {
        "lang": _counted(snapshot.corpus.lang, LANGS),
        "sentiment": _counted(snapshot.sentiment, SENTIMENTS),
        "root_cause": _counted(snapshot.root, ROOT_CAUSES),
    }


def _sizes(snapshot: Snapshot) -> dict[int, int]:
    ids, counts = np.unique(snapshot.topic, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def _pair(code: str, before: int, after: int, totals: tuple[int, int]) -> Pair:
    return Pair(code, before, after, before / max(totals[0], 1), after / max(totals[1], 1))


def compare(earlier: Snapshot, later: Snapshot) -> Comparison:
    """Compare two nights, both as decided by now."""
    totals = len(earlier.corpus), len(later.corpus)
    first, second = _mixes(earlier), _mixes(later)
    mixes = {
        name: [
            _pair(code, first[name][code], second[name][code], totals)
            for code in first[name]
            if first[name][code] or second[name][code]
        ]
        for name in first
    }
    sizes = _sizes(earlier), _sizes(later)
    found = [
        _topic_pair(topic_id, earlier, later, (sizes[0].get(topic_id, 0), sizes[1].get(topic_id, 0)), totals)
        for topic_id in sorted({*sizes[0], *sizes[1]} - {NO_TOPIC})
        if topic_id in later.topics or topic_id in earlier.topics
    ]
    found.sort(key=lambda each: (-abs(each.pair.change), each.id))
    by_topic = [{"topic_id": {str(key): value for key, value in one.items()}} for one in sizes]
    drifts = drift(second | by_topic[1], [first | by_topic[0]])
    shared = len(earlier.corpus.rows.keys() & later.corpus.rows.keys())
    return Comparison(totals, shared, mixes, found, {one.column: one for one in drifts})


def _topic_pair(
    topic_id: int, earlier: Snapshot, later: Snapshot, counts: tuple[int, int], totals: tuple[int, int]
) -> TopicPair:
    fate = "new" if topic_id not in earlier.topics else "gone" if topic_id not in later.topics else "both"
    topic = later.topics.get(topic_id) or earlier.topics[topic_id]
    return TopicPair(topic, _pair(str(topic_id), *counts, totals), fate)
