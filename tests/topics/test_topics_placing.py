from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from topic_samples import make_sample

from feedback_nlp.topics import TopicSettings, discover
from feedback_nlp.topics.neighbours import exact_neighbours
from feedback_nlp.topics.placing import Places, core_radii, fit_curve, neighbour_agreement, reaching, widened
from feedback_nlp.topics.settings import KMeansSettings

AXES = np.eye(4, dtype=np.float32)
CURVE = np.array([0, 2, 4], dtype=np.float32)


def _places(radii=(0.5, 0.5, 0.5), strict=(False, False, False)):
    return Places(AXES[:3], np.array(radii, dtype=np.float32), np.array(strict), CURVE)


def _unit(*rows):
    vectors = np.array(rows, dtype=np.float32)
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def test_the_nearest_centre_within_its_radius():
    topic, score = _places().place(_unit([1, 0.1, 0, 0], [0, 1, 0.2, 0], [0.2, 0.2, 0.2, 1]))
    assert topic.tolist() == [0, 1, -1]
    assert score[2] == 0
    assert np.all((score[:2] > 0) & (score[:2] <= 1))


def test_a_row_of_zeros_has_no_topic_even_in_endless_radii():
    topic, score = _places((-2, -2, -2)).place(np.zeros((1, 4), dtype=np.float32))
    assert (topic[0], score[0]) == (-1, 0)


def test_a_row_outside_a_strict_topic_goes_to_its_next():
    row = _unit([1, 0.8, 0, 0])
    assert _places((0.9, 0.5, 0.5)).place(row)[0].tolist() == [-1]
    assert _places((0.9, 0.5, 0.5), (True, False, False)).place(row)[0].tolist() == [1]


def test_without_topics_everything_is_outside():
    none = Places(AXES[:0], CURVE[:0], np.zeros(0, dtype=bool), CURVE)
    topic, score = none.place(AXES)
    assert topic.tolist() == [-1] * 4
    assert score.tolist() == [0] * 4


def test_one_topic_alone():
    topic, score = Places(AXES[:1], CURVE[:1], np.zeros(1, dtype=bool), CURVE).place(AXES[:1])
    assert topic.tolist() == [0]
    assert 0 < score[0] <= 1


def test_a_nearer_and_clearer_row_scores_higher():
    _, score = _places((0, 0, 0)).place(_unit([1, 0, 0, 0], [1, 0.6, 0, 0], [1, 0.9, 0, 0]))
    assert score[0] > score[1] > score[2]


@given(st.integers(0, 50), st.floats(0, 1))
def test_no_more_outliers_than_allowed(seed, allowed):
    rng = np.random.default_rng(seed)
    vectors = _unit(*rng.normal(size=(80, 4)))
    core = np.where(vectors[:, :3].max(axis=1) > 0.9, vectors[:, :3].argmax(axis=1), -1)
    copies = rng.integers(1, 4, 80)
    places = widened(core_radii(vectors, core, _places()), vectors, copies, allowed)
    outside = places.place(vectors)[0] < 0
    assert copies[outside].sum() <= allowed * copies.sum()


def test_radii_are_not_widened_without_need():
    vectors = _unit([1, 0, 0, 0], [0.9, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0.1, 1])
    core = np.array([0, 0, 1, 2, -1])
    places = widened(core_radii(vectors, core, _places()), vectors, np.ones(5, dtype=np.int64), 0.2)
    assert places.place(vectors)[0].tolist() == [0, 0, 1, 2, -1]
    assert places.radii.min() > 0.9


def test_a_topic_without_core_rows_takes_nothing():
    vectors = _unit([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.5])
    places = core_radii(vectors, np.array([0, 1, -1]), _places())
    assert places.place(vectors)[0].tolist() == [0, 1, -1]


def test_agreement_counts_neighbours_with_the_same_topic():
    vectors = _unit(*np.repeat(AXES[:2], 20, axis=0) + np.random.default_rng(0).normal(scale=0.05, size=(40, 4)))
    near = exact_neighbours(vectors, 11)
    labels = np.repeat([0, 1], 20)
    assert neighbour_agreement(labels, near).tolist() == [1] * 40
    assert neighbour_agreement(np.full(40, -1), near).tolist() == [0] * 40
    assert neighbour_agreement(labels[:1], exact_neighbours(vectors[:1], 1)).tolist() == [0]


def test_the_curve_recovers_the_share_it_was_fitted_on():
    rng = np.random.default_rng(0)
    cosines, leads = rng.random(3000).astype(np.float32), rng.random(3000).astype(np.float32)
    shares = 1 / (1 + np.exp(-(-2 + 3 * cosines + 2 * leads)))
    np.testing.assert_allclose(fit_curve(cosines, leads, shares.astype(np.float32)), [-2, 3, 2], atol=0.1)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_curve_stays_finite_for_shares_of_nothing_and_all(share):
    assert np.isfinite(fit_curve(np.ones(5, np.float32), np.ones(5, np.float32), np.full(5, share, np.float32))).all()


def test_no_row_gives_a_flat_curve():
    none = np.zeros(0, dtype=np.float32)
    assert fit_curve(none, none, none).tolist() == [0, 0, 0]


class TestRanked:
    def test_the_first_is_the_topic_assigned_with_its_score(self):
        rng = np.random.default_rng(0)
        vectors = _unit(*rng.normal(size=(200, 4)))
        places = _places((0.3, 0.3, 0.3))
        topic, score = places.place(vectors)
        topics, scores = places.ranked(vectors, 2)
        assert topics[:, 0].tolist() == topic.tolist()
        np.testing.assert_array_equal(scores[:, 0], score)

    def test_scores_fall_and_far_topics_are_left_out(self):
        topics, scores = _places((0.3, 0.3, 0.3)).ranked(_unit([1, 0.8, 0.1, 0], [1, 0, 0, 0]), 3)
        assert topics.tolist() == [[0, 1, -1], [0, -1, -1]]
        assert scores[0, 0] > scores[0, 1] > scores[0, 2] == 0

    def test_more_asked_for_than_there_are(self):
        topics, _ = Places(AXES[:1], CURVE[:1], np.zeros(1, dtype=bool), CURVE).ranked(AXES[:2], 3)
        assert topics.tolist() == [[0, -1, -1], [0, -1, -1]]

    def test_no_topics_and_zeros(self):
        none = Places(AXES[:0], CURVE[:0], np.zeros(0, dtype=bool), CURVE)
        assert none.ranked(AXES, 2)[0].tolist() == [[-1, -1]] * 4
        assert _places((-2, -2, -2)).ranked(np.zeros((1, 4), dtype=np.float32), 1)[0].tolist() == [[-1]]


def test_the_outlier_target_holds_for_comments_that_were_not_drawn():
    sample = make_sample(900, seed=3)
    settings = TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5, sample=100)
    model = discover(sample, settings)
    found = model.assign(sample.vectors, sample.langs).topic_id
    assert np.mean(found < 0) <= settings.max_outliers
    assert model.outliers == pytest.approx(np.mean(found < 0))
    assert [topic.size for topic in model.topics] == [int(np.sum(found == topic.id)) for topic in model.topics]
    drawn_only = replace(model.places, radii=model.places.radii + np.float32(0.2))
    shifted = model.shift.apply(sample.vectors, sample.langs)
    wide = widened(drawn_only, shifted, np.ones(900, dtype=np.int64), 0.1)
    again = reaching(drawn_only, drawn_only.nearest(shifted).reach, np.ones(900, dtype=np.int64), 0.1)
    assert wide.radii.tobytes() == again.radii.tobytes()
    assert (wide.radii < drawn_only.radii).all()
