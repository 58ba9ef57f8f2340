"""Queueing: the comments most worth a look - those the machine is unsure of, each unlike the ones before it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.review.corpus import Corpus
from feedback_nlp.review.snapshot import Snapshot

Floats = np.ndarray[Any, np.dtype[np.float64]]

LENGTH = 50
DOUBTS = ("sentiment", "cause", "topic", "mixed")
_WEIGHTS = {"sentiment": 1.0, "cause": 1.2, "topic": 0.6, "mixed": 0.7}
_AGAIN = 0.75
_POOL = 4_000
_SHORTEST = 12


@dataclass(frozen=True)
class Doubt:
    """A comment worth checking.

    :param row: its row.
    :param why: what the machine is least sure of, of ``DOUBTS``.
    """

    row: int
    why: str


def doubts_of(corpus: Corpus) -> dict[str, Floats]:
    """Return how unsure each reading of each comment is, 0 = sure, 1 = as unsure as can be.

    The doubt of a probability p is 1 - |2p - 1| (least confidence; Settles 2009, *Active Learning Literature Survey*).
    """
    table = corpus.comments
    sentiment, topic = (_scores(table, name) for name in ("sentiment_score", "topic_score"))
    drivers = table.column("drivers").combine_chunks()
    parents = np.asarray(pc.list_parent_indices(drivers), dtype=np.int64)
    each = np.nan_to_num(np.asarray(pc.list_flatten(drivers).field("score"), dtype=np.float64), nan=1.0)
    cause = np.zeros(len(corpus))
    np.maximum.at(cause, parents, 1 - np.abs(2 * each - 1))
    both = corpus.marks["policy-"] & corpus.marks["employee-"]
    return {
        "sentiment": np.clip(1.5 * (1 - sentiment), 0, 1),
        "cause": cause,
        "topic": np.where(corpus.topic >= 0, 1 - topic, 0.0),
        "mixed": np.where(both, 0.5 + 0.5 * cause, 0.0),
    }


def _scores(table: pa.Table, name: str) -> Floats:
    values = np.asarray(pc.fill_null(table.column(name).combine_chunks(), 1.0), dtype=np.float64)
    return np.nan_to_num(values, nan=1.0)


def next_to_check(snapshot: Snapshot, checked: Collection[str], length: int = LENGTH) -> list[Doubt]:
    """Return the comments worth checking next, most doubtful first, spread over topics, languages and kinds of doubt.

    Every comment chosen makes those of the same topic, language or kind of doubt less urgent. Duplicates of one text
    and texts too short to judge are left out.

    :param checked: ids of comments that somebody looked at already.
    """
    corpus = snapshot.corpus
    kinds = doubts_of(corpus)
    weighted = np.stack([_WEIGHTS[kind] * kinds[kind] for kind in DOUBTS])
    urgency = weighted.max(axis=0)
    open_ = np.ones(len(corpus), dtype=bool)
    open_[[corpus.rows[one] for one in {*checked, *snapshot.decided.comments} if one in corpus.rows]] = False
    texts = corpus.comments.column("text").combine_chunks()
    open_ &= np.asarray(pc.greater_equal(pc.utf8_length(texts), _SHORTEST))
    pool = np.flatnonzero(open_ & (urgency > 0))
    pool = pool[np.argsort(-urgency[pool], kind="stable")[:_POOL]]
    _, first = np.unique(np.asarray(texts.take(pa.array(pool)).to_pylist(), dtype=object), return_index=True)
    pool = pool[np.sort(first)]
    return _spread(snapshot, pool, urgency[pool].copy(), weighted[:, pool].argmax(axis=0), length)


def _spread(snapshot: Snapshot, pool: Any, urgency: Floats, why: Any, length: int) -> list[Doubt]:  # noqa: ANN401
    """Take the most urgent one after the other; what is like it becomes less urgent."""
    likeness = (snapshot.topic[pool], snapshot.corpus.lang[pool], why)
    chosen: list[Doubt] = []
    for _ in range(min(length, len(pool))):
        best = int(np.argmax(urgency))
        chosen.append(Doubt(int(pool[best]), DOUBTS[int(why[best])]))
        for values, again in zip(likeness, (_AGAIN, 0.95, 0.9), strict=True):
            urgency[values == values[best]] *= again
        urgency[best] = -1
    return chosen
