import subprocess
import sys

import numpy as np
import pytest
from topic_samples import THEMES, encode, make_sample, shuffled

from feedback_nlp.core.errors import ModelError
from feedback_nlp.topics import DiscoverySample, TopicModel, TopicSettings, discover, renew
from feedback_nlp.topics.naming import Namer
from feedback_nlp.topics.settings import EvocSettings, KMeansSettings, LabelSettings

KMEANS = TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5)
TRUTH = list(THEMES)


def _purity(labels, truth):
    inside = labels >= 0
    return np.mean(
        [np.bincount(truth[labels == label]).max() / np.sum(labels == label) for label in set(labels[inside])]
    )


def _same(left: TopicModel, right: TopicModel) -> bool:
    return (
        left.topics == right.topics
        and left.themes == right.themes
        and left.trade == right.trade
        and left.places.centroids.tobytes() == right.places.centroids.tobytes()
        and left.places.radii.tobytes() == right.places.radii.tobytes()
        and left.places.curve.tobytes() == right.places.curve.tobytes()
        and left.shift.means.tobytes() == right.shift.means.tobytes()
        and left.subtopics.entries == right.subtopics.entries
        and left.subtopics.centroids.tobytes() == right.subtopics.centroids.tobytes()
    )


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(KMEANS, id="kmeans"),
        pytest.param(TopicSettings(), marks=pytest.mark.slow, id="umap-hdbscan"),
        pytest.param(TopicSettings(backend=EvocSettings()), marks=pytest.mark.slow, id="evoc"),
    ],
)
class TestBackends:
    def test_themes_in_three_languages_are_found(self, settings):
        sample = make_sample(500)
        model = discover(sample, settings, encode=encode)
        labels = model.assign(sample.vectors, sample.langs).topic_id
        assert _purity(labels, np.arange(500) % 5) > 0.95
        assert all(len(topic.shares) == 3 for topic in model.topics)
        assert all(set(topic.labels) == {"ar", "fa", "en"} and all(topic.labels.values()) for topic in model.topics)

    def test_shuffled_rows_give_the_same_model(self, settings):
        sample = make_sample(300)
        assert _same(discover(sample, settings), discover(shuffled(sample, 4), settings))

    def test_sizes_shares_and_outliers_are_those_of_assign(self, settings):
        sample = make_sample(400)
        model = discover(sample, settings)
        labels = model.assign(sample.vectors, sample.langs).topic_id
        assert [topic.size for topic in model.topics] == [int(np.sum(labels == topic.id)) for topic in model.topics]
        assert [topic.size for topic in model.topics] == sorted((topic.size for topic in model.topics), reverse=True)
        assert model.outliers == pytest.approx(np.mean(labels < 0), abs=0.02)
        for topic in model.topics:
            assert sum(topic.shares.values()) == pytest.approx(1, abs=1e-4)

    def test_the_outlier_target_is_kept(self, settings):
        sample = make_sample(400)
        noise = np.random.default_rng(1).normal(size=(120, 32)).astype(np.float32)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        mixed = DiscoverySample(
            [*sample.ids, *[f"n{at}" for at in range(120)]],
            [*sample.cleans, *[f"noise {chr(97 + at % 26)}{chr(97 + at // 26)}" for at in range(120)]],
            [*sample.langs, *["en"] * 120],
            np.concatenate([sample.vectors, noise]),
        )
        model = discover(mixed, settings.model_copy(update={"max_outliers": 0.05}))
        assert np.mean(model.assign(mixed.vectors, mixed.langs).topic_id < 0) <= 0.06
        assert 0 <= model.trade.agreement <= 1
        assert 0 <= model.trade.outliers_before <= 1

    def test_scores_lie_between_none_and_all(self, settings):
        sample = make_sample(300)
        found = discover(sample, settings).assign(sample.vectors, sample.langs)
        assert found.topic_score.min() >= 0
        assert found.topic_score.max() <= 1
        assert not found.topic_score[found.topic_id < 0].any()


@pytest.mark.parametrize("count", [0, 1, 2, 5, 20, 49])
def test_small_samples_do_not_fail(count):
    sample = make_sample(count)
    model = discover(sample, TopicSettings(), encode=encode)
    found = model.assign(sample.vectors, sample.langs)
    assert len(found.topic_id) == count
    assert model.table().num_rows == len(model)


def test_twenty_comments_on_two_things_give_two_topics():
    sample = make_sample(20, themes=("food", "room"))
    model = discover(sample)
    labels = model.assign(sample.vectors, sample.langs).topic_id
    assert len(model) == 2
    assert _purity(labels, np.arange(20) % 2) == 1


@pytest.mark.slow
def test_just_enough_comments_for_the_layout():
    sample = make_sample(60)
    model = discover(sample)
    assert 1 <= len(model) <= 10


def test_comments_without_text_or_vector():
    sample = make_sample(80)
    sample.vectors[:40] = 0
    blank = DiscoverySample(
        sample.ids, [None if at % 2 else text for at, text in enumerate(sample.cleans)], sample.langs, sample.vectors
    )
    model = discover(blank, KMEANS)
    found = model.assign(blank.vectors, blank.langs)
    assert set(found.topic_id[:40].tolist()) == {-1}


def test_nothing_but_blanks():
    sample = DiscoverySample(["a", "b"], [None, ""], ["und", "und"], np.zeros((2, 8), dtype=np.float32))
    model = discover(sample)
    assert (len(model), model.themes, model.outliers) == (0, (), 0)


def test_every_comment_alike():
    sample = make_sample(200)
    same = DiscoverySample(sample.ids, ["good food"] * 200, ["en"] * 200, np.repeat(sample.vectors[:1], 200, axis=0))
    model = discover(same)
    assert [topic.size for topic in model.topics] == [200]


def test_a_larger_sample_than_allowed_is_drawn_from_and_the_rest_assigned():
    sample = make_sample(600)
    model = discover(sample, KMEANS.model_copy(update={"sample": 200}))
    labels = model.assign(sample.vectors, sample.langs).topic_id
    assert model.comments == 600
    assert sum(topic.size for topic in model.topics) == np.sum(labels >= 0) > 400
    assert _purity(labels, np.arange(600) % 5) > 0.9


def test_a_message_repeated_by_many_is_a_topic_of_its_own():
    sample = make_sample(300)
    texts = ["battery towel zz", "البطارية المنشفة zz", "باتری حوله zz"]
    campaign = [texts[at % 3] + ["", " !", " 😡"][at % 2] for at in range(60)]
    both = DiscoverySample(
        [*sample.ids, *[f"r{at}" for at in range(60)]],
        [*sample.cleans, *campaign],
        [*sample.langs, *[("en", "ar", "fa")[at % 3] for at in range(60)]],
        np.concatenate([sample.vectors, encode([text.split(" zz")[0] + " zz" for text in campaign])]),
    )
    model = discover(both, KMEANS)
    labels = model.assign(both.vectors, both.langs).topic_id[300:]
    assert np.bincount(labels + 1).max() == 60
    assert 60 <= model.topics[[topic.id for topic in model.topics].index(labels[0])].size < 75


def test_at_most_so_many_topics():
    sample = make_sample(400)
    model = discover(sample, TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5, max_topics=2))
    assert len(model) == 2


def test_a_missing_lexicon_is_named():
    with pytest.raises(ModelError, match="no-such-lexicon"):
        discover(make_sample(60), KMEANS.model_copy(update={"labels": LabelSettings(model="no-such-lexicon")}))


def test_topics_are_named_by_an_encoder_of_another_width():
    wide = np.random.default_rng(0).normal(size=(32, 48)).astype(np.float32)
    model = discover(make_sample(300, langs=("en",)), KMEANS, encode=lambda texts: encode(texts) @ wide)
    assert all(topic.labels["fa"] and topic.labels["ar"] for topic in model.topics)


def test_names_that_stand_are_not_asked_for_again(monkeypatch):
    sample = make_sample(300)
    model = discover(sample, KMEANS.model_copy(update={"subtopics": 0}))
    asked = []
    monkeypatch.setattr(Namer, "name", lambda self, groups, count, wanted, *_: asked.extend(wanted) or [])
    renewed = renew(sample, model, KMEANS.model_copy(update={"subtopics": 0}))
    assert asked == []
    assert [topic.labels for topic in renewed.topics] == [topic.labels for topic in model.topics]


def test_representatives_are_members_in_their_language():
    sample = make_sample(300)
    model = discover(sample, KMEANS)
    place = {comment_id: at for at, comment_id in enumerate(sample.ids)}
    labels = model.assign(sample.vectors, sample.langs).topic_id
    for topic in model.topics:
        for lang, chosen in topic.representatives.items():
            assert len({one.text for one in chosen}) == len(chosen) <= 3
            for one in chosen:
                assert sample.langs[place[one.comment_id]] == lang
                assert labels[place[one.comment_id]] == topic.id
                assert sample.cleans[place[one.comment_id]] == one.text


PROGRAM = """
import hashlib, sys
from threadpoolctl import threadpool_limits
from topic_samples import make_sample, encode
from feedback_nlp.topics import discover
with threadpool_limits(limits=int(sys.argv[1])):
    model = discover(make_sample(400), encode=encode)
digest = hashlib.sha256()
for part in (model.places.centroids, model.places.radii, model.places.curve, model.shift.means):
    digest.update(part.tobytes())
digest.update(repr(model.topics).encode())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_processes_with_one_and_two_threads_give_the_same_bytes():
    out = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, threads],
            capture_output=True,
            text=True,
            check=True,
            env={
                "PYTHONPATH": ".:tests/topics",
                "OMP_NUM_THREADS": threads,
                "OPENBLAS_NUM_THREADS": threads,
                "NUMBA_NUM_THREADS": threads,
                "PATH": "/usr/bin:/bin",
                "HOME": "/tmp",
            },
        )
        out.append(done.stdout)
    assert out[0] == out[1]
