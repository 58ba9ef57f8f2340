"""Sub-topics: what a topic that is big enough falls into; each of its comments belongs to one of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from feedback_nlp.core.product import stable_product
from feedback_nlp.topics.backends.kmeans import unit_means
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.topic import Topic, unnamed_topic

Ints = np.ndarray[Any, np.dtype[np.int64]]

_DRAWN = 1500
_ROUNDS = 2
_SAME = 0.8
_HOLD = 0.8
_FORGET_AFTER = 30


@dataclass(frozen=True, eq=False)
class Subtopics:
    """Sub-topics of all topics.

    :param entries: sub-topics, those of one topic side by side, the largest first; ``parent_id`` is the topic's id.
    :param centroids: float32 array of shape (sub-topics, width), rows of unit length, in the order of ``entries``.
    :param next_id: smallest id never used; ids are counted apart from the topics'.
    """

    entries: tuple[Topic, ...]
    centroids: Vectors
    next_id: int = 0

    @classmethod
    def nothing(cls, width: int) -> "Subtopics":
        """Return no sub-topics, of vectors of this width."""
        return cls((), np.zeros((0, width), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.entries)

    def of(self, topic_id: int) -> Ints:
        """Return the positions of a topic's sub-topics."""
        own = [at for at, entry in enumerate(self.entries) if entry.parent_id == topic_id]
        return np.array(own, dtype=np.int64)

    def take(self, order: Sequence[int]) -> "Subtopics":
        """Return the sub-topics at these positions, in this order."""
        entries = tuple(self.entries[at] for at in order)
        return replace(self, entries=entries, centroids=self.centroids[np.array(order, dtype=np.int64)])

    def place(self, vectors: Vectors, topics: np.ndarray[Any, Any]) -> Ints:
        """Return the position of each comment's sub-topic, the nearest of its topic's; -1 where that has none.

        A row's result does not depend on the rows beside it.

        :param vectors: float32 array of shape (rows, width), shifted rows of unit length.
        :param topics: integer array (rows,), the id of each one's topic, -1 for none.
        """
        out = np.full(len(vectors), -1, dtype=np.int64)
        for topic_id in dict.fromkeys(entry.parent_id for entry in self.entries):
            own, rows = self.of(-1 if topic_id is None else topic_id), np.flatnonzero(topics == topic_id)
            if len(rows):
                cosines = stable_product(vectors[rows], np.ascontiguousarray(self.centroids[own].T))
                out[rows] = own[cosines.argmax(axis=1)]
        return out

    def ids(self, places: Ints) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Return the ids at positions, -1 for -1."""
        return np.array([entry.id for entry in self.entries] + [-1], dtype=np.int32)[places]

    def only(self, topics: Collection[int]) -> "Subtopics":
        """Return the sub-topics of these topics."""
        return self.take([at for at, entry in enumerate(self.entries) if entry.parent_id in topics])

    def renumbered(self, topics: Mapping[int, int], first: int = 0) -> "Subtopics":
        """Return the same sub-topics where their topics have other ids.

        :param topics: topic id to new topic id; a topic that is missing keeps its own.
        :param first: number that is added to the sub-topics' own ids.
        """
        entries = [
            replace(
                entry,
                id=entry.id + first,
                parent_id=None if entry.parent_id is None else topics.get(entry.parent_id, entry.parent_id),
            )
            for entry in self.entries
        ]
        return replace(self, entries=tuple(entries), next_id=self.next_id + first)

    def with_those_of(self, other: "Subtopics", topics: Collection[int]) -> "Subtopics":
        """Return these sub-topics with those of some topics as another value has them."""
        mine, theirs = self.only({entry.parent_id for entry in self.entries} - set(topics)), other.only(topics)  # type: ignore[arg-type]
        return Subtopics(
            (*mine.entries, *theirs.entries),
            np.concatenate([mine.centroids, theirs.centroids]),
            max(self.next_id, other.next_id),
        )

    def matched(self, old: "Subtopics", topics: Collection[int]) -> "Subtopics":
        """Return these sub-topics under the ids of old ones where they are the same, and new numbers elsewhere.

        Within each topic they are paired one to one so that the sum of cosines is highest; a pair is the same sub-topic
        from a cosine of .8 on.

        :param topics: topics whose sub-topics the old ones are compared with; those of others are all new.
        """
        from scipy.optimize import linear_sum_assignment

        ids: dict[int, int] = {}
        for topic_id in topics:
            mine, theirs = self.of(topic_id), old.of(topic_id)
            cosines = self.centroids[mine] @ old.centroids[theirs].T
            for row, column in zip(*linear_sum_assignment(-cosines), strict=True):
                if cosines[row, column] >= _SAME:
                    ids[int(mine[row])] = old.entries[theirs[column]].id
        number, entries = old.next_id, []
        for at, entry in enumerate(self.entries):
            entries.append(replace(entry, id=ids.get(at, number)))
            number += at not in ids
        return replace(self, entries=tuple(entries), next_id=number)

    def renewed(
        self, topics: Sequence[Topic], held: Ints, vectors: Vectors, *, sizes: tuple[int, int], anew: bool
    ) -> "Subtopics":
        """Return the sub-topics over tonight's comments: standing ones in their places, and new ones without a name.

        A topic that has none yet is divided, if it is big enough. Where topics were discovered anew, the centres of
        standing ones move a little to the mean of their comments, and parts of the topic that lie apart from all of
        them are added.

        :param topics: the topics to look into; sub-topics of others stay as they are.
        :param held: int64 array (rows,), position of each row's topic in ``topics``, -1 for none or one not to divide.
        :param vectors: float32 array of shape (rows, width), shifted rows of unit length in canonical order.
        :param sizes: most sub-topics of a topic, and fewest rows of a topic.
        :param anew: whether topics were discovered anew.
        """
        entries: list[Topic] = []
        centres = [self.centroids[:0]]
        number = self.next_id
        for at, topic in enumerate(topics):
            own, rows = self.of(topic.id), vectors[held == at]
            kept, new = self.centroids[own], self.centroids[:0]
            if anew or not len(own):
                new = divide(rows, *sizes)
            if anew and len(own):
                kept = _moved(kept, rows)
                new = new[(new @ kept.T).max(axis=1, initial=-1) < _SAME][: max(sizes[0] - len(own), 0)]
            entries += [self.entries[each] for each in own.tolist()]
            entries += [replace(unnamed_topic(number + each), parent_id=topic.id) for each in range(len(new))]
            centres += [kept, new]
            number += len(new)
        rest = self.take([at for at, entry in enumerate(self.entries) if entry.parent_id not in {t.id for t in topics}])
        return Subtopics((*entries, *rest.entries), np.concatenate([*centres, rest.centroids]), number)

    def told(self, entries: Sequence[Topic]) -> "Subtopics":
        """Return the sub-topics as told anew, each topic's by falling size; without those not seen for thirty runs.

        :param entries: in the order of ``self.entries``.
        """
        first: dict[int | None, int] = {}
        for at, entry in enumerate(entries):
            first.setdefault(entry.parent_id, at)
        order = sorted(range(len(entries)), key=lambda at: (first[entries[at].parent_id], -entries[at].size, at))
        order = [at for at in order if entries[at].idle < _FORGET_AFTER]
        return replace(self, entries=tuple(entries)).take(order)


def divide(vectors: Vectors, most: int, least: int) -> Vectors:
    """Return the centres of the parts that a topic's comments fall into, the largest first; none where it is too small.

    Ward's method over at most 1,500 comments, in parts of about twice the smallest topic, then each comment goes to its
    nearest centre; parts of less than half of it are given up.

    :param vectors: float32 array of shape (rows, width), the topic's different comments, in canonical order.
    :param most: most parts.
    :param least: fewest rows of a topic.
    :returns: float32 array of shape (parts, width), rows of unit length; never a single one.
    """
    parts = min(most, len(vectors) // (2 * least))
    if parts < 2:
        return vectors[:0]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    drawn = vectors[:_DRAWN]
    distances = np.sqrt(np.clip(2 - 2 * (drawn @ drawn.T).astype(np.float64), 0, 4))
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform((distances + distances.T) / 2, checks=False), method="ward")
    labels = fcluster(tree, parts, criterion="maxclust").astype(np.int64) - 1
    centres = unit_means(drawn, labels, int(labels.max()) + 1)
    for _ in range(_ROUNDS):
        labels = (vectors @ centres.T).argmax(axis=1)
        centres = unit_means(vectors, labels, len(centres))
    sizes = np.bincount(labels, minlength=len(centres))
    order = [at for at in np.argsort(-sizes, kind="stable").tolist() if 2 * sizes[at] >= least]
    return centres[order] if len(order) > 1 else vectors[:0]


def _moved(centres: Vectors, vectors: Vectors) -> Vectors:
    """Move centres a part of the way to the mean of the rows nearest to them."""
    if not len(vectors):
        return centres
    means = unit_means(vectors, (vectors @ centres.T).argmax(axis=1), len(centres))
    both = _HOLD * centres + (1 - _HOLD) * means
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), dtype=np.float32)
