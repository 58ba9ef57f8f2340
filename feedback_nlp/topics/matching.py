"""Carrying topic ids over from an earlier model: the best one-to-one match, new numbers for what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.placing import Places
from feedback_nlp.topics.space import Vectors
from feedback_nlp.topics.subtopics import Subtopics
from feedback_nlp.topics.topic import Topic

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

SAME = 0.7
_SAME_DESPITE_REPETITION = 0.9
FORGET_AFTER = 30


def match(
    new: TopicModel,
    old: TopicModel,
    *,
    vectors: Vectors | None = None,
    langs: Sequence[str] | None = None,
    same: float = SAME,
    forget_after: int = FORGET_AFTER,
) -> TopicModel:
    """Return the new model with the ids of the old one's topics where they are the same.

    Topics are paired one to one so that the total likeness is highest (Kuhn 1955); a pair is the same topic when its
    likeness reaches ``same``. Likeness is the cosine of the centres; where vectors are given, its mean with the overlap
    of the comments that both models assign (Dice); the overlap alone where the spaces differ by a metric. A topic of
    repeated messages is the same as one of various comments only when they nearly coincide, so that a campaign stands
    out as new.

    A topic without a pair is ``emerging`` under a number never used before. An old topic without a pair stays as
    ``dormant``, takes no comments, and keeps its number in case it comes
    back. Themes keep their ids by the topics they gather.

    :param vectors: shared comments' vectors, float32 array of shape (rows, width), as for ``assign``.
    :param langs: their languages.
    :param forget_after: runs after which a dormant topic is dropped; its number is not used again.
    :raises StageContractError: when the models were made with encoders of different widths.
    """
    if new.shift.means.shape[1] != old.shift.means.shape[1]:
        raise StageContractError(
            f"topics: models of width {new.shift.means.shape[1]} and {old.shift.means.shape[1]} cannot be matched; "
            "both must come from one encoder."
        )
    likeness = _likeness(new, old, vectors, langs)
    mixed = new.places.strict[:, None] != old.places.strict
    pairs = _pairs(likeness, np.where(mixed, max(same, _SAME_DESPITE_REPETITION), same))
    ids, next_id = {}, old.next_id
    for at in range(len(new)):
        ids[at] = old.topics[pairs[at]].id if at in pairs else next_id
        next_id += at not in pairs
    theme_ids, next_theme_id = _theme_ids(new, old, pairs)
    topics = [
        replace(
            topic,
            id=ids[at],
            status="standing" if at in pairs else "emerging",
            parent_id=None if topic.parent_id is None else theme_ids[topic.parent_id],
        )
        for at, topic in enumerate(new.topics)
    ]
    kept = [at for at, topic in enumerate(old.topics) if at not in pairs.values() and topic.idle < forget_after]
    topics += [_dormant(old.topics[at]) for at in kept]
    return replace(
        new,
        topics=tuple(topics),
        themes=tuple(replace(theme, id=theme_ids[theme.id]) for theme in new.themes),
        places=_with_dormant(new.places, old.places, kept),
        subtopics=_subtopics(new, old, ids, [old.topics[at].id for at in kept]),
        next_id=next_id,
        next_theme_id=next_theme_id,
    )


def _dormant(topic: Topic) -> Topic:
    return replace(topic, size=0, status="dormant", parent_id=None, idle=topic.idle + 1)


def _with_dormant(new: Places, old: Places, kept: Sequence[int]) -> Places:
    return Places(
        np.concatenate([new.centroids, old.centroids[kept]]),
        np.concatenate([new.radii, old.radii[kept]]),
        np.concatenate([new.strict, old.strict[kept]]),
        new.curve,
    )


def _subtopics(new: TopicModel, old: TopicModel, ids: Mapping[int, int], asleep: Sequence[int]) -> Subtopics:
    """Carry sub-topics over within each topic that was carried over; those of dormant topics stay.

    :param ids: position of each new topic to its id now.
    """
    here = new.subtopics.renumbered({topic.id: ids[at] for at, topic in enumerate(new.topics)})
    both = here.matched(old.subtopics, [topic.id for topic in old.topics if topic.id in ids.values()])
    return both.with_those_of(old.subtopics, asleep)


def _likeness(new: TopicModel, old: TopicModel, vectors: Vectors | None, langs: Sequence[str] | None) -> Floats:
    cosines = (new.places.centroids @ old.places.centroids.T).astype(np.float64)
    if vectors is None or not len(vectors):
        return cosines
    left, right = new.assign(vectors, langs).topic_id, old.assign(vectors, langs).topic_id
    both = (left >= 0) & (right >= 0)
    left, right = left[both], right[both]
    rows = {topic.id: at for at, topic in enumerate(new.topics)}
    columns = {topic.id: at for at, topic in enumerate(old.topics)}
    shared = np.zeros_like(cosines)
    for mine, theirs in zip(left.tolist(), right.tolist(), strict=True):
        shared[rows[mine], columns[theirs]] += 1
    sizes = [[np.sum(left == topic.id)] for topic in new.topics], [np.sum(right == topic.id) for topic in old.topics]
    whole = np.asarray(sizes[0], dtype=np.float64).reshape(-1, 1) + np.asarray(sizes[1], dtype=np.float64)
    overlap = 2 * shared / np.maximum(whole, 1)
    one_space = np.array_equal(_metric(new), _metric(old))
    return np.asarray((cosines + overlap) / 2 if one_space else overlap, dtype=np.float64)


def _metric(model: TopicModel) -> Vectors:
    return np.zeros((0, 0), dtype=np.float32) if model.shift.metric is None else model.shift.metric


def _pairs(likeness: Floats, same: Floats) -> dict[int, int]:
    """Return the old topic's position of each new topic that has one.

    :param same: likeness that each pair has to reach.
    """
    from scipy.optimize import linear_sum_assignment

    gain = np.where(likeness >= same, likeness, 0)
    rows, columns = linear_sum_assignment(-gain)
    found = zip(rows.tolist(), columns.tolist(), strict=True)
    return {row: column for row, column in found if likeness[row, column] >= same[row, column]}


def _theme_ids(new: TopicModel, old: TopicModel, pairs: dict[int, int]) -> tuple[dict[int, int], int]:
    """Give each new theme the old theme's id with which it shares the most comments by common topics, one to one."""
    from scipy.optimize import linear_sum_assignment

    mine, theirs = [theme.id for theme in new.themes], [theme.id for theme in old.themes]
    shared = np.zeros((len(mine), len(theirs)))
    for at, other in pairs.items():
        left, right = new.topics[at].parent_id, old.topics[other].parent_id
        if left in mine and right in theirs:
            shared[mine.index(left), theirs.index(right)] += new.topics[at].size
    rows, columns = linear_sum_assignment(-shared)
    ids = {mine[row]: theirs[column] for row, column in zip(rows, columns, strict=True) if shared[row, column] > 0}
    next_id = old.next_theme_id
    for theme in mine:
        if theme not in ids:
            ids[theme] = next_id
            next_id += 1
    return ids, next_id
