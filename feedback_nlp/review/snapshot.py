"""Snapshot: a run's comments and topics as analysts decided, up to one decision; a value that pages are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.columns import ROOT_CAUSES, SENTIMENTS
from feedback_nlp.core.decisions import Decided, honoured
from feedback_nlp.review.corpus import MARKS, Bools, Codes, Corpus, Ints

NO_TOPIC = -1
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What readers see at one moment; arrays have one value a comment, in the order of the run.

    :param corpus: the comments as the machine judged them.
    :param version: number of the last decision that counts, 0 = none.
    :param decided: what stands decided.
    :param topics: topics by id, as the store gives them decided: labels, keywords, parent_id, status, locked, hidden, …
    :param topic: topic of each comment, -1 = none.
    :param sentiment: as in the corpus; likewise ``root`` and ``marks``.
    :param changed: comments that were corrected, by row.
    """

    corpus: Corpus
    version: int
    decided: Decided
    topics: Mapping[int, Row]
    topic: Ints
    sentiment: Codes
    root: Codes
    marks: Mapping[str, Bools]
    changed: Mapping[int, Row]

    @property
    def key(self) -> tuple[str, int]:
        """What it is a picture of: the run and the last decision."""
        return self.corpus.run_id, self.version

    def take(self, rows: Sequence[int] | Ints) -> list[Row]:
        """Return comments as dictionaries in the order of ``rows``, each with its row as ``row``."""
        found = self.corpus.take(rows)
        return [
            {**self.changed.get(int(row), comment), "topic_id": int(self.topic[row]), "row": int(row)}
            for row, comment in zip(rows, found, strict=True)
        ]

    def of_topic(self, topic_id: int) -> Ints:
        """Return the rows of a topic's comments, in order."""
        return np.flatnonzero(self.topic == topic_id).astype(np.int32)


def take_snapshot(corpus: Corpus, topics: pa.Table, decided: Decided, version: int) -> Snapshot:
    """Lay decisions over a run.

    :param topics: the run's topics, decided.
    :param version: number of the last decision in ``decided``.
    """
    touched = sorted(corpus.rows[comment] for comment in decided.comments if comment in corpus.rows)
    topic = _decided_topics(corpus, decided)
    sentiment, root, marks = corpus.sentiment, corpus.root, corpus.marks
    changed: dict[int, Row] = {}
    if touched:
        sentiment, root = sentiment.copy(), root.copy()
        marks = {name: flags.copy() for name, flags in marks.items()}
        changed = dict(zip(touched, honoured(_whole(corpus, touched), decided).to_pylist(), strict=True))
        for row, comment in changed.items():
            sentiment[row] = SENTIMENTS.index(comment["sentiment"]) if comment["sentiment"] else -1
            root[row] = ROOT_CAUSES.index(comment["root_cause"]) if comment["root_cause"] else -1
            named = {driver["driver"] + driver["sign"] for driver in comment["drivers"] or ()}
            for name in MARKS:
                marks[name][row] = name in named
    by_id = {int(row["topic_id"]): row for row in topics.to_pylist()}
    return Snapshot(corpus, version, decided, by_id, topic, sentiment, root, marks, changed)


def _whole(corpus: Corpus, rows: Sequence[int]) -> pa.Table:
    return corpus.comments.take(pa.array(rows, pa.int64()))


def _decided_topics(corpus: Corpus, decided: Decided) -> Ints:
    topic = corpus.topic
    roots = decided.roots()
    if roots:
        names = np.unique(np.concatenate([topic, np.fromiter(roots, np.int32, len(roots))]))
        final = np.asarray([roots.get(int(name), int(name)) for name in names], dtype=np.int32)
        topic = final[np.searchsorted(names, topic)]
    placed = decided.placed()
    rows = [(corpus.rows[comment], at) for comment, at in placed.items() if comment in corpus.rows]
    if rows:
        topic = topic.copy()
        where, at = np.asarray(rows, dtype=np.int64).T
        topic[where] = at
    return topic
