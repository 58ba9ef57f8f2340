from dataclasses import replace

import numpy as np
import pytest
from topic_samples import THEMES, encode, make_sample

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics import TopicModel, TopicSettings, discover, match
from feedback_nlp.topics.settings import KMeansSettings


def _model(themes, seed=0, count=240) -> TopicModel:
    settings = TopicSettings(backend=KMeansSettings(topics=len(themes)), min_topic_size=5)
    return discover(make_sample(count, seed=seed, themes=themes), settings, encode=encode)


def _topic_of(model: TopicModel, text: str) -> int:
    return int(model.assign(encode([text]), ["en"]).topic_id[0])


NAMES = tuple(THEMES)
SAYING = {name: " ".join(words["en"]) for name, words in THEMES.items()}


def test_the_same_topics_keep_their_ids_whatever_their_size():
    old = _model(NAMES)
    new = _model(tuple(reversed(NAMES)), seed=9)
    matched = match(new, old)
    assert {topic.status for topic in matched.topics} == {"standing"}
    for text in SAYING.values():
        assert _topic_of(matched, text) == _topic_of(old, text)
    assert matched.next_id == old.next_id


def test_a_new_topic_is_emerging_under_a_new_number():
    old, new = _model(NAMES[:4]), _model(NAMES, seed=3)
    matched = match(new, old)
    fresh = [topic for topic in matched.topics if topic.status == "emerging"]
    assert [topic.id for topic in fresh] == [4]
    assert _topic_of(matched, SAYING[NAMES[4]]) == 4
    assert matched.next_id == 5


def test_a_topic_without_comments_sleeps_and_comes_back_under_its_number():
    old = _model(NAMES)
    sleeper = _topic_of(old, SAYING["price"])
    second = match(_model(NAMES[:4], seed=1), old)
    asleep = second.topics[-1]
    assert (asleep.id, asleep.status, asleep.size, asleep.idle) == (sleeper, "dormant", 0, 1)
    assert _topic_of(second, SAYING["price"]) != sleeper
    assert asleep.labels == next(topic.labels for topic in old.topics if topic.id == sleeper)
    third = match(_model(NAMES, seed=2), second)
    assert _topic_of(third, SAYING["price"]) == sleeper
    assert {topic.status for topic in third.topics} == {"standing"}


def test_a_topic_asleep_for_long_is_forgotten_but_its_number_never_given_again():
    model = _model(NAMES)
    gone = _topic_of(model, SAYING["price"])
    for _ in range(3):
        model = match(_model(NAMES[:4], seed=1), model, forget_after=2)
    assert gone not in {topic.id for topic in model.topics}
    assert _topic_of(match(_model(NAMES, seed=2), model), SAYING["price"]) == 5


def test_shared_comments_help_to_match():
    old, new = _model(NAMES), _model(NAMES, seed=9)
    sample = make_sample(100, seed=4)
    matched = match(new, old, vectors=sample.vectors, langs=sample.langs)
    left = matched.assign(sample.vectors, sample.langs).topic_id
    right = old.assign(sample.vectors, sample.langs).topic_id
    assert np.mean(left == right) > 0.9


def test_a_model_matched_with_itself_is_itself():
    model = _model(NAMES)
    matched = match(model, model)
    assert [topic.id for topic in matched.topics] == [topic.id for topic in model.topics]
    assert [theme.id for theme in matched.themes] == [theme.id for theme in model.themes]


def test_with_an_empty_model():
    model, empty = _model(NAMES), discover(make_sample(0), TopicSettings())
    assert {topic.status for topic in match(model, empty).topics} == {"emerging"}
    asleep = match(empty, model)
    assert {topic.status for topic in asleep.topics} == {"dormant"}
    assert _topic_of(asleep, SAYING["food"]) == -1


def test_a_campaign_does_not_take_over_a_like_topic():
    old = _model(NAMES)
    campaign = _topic_of(old, SAYING["price"])
    places = replace(old.places, strict=np.arange(len(old)) == campaign)
    nearby = places.centroids.copy()
    nearby[campaign] += 0.7 * nearby[(campaign + 1) % 5]
    nearby[campaign] /= np.linalg.norm(nearby[campaign])
    matched = match(replace(old, places=replace(places, centroids=nearby)), old)
    assert [topic.id for topic in matched.topics if topic.status == "emerging"] == [5]
    assert match(replace(old, places=places), old).topics[campaign].status == "standing"


def test_themes_keep_their_ids_by_their_topics():
    old = _model(NAMES)
    themed = replace(
        old,
        topics=tuple(replace(topic, parent_id=7 if at < 2 else 9) for at, topic in enumerate(old.topics)),
        themes=tuple(replace(old.topics[0], id=number, parent_id=None) for number in (7, 9)),
        next_theme_id=10,
    )
    new = replace(
        themed,
        topics=tuple(replace(topic, parent_id=0 if at >= 2 else 1) for at, topic in enumerate(old.topics)),
        themes=tuple(replace(old.topics[0], id=number, parent_id=None) for number in (0, 1)),
        next_theme_id=2,
    )
    matched = match(new, themed)
    assert [topic.parent_id for topic in matched.topics] == [topic.parent_id for topic in themed.topics]
    assert sorted(theme.id for theme in matched.themes) == [7, 9]
    assert matched.next_theme_id == 10


def test_new_themes_take_new_numbers():
    old = replace(_model(NAMES), next_theme_id=3)
    new = replace(
        old,
        topics=tuple(replace(topic, parent_id=0) for topic in old.topics),
        themes=(replace(old.topics[0], id=0),),
        next_theme_id=1,
    )
    matched = match(new, old)
    assert [theme.id for theme in matched.themes] == [3]
    assert matched.next_theme_id == 4


def test_models_of_two_encoders_are_refused():
    model = _model(NAMES)
    other = replace(model, shift=replace(model.shift, means=model.shift.means[:, :8]))
    with pytest.raises(StageContractError, match="one encoder"):
        match(model, other)
