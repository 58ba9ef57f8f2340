"""OffsetMap: both ways, through several passes, and never falling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.offsets import OffsetMap

# (clean length, text length, one to one): kept, replaced, dropped, inserted.
KEPT = st.integers(1, 5).map(lambda size: (size, size, True))
REPLACED = st.tuples(st.integers(0, 3), st.integers(0, 4), st.just(False))
PIECES = st.lists(st.one_of(KEPT, REPLACED), max_size=8)


def test_identity_maps_each_place_to_itself() -> None:
    same = OffsetMap.identity(4)
    assert len(same) == 4
    assert same.to_text(1, 3) == (1, 3)
    assert same.to_clean(1, 3) == (1, 3)


def test_a_replacement_comes_from_the_whole_stretch() -> None:
    # "aXXXb" -> "ayzb"
    offsets = OffsetMap.from_pieces([(1, 1, True), (2, 3, False), (1, 1, True)])
    assert offsets.starts.tolist() == [0, 1, 1, 4]
    assert offsets.ends.tolist() == [1, 4, 4, 5]
    assert offsets.to_text(1, 2) == (1, 4)
    assert offsets.to_clean(2, 3) == (1, 3)
    assert offsets.to_clean(0, 5) == (0, 4)


def test_what_was_dropped_maps_to_an_empty_span() -> None:
    offsets = OffsetMap.from_pieces([(2, 2, True), (0, 3, False), (1, 1, True)])
    assert offsets.to_clean(2, 5) == (2, 2)
    assert offsets.to_text(2, 2) == (5, 5)
    assert offsets.to_text(3, 3) == (6, 6)


def test_what_was_inserted_comes_from_an_empty_span() -> None:
    offsets = OffsetMap.from_pieces([(2, 2, True), (1, 0, False), (2, 2, True)])
    assert offsets.to_text(2, 3) == (2, 2)
    assert offsets.to_text(1, 4) == (1, 3)


def test_an_insertion_inside_a_replaced_stretch_shares_it() -> None:
    earlier = OffsetMap.from_pieces([(2, 4, False)])
    later = OffsetMap.from_pieces([(1, 1, True), (1, 0, False), (1, 1, True)])
    both = earlier.then(later)
    assert both.starts.tolist() == [0, 0, 0]
    assert both.ends.tolist() == [4, 4, 4]


def test_nothing_left_and_then_something_inserted() -> None:
    emptied = OffsetMap.from_pieces([(0, 5, False)])
    inserted = emptied.then(OffsetMap.from_pieces([(2, 0, False)]))
    assert inserted.to_text(0, 2) == (0, 5)
    assert len(emptied.then(OffsetMap.identity(0))) == 0


@given(PIECES)
def test_positions_never_fall_and_stay_inside(pieces: list[tuple[int, int, bool]]) -> None:
    offsets = OffsetMap.from_pieces(pieces)
    assert offsets.text_length == sum(text for _, text, _ in pieces)
    assert len(offsets) == sum(clean for clean, _, _ in pieces)
    _check(offsets)
    for start in range(offsets.text_length):
        first, last = offsets.to_clean(start, start + 1)
        came = [at for at in range(len(offsets)) if offsets.starts[at] <= start < offsets.ends[at]]
        assert came == [] or (first <= came[0] and came[-1] < last)


@given(PIECES, st.data())
def test_passes_compose(pieces: list[tuple[int, int, bool]], data: st.DataObject) -> None:
    first = OffsetMap.from_pieces(pieces)
    left = len(first)
    later: list[tuple[int, int, bool]] = []
    while left:
        size = data.draw(st.integers(1, left))
        clean = data.draw(st.sampled_from([size, 0, 1, size + 1]))
        later += [(clean, size, clean == size), (data.draw(st.integers(0, 1)), 0, False)]
        left -= size
    second = OffsetMap.from_pieces(later)
    both = first.then(second)
    _check(both)
    assert len(both) == len(second)
    for at in range(len(both)):
        if second.ends[at] > second.starts[at]:
            assert both.to_text(at, at + 1) == first.to_text(*second.to_text(at, at + 1))


@pytest.mark.parametrize("size", [0, 1, 7])
def test_composing_with_the_identity_changes_nothing(size: int) -> None:
    offsets = OffsetMap.from_pieces([(size, size, True), (1, 2, False), (size, size, True)])
    for same in (OffsetMap.identity(size * 2 + 2).then(offsets), offsets.then(OffsetMap.identity(len(offsets)))):
        assert same.starts.tolist() == offsets.starts.tolist()
        assert same.ends.tolist() == offsets.ends.tolist()


def _check(offsets: OffsetMap) -> None:
    assert np.all(offsets.starts <= offsets.ends)
    assert np.all(np.diff(offsets.starts) >= 0)
    assert np.all(np.diff(offsets.ends) >= 0)
    if len(offsets):
        assert offsets.starts[0] >= 0
        assert offsets.ends[-1] <= offsets.text_length
