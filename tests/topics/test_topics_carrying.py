"""From one run to the next: what stands stays, what is new is told, what is due is discovered anew."""

from dataclasses import replace

import numpy as np
import pytest
from topic_samples import encode, make_sample, shuffled

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics import DiscoverySample, TopicModel, TopicSettings, discover, renew
from feedback_nlp.topics.carrying import carry_on, drift, refit_due
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.sample import draw
from feedback_nlp.topics.settings import KMeansSettings

OLD = ("delivery", "food", "battery", "room")
SETTINGS = TopicSettings(backend=KMeansSettings(topics=4), min_topic_size=8)


@pytest.fixture(scope="module")
def yesterday():
    sample = make_sample(240, themes=OLD)
    return sample, discover(sample, SETTINGS, encode=encode)


def _with_days(sample, day="2026-11-02"):
    return replace(sample, days=[day if at % 2 else None for at in range(len(sample))])


def _joined(one, two):
    return DiscoverySample(
        [*one.ids, *(f"x{each}" for each in two.ids)],
        [*one.cleans, *two.cleans],
        [*one.langs, *two.langs],
        np.concatenate([one.vectors, two.vectors]),
        days=[*(one.days or [None] * len(one)), *(two.days or [None] * len(two))],
    )


def _unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _by_theme(model, sample):
    ids = model.assign(sample.vectors, sample.langs).topic_id
    return {name: np.bincount(ids[at :: len(OLD)] + 1).argmax() - 1 for at, name in enumerate(OLD)}


def test_standing_topics_keep_numbers_names_and_places(yesterday):
    _, model = yesterday
    night = make_sample(200, seed=9, themes=OLD)
    again = renew(night, model, SETTINGS, encode=encode)
    before, after = (each.assign(night.vectors, night.langs).topic_id for each in (model, again))
    assert (before == after)[before >= 0].all()
    names = {topic.id: topic.labels for topic in model.topics}
    assert all(topic.labels == names[topic.id] and topic.status == "standing" for topic in again.topics)
    assert again.age == model.age + 1
    assert sum(topic.size for topic in again.topics) <= len(night)
    assert any(topic.size != old.size for topic, old in zip(again.topics, model.topics, strict=True))


def test_a_new_theme_emerges_with_evidence(yesterday):
    _, model = yesterday
    night = _joined(make_sample(200, seed=9, themes=OLD), _with_days(make_sample(40, seed=3, themes=("price",))))
    again = renew(night, model, SETTINGS, encode=encode)
    fresh = [topic for topic in again.topics if topic.status == "emerging"]
    assert [topic.id for topic in fresh] == [model.next_id]
    assert fresh[0].first_seen == "2026-11-02"
    assert fresh[0].growth > 5
    assert all(fresh[0].labels.values())
    assert fresh[0].parent_id is None or fresh[0].parent_id in {theme.id for theme in again.themes}
    found = again.assign(night.vectors, night.langs).topic_id
    assert np.mean(found[200:] == fresh[0].id) >= 0.8
    assert np.mean(np.flatnonzero(found == fresh[0].id) >= 200) >= 0.9
    assert again.next_id == model.next_id + 1
    third = renew(night, again, SETTINGS, encode=encode)
    assert {topic.status for topic in third.topics} == {"standing"}
    assert next(topic for topic in third.topics if topic.id == fresh[0].id).first_seen == "2026-11-02"


def test_what_was_said_as_often_before_is_not_new(yesterday):
    sample, model = yesterday
    both = _joined(sample, make_sample(40, seed=3, themes=("price",)))
    vectors = model.shift.apply(both.vectors, both.langs)
    model = replace(model, past=Past.remember(vectors, np.ones(len(both), dtype=np.int64)))
    assert [topic.status for topic in renew(both, model, SETTINGS).topics].count("emerging") == 0


def test_outliers_stay_below_the_target(yesterday):
    _, model = yesterday
    night = _joined(make_sample(200, seed=9, themes=OLD), make_sample(40, seed=3, themes=("price",)))
    again = renew(night, model, SETTINGS.model_copy(update={"refit": "never", "min_topic_size": 100}))
    found = again.assign(night.vectors, night.langs).topic_id
    assert (found < 0).mean() <= SETTINGS.max_outliers
    assert again.trade.slack > 0


def test_a_topic_without_comments_sleeps_and_wakes_under_its_number(yesterday):
    _, model = yesterday
    themes = _by_theme(model, make_sample(200, seed=9, themes=OLD))
    quiet = renew(make_sample(200, seed=9, themes=OLD[:3]), model, SETTINGS)
    asleep = quiet.topics[-1]
    assert (asleep.id, asleep.status, asleep.size, asleep.idle) == (themes["room"], "dormant", 0, 1)
    assert renew(make_sample(60, seed=4, themes=OLD[:3]), quiet, SETTINGS).topics[-1].idle == 2
    back = renew(make_sample(200, seed=8, themes=OLD), quiet, SETTINGS)
    woken = next(topic for topic in back.topics if topic.id == themes["room"])
    assert (woken.status, woken.idle) == ("standing", 0)
    assert woken.size > 20


def test_when_topics_are_discovered_anew(yesterday):
    _, model = yesterday

    def due(model, refit):
        return refit_due(model, SETTINGS.model_copy(update={"refit": refit}))

    assert due(replace(model, age=6), "weekly")
    assert not due(replace(model, age=5), "weekly")
    assert not due(replace(model, age=60), "drift")
    assert due(replace(model, past=None), "never")


def test_scattered_strangers_are_drift_but_a_new_theme_is_not(yesterday):
    _, model = yesterday
    rng = np.random.default_rng(0)
    old = make_sample(200, seed=9, themes=OLD)
    strange = replace(make_sample(60, seed=3, themes=("price",)), vectors=_unit(rng.normal(size=(60, 32))))
    theme = make_sample(60, seed=3, themes=("price",))

    def drifted(new):
        night = _joined(old, new)
        drawn = draw(night, 1000)
        carried = carry_on(night, drawn, model, SETTINGS, seed=17)
        return drift(
            carried, model.shift.apply(night.vectors[drawn.rows], [night.langs[at] for at in drawn.rows]), drawn
        )

    assert drifted(strange) > 0.1 > drifted(theme)
    assert renew(_joined(old, strange), model, SETTINGS).age == 0
    assert renew(_joined(old, strange), model, SETTINGS.model_copy(update={"refit": "never"})).age == 1


def test_the_result_does_not_hang_on_the_order_of_comments(yesterday, tmp_path):
    _, model = yesterday
    night = _joined(make_sample(200, seed=9, themes=OLD), make_sample(40, seed=3, themes=("price",)))
    night = replace(night, days=None)
    one, two = (renew(each, model, SETTINGS, encode=encode) for each in (night, shuffled(night, 5)))
    assert one.save(tmp_path / "a").fingerprint == two.save(tmp_path / "b").fingerprint or one.topics == two.topics
    opened = TopicModel.open(tmp_path / "a")
    assert opened.topics == one.topics
    assert opened.age == 1
    assert np.allclose(opened.past.vectors, one.past.vectors)
    assert renew(night, opened, SETTINGS, encode=encode).topics == renew(night, one, SETTINGS, encode=encode).topics


def test_an_empty_night_puts_all_topics_to_sleep(yesterday):
    _, model = yesterday
    nothing = DiscoverySample([], [], [], np.zeros((0, model.shift.means.shape[1]), dtype=np.float32))
    quiet = renew(nothing, model, SETTINGS)
    assert {topic.status for topic in quiet.topics} == {"dormant"}
    assert {topic.id for topic in quiet.topics} == {topic.id for topic in model.topics}


def test_topics_of_another_width_are_refused(yesterday):
    _, model = yesterday
    strange = DiscoverySample(["a"], ["a"], ["en"], np.ones((1, 3), dtype=np.float32))
    with pytest.raises(StageContractError, match="width"):
        renew(strange, model, SETTINGS)


def test_without_standing_topics_they_are_discovered(yesterday):
    sample, model = yesterday
    none = discover(DiscoverySample([], [], [], np.zeros((0, 32), dtype=np.float32)), SETTINGS)
    assert len(renew(sample, none, SETTINGS)) == len(model)


def test_a_memory_weighs_what_it_leaves_out():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(100, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    copies = np.ones(100, dtype=np.int64)
    copies[7] = 50
    past = Past.remember(vectors, copies, most=20)
    assert len(past) == 20
    assert past.weights.sum() == pytest.approx(copies.sum())
    assert past.weights[0] == 50
    share = past.shares(vectors[7:8], np.array([0.999], dtype=np.float32))
    assert share[0] >= 50 / copies.sum() - 1e-6
    assert Past.nothing(4).shares(vectors[:2], np.zeros(2, dtype=np.float32)).tolist() == [0, 0]
