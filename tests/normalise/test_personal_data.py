"""Personal data: the hand-written lines, each kind's edges, and spans that never cut a character people see."""

import itertools
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_nlp.normalise import Redaction, find_personal_data, redact
from feedback_nlp.normalise.identifiers import is_iban, is_iranian_id, is_saudi_id, passes_luhn
from feedback_nlp.normalise.personal import KINDS
from feedback_nlp.train.evaluate_normalise import personal_figures

LINES = Path(__file__).parent / "personal_data.jsonl"


def _found(text: str, *, names: bool = False) -> list[tuple[str, str]]:
    return [(text[start:end], kind) for start, end, kind in find_personal_data(text, names=names)]


def test_recall_and_precision_on_the_hand_written_lines() -> None:
    figures = {(figure.lang, figure.metric): figure.value for figure in personal_figures(LINES)}
    assert figures.pop(("all", "comments a CPU second")) > 0
    assert set(figures) == {(lang, metric) for lang in ("ar", "fa", "en", "all") for metric in ("recall", "precision")}
    assert figures["all", "recall"] >= 0.98
    assert figures["all", "precision"] >= 0.95


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("تماس ۰۹۱۲۳۴۵۶۷۸۹، ممنون", [("۰۹۱۲۳۴۵۶۷۸۹", "phone")]),
        ("\u202a+98 912\u200f345 6789\u202c", [("+98 912\u200f345 6789", "phone")]),
        ("09121234567-09121234568", [("09121234567", "phone"), ("09121234568", "phone")]),
        ("(021) 22334455 ok", [("(021) 22334455", "phone")]),
        ("(0567891234)", [("0567891234", "phone")]),
        ("(+966) 50 123 4567", [("(+966) 50 123 4567", "phone")]),
        ("966501234567 989121234567", [("966501234567", "phone"), ("989121234567", "phone")]),
        ("scores 98 97 96 95 94 93", []),
        ("sara (at) gmail [dot] com", [("sara (at) gmail [dot] com", "email")]),
        ("ورقم طلبي 55443322", [("55443322", "account")]),
        ("IR06 0960 0000 0100 3245 0000 01", [("IR06 0960 0000 0100 3245 0000 01", "iban")]),
        ("call 5551234567 or 5551234567 points", [("5551234567", "phone")]),
        ("tag numbers 0016 964012, 0016 964077", []),
        ("a@b.com,c.d@e-f.co.uk", [("a@b.com", "email"), ("c.d@e-f.co.uk", "email")]),
        ("@user at 5 @ home.", []),
        ("https://x.com/a?token=abc1 https://x.com/b?page=2", [("https://x.com/a?token=abc1", "url")]),
        ("GB82 WEST 1234 5698 7654 32 for me", [("GB82 WEST 1234 5698 7654 32", "iban")]),
        ("GB82 WEST 1234 5698 7654 33 for me", []),
        ("4111-1111-1111-1111", [("4111-1111-1111-1111", "card")]),
        ("4111111111111112", []),
        ("order number 12 arrived", []),
        ("order number ABC", []),
        ("رقم الطلب ٤٨٢٩", [("٤٨٢٩", "account")]),
        ("", []),
    ],
)
def test_edges(text: str, found: list[tuple[str, str]]) -> None:
    assert _found(text) == found


def test_names_after_titles_are_an_option() -> None:
    text = "آقای محمدی و Mr. John Smith و السيدة سارة ؛ خانم خیلی"
    assert _found(text) == []
    assert [name for name, kind in _found(text, names=True) if kind == "name"] == ["محمدی", "John Smith", "سارة"]


def test_redact_puts_kinds_in_place() -> None:
    text = "call 09121234567 or a@b.com!"
    assert redact(text, find_personal_data(text)) == "call ‹phone› or ‹email›!"
    assert redact("ok", []) == "ok"


def test_checks() -> None:
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE8937040044053201300")
    assert not is_iban("ZZ89370400440532013000")
    assert is_iranian_id("0012345679")
    assert not is_iranian_id("1111111111")
    assert not is_iranian_id("123")
    assert not is_saudi_id("3000000000")


@pytest.mark.parametrize("mark", ["\u0301", "\u20e3", "\u0651", "\U0001f3fb", "\u200d"])
def test_a_mark_on_the_last_digit_goes_with_it(mark: str) -> None:
    assert _found(f"call 09121234567{mark} now") == [(f"09121234567{mark}", "phone")]


def test_a_sign_before_the_first_digit_goes_with_it() -> None:
    assert _found("؀09121234567") == [("؀09121234567", "phone")]


PARTS = st.sampled_from(
    [
        "09121234567",
        "+966 50 123 4567",
        "a@b.com",
        "4111111111111111",
        "GB82WEST12345698765432",
        "رقم الطلب ",
        "12",
        " ",
        "-",
    ]
)
TEXTS = st.lists(st.one_of(PARTS, st.characters(), st.sampled_from("\u0301\u200d\u20e3👍🏽؀(+)/.،")), max_size=20).map(
    "".join
)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_spans_are_ordered_and_cut_no_cluster(text: str) -> None:
    redactions = find_personal_data(text, names=True)
    assert all(0 <= start < end <= len(text) and kind in KINDS for start, end, kind in redactions)
    assert all(before.end <= after.start for before, after in itertools.pairwise(redactions))
    for start, end, _ in redactions:
        assert unicodedata.category(text[start]) not in ("Mn", "Me", "Mc")
        assert end == len(text) or unicodedata.category(text[end]) not in ("Mn", "Me", "Mc")
    assert redact(text, redactions).count("‹") >= len(redactions)
    assert redact(text, [Redaction(0, len(text), "x")] if text else []) == ("‹x›" if text else "")
