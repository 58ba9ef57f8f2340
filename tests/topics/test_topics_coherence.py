import pytest

from feedback_nlp.train.coherence import coherence, diversity

TEXTS = ["cold food today", "cold food again", "late parcel", "late parcel again"]


def test_words_that_occur_together_cohere():
    assert coherence(TEXTS, [["cold", "food"]], "en") == pytest.approx(1.0)
    assert coherence(TEXTS, [["cold", "parcel"]], "en") == -1.0
    assert coherence(TEXTS, [["cold", "again"]], "en") == pytest.approx(0.0)
    assert coherence(TEXTS, [["cold", "food"], ["cold", "parcel"], ["late"]], "en") == pytest.approx(0.0)


def test_nothing_to_judge():
    assert coherence(TEXTS, [[], ["cold"]], "en") == 0.0
    assert coherence(["cold food"], [["cold", "food"]], "en") == 1.0
    assert diversity([]) == 0.0


def test_shared_words_lower_diversity():
    assert diversity([["a", "b"], ["a", "c"]]) == 0.75
