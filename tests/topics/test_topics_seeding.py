"""A few labelled comments: each label is a topic, the others follow."""

from dataclasses import replace

import numpy as np
import pytest
from topic_samples import THEMES, encode, make_sample, shuffled

from feedback_nlp.core.errors import BadDataError, MissingInputError, StageContractError
from feedback_nlp.topics import DiscoverySample, TopicModel, TopicSettings, discover, renew
from feedback_nlp.topics.seeding import fit_metric, read_seeds
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


def test_labels_that_come_later_bring_a_discovery_by_them_once():
    plain, truth = labelled(600, 0.0)
    settings = SETTINGS.model_copy(update={"backend": KMeansSettings(topics=5), "max_outliers": 0.2})
    standing = discover(plain, settings, encode=encode)
    sample, _ = labelled(600, 0.5)
    again = renew(sample, standing, settings, encode=encode)
    name = {topic.id: topic.labels["en"] for topic in again.topics}
    assert set(NAMES) <= set(name.values())
    before, now = (each.assign(sample.vectors, sample.langs).topic_id for each in (standing, again))
    kept = (before == now)[(before >= 0) & (now >= 0)]
    assert kept.mean() > 0.9, "a topic of the same comments keeps its number"
    assert np.mean([name.get(int(topic)) == want for topic, want in zip(now, truth, strict=True) if topic >= 0]) > 0.9
    third = renew(sample, again, settings, encode=encode)
    assert third.age == again.age + 1
    assert {topic.id: topic.labels["en"] for topic in third.topics} == name


class TestFile:
    def test_ids_and_labels_are_read(self, tmp_path):
        file = tmp_path / "seeds.csv"
        file.write_text(
            "\ufefflabel,comment_id,note\n تأخیر  در تحویل ,a,x\nlate,b,\n,c,\nlate,,\nlate,b,\n", encoding="utf-8"
        )
        assert read_seeds(file) == {"a": "تأخیر در تحویل", "b": "late"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"comment_id,topic\na,late\n", "lacks the column label"),
            (b"", "lacks the column"),
            (b"comment_id,label\na,late\na,early\n", "line 3: a comment has two labels"),
            (b"comment_id,label\n\xff,late\n", "not readable"),
            (b'comment_id,label\n"a,late\n', "not readable"),
        ],
    )
    def test_a_file_that_cannot_be_is_refused(self, tmp_path, content, message):
        file = tmp_path / "seeds.csv"
        file.write_bytes(content)
        with pytest.raises(BadDataError, match=message):
            read_seeds(file)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(MissingInputError, match="nowhere"):
            read_seeds(tmp_path / "nowhere.csv")
