"""Sub-topics: what big topics fall into, under numbers and names that stay."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from topic_samples import encode, make_sample, shuffled

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import LANG, SUBTOPIC_ID, VECTOR
from feedback_nlp.core.decisions import Decided, TopicState
from feedback_nlp.topics import (
    DiscoverySample,
    Subtopics,
    TopicModel,
    TopicSettings,
    TopicStage,
    discover,
    match,
    renew,
)
from feedback_nlp.topics.decisions import DecidedTopics, decide, renumbered
from feedback_nlp.topics.refitting import refit
from feedback_nlp.topics.sample import draw
from feedback_nlp.topics.settings import KMeansSettings
from feedback_nlp.topics.subtopics import divide
from feedback_nlp.topics.topic import Topic

THEMES = ("delivery", "food", "battery", "room")
TWO = TopicSettings(backend=KMeansSettings(topics=2), min_topic_size=8, subtopics=2)
NOTHING = DiscoverySample([], [], [], np.zeros((0, 32), dtype=np.float32))


@pytest.fixture(scope="module")
def first():
    sample = make_sample(240, themes=THEMES)
    return sample, discover(sample, TWO, encode=encode)


def _placed(model, sample):
    topics = model.assign(sample.vectors, sample.langs).topic_id
    return topics, model.assign_subtopics(sample.vectors, sample.langs, topics)


def _named(model):
    return {entry.id: (entry.parent_id, entry.labels) for entry in model.subtopics.entries}


def _unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_topic_of_two_meanings_falls_into_them(first):
    sample, model = first
    topics, parts = _placed(model, sample)
    theme = np.arange(len(sample)) % len(THEMES)
    for topic in model.topics:
        own = topics == topic.id
        table = np.zeros((int(parts.max()) + 1, len(THEMES)))
        np.add.at(table, (parts[own], theme[own]), 1)
        assert (table.sum(axis=0) > 10).sum() > 1
        assert table.max(axis=1).sum() >= 0.9 * own.sum()


def test_a_comment_has_a_sub_topic_exactly_where_its_topic_is_divided(first):
    sample, model = first
    topics, parts = _placed(model, sample)
    divided = {entry.parent_id for entry in model.subtopics.entries}
    assert divided
    assert ((parts >= 0) == np.isin(topics, sorted(divided))).all()
    parent = {entry.id: entry.parent_id for entry in model.subtopics.entries}
    assert all(parent[part] == topic for topic, part in zip(topics.tolist(), parts.tolist(), strict=True) if part >= 0)
    assert {entry.id: entry.size for entry in model.subtopics.entries} == {
        part: int((parts == part).sum()) for part in parent
    }


def test_a_row_does_not_hang_on_its_neighbours(first):
    sample, model = first
    topics, parts = _placed(model, sample)
    for row in range(0, 240, 17):
        own = slice(row, row + 1)
        assert model.assign_subtopics(sample.vectors[own], sample.langs[own], topics[own]) == parts[own]


def test_names_stand_in_three_languages_and_do_not_repeat_the_topic(first):
    _, model = first
    for topic in model.topics:
        entries = [model.subtopics.entries[at] for at in model.subtopics.of(topic.id)]
        assert all(entry.labels[lang] for entry in entries for lang in ("ar", "fa", "en"))
        assert len({entry.labels["en"] for entry in entries}) > 1
        assert all(sum(entry.shares.values()) == pytest.approx(1, abs=1e-4) for entry in entries)
        assert [entry.size for entry in entries] == sorted((entry.size for entry in entries), reverse=True)


def test_the_order_of_comments_changes_nothing(first, tmp_path):
    sample, model = first
    again = discover(shuffled(sample, 5), TWO, encode=encode)
    assert again.subtopics.entries == model.subtopics.entries
    assert again.save(tmp_path / "topics").fingerprint == model.save(tmp_path / "b" / "topics").fingerprint


def test_small_topics_are_not_divided(first):
    sample, model = first
    whole = discover(sample, TWO.model_copy(update={"subtopics": 0}), encode=encode)
    assert len(whole.subtopics) == 0
    assert (_placed(whole, sample)[1] == -1).all()
    assert whole.topics == model.topics
    rows = model.shift.apply(sample.vectors, sample.langs)
    assert len(divide(rows[:31], 8, 8)) == 0
    assert len(divide(rows[:0], 8, 8)) == 0
    assert 2 <= len(divide(rows, 3, 8)) <= 3


def test_a_part_that_stays_small_is_given_up():
    rng = np.random.default_rng(0)
    axes = np.eye(32)[[0] * 60 + [1] * 2]
    assert len(divide(_unit(axes + rng.normal(scale=0.02, size=(62, 32))), 2, 15)) == 0


def test_saving_keeps_them(first, tmp_path):
    sample, model = first
    model.save(tmp_path / "topics")
    opened = TopicModel.open(tmp_path / "topics")
    assert opened.subtopics.entries == model.subtopics.entries
    assert opened.subtopics.next_id == model.subtopics.next_id
    assert (_placed(opened, sample)[1] == _placed(model, sample)[1]).all()


def test_the_table_holds_them_inside_their_topics(first):
    _, model = first
    row = model.table().to_pylist()[0]
    assert sum(part["size"] for part in row["subtopics"]) == row["size"]
    assert sum(part["share"] for part in row["subtopics"]) == pytest.approx(1)
    assert row["subtopics"][0]["label_fa"]
    assert row["subtopics"][0]["keywords_en"] is not None


def test_the_stage_tells_them(first):
    sample, model = first
    vectors = np.concatenate([sample.vectors[:20], np.zeros((1, 32), np.float32)])
    batch = CommentBatch.from_texts([""] * 21).adding(
        {
            LANG: pa.array([*sample.langs[:20], "en"]),
            VECTOR: pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 32),
        },
        who="test",
    )
    told = TopicStage(model).compute(batch)[SUBTOPIC_ID].to_pylist()
    assert told == [None if part < 0 else part for part in [*_placed(model, sample)[1][:20].tolist(), -1]]
    assert TopicStage(model).compute(CommentBatch.from_texts([]))[SUBTOPIC_ID].to_pylist() == []


def test_the_next_night_keeps_numbers_names_and_places(first):
    _, model = first
    night = make_sample(200, seed=9, themes=THEMES)
    again = renew(night, model, TWO, encode=encode)
    assert _named(again) == _named(model)
    before, after = _placed(model, night), _placed(again, night)
    stayed = (before[0] >= 0) & (before[0] == after[0])
    assert stayed.mean() > 0.9
    assert (before[1] == after[1])[stayed].all()


def test_discovering_anew_keeps_numbers_and_names(first):
    _, model = first
    night = make_sample(240, seed=2, themes=THEMES)
    again = refit(night, draw(night, 1000), model, TWO, seed=17, encode=encode)
    assert _named(model).items() <= _named(again).items()
    before, after = _placed(model, night), _placed(again, night)
    stayed = (before[0] >= 0) & (before[0] == after[0])
    assert (before[1] == after[1])[stayed].mean() >= 0.9


def test_a_part_that_is_new_is_added_when_discovered_anew():
    rng = np.random.default_rng(0)

    def rows(*axes):
        return _unit(np.eye(32)[list(axes)] + rng.normal(scale=0.05, size=(len(axes), 32)))

    topic = Topic(7, 0, None, {}, {}, {}, {})
    old = rows(*[0] * 40, *[1] * 40)
    none = Subtopics.nothing(32)
    held = np.zeros(80, dtype=np.int64)
    standing = none.renewed([topic], held, old, sizes=(8, 20), anew=True)
    assert [entry.id for entry in standing.entries] == [0, 1]
    night = rows(*[0] * 40, *[1] * 40, *[2] * 40)
    held = np.zeros(120, dtype=np.int64)
    assert len(standing.renewed([topic], held, night, sizes=(8, 20), anew=False)) == 2
    again = standing.renewed([topic], held, night, sizes=(8, 20), anew=True)
    assert [entry.id for entry in again.entries] == [0, 1, 2]
    found = again.ids(again.place(night, np.full(120, 7)))
    assert [set(found[at : at + 40].tolist()) for at in (0, 40, 80)] == [{found[0]}, {found[40]}, {2}]
    full = standing.renewed([topic], held, night, sizes=(2, 20), anew=True)
    assert len(full) == 2, "no more than so many"


def test_a_new_discovery_takes_over_the_numbers_of_the_same_sub_topics(first):
    _, model = first
    night = make_sample(228, themes=THEMES)
    later = replace(model, subtopics=model.subtopics.renumbered({}, 50))
    matched = match(discover(night, TWO, encode=encode), later)
    before, after = _placed(later, night), _placed(matched, night)
    stayed = (before[0] >= 0) & (before[0] == after[0])
    assert (before[1] == after[1])[stayed].mean() >= 0.8
    ids = [entry.id for entry in matched.subtopics.entries]
    assert len(set(ids)) == len(ids)
    known = {entry.id for entry in later.subtopics.entries}
    assert all(each in known or each >= later.subtopics.next_id for each in ids)


def test_those_of_a_topic_that_sleeps_wake_with_it(first):
    _, model = first
    quiet = renew(NOTHING, model, TWO)
    assert {topic.status for topic in quiet.topics} == {"dormant"}
    assert _named(quiet) == _named(model)
    back = renew(make_sample(200, seed=8, themes=THEMES), quiet, TWO, encode=encode)
    assert _named(back) == _named(model)


def test_those_not_seen_for_thirty_runs_are_forgotten(first):
    _, model = first
    entry = model.subtopics.entries[0]
    told = model.subtopics.told([replace(entry, idle=30), *model.subtopics.entries[1:]])
    assert entry.id not in {each.id for each in told.entries}
    assert told.next_id == model.subtopics.next_id


def test_topics_under_other_numbers_take_theirs_along(first):
    sample, model = first
    other = renumbered(model, 100)
    topics, parts = _placed(other, sample)
    was_topics, was = _placed(model, sample)
    assert (topics[topics >= 0] == was_topics[topics >= 0] + 100).all()
    assert (parts[parts >= 0] == was[parts >= 0] + 100).all()
    assert other.subtopics.next_id == model.subtopics.next_id + 100


def test_a_locked_topic_keeps_its_own_as_they_stood(first):
    _, model = first
    night = make_sample(240, seed=2, themes=THEMES)
    standing = DecidedTopics(model)
    again = refit(night, draw(night, 1000), model, TWO, seed=17, encode=encode)
    locked = model.topics[0].id
    fixed = decide(again, standing, Decided({locked: TopicState(locked=True)}), [])
    own = fixed.model.subtopics.only({locked})
    assert np.array_equal(own.centroids, model.subtopics.only({locked}).centroids)
    assert not np.array_equal(again.subtopics.only({locked}).centroids, own.centroids)


def test_a_model_of_an_earlier_version_gets_them_on_the_next_night(first):
    _, model = first
    old = replace(model, subtopics=Subtopics.nothing(32))
    again = renew(make_sample(240, seed=2, themes=THEMES), old, TWO, encode=encode)
    assert len(again.subtopics)
    assert all(entry.labels["ar"] for entry in again.subtopics.entries)
