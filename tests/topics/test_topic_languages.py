import numpy as np
import pytest
from topic_samples import make_sample

from feedback_nlp.topics import DiscoverySample, TopicSettings, discover
from feedback_nlp.topics.settings import KMeansSettings
from feedback_nlp.train.topic_languages import Spread, share_of_several, spreads

KMEANS = TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5, subtopics=0)
NONE: frozenset[str] = frozenset()


def _with(first: DiscoverySample, cleans: list[str], langs: list[str], vectors: np.ndarray) -> DiscoverySample:
    return DiscoverySample(
        [*first.ids, *[f"x{at}" for at in range(len(cleans))]],
        [*first.cleans, *cleans],
        [*first.langs, *langs],
        np.concatenate([first.vectors, vectors]),
    )


@pytest.fixture(scope="module")
def english():
    return make_sample(300, langs=("en",))


def test_a_theme_that_nobody_speaks_of_in_another_language_is_none_that_is_missed(english):
    found = spreads(english, discover(english, KMEANS), 30)
    assert len(found) == 5
    assert not any(spread.several or spread.missing for spread in found)
    assert share_of_several(found) == (0.0, 0)


def test_comments_elsewhere_that_use_its_words_show_that_the_theme_exists(english):
    away = np.zeros((6, english.vectors.shape[1]), dtype=np.float32)
    model = discover(english, KMEANS)
    keywords = model.topics[0].keywords["fa"][:2]
    night = _with(english, [" ".join(keywords)] * 6, ["fa"] * 6, away)
    first, *others = spreads(night, model, 30)
    assert (first.said, first.near, first.missing) == (frozenset({"fa"}), NONE, True)
    assert share_of_several([first, *others])[0] == 0
    fewer = _with(english, [" ".join(keywords)] * 4, ["fa"] * 4, away[:4])
    assert not spreads(fewer, model, 30)[0].missing


def test_comments_within_the_core_show_that_the_theme_exists(english):
    model = discover(english, KMEANS)
    centre = model.places.centroids[0] + model.shift.means[0]
    night = _with(english, ["?"] * 6, ["ar"] * 6, np.repeat(centre[None], 6, axis=0).astype(np.float32))
    assert spreads(night, model, 30)[0].near == {"ar"}


def test_topics_of_several_languages_count_as_such():
    sample = make_sample(300)
    found = spreads(sample, discover(sample, KMEANS), 30)
    assert share_of_several(found) == (1.0, 5)
    assert all(spread.present == {"ar", "en", "fa"} for spread in found)
    assert spreads(sample, discover(sample, KMEANS), 1000) == []


def test_only_topics_whose_theme_exists_in_several_languages_are_counted():
    both = Spread(frozenset({"ar", "en"}), NONE, NONE)
    missed = Spread(frozenset({"en"}), frozenset({"fa"}), NONE)
    alone = Spread(frozenset({"en"}), NONE, NONE)
    assert share_of_several([both, both, both, missed, alone]) == (0.75, 4)
    assert share_of_several([]) == (0.0, 0)
