import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.insights.drift import drift, mix_of, population_stability_index

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10_000), min_size=1).filter(
    lambda d: sum(d.values())
)


def test_a_mix_counts_values_and_nulls():
    table = pa.table({"lang": ["ar", "fa", "ar"], "sentiment": [None, "negative", None], "other": [1, 2, 3]})
    assert mix_of(table) == {"lang": {"ar": 2, "fa": 1}, "sentiment": {"negative": 1, "null": 2}}
    assert mix_of(table.slice(0, 0)) == {"lang": {}, "sentiment": {}}


@given(counts)
def test_the_same_mix_has_no_index(mix):
    assert population_stability_index(mix, mix) == pytest.approx(0, abs=1e-12)


@given(counts, counts)
def test_the_index_is_symmetric_and_finite(before, now):
    index = population_stability_index(before, now)
    assert math.isfinite(index)
    assert index >= -1e-12
    assert index == pytest.approx(population_stability_index(now, before))


def test_the_index_of_a_known_change():
    # 60/40 -> 40/60: (0.2)·ln(1.5)·2, less what half a comment a value takes off
    assert population_stability_index({"a": 6000, "b": 4000}, {"a": 4000, "b": 6000}) == pytest.approx(0.1622, abs=2e-4)


def test_an_empty_mix_has_no_shares():
    with pytest.raises(ValueError, match="without a comment"):
        population_stability_index({}, {"a": 1})


def night(rng, shares, size):
    drawn = rng.choice(list(shares), size=size, p=list(shares.values()))
    return {"lang": {name: int((drawn == name).sum()) for name in shares}}


def test_chance_alone_seldom_exceeds_the_noise():
    rng = np.random.default_rng(17)
    shares = {"ar": 0.4, "fa": 0.4, "en": 0.19, "other": 0.01}
    before = [night(rng, shares, 300) for _ in range(7)]
    above = 0
    for _ in range(300):
        (found,) = drift(night(rng, shares, 100), before)
        above += found.psi >= found.noise
    assert above <= 12


def test_levels_and_the_value_that_changed_most():
    before = [{"lang": {"ar": 500, "en": 500}}] * 7
    (stable,) = drift({"lang": {"ar": 510, "en": 490}}, before)
    assert (stable.level, stable.grown) == ("stable", "")
    (major,) = drift({"lang": {"ar": 900, "en": 100}}, before)
    assert (major.level, major.change) == ("major", pytest.approx(0.4))
    assert major.grown in {"ar", "en"}
    (moderate,) = drift({"lang": {"ar": 680, "en": 320}}, before)
    assert moderate.level == "moderate"
    (unsure,) = drift({"lang": {"ar": 5, "en": 1}}, before)
    assert unsure.level == "unsure"


def test_without_earlier_nights_or_comments_there_is_nothing_to_compare():
    assert drift({"lang": {"ar": 1}}, []) == []
    assert drift({"lang": {}}, [{"lang": {"ar": 1}}]) == []
    assert drift({"lang": {"ar": 1}}, [{"sentiment": {"x": 1}}]) == []
