"""Topics as analysts decided: locked ones in their old place, split-off ones found again, likes going along."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import COMMENT_ID, LANG, SUBTOPIC_ID, TOPIC_ID, Column
from feedback_nlp.core.decisions import NOTHING, Decided
from feedback_nlp.core.modelfolder import ModelFolder
from feedback_nlp.topics.matching import SAME
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.placing import Assignment, Places
from feedback_nlp.topics.rulings import Core, Exemplars, Followed, Ints, Rulings
from feedback_nlp.topics.space import Vectors
from feedback_nlp.topics.stage import ALSO_SCORE, TopicStage, subtopic_array
from feedback_nlp.topics.topic import Topic
from feedback_nlp.topics.wordspace import Encode

Lookup = Callable[[Sequence[str]], Exemplars]
Sums = dict[int, np.ndarray[Any, np.dtype[np.float64]]]

_CORE_PERCENTILE = 50
_FLOOR_PERCENTILE, _FLOOR_SLACK = 10, 0.1


@dataclass(frozen=True, eq=False)
class DecidedTopics:
    """A topic model and what analysts decided about its topics.

    :param model: the topics; locked ones stand in the place they had when they were locked.
    :param rulings: what bears on assigning.
    """

    model: TopicModel
    rulings: Rulings = field(default_factory=Rulings)

    def __len__(self) -> int:
        return len(self.model)

    def assign(self, vectors: Vectors, langs: Sequence[str] | None = None) -> Assignment:
        """Assign comments to topics as decided; see :meth:`feedback_nlp.topics.model.TopicModel.assign`."""
        found = self.found(vectors, langs)
        return Assignment(self.rulings.final(found.topic_id), found.topic_score)

    def found(self, vectors: Vectors, langs: Sequence[str] | None = None) -> Assignment:
        """Assign comments to topics, merges not followed, so that undoing one needs no new run."""
        plain = self.model.assign(vectors, langs)
        return Assignment(self.rulings.apply(self.model.shift.apply(vectors, langs), plain.topic_id), plain.topic_score)

    def table(self) -> pa.Table:
        """Return one row a topic as the model found them."""
        return self.model.table()

    def save(self, path: str | Path) -> ModelFolder:
        """Write the topics and the rulings as one model folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        self.rulings.save(folder)
        return self.model.save(folder)

    @classmethod
    def open(cls, path: str | Path) -> "DecidedTopics":
        """Open a folder, with rulings or without, and verify its files.

        :raises ModelError: when it is missing, damaged or of another kind.
        """
        return cls(TopicModel.open(path), Rulings.open(Path(path)))


class DecidedTopicStage:
    """Gives every comment its topic after analysts' rulings.

    :param topics: the topics.
    :param placed: ids of comments that are placed by name: they keep what the model gives them, so that undoing that
        needs no new run.
    :param merged: whether merges are followed.
    :param encode: the encoder of the vectors, for further topics by clause; see :class:`TopicStage`.
    :param also_score: smallest score of a further topic.
    """

    name: ClassVar[str] = TopicStage.name
    requires: ClassVar[tuple[Column, ...]] = (COMMENT_ID, *TopicStage.requires)
    provides: ClassVar[tuple[Column, ...]] = TopicStage.provides

    def __init__(
        self,
        topics: DecidedTopics,
        placed: frozenset[str] = frozenset(),
        *,
        merged: bool = True,
        encode: Encode | None = None,
        also_score: float = ALSO_SCORE,
    ) -> None:
        self._topics = topics
        self._placed = placed
        self._merged = merged
        self._plain = TopicStage(topics.model, encode, also_score)

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Return what the topic stage returns, with the topics after the rulings."""
        columns = dict(self._plain.compute(batch))
        rulings = self._topics.rulings
        if not len(batch) or not rulings:
            return columns
        plain = np.asarray(columns[TOPIC_ID], dtype=np.int32)
        vectors, langs = batch.vectors(), batch.values(LANG)
        ruled = rulings.apply(self._topics.model.shift.apply(vectors, langs), plain)
        if self._placed:
            by_name = np.array([comment in self._placed for comment in batch.values(COMMENT_ID)], dtype=bool)
            ruled[by_name] = plain[by_name]
        columns[SUBTOPIC_ID] = subtopic_array(self._topics.model.assign_subtopics(vectors, langs, ruled))
        columns[TOPIC_ID] = pa.array(rulings.final(ruled) if self._merged else ruled, TOPIC_ID.dtype)
        return columns


def renumbered(model: TopicModel, first: int) -> TopicModel:
    """Return topics that cannot be compared with earlier ones under numbers that none of those had.

    :param first: the smallest number free.
    """
    ids = {topic.id: topic.id + first for topic in model.topics}
    topics = tuple(replace(topic, id=ids[topic.id]) for topic in model.topics)
    subtopics = model.subtopics.renumbered(ids, first)
    return replace(model, topics=topics, next_id=model.next_id + first, subtopics=subtopics)


def decide(
    model: TopicModel,
    standing: DecidedTopics | None,
    decided: Decided,
    batches: Iterable[CommentBatch],
    lookup: Lookup | None = None,
) -> DecidedTopics:
    """Bring tonight's topics in line with what analysts decided.

    A locked topic that the discovery found again, or missed, stands where it stood; a topic that is new tonight and
    coincides with one that analysts split off takes its number; comments like those that were moved or split off go
    along with them.

    :param model: tonight's topics under the numbers of the standing ones.
    :param standing: the standing topics, None where there are none or they cannot be compared.
    :param batches: tonight's comments with language and vector, in the run's order.
    :param lookup: gives the vectors of comments that tonight lacks.
    """
    roots = decided.roots()
    locked = sorted(topic for topic, state in decided.topics.items() if state.locked and topic not in roots)
    model = _with_locked(model, standing, locked)
    here = [topic.id for topic in model.topics if topic.status != "dormant" and topic.id in locked]
    targets = {id_: state.topic_id for id_, state in decided.comments.items() if state.topic_id is not None}
    if not here and not targets:
        return DecidedTopics(model, Rulings(roots=roots))
    tally = _tally(model, batches, targets, here)
    exemplars = _with_earlier(tally.exemplars, targets, standing, lookup)
    model, was = _with_splits(model, decided, exemplars, targets)
    cores = tuple(_core(model, standing, topic, tally.cosines[topic]) for topic in here)
    stayed = {topic.id: tally.sums[was.get(topic.id, topic.id)] for topic in model.topics}
    return DecidedTopics(model, Rulings(roots, _followed(model, exemplars, targets, stayed, decided), cores, exemplars))


def decided_ids(decided: Decided = NOTHING) -> frozenset[str]:
    """Return the ids of comments that analysts placed by name."""
    return frozenset(comment for comment, state in decided.comments.items() if state.topic_id is not None)


def _with_locked(model: TopicModel, standing: DecidedTopics | None, locked: Sequence[int]) -> TopicModel:
    """Put locked topics back where they stood, under the name they had."""
    if standing is None or not locked:
        return model
    old = {topic.id: at for at, topic in enumerate(standing.model.topics) if topic.id in locked}
    at_now = {topic.id: at for at, topic in enumerate(model.topics)}
    topics, places = list(model.topics), model.places
    centroids, radii, strict = places.centroids.copy(), places.radii.copy(), places.strict.copy()
    lost = []
    for topic_id, before in old.items():
        earlier = standing.model.topics[before]
        at = at_now.get(topic_id)
        if at is None or topics[at].status == "dormant":
            lost.append(before)
            continue
        topics[at] = replace(topics[at], labels=earlier.labels)
        centroids[at], radii[at] = standing.model.places.centroids[before], standing.model.places.radii[before]
        strict[at] = standing.model.places.strict[before]
    subtopics = model.subtopics.with_those_of(standing.model.subtopics, set(old))
    model = replace(
        model, topics=tuple(topics), places=Places(centroids, radii, strict, places.curve), subtopics=subtopics
    )
    return _revived(model, standing.model, lost) if lost else model


def _revived(model: TopicModel, old: TopicModel, lost: Sequence[int]) -> TopicModel:
    """Add standing topics that tonight's discovery missed after the last one that takes comments."""
    back = [replace(old.topics[at], size=0, status="standing", idle=0, parent_id=None) for at in lost]
    ids = {topic.id for topic in back}
    keep = [at for at, topic in enumerate(model.topics) if topic.id not in ids]
    live = [at for at in keep if model.topics[at].status != "dormant"]
    asleep = [at for at in keep if model.topics[at].status == "dormant"]

    def joined(new: np.ndarray[Any, Any], earlier: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.concatenate([new[live], earlier[list(lost)], new[asleep]])

    mine, theirs = model.places, old.places
    places = Places(
        joined(mine.centroids, theirs.centroids),
        joined(mine.radii, theirs.radii),
        joined(mine.strict, theirs.strict),
        mine.curve,
    )
    topics = (*(model.topics[at] for at in live), *back, *(model.topics[at] for at in asleep))
    return replace(model, topics=topics, places=places)


@dataclass(eq=False)
class _Tally:
    """What one pass over tonight's comments brings.

    :param exemplars: comments placed by name that are here tonight.
    :param sums: by topic, float64 array (width,), the sum of the shifted vectors of all other comments.
    :param cosines: by locked topic, the cosines of its comments to its centre.
    """

    exemplars: Exemplars
    sums: Sums
    cosines: dict[int, list[float]]


def _tally(
    model: TopicModel, batches: Iterable[CommentBatch], targets: Mapping[str, int], locked: Sequence[int]
) -> _Tally:
    width = model.shift.means.shape[1]
    at_of = {topic.id: at for at, topic in enumerate(model.topics)}
    sums = np.zeros((len(model), width))
    cosines: dict[int, list[float]] = {topic: [] for topic in locked}
    ids: list[str] = []
    langs: list[str] = []
    vectors = [np.zeros((0, width), dtype=np.float32)]
    for batch in batches:
        given, own_langs, own_ids = batch.vectors(), batch.values(LANG), batch.values(COMMENT_ID)
        shifted = model.shift.apply(given, own_langs)
        found = model.assign(given, own_langs).topic_id
        known = np.array([comment in targets for comment in own_ids], dtype=bool) & np.any(given, axis=1)
        rows = np.flatnonzero(known)
        ids += [own_ids[row] for row in rows.tolist()]
        langs += [own_langs[row] for row in rows.tolist()]
        vectors.append(given[rows])
        rest = np.flatnonzero(~known & (found >= 0))
        # One row after the other, so that the sum does not hang on how the comments were cut into batches.
        np.add.at(sums, [at_of[topic] for topic in found[rest].tolist()], shifted[rest].astype(np.float64))
        for topic in locked:
            own = shifted[found == topic]
            cosines[topic] += [float(row @ model.places.centroids[at_of[topic]]) for row in own]
    by_topic = {topic: sums[at] for topic, at in at_of.items()}
    return _Tally(Exemplars(tuple(ids), tuple(langs), np.concatenate(vectors)), by_topic, cosines)


def _with_earlier(
    now: Exemplars, targets: Mapping[str, int], standing: DecidedTopics | None, lookup: Lookup | None
) -> Exemplars:
    """Add placed comments that tonight lacks: from the standing topics, then from wherever else they can be had."""
    every, width = now, now.vectors.shape[1]
    if standing is not None:
        every = _joined(every, standing.rulings.exemplars, targets, width)
    missing = sorted(set(targets) - set(every.ids))
    if missing and lookup is not None:
        every = _joined(every, lookup(missing), targets, width)
    order = sorted(range(len(every.ids)), key=lambda at: every.ids[at])
    ids, langs = tuple(every.ids[at] for at in order), tuple(every.langs[at] for at in order)
    return Exemplars(ids, langs, every.vectors[order])


def _joined(first: Exemplars, second: Exemplars, targets: Mapping[str, int], width: int) -> Exemplars:
    if second.vectors.shape[1:] != (width,):
        return first
    known = set(first.ids)
    rows = [at for at, comment in enumerate(second.ids) if comment in targets and comment not in known]
    rows = [at for at in rows if np.any(second.vectors[at])]
    ids, langs = [second.ids[at] for at in rows], [second.langs[at] for at in rows]
    return Exemplars((*first.ids, *ids), (*first.langs, *langs), np.concatenate([first.vectors, second.vectors[rows]]))


def _with_splits(
    model: TopicModel, decided: Decided, exemplars: Exemplars, targets: Mapping[str, int]
) -> tuple[TopicModel, dict[int, int]]:
    """Give a topic that is new tonight the number of the split-off topic it coincides with, the nearest pair first.

    :returns: the model, and the number that a topic had before.
    """
    standing = {topic.id for topic in model.topics if topic.status != "dormant"}
    splits = [topic for topic in decided.splits() if topic not in standing]
    fresh = [at for at, topic in enumerate(model.topics) if topic.status == "emerging"]
    shifted = model.shift.apply(exemplars.vectors, list(exemplars.langs))
    pairs = []
    for split in splits:
        own = [at for at, comment in enumerate(exemplars.ids) if targets[comment] == split]
        if own and fresh:
            cosines = model.places.centroids[fresh] @ _unit(shifted[own].sum(axis=0, dtype=np.float64))
            pairs += [(-float(cosine), split, at) for cosine, at in zip(cosines, fresh, strict=True) if cosine >= SAME]
    taken: dict[int, int] = {}
    for _, split, at in sorted(pairs):
        if split not in taken.values() and at not in taken:
            taken[at] = split
    asleep = set(taken.values())
    topics: list[Topic] = []
    kept = []
    for at, topic in enumerate(model.topics):
        if at in taken or topic.id not in asleep:
            kept.append(at)
            topics.append(replace(topic, id=taken[at], status="standing") if at in taken else topic)
    was = {split: model.topics[at].id for at, split in taken.items()}
    places = model.places.take(np.array(kept, dtype=np.int64))
    subtopics = model.subtopics.renumbered({before: split for split, before in was.items()})
    return replace(model, topics=tuple(topics), places=places, subtopics=subtopics), was


def _core(model: TopicModel, standing: DecidedTopics | None, topic: int, cosines: Sequence[float]) -> Core:
    """Return a locked topic's core: the nearer half of its comments on the night it was first seen locked."""
    at = [each.id for each in model.topics].index(topic)
    for core in standing.rulings.cores if standing is not None else ():
        if core.topic == topic and np.array_equal(core.centre, model.places.centroids[at]):
            return core
    least = float(np.percentile(cosines, _CORE_PERCENTILE, method="lower")) if cosines else 1.0
    return Core(topic, model.places.centroids[at], least)


def _followed(
    model: TopicModel, exemplars: Exemplars, targets: Mapping[str, int], sums: Sums, decided: Decided
) -> tuple[Followed, ...]:
    shifted = model.shift.apply(exemplars.vectors, list(exemplars.langs))
    found: Ints = model.assign(exemplars.vectors, list(exemplars.langs)).topic_id
    groups: dict[tuple[int, int], list[int]] = {}
    for at, comment in enumerate(exemplars.ids):
        source, target = int(found[at]), targets[comment]
        if source >= 0 and decided.root(source) != decided.root(target):
            groups.setdefault((source, target), []).append(at)
    out = []
    for (source, target), rows in sorted(groups.items()):
        stayed = sums[source]
        if not np.any(stayed):
            continue
        mean = _unit(shifted[rows].sum(axis=0, dtype=np.float64))
        near = np.array([float(shifted[row] @ mean) for row in rows])
        floor = float(np.percentile(near, _FLOOR_PERCENTILE)) - _FLOOR_SLACK
        out.append(Followed(source, target, mean, _unit(stayed), floor))
    return tuple(out)


def _unit(vector: np.ndarray[Any, Any]) -> Vectors:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, dtype=np.float32)
