import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.report.figures import Part, bar, dot, heat_step, nice_limit, stack

shares = st.floats(0, 1)


def rects(svg: str) -> list[tuple[str, float, float]]:
    found = ET.fromstring(svg).iter("rect")
    return [(r.get("class", ""), float(r.get("x", "")[:-1]), float(r.get("width", "")[:-1])) for r in found]


def test_a_bar_starts_at_the_reading_side() -> None:
    left = rects(bar(0.25, 0.2, 0.3, tone="policy", title="t", rtl=False, limit=0.5))
    right = rects(bar(0.25, 0.2, 0.3, tone="policy", title="t", rtl=True, limit=0.5))
    assert left[1] == ("policy", 0.0, 50.0)
    assert right[1] == ("policy", 50.0, 50.0)


@given(shares, shares, shares)
def test_mirroring_moves_every_length_to_the_other_side(share: float, low: float, high: float) -> None:
    drawn = [dot(share, low, high, tone="policy", title="t", rtl=rtl, overall=0.5) for rtl in (False, True)]
    places = [[float(x) for x in re.findall(r'(?:cx|x1|x2)="([\d.]+)%"', svg)][2:] for svg in drawn]
    assert [100 - x for x in places[0]] == pytest.approx(places[1], abs=0.011)


@given(st.lists(shares, min_size=1, max_size=5))
def test_a_stack_fills_no_more_than_its_parts(values: list[float]) -> None:
    whole = max(sum(values), 1.0)
    parts = [Part(value / whole, "policy", "t") for value in values]
    for rtl in (False, True):
        for _, x, width in rects(stack(parts, title="t", rtl=rtl)):
            assert -0.02 <= x <= x + width <= 100.02


def test_titles_are_escaped_and_read_aloud() -> None:
    svg = bar(0.1, math.nan, math.nan, tone="neutral", title='<script> & "', rtl=False)
    assert "<script>" not in svg
    assert ET.fromstring(svg).find("title").text == '<script> & "'  # type: ignore[union-attr]
    assert ET.fromstring(svg).get("role") == "img"


def test_values_that_are_missing_draw_only_the_axis() -> None:
    nothing = math.nan
    assert rects(bar(nothing, nothing, nothing, tone="policy", title="", rtl=False))[1][2] == 0
    assert "circle" not in dot(nothing, nothing, nothing, tone="policy", title="", rtl=False)


def test_axes_end_at_round_shares() -> None:
    assert [nice_limit(x) for x in (0, 0.05, 0.051, 0.33, 0.98, 1.0, math.nan)] == [0.05, 0.05, 0.1, 0.4, 1, 1, 1]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_shades_grow_with_the_count(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert 0 <= heat_step(low, high) <= heat_step(high, high) <= 6
    assert (heat_step(low, high) == 0) == (low == 0)
