"""Parts of the review page by themselves: the search index, counts, throttling, marking, forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review.drawing import sparkline
from feedback_nlp.review.forms import read_wish
from feedback_nlp.review.hub import Cache
from feedback_nlp.review.marking import segments_of, show_comment
from feedback_nlp.review.passwords import digest, fits, hash_password, same, sealed
from feedback_nlp.review.search import SearchIndex
from feedback_nlp.review.throttle import WINDOW, Throttle

TEXTS = ("كتاب جديد", "کتاب‌های تازه", "late delivery", "7elw awi", "", "والكتاب")
CLEANS = ("كتاب جديد", "کتاب‌های تازه", "late delivery", "حلو قوي", None, "والكتاب")


def _found(query: str, readings: dict[str, tuple[str, ...]] | None = None) -> list[int] | None:
    rows = SearchIndex.of(TEXTS, CLEANS).find(query, (readings or {}).get if readings else lambda word: ())
    return None if rows is None else rows.tolist()


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("كتاب", [0, 1, 5]),
        ("کِتـاب", [0, 1, 5]),
        ("DELIV", [2]),
        ("late missing", []),
        ("حلو", [3]),
        ("7elw", [3]),
        ("", None),
        ("!?", None),
        ("\ue000", None),
    ],
)
def test_search(query: str, rows: list[int] | None) -> None:
    assert _found(query) == rows


def test_search_takes_native_readings_of_latin_words() -> None:
    readings = {"ketab": ("کتاب",)}
    index = SearchIndex.of(TEXTS, CLEANS)
    assert index.find("ketab", lambda word: readings.get(word, ())).tolist() == [0, 1, 5]  # type: ignore[union-attr]


@given(st.lists(st.text(max_size=30), max_size=20))
def test_every_comment_is_found_by_its_own_first_word(texts: list[str]) -> None:
    index = SearchIndex.of(texts, texts)
    for row, text in enumerate(texts):
        words = text.split()
        rows = index.find(words[0]) if words else None
        assert rows is None or row in rows.tolist()


@given(st.text(max_size=40), st.data())
def test_what_is_shown_never_holds_what_is_covered(text: str, data: st.DataObject) -> None:
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted), max_size=4))
    marks = [{"start": a, "end": b} for a, b in spans[:2] if a < b]
    covers = [{"start": a, "end": b, "kind": "phone"} for a, b in spans[2:] if a < b]
    hidden = {at for cover in covers for at in range(cover["start"], cover["end"])}
    for piece in segments_of(text, marks, covers):
        if not piece.covered and piece.start >= 0:
            own = range(piece.start, piece.start + len(piece.text))
            assert not hidden & set(own)
            assert text[own.start : own.stop] == piece.text


def test_a_very_long_comment_is_cut_before_personal_data() -> None:
    row = {"text": "a" * 30_000, "lang": "en", "lang_script": "native", "drivers": [], "redactions": []}
    row["redactions"] = [{"start": 19_990, "end": 20_010, "kind": "email"}]
    shown = show_comment(row)
    assert shown.cut
    assert sum(len(each.text) for each in shown.segments) == 19_990


def test_the_throttle_pauses_and_forgives() -> None:
    now = [0.0]
    throttle = Throttle(2, clock=lambda: now[0])
    throttle.failed("a")
    assert throttle.paused("a") == 0
    throttle.failed("a")
    assert 0 < throttle.paused("a") <= WINDOW + 1
    assert throttle.paused("b") == 0
    now[0] = WINDOW
    assert throttle.paused("a") == 0
    for _ in range(2):
        throttle.failed("a")
    throttle.succeeded("a")
    assert throttle.paused("a") == 0


def test_the_throttle_does_not_grow_for_ever() -> None:
    throttle = Throttle(2, clock=lambda: 0.0)
    for at in range(10_050):
        throttle.failed(str(at))
    assert len(throttle._failures) <= 10_000


def test_passwords_and_seals() -> None:
    hashed = hash_password("long enough indeed")
    assert hashed.startswith("$argon2id$")
    assert fits("long enough indeed", hashed)
    assert not fits("something else", hashed)
    assert not fits("anything", None)
    assert not fits("anything", "no hash")
    for wrong in ("short", "x" * 1025):
        with pytest.raises(ConfigError, match="10 to 1024"):
            hash_password(wrong)
    assert sealed(b"key", "a", "v") != sealed(b"key", "b", "v")
    assert same("\udc80", "\udc80")
    assert len(digest("\udc80")) == 64


def test_the_cache_forgets_the_oldest() -> None:
    cache = Cache(2)
    for key in "abac":
        cache.get(key, lambda key=key: key)  # type: ignore[misc]
    assert cache.get("a", lambda: "made again") == "a"
    assert cache.get("b", lambda: "made again") == "made again"


def test_the_sparkline_starts_where_reading_starts() -> None:
    left = str(sparkline([9, 0, 0], title="t", rtl=False))
    right = str(sparkline([9, 0, 0], title="t", rtl=True))
    assert left.index('x="0.00"') < left.index('x="32.00"')
    assert right.index('x="64.00"') < right.index('x="32.00"')
    assert str(sparkline([0, 0], title="t", rtl=False)) == ""


def test_a_form_says_only_what_was_changed() -> None:
    sent = {"topic_id": "4", "expected": "7", "label_en": " new ", "was_en": "old", "label_fa": "", "was_fa": "کهنه"}
    wish = read_wish("rename", {**sent, "label_ar": "same", "was_ar": "same"})
    assert (wish.topic_id, wish.expected, wish.after) == (4, 7, {"en": "new", "fa": None})
    assert read_wish("move", {"topic_id": "1", "comment_ids": "a\n\nb\na"}).comment_ids == ("a", "b")
    assert read_wish("assign", {"topic_id": "1", "to": " ", "state": "open"}).after == {}


def test_shares_of_nothing_are_no_numbers() -> None:
    from feedback_nlp.review.listing import NOTHING

    assert math.isnan(NOTHING.negative_share)
    assert np.isnan(NOTHING.negative_share)
