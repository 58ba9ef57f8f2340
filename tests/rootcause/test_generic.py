"""Comments that praise or blame without saying of what."""

import pytest
from rootcause_batches import clauses_of

from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.rootcause.generic import says_nothing

EMPTY = ["great", "GREAT!!!", "Very good, thanks", "worst ever", "ممتاز", "رائع جداً", "عالی بود", "خیلی خوب، ممنون"]
TELLING = [
    "great staff",
    "خدمة ممتازة",
    "سعر ممتاز",
    "برخورد عالی",
    "not good food",
    "thanks Ali",
    "👍",
    "",
    "very " * 30,
]


@pytest.mark.parametrize("text", EMPTY)
def test_they_have_no_driver(text: str) -> None:
    assert says_nothing(text)
    assert not LinearTagger.open("rootcause").tag(Comments([text], None, clauses_of([text]))).found


@pytest.mark.parametrize("text", TELLING)
def test_others_say_something_or_have_no_word(text: str) -> None:
    assert not says_nothing(text)
