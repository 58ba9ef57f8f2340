"""Labels by a language model: asked for new topics only, with redacted text only, and never in the way."""

import pytest
from fake_chat import fake_chat
from topic_samples import encode, make_sample

from feedback_nlp.core.chat import ChatSettings
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.topics import TopicSettings, discover, renew
from feedback_nlp.topics.settings import KMeansSettings, LabelSettings

THEMES = ("delivery", "food")
GIVEN = {"ar": "تأخر  التوصيل", "fa": "دیر رسیدن", "en": "Late delivery"}


def _settings(url=None):
    chat = url and ChatSettings(url=url, model="m", attempts=1)
    return TopicSettings(backend=KMeansSettings(topics=2), min_topic_size=8, labels=LabelSettings(chat=chat or None))


def test_new_topics_are_worded_once_and_keep_their_label():
    sample = make_sample(100, themes=THEMES)
    with fake_chat(lambda body: GIVEN) as fake:
        model = discover(sample, _settings(fake.url), encode=encode)
        assert len(fake.asked) == len(model)
        assert all(topic.labels == {**GIVEN, "ar": "تأخر التوصيل"} for topic in model.topics)
        again = renew(make_sample(100, seed=3, themes=THEMES), model, _settings(fake.url), encode=encode)
        assert len(fake.asked) == len(model)
    assert {topic.labels["en"] for topic in again.topics} == {"Late delivery"}


def test_it_sees_keywords_and_typical_comments_only():
    sample = make_sample(100, themes=THEMES)
    with fake_chat(lambda body: GIVEN) as fake:
        model = discover(sample, _settings(fake.url), encode=encode)
        asked = " ".join(message["content"] for body in fake.asked for message in body["messages"])
    shown = {one.text for topic in model.topics for chosen in topic.representatives.values() for one in chosen}
    assert all(text in asked for text in shown)
    assert not any(clean in asked for clean in sample.cleans if clean not in shown)
    assert not any(each in asked for each in sample.ids)


@pytest.mark.parametrize("reply", [503, b"nonsense", {"ar": "", "fa": 3, "en": "x" * 200}, {}])
def test_without_a_usable_answer_labels_stay(reply):
    sample = make_sample(100, themes=THEMES)
    plain = discover(sample, _settings(), encode=encode)
    with fake_chat(lambda body: reply) as fake:
        model = discover(sample, _settings(fake.url), encode=encode)
        assert fake.asked
    assert [topic.labels for topic in model.topics] == [topic.labels for topic in plain.topics]


def test_a_refused_key_is_told():
    with fake_chat(lambda body: 401) as fake, pytest.raises(ConfigError, match="401"):
        discover(make_sample(100, themes=THEMES), _settings(fake.url), encode=encode)
