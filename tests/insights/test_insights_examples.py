import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from made_comments import comment, table

from feedback_nlp.insights import worth_reading

GOOD = "A comment of a length that reads well in a report."


def candidates(count: int, **values: object) -> pd.DataFrame:
    return pd.DataFrame({"group": "g", "row": range(count), "score": 0.9} | values)


def test_languages_take_turns() -> None:
    langs = ["en"] * 4 + ["ar", "fa"]
    rows = table(*[comment(at, text=f"{GOOD} {at}", lang=lang) for at, lang in enumerate(langs)])
    chosen = worth_reading(rows, candidates(6), count=3)
    assert sorted(chosen["lang"]) == ["ar", "en", "fa"]
    assert list(chosen["rank"]) == [0, 1, 2]


def test_confident_and_readable_first() -> None:
    texts = ["ok", GOOD, GOOD + " " + "And on and on. " * 40, GOOD + " too"]
    rows = table(*[comment(at, text=text) for at, text in enumerate(texts)])
    chosen = worth_reading(rows, candidates(4, score=[0.99, 0.6, 0.99, 0.9]), count=4)
    assert list(chosen["comment_id"]) == ["c003", "c001", "c000", "c002"]


def test_the_same_words_are_shown_once() -> None:
    rows = table(*[comment(at, text=text) for at, text in enumerate([GOOD, GOOD.upper(), f" {GOOD}"])])
    assert len(worth_reading(rows, candidates(3))) == 1


def test_groups_are_chosen_apart() -> None:
    rows = table(*[comment(at, text=f"{GOOD} {at}") for at in range(4)])
    chosen = worth_reading(rows, candidates(4, group=["b", "a", "b", "a"]), count=1)
    assert list(chosen["group"]) == ["a", "b"]


@settings(max_examples=25)
@given(st.permutations(range(8)))
def test_the_order_of_candidates_changes_nothing(order: list[int]) -> None:
    rows = table(*[comment(at, text=f"{GOOD} {at}", lang=("ar", "fa", "en")[at % 3]) for at in range(8)])
    given_order = candidates(8).iloc[order]
    pd.testing.assert_frame_equal(worth_reading(rows, given_order), worth_reading(rows, candidates(8)))


def test_no_candidates() -> None:
    assert worth_reading(table(comment(0)), candidates(0)).empty
