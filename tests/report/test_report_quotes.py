import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.report.quotes import direction_of, language_tag, pieces_of, quote, shown

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def mark(start: int, end: int, driver: str = "policy") -> dict[str, object]:
    return {"start": start, "end": end, "driver": driver, "cause": "tools", "sign": "-"}


def cover(start: int, end: int, kind: str = "phone") -> dict[str, object]:
    return {"start": start, "end": end, "kind": kind}


def written(pieces: tuple[object, ...]) -> list[tuple[str, str, bool]]:
    return [(piece.text, piece.driver, piece.covered) for piece in pieces]  # type: ignore[attr-defined]


def test_evidence_is_marked_and_personal_data_covered() -> None:
    text = "call 0912 now, app is dead"
    pieces, before, after = pieces_of(text, [mark(15, 26)], [cover(5, 9)])
    assert written(pieces) == [
        ("call ", "", False),
        ("phone", "", True),
        (" now, ", "", False),
        ("app is dead", "policy", False),
    ]
    assert (before, after) == (False, False)


def test_evidence_that_touches_personal_data_takes_it_in_whole() -> None:
    pieces, _, _ = pieces_of("Mr Ahmadi was rude", [mark(6, 18, "employee")], [cover(3, 9, "name")])
    assert written(pieces) == [("Mr ", "", False), ("name", "employee", True), (" was rude", "employee", False)]


def test_overlapping_evidence_goes_to_the_first() -> None:
    pieces, _, _ = pieces_of("abcdef", [mark(0, 4), mark(2, 6, "employee")], [])
    assert written(pieces) == [("ab", "policy", False), ("cd", "policy", False), ("ef", "employee", False)]


def test_a_long_comment_is_cut_around_its_evidence() -> None:
    text = "x" * 500 + "EVIDENCE" + "y" * 500
    pieces, before, after = pieces_of(text, [mark(500, 508)], [], longest=100)
    assert (before, after) == (True, True)
    assert ("EVIDENCE", "policy", False) in written(pieces)
    assert sum(len(piece.text) for piece in pieces) == 100


def test_the_cut_never_shows_part_of_personal_data() -> None:
    text = "a" * 95 + "0123456789" + "b" * 95
    pieces, _, after = pieces_of(text, [], [cover(95, 105)], longest=100)
    assert after
    assert not any(character.isdigit() for piece in pieces for character in piece.text)


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, list[dict[str, object]], list[dict[str, object]]]:
    text = draw(st.text(min_size=1, max_size=60))
    edge = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(edge, edge).map(sorted), max_size=4))
    secrets = sorted(draw(st.lists(edge, max_size=6, unique=True)))
    covers = [cover(a, b) for a, b in zip(secrets[::2], secrets[1::2], strict=False)]
    return text, [mark(a, b) for a, b in spans], covers


@given(marked_texts(), st.integers(5, 80))
def test_pieces_show_all_of_the_text_but_what_is_covered(
    case: tuple[str, list[dict[str, object]], list[dict[str, object]]], longest: int
) -> None:
    text, marks, covers = case
    pieces, before, after = pieces_of(text, marks, covers, longest=longest)
    kept = "".join(piece.text for piece in pieces if not piece.covered)
    hidden = {at for each in covers for at in range(each["start"], each["end"])}  # type: ignore[call-overload]
    expected = shown("".join(character for at, character in enumerate(text) if at not in hidden))
    assert kept == expected if not (before or after) else kept in expected
    assert len(text) <= longest or before or after


@given(st.text())
def test_shown_texts_cannot_reorder_or_break_a_page(text: str) -> None:
    found = shown(text + OVERRIDES + "\x00\x1b\x85")
    assert not set(found) & set(OVERRIDES)
    assert all(character == "\n" or unicodedata.category(character) != "Cc" for character in found)
    assert shown(found) == found


def test_letters_joiners_and_marks_stay() -> None:
    text = "می‌خواهم مُمتازة 👨‍👩‍👧 A\u200e"
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "lang", "script", "expected"),
    [
        ("خیلی خوب", "fa", "native", "rtl"),
        ("الـ battery and the charger ضعيفة", "ar", "mixed", "rtl"),
        ("kheili khoob", "fa", "latin", "ltr"),
        ("very good", "en", "native", "ltr"),
        ("بہت اچھا", "other", "native", "rtl"),
        ("12345", "und", "native", "ltr"),
        ("", "und", "native", "ltr"),
    ],
)
def test_direction(text: str, lang: str, script: str, expected: str) -> None:
    assert direction_of(text, lang, script) == expected


def test_language_tags() -> None:
    assert language_tag("ar", "latin") == "ar-Latn"
    assert language_tag("fa", "mixed") == "fa"
    assert language_tag("en", "latin") == "en"
    assert language_tag("other", "latin") == language_tag("und", "native") == ""


def test_a_quote_marks_only_what_is_asked_for() -> None:
    row = {
        "comment_id": "1",
        "text": "slow app, rude clerk",
        "lang": "en",
        "lang_script": "native",
        "redactions": None,
        "drivers": [mark(0, 8), mark(10, 20, "employee")],
        "sentiment": None,
        "sentiment_abstained": None,
        "source": "a.csv",
    }
    assert [piece.driver for piece in quote(row).pieces] == ["policy", "", "employee"]
    assert [piece.driver for piece in quote(row, only=("employee", "tools", "-")).pieces] == ["", "employee"]
