import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics.sample import DiscoverySample, draw, same_text_key


def _sample(cleans, langs=None, strata=None):
    vectors = np.ones((len(cleans), 4), dtype=np.float32) / 2
    return DiscoverySample(
        [f"i{at}" for at in range(len(cleans))], cleans, langs or ["en"] * len(cleans), vectors, strata
    )


def test_parts_of_different_length_are_refused():
    with pytest.raises(StageContractError, match="2 ids need as many rows"):
        DiscoverySample(["a", "b"], ["x"], ["en", "en"], np.zeros((2, 4), dtype=np.float32))
    with pytest.raises(StageContractError, match="strata"):
        DiscoverySample(["a"], ["x"], ["en"], np.zeros((1, 4), dtype=np.float32), strata=[])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Great service", "great   SERVICE !!! 😡"),
        ("order 123 is late", "order 9 is late."),
        ("كِتَاب", "كتاب"),
        ("می‌خواهم", "می خواهم"),
    ],
)
def test_near_duplicates_share_a_key(left, right):
    assert same_text_key(left, "en") == same_text_key(right, "en")


def test_a_text_of_signs_alone_has_its_own_key():
    assert same_text_key("!!!", "en") != same_text_key("???", "en")


def test_duplicates_are_drawn_once_and_counted():
    drawn = draw(_sample(["good food", "Good food!", "bad room", "good food ..."]), 10)
    assert sorted(drawn.copies.tolist()) == [1, 3]


def test_the_same_words_in_two_languages_are_two_comments():
    assert len(draw(_sample(["کتاب", "کتاب"], ["ar", "fa"]), 10)) == 2


def test_rows_without_text_or_vector_are_left_out():
    sample = _sample(["good", None, "", "bad"])
    sample.vectors[3] = 0
    assert draw(sample, 10).rows.tolist() == [0]


def test_an_empty_sample_gives_an_empty_draw():
    assert len(draw(_sample([]), 10)) == 0


def test_the_draw_keeps_languages_and_strata_in_proportion():
    cleans = [f"text {chr(97 + at % 26)}{chr(97 + at // 26)}" for at in range(400)]
    langs = ["en" if at < 300 else "fa" for at in range(400)]
    strata = ["web" if at % 2 else "app" for at in range(400)]
    drawn = draw(_sample(cleans, langs, strata), 100)
    picked = [(langs[row], strata[row]) for row in drawn.rows.tolist()]
    assert len(drawn) == 100
    assert sum(lang == "en" for lang, _ in picked) in (74, 75, 76)
    assert sum(stratum == "web" for _, stratum in picked) in (49, 50, 51)


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_the_order_of_rows_changes_nothing(random, limit):
    cleans = [f"words {chr(97 + at % 7)} {chr(97 + at % 5)}" + "!" * (at % 2) for at in range(40)]
    langs = [("ar", "fa", "en")[at % 3] for at in range(40)]
    order = list(range(40))
    random.shuffle(order)
    one = _sample(cleans, langs)
    two = DiscoverySample(
        [one.ids[at] for at in order], [cleans[at] for at in order], [langs[at] for at in order], one.vectors[order]
    )
    left, right = draw(one, limit), draw(two, limit)
    assert [one.ids[row] for row in left.rows] == [two.ids[row] for row in right.rows]
    assert left.copies.tolist() == right.copies.tolist()
