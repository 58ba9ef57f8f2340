"""What a model's labels mean."""

import pytest

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.sentiment.backends.labels import meanings

NEG, NEU, POS = "negative", "neutral", "positive"


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["LABEL_0", "LABEL_1"], [NEG, POS]),
        (["LABEL_0", "LABEL_1", "LABEL_2"], [NEG, NEU, POS]),
        (["label_2", "label_0", "label_1"], [POS, NEG, NEU]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [NEG, NEG, NEU, POS, POS]),
        (["5", "4", "3", "2", "1"], [POS, POS, NEU, NEG, NEG]),
        (["-1", "0", "1"], [NEG, NEU, POS]),
        (["NEG", "NEU", "POS"], [NEG, NEU, POS]),
        (["Positive", "Negative", "Neutral"], [POS, NEG, NEU]),
        (["very_negative", "negative", "neutral", "positive", "very-positive"], [NEG, NEG, NEU, POS, POS]),
        (["recommended", "not_recommended", "no_idea"], [POS, NEG, NEU]),
        (["HAPPY", "SAD"], [POS, NEG]),
        (["delighted", "happy", "neutral", "angry", "furious"], [POS, POS, NEU, NEG, NEG]),
        (["positive", "mixed", "negative", "objective"], [POS, "mixed", NEG, NEU]),
        (["منفی", "خنثی", "مثبت"], [NEG, NEU, POS]),
    ],
)
def test_names_are_understood(names: list[str], wanted: list[str]) -> None:
    assert meanings(names, {}, setting="s") == wanted


@pytest.mark.parametrize(
    "names",
    [
        ["sports", "politics"],
        ["topic_0", "topic_1"],
        ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"],
        ["LABEL_0", "LABEL_2", "LABEL_4"],
        ["7", "8", "9"],
        ["positive", "LABEL_1"],
    ],
)
def test_names_that_say_nothing_are_refused_with_what_to_set(names: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"sentiment\.backend\.labels, for example"):
        meanings(names, {}, setting="sentiment.backend")


def test_given_meanings_win_over_names_and_letter_case_does_not_matter() -> None:
    assert meanings(["LABEL_0", "LABEL_1"], {"label_0": POS, "LABEL_1": NEG}, setting="s") == [POS, NEG]


def test_given_meanings_must_cover_the_labels_and_no_more() -> None:
    with pytest.raises(ConfigError, match="says nothing of B; the model's labels are A, B"):
        meanings(["A", "B"], {"A": POS}, setting="s")
    with pytest.raises(ConfigError, match="names C"):
        meanings(["A", "B"], {"A": POS, "B": NEG, "C": NEU}, setting="s")


def test_both_sides_must_be_there() -> None:
    with pytest.raises(ConfigError, match=r"none of the model's labels .* means negative"):
        meanings(["positive", "neutral"], {}, setting="s")
