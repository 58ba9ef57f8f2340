import subprocess
import sys

import pytest
from pydantic import ValidationError

from feedback_nlp.topics import TopicSettings
from feedback_nlp.topics.grouping import smallest_topic
from feedback_nlp.topics.settings import EvocSettings, KMeansSettings, UmapHdbscanSettings


def test_defaults():
    settings = TopicSettings()
    assert isinstance(settings.backend, UmapHdbscanSettings)
    assert (settings.sample, settings.max_outliers, settings.min_topic_size) == (25_000, 0.10, "auto")


@pytest.mark.parametrize(
    ("kind", "settings"), [("umap-hdbscan", UmapHdbscanSettings), ("kmeans", KMeansSettings), ("evoc", EvocSettings)]
)
def test_the_kind_chooses_the_backend(kind, settings):
    assert isinstance(TopicSettings.model_validate({"backend": {"kind": kind}}).backend, settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"backend": {"kind": "lda"}},
        {"sample": 5},
        {"max_outliers": 1.5},
        {"min_topic_size": 0},
        {"min_topic_size": "large"},
        {"max_topics": 0},
        {"unknown": 1},
        {"labels": {"keywords": 0}},
        {"backend": {"kind": "kmeans", "topics": 0}},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        TopicSettings.model_validate(wrong)


@pytest.mark.parametrize(("comments", "smallest"), [(10, 3), (50, 5), (400, 6), (10_000, 30), (50_000, 67)])
def test_the_smallest_topic_grows_with_the_sample(comments, smallest):
    assert smallest_topic(comments, TopicSettings()) == smallest


def test_a_given_smallest_topic_holds():
    assert smallest_topic(10_000, TopicSettings(min_topic_size=12)) == 12


def test_importing_the_room_is_cheap():
    heavy = ("umap", "hdbscan", "sklearn", "numba", "torch", "pandas")
    code = f"import sys, feedback_nlp.topics; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
