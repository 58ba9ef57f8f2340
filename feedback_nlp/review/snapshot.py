"""Snapshot: a run's comments and topics as analysts decided, up to one decision; a value that pages are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.columns import LANGS, ROOT_CAUSES, SENTIMENTS
from feedback_nlp.core.decidedtopics import decided_topics
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
    :param subtopic: sub-topic of each comment, -1 = none.
    :param sentiment: as in the corpus; likewise ``root`` and ``marks``.
    :param changed: comments that were corrected, by row.
    """

    corpus: Corpus
    version: int
    decided: Decided
    topics: Mapping[int, Row]
    topic: Ints
    subtopic: Ints
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
            self._decided(int(row), self.changed.get(int(row), comment))
            for row, comment in zip(rows, found, strict=True)
        ]

    @cached_property
    def _roots(self) -> Mapping[int, int]:
        return self.decided.roots()

    def _decided(self, row: int, comment: Row) -> Row:
        """Return a comment where merges are followed in its further topics too."""
        topic = int(self.topic[row])
        also = dict.fromkeys(self._roots.get(each, each) for each in comment["topics_also"] or ())
        further = [each for each in also if each != topic and each in self.topics]
        return {**comment, "topic_id": topic, "topics_also": further, "row": row}

    def subtopic_name(self, comment: Row, lang: str) -> str:
        """Return the name of a comment's sub-topic in a language, empty where it has none."""
        wanted = comment.get("subtopic_id")
        parts = self.topics.get(comment["topic_id"], {}).get("subtopics") or ()
        found = next((part for part in parts if part["subtopic_id"] == wanted), None)
        return "" if found is None else str(found.get(f"label_{lang}") or "")

    def of_topic(self, topic_id: int) -> Ints:
        """Return the rows of a topic's comments, in order."""
        return np.flatnonzero(self.topic == topic_id).astype(np.int32)


def take_snapshot(corpus: Corpus, topics: pa.Table, decided: Decided, version: int) -> Snapshot:
    """Lay decisions over a run.

    :param topics: the run's topics as the machine found them; what is counted for them here takes milliseconds, where
        the store has to look through all comments.
    :param version: number of the last decision in ``decided``.
    """
    touched = sorted(corpus.rows[comment] for comment in decided.comments if comment in corpus.rows)
    topic = _decided_topics(corpus, decided)
    sentiment, root, marks, subtopic = corpus.sentiment, corpus.root, corpus.marks, corpus.subtopic
    changed: dict[int, Row] = {}
    if touched:
        sentiment, root, subtopic = sentiment.copy(), root.copy(), subtopic.copy()
        marks = {name: flags.copy() for name, flags in marks.items()}
        changed = dict(zip(touched, honoured(_whole(corpus, touched), decided).to_pylist(), strict=True))
        for row, comment in changed.items():
            subtopic[row] = -1 if comment["subtopic_id"] is None else comment["subtopic_id"]
            sentiment[row] = SENTIMENTS.index(comment["sentiment"]) if comment["sentiment"] else -1
            root[row] = ROOT_CAUSES.index(comment["root_cause"]) if comment["root_cause"] else -1
            named = {driver["driver"] + driver["sign"] for driver in comment["drivers"] or ()}
            for name in MARKS:
                marks[name][row] = name in named
    table = decided_topics(topics, decided, *_counted(corpus, topic, subtopic, decided)) if len(topics) else topics
    by_id = {int(row["topic_id"]): row for row in table.to_pylist()}
    return Snapshot(corpus, version, decided, by_id, topic, subtopic, sentiment, root, marks, changed)


def _whole(corpus: Corpus, rows: Sequence[int]) -> pa.Table:
    return corpus.comments.take(pa.array(rows, pa.int64()))


def _counted(
    corpus: Corpus, topic: Ints, subtopic: Ints, decided: Decided
) -> tuple[dict[int, int], dict[int, dict[str, int]], dict[int, int]]:
    """Count comments by topic, by language for topics that hold others than the run gave them, and by sub-topic."""
    ids, sizes = np.unique(topic, return_counts=True)
    parts, held = np.unique(subtopic[subtopic >= 0], return_counts=True)
    moved = np.flatnonzero(topic != corpus.topic)
    changed = {decided.root(each) for each in {*topic[moved].tolist(), *corpus.topic[moved].tolist()}}
    langs = {}
    for each in changed | set(decided.roots().values()) | set(decided.splits()):
        codes = np.bincount(corpus.lang[topic == each].astype(np.int64) + 1, minlength=len(LANGS) + 1)[1:]
        langs[each] = dict(zip(LANGS, codes.tolist(), strict=True))
    counts = dict(zip(ids.tolist(), sizes.tolist(), strict=True))
    return counts, langs, dict(zip(parts.tolist(), held.tolist(), strict=True))


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
