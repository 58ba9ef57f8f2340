"""Discovering anew from standing topics: they stay, split and merge only where comments say so."""

from dataclasses import replace

import numpy as np
import pytest
from topic_samples import encode, make_sample

from feedback_nlp.topics import TopicSettings, discover
from feedback_nlp.topics.grouping import Grouping
from feedback_nlp.topics.refitting import compare, refit
from feedback_nlp.topics.sample import draw
from feedback_nlp.topics.settings import KMeansSettings

THEMES = ("delivery", "food", "battery", "room")


def _settings(topics):
    return TopicSettings(backend=KMeansSettings(topics=topics), min_topic_size=8)


def _refit(night, standing, topics):
    return refit(night, draw(night, 1000), standing, _settings(topics), seed=17, encode=encode)


@pytest.fixture(scope="module")
def night():
    return replace(make_sample(240, seed=2, themes=THEMES), days=["2026-11-03"] * 240)


def _grouping(centroids):
    return Grouping(np.zeros(0, dtype=np.int64), np.asarray(centroids, np.float32), np.zeros(len(centroids), bool))


def test_topics_stay_where_their_comments_hang_together(night):
    standing = discover(make_sample(240, themes=THEMES), _settings(4), encode=encode)
    again = _refit(night, standing, 4)
    before, after = (each.assign(night.vectors, night.langs).topic_id for each in (standing, again))
    both = (before >= 0) & (after >= 0)
    assert (before == after)[both].mean() >= 0.95
    assert not any(topic.lineage for topic in again.topics)
    assert {topic.id: topic.labels for topic in again.topics} == {topic.id: topic.labels for topic in standing.topics}
    assert again.age == 0


def test_a_topic_of_two_meanings_splits_and_tells_so(night):
    standing = discover(make_sample(240, themes=THEMES), _settings(2), encode=encode)
    again = _refit(night, standing, 4)
    fresh = [topic for topic in again.topics if topic.status == "emerging"]
    assert fresh
    assert all(topic.id >= standing.next_id for topic in fresh)
    told = {(event.change, event.topic_id, event.day) for topic in fresh for event in topic.lineage}
    assert told <= {("split_from", topic.id, "2026-11-03") for topic in standing.topics}
    sources = [
        topic for topic in again.topics if topic.id in {event.topic_id for each in fresh for event in each.lineage}
    ]
    assert all(event.change == "split_into" for topic in sources for event in topic.lineage)
    row = next(row for row in again.table().to_pylist() if row["topic_id"] == fresh[0].id)
    assert row["lineage"][0]["change"] == "split_from"


def test_a_new_theme_is_a_new_topic():
    standing = discover(make_sample(240, themes=THEMES), _settings(4), encode=encode)
    wide = make_sample(300, seed=2, themes=(*THEMES, "price"))
    again = _refit(wide, standing, 5)
    found = again.assign(wide.vectors, wide.langs).topic_id
    best = np.bincount(found[4::5] + 1).argmax() - 1
    assert best >= standing.next_id
    assert np.mean(found[4::5] == best) > 0.8
    topic = next(topic for topic in again.topics if topic.id == best)
    assert topic.status == "emerging"
    assert topic.growth > 2


def test_a_topic_nobody_speaks_of_sleeps():
    standing = discover(make_sample(240, themes=THEMES), _settings(4), encode=encode)
    again = _refit(make_sample(180, seed=2, themes=THEMES[:3]), standing, 3)
    assert [topic.status for topic in again.topics].count("dormant") == 1
    assert again.topics[-1].status == "dormant"
    assert len(again.places) == len(again)


def test_one_group_that_holds_two_like_topics_merges_them():
    table = np.array([[40, 0, 2], [30, 1, 0], [0, 50, 0], [2, 1, 9]], dtype=float)
    alike = np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]])
    found = compare(table, _grouping([[1, 0], [0, 1]]), alike, 10)
    assert (found.merged, found.split, found.new) == ({1: 0}, {}, [])
    assert compare(table, _grouping([[1, 0], [0, 1]]), np.eye(3), 10).merged == {}


def test_two_far_groups_of_one_topic_split_it():
    table = np.array([[60, 40, 5], [3, 0, 4]], dtype=float)
    assert compare(table, _grouping([[1, 0], [0, 1]]), np.eye(1), 10).split == {1: 0}
    assert compare(table, _grouping([[1, 0], [0.9, 0.4]]), np.eye(1), 10).split == {}
    assert compare(table, _grouping([[1, 0], [0, 1]]), np.eye(1), 30).split == {}


def test_a_group_outside_all_cores_is_new():
    table = np.array([[60, 5, 0], [3, 40, 7]], dtype=float)
    assert compare(table, _grouping([[1, 0], [0, 1]]), np.eye(1), 10).new == [1]
    assert compare(table, _grouping([[1, 0], [0, 1]]), np.eye(1), 60).new == []
