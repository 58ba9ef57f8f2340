import sys

import numpy as np
import pytest

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.topics.backends import cluster
from feedback_nlp.topics.backends.few import cluster_few
from feedback_nlp.topics.backends.kmeans import unit_means
from feedback_nlp.topics.backends.umap_hdbscan import density_clusters, fuzzy_graph, principal_start
from feedback_nlp.topics.neighbours import exact_neighbours
from feedback_nlp.topics.settings import EvocSettings, KMeansSettings, UmapHdbscanSettings

BACKENDS = [
    pytest.param(UmapHdbscanSettings(), marks=pytest.mark.slow, id="umap-hdbscan"),
    pytest.param(KMeansSettings(topics=4), id="kmeans"),
    pytest.param(EvocSettings(), marks=pytest.mark.slow, id="evoc"),
]


def _blobs(rows=320, groups=4, width=24, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, width))
    truth = np.arange(rows) % groups
    vectors = centres[truth] + 0.4 * rng.normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def _run(backend, vectors, seed=17):
    near = exact_neighbours(vectors, 15)
    copies = np.ones(len(vectors), dtype=np.int64)
    return cluster(vectors, near, copies, backend=backend, min_size=10, seed=seed)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_finds_plain_groups(backend):
    vectors, truth = _blobs()
    labels = _run(backend, vectors)
    assert labels.dtype == np.int64
    assert labels.shape == (320,)
    for label in set(labels[labels >= 0].tolist()):
        assert len(set(truth[labels == label].tolist())) == 1
    assert np.mean(labels >= 0) > (0.6 if backend.kind == "evoc" else 0.8)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_repeats_itself(backend):
    vectors, _ = _blobs(seed=3)
    np.testing.assert_array_equal(_run(backend, vectors), _run(backend, vectors))


def test_kmeans_derives_its_number_of_topics():
    vectors, _ = _blobs()
    assert len(set(_run(KMeansSettings(), vectors).tolist())) == 8


def test_kmeans_copes_with_fewer_different_rows_than_topics():
    vectors = np.repeat(_blobs(rows=4)[0][:2], 40, axis=0)
    assert len(set(_run(KMeansSettings(topics=10), vectors).tolist())) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_change_nothing(backend):
    numba = pytest.importorskip("numba")
    vectors, _ = _blobs(rows=1200, groups=12, seed=5)
    own = numba.get_num_threads()
    numba.set_num_threads(1)
    one = _run(backend, vectors)
    numba.set_num_threads(own)
    np.testing.assert_array_equal(_run(backend, vectors), one)
    assert numba.get_num_threads() == own


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "evoc", None)
    with pytest.raises(ConfigError, match=r"pip install 'feedback-nlp\[evoc\]'"):
        _run(EvocSettings(), _blobs()[0])


def test_the_fuzzy_graph_is_symmetric_with_strengths_up_to_one():
    near = exact_neighbours(_blobs()[0], 15)
    graph = fuzzy_graph(near).tocsr()
    assert abs(graph - graph.T).max() < 1e-9
    assert 0 < graph.data.min() <= graph.data.max() <= 1 + 1e-9


def test_identical_rows_give_a_finite_graph():
    graph = fuzzy_graph(exact_neighbours(np.repeat(_blobs()[0][:1], 80, axis=0), 10))
    assert np.isfinite(graph.data).all()


def test_the_start_has_fixed_signs():
    vectors, _ = _blobs()
    np.testing.assert_allclose(np.abs(principal_start(vectors, 3)), np.abs(principal_start(-vectors, 3)), atol=1e-4)


def test_often_repeated_points_count_more_than_once_but_not_as_a_cluster_alone():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.1, (40, 2)), rng.normal(5, 0.1, (40, 2)), [[20.0, 20.0]]])
    copies = np.append(np.ones(80, dtype=np.int64), 500)
    labels = density_clusters(points.astype(np.float32), copies, 10)
    assert len(set(labels[:80].tolist()) - {-1}) == 2
    assert labels[80] == -1


def test_leaves_are_taken_where_one_cluster_would_swallow_the_rest():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(at, 0.15, (30, 2)) for at in (0.0, 1.0, 2.0)] + [rng.normal(50, 0.1, (30, 2))])
    labels = density_clusters(points.astype(np.float32), np.ones(120, dtype=np.int64), 8)
    assert labels.max() >= 2


class TestFew:
    def test_groups_by_likeness(self):
        vectors, truth = _blobs(rows=24)
        labels = cluster_few(vectors, np.ones(24, dtype=np.int64), 3)
        for group in range(4):
            assert len(set(labels[truth == group].tolist())) == 1

    def test_small_groups_are_noise(self):
        vectors, _ = _blobs(rows=8)
        assert set(cluster_few(vectors, np.ones(8, dtype=np.int64), 3).tolist()) == {-1}

    @pytest.mark.parametrize(("copies", "label"), [(1, -1), (5, 0)])
    def test_a_single_row_is_a_topic_when_said_often(self, copies, label):
        assert cluster_few(_blobs(rows=4)[0][:1], np.array([copies]), 3).tolist() == [label]

    def test_no_row(self):
        assert cluster_few(np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.int64), 3).tolist() == []


def test_mean_directions_are_unit_and_empty_labels_zero():
    vectors, truth = _blobs()
    means = unit_means(vectors, np.where(truth == 3, -1, truth), 5)
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), [1, 1, 1, 0, 0], atol=1e-6)
