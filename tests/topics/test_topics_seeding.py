"""A few labelled comments: each label is a topic, the others follow."""

from dataclasses import replace

import numpy as np
import pytest
from topic_samples import THEMES, encode, make_sample, shuffled

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics import DiscoverySample, TopicModel, TopicSettings, discover, renew
from feedback_nlp.topics.seeding import fit_metric
from feedback_nlp.topics.settings import KMeansSettings

SETTINGS = TopicSettings(backend=KMeansSettings(topics=2), min_topic_size=8)
NAMES = tuple(THEMES)


def labelled(count, share=0.1, *, names=NAMES, seed=0):
    sample = make_sample(count, seed=seed)
    chosen = np.random.default_rng(seed).random(count) < share
    truth = [NAMES[at % len(NAMES)] for at in range(count)]
    return replace(sample, labels=[t if c and t in names else None for t, c in zip(truth, chosen, strict=True)]), truth


def test_each_label_is_a_topic_and_others_follow(tmp_path):
    sample, truth = labelled(600, 0.15)
    model = discover(sample, SETTINGS, encode=encode)
    name = {topic.id: topic.labels["en"] for topic in model.topics}
    assert set(NAMES) <= set(name.values())
    assert all(topic.labels["fa"] == topic.labels["en"] and topic.keywords["en"] for topic in model.topics[:2])
    found = model.assign(sample.vectors, sample.langs).topic_id
    rest = [at for at in range(600) if sample.labels[at] is None and found[at] >= 0]
    assert np.mean([name[int(found[at])] == truth[at] for at in rest]) > 0.95
    assert model.shift.metric is not None
    model.save(tmp_path)
    opened = TopicModel.open(tmp_path)
    assert opened.assign(sample.vectors, sample.langs).topic_id.tobytes() == found.tobytes()
    assert {topic.labels["en"] for topic in renew(sample, opened, SETTINGS).topics} >= set(NAMES)


def test_what_no_label_reaches_is_grouped():
    sample, _ = labelled(600, 0.3, names=NAMES[:3])
    settings = SETTINGS.model_copy(update={"backend": KMeansSettings(topics=4)})
    model = discover(sample, settings, encode=encode)
    assert len(model) > 3
    assert model.outliers <= SETTINGS.max_outliers


def test_the_order_of_comments_does_not_matter():
    sample, _ = labelled(200, 0.4)
    order = np.random.default_rng(1).permutation(200)
    mixed = replace(shuffled(replace(sample, labels=None), 1), labels=[sample.labels[at] for at in order.tolist()])
    one, two = discover(sample, SETTINGS), discover(mixed, SETTINGS)
    assert one.topics == two.topics
    assert one.places.centroids.tobytes() == two.places.centroids.tobytes()


def test_a_metric_makes_directions_of_spread_count_less():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(100, 4)) * [5, 1, 1, 1]
    metric = fit_metric(vectors.astype(np.float32), np.zeros(100, dtype=np.int64))
    assert np.allclose(metric, metric.T, atol=1e-5)
    assert metric[0, 0] < 0.6 * metric[1, 1]
    assert fit_metric(vectors[:10].astype(np.float32), np.zeros(10, dtype=np.int64)) is None


def test_labels_need_one_entry_a_comment():
    with pytest.raises(StageContractError, match="labels"):
        DiscoverySample(["a"], ["a"], ["en"], np.ones((1, 2), dtype=np.float32), labels=[])
