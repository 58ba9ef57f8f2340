"""Discovering anew from the standing topics: they stay where their comments hang together, else split or merge."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from feedback_nlp.topics.backends.kmeans import unit_means
from feedback_nlp.topics.emerging import loose_rows, now_and_expected
from feedback_nlp.topics.grouping import Grouping, group, smallest_topic
from feedback_nlp.topics.matching import SAME
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.sample import DiscoverySample, Draw
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.settling import discovery_neighbours, settle
from feedback_nlp.topics.space import LanguageShift
from feedback_nlp.topics.standing import awake, core_places, retold, shifted
from feedback_nlp.topics.topic import Change, Event, Topic, unnamed_topic
from feedback_nlp.topics.wordspace import Encode

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

_OWN = 0.7
_PART = 0.3
_NEW = 0.5
_HOLD = 0.8


@dataclass(frozen=True)
class Findings:
    """How the groups found tonight stand to the standing topics, by position.

    :param merged: standing topic to the larger one that it became part of.
    :param split: group to the standing topic that it left.
    :param new: groups that no standing topic holds, the largest first.
    """

    merged: dict[int, int]
    split: dict[int, int]
    new: list[int]


def refit(
    sample: DiscoverySample,
    drawn: Draw,
    standing: TopicModel,
    settings: TopicSettings,
    *,
    seed: int,
    encode: Encode | None,
) -> TopicModel:
    """Group tonight's comments anew and bring the standing topics in line with the groups.

    A standing topic stays, its centre moved a little to the mean of the comments in its core, whatever the borders of
    tonight's groups, unless they say plainly otherwise: two groups that are far apart and almost wholly its own each
    hold a good part of its comments (split: the largest keeps the number), or one group holds almost all of it and of
    another topic like it (merge: the larger keeps its number). A group that lies mostly outside all cores is a new
    topic. Splits and merges are kept as the topics' lineage.

    :param drawn: the comments of the sample that topics are discovered on.
    """
    langs = [sample.langs[row] for row in drawn.rows.tolist()]
    old = shifted(sample, drawn, standing)
    model = awake(standing, old)
    cores = core_places(model)
    held = np.where(loose_rows(cores, old, drawn.copies), -1, cores.nearest(old).topic)
    shift = LanguageShift.fit(sample.vectors[drawn.rows], langs).with_metric(standing.shift.metric)
    model = replace(model, shift=shift)
    vectors = shifted(sample, drawn, model)
    near = discovery_neighbours(vectors, settings)
    grouped = group(vectors, near, drawn.copies, settings, seed)
    least = smallest_topic(len(vectors), settings)
    centres = unit_means(vectors, held, len(model.live)).astype(np.float64)
    table = _table(held, grouped.labels, drawn.copies, len(model.live))
    found = compare(table, grouped, centres @ centres.T, least)
    model, labels = _brought_in_line(model, held, grouped, found, sample.last_day())
    model, labels = _without_empty(model, labels)
    live = len(model.live)
    settled = Grouping(labels, _moved(model.live.centroids, unit_means(vectors, labels, live)), model.live.strict)
    places, trade = settle(vectors, drawn.copies, settled, near, settings)
    model = replace(model, places=places.joined(model.asleep), trade=trade, age=0)
    model = _with_evidence(model, standing.past or Past.nothing(vectors.shape[1]), sample, drawn, vectors)
    return retold(model, sample, drawn, vectors, settings=settings, encode=encode)


def _with_evidence(model: TopicModel, past: Past, sample: DiscoverySample, drawn: Draw, vectors: Vectors) -> TopicModel:
    """Tell of each emerging topic when it was first seen and how it grew."""
    live = model.live
    now, expected = now_and_expected(live, vectors, drawn.copies, past)
    held = live.nearest(vectors).topic
    topics = list(model.topics)
    for at in range(len(live)):
        if topics[at].status == "emerging":
            day = sample.first_day(drawn.rows[held == at].tolist())
            growth = round(float(now[at] / max(expected[at], 1)), 3)
            topics[at] = replace(topics[at], growth=growth, first_seen=day)
    return replace(model, topics=tuple(topics))


def _moved(before: Vectors, means: Vectors) -> Vectors:
    """Move centres a part of the way to the means of their comments."""
    both = _HOLD * before + (1 - _HOLD) * means
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), dtype=np.float32)


def _table(held: Ints, labels: Ints, copies: Ints, topics: int) -> Floats:
    """Count comments by standing topic and group; the last row is for no topic, the last column for no group."""
    table = np.zeros((topics + 1, int(labels.max(initial=-1)) + 2))
    np.add.at(table, (held, labels), copies)
    return table


def compare(table: Floats, grouped: Grouping, alike: Floats, least: int) -> Findings:
    """Find what the groups say of the standing topics.

    :param table: comments by standing topic and group, noise last in both.
    :param alike: float array of shape (topics, topics), cosines of the standing topics.
    :param least: fewest comments of a topic.
    """
    grown, groups = table[:-1, :-1], table[:, :-1].sum(axis=0)
    of_topic = grown / np.maximum(grown.sum(axis=1, keepdims=True), 1)
    of_group = grown / np.maximum(groups, 1)
    merged: dict[int, int] = {}
    for at in range(grown.shape[1]):
        inside = np.flatnonzero((of_topic[:, at] >= _OWN) & (grown[:, at] >= least))
        if len(inside) > 1 and grown[inside, at].sum() >= _OWN * groups[at]:
            first = int(inside[grown[inside, at].argmax()])
            merged.update({int(each): first for each in inside if each != first and alike[each, first] >= SAME})
    split: dict[int, int] = {}
    for topic in range(len(grown)):
        parts = np.flatnonzero((of_topic[topic] >= _PART) & (of_group[topic] >= _OWN))
        parts = parts[np.argsort(-grown[topic, parts], kind="stable")]
        for at in parts[1:].tolist():
            apart = grouped.centroids[at] @ grouped.centroids[parts[0]] < SAME
            if apart and grown[topic, at] >= 2 * least:
                split[at] = topic
    outside = table[-1, :-1] / np.maximum(groups, 1)
    return Findings(merged, split, np.flatnonzero((outside >= _NEW) & (groups >= least)).tolist())


def _brought_in_line(
    model: TopicModel, held: Ints, grouped: Grouping, found: Findings, day: str | None
) -> tuple[TopicModel, Ints]:
    """Merge, split and add live topics; return the model, and the live topic of each row, -1 for none.

    The model's places of topics that were split off or are new are yet to be fitted.
    """
    live = len(model.live)
    events: dict[int, list[Event]] = {}
    numbers = [topic.id for topic in model.topics[:live]]
    added = [*found.split, *found.new]
    number = {at: model.next_id + position for position, at in enumerate(added)}

    def tell(topic: int, change: Change, other: int) -> None:
        events.setdefault(topic, []).append(Event(change, other, day))

    labels = held.copy()
    for topic, into in found.merged.items():
        labels[held == topic] = into
        tell(numbers[topic], "merged_into", numbers[into])
        tell(numbers[into], "merged_from", numbers[topic])
    for position, at in enumerate(added):
        source = found.split.get(at)
        own = (grouped.labels == at) & ((held < 0) | (held == source) if source is not None else held < 0)
        labels[own] = live + position
        if source is not None:
            tell(number[at], "split_from", numbers[source])
            tell(numbers[source], "split_into", number[at])
    fresh = [replace(unnamed_topic(number[at]), status="emerging") for at in added]
    topics = [
        replace(topic, lineage=(*topic.lineage, *events.get(topic.id, ())))
        for topic in (*model.topics[:live], *fresh, *model.topics[live:])
    ]
    bare = replace(
        model.live.take(np.zeros(len(added), dtype=np.int64)),
        centroids=grouped.centroids[added],
        strict=grouped.strict[added],
    )
    places = model.live.joined(bare).joined(model.asleep)
    return replace(model, topics=tuple(topics), places=places, next_id=model.next_id + len(added)), labels


def _without_empty(model: TopicModel, labels: Ints) -> tuple[TopicModel, Ints]:
    """Put live topics that hold no row behind the others as dormant ones."""
    live = len(model.live)
    sizes = np.bincount(labels[labels >= 0], minlength=live)
    full, empty = np.flatnonzero(sizes > 0), np.flatnonzero(sizes == 0)
    number = np.full(live + 1, -1)
    number[full] = np.arange(len(full))
    order = np.concatenate([full, empty, np.arange(live, len(model))])
    topics: list[Topic] = []
    for position, at in enumerate(order.tolist()):
        topic = model.topics[at]
        topics.append(replace(topic, status="dormant", size=0, parent_id=None) if position >= len(full) else topic)
    return replace(model, topics=tuple(topics), places=model.places.take(order)), number[labels]
