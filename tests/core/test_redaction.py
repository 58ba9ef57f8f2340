"""Covering personal data: kinds or blocks, spans of any order, tables whose offsets still hold."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.columns import CLEAN, REDACTIONS, TEXT
from feedback_nlp.core.redaction import BLOCK, Cover, covers_of, redact, redact_table


def test_kinds_or_blocks() -> None:
    text = "call 0912 or a@b.c"
    spans = [{"start": 13, "end": 18, "kind": "email"}, {"start": 5, "end": 9, "kind": "phone"}]
    assert redact(text, spans) == "call ‹phone› or ‹email›"
    assert redact(text, spans, keep_length=True) == f"call {BLOCK * 4} or {BLOCK * 5}"
    assert redact(text, []) == text


def test_covers_are_ordered_joined_and_never_empty() -> None:
    spans = [(8, 12, "card"), (4, 4, "phone"), (0, 3, "email"), (10, 15, "phone"), (15, 16, "iban")]
    assert covers_of(spans) == [Cover(0, 3, "email"), Cover(8, 15, "card"), Cover(15, 16, "iban")]


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5))
def test_nothing_of_a_span_is_left_and_all_else_stays(text: str, pairs: list[tuple[int, int]]) -> None:
    spans = [(a, b, "x") for a, b in pairs if a <= b <= len(text)]
    inside = {at for a, b, _ in spans for at in range(a, b)}
    blocked = redact(text, spans, keep_length=True)
    assert blocked == "".join(BLOCK if at in inside else char for at, char in enumerate(text))
    assert redact(text, spans).replace("‹x›", "").count(BLOCK) <= text.count(BLOCK)


def test_a_table_keeps_its_offsets() -> None:
    table = pa.table(
        {
            "text": pa.array(["call 0912 now", "fine"], TEXT.dtype),
            "clean": pa.array(["call 0912 now", "fine"], CLEAN.dtype),
            "redactions": pa.array([[{"start": 5, "end": 9, "kind": "phone"}], []], REDACTIONS.dtype),
        }
    )
    done = redact_table(table)
    assert done["text"].to_pylist() == [f"call {BLOCK * 4} now", "fine"]
    assert done["clean"].to_pylist() == [None, "fine"]
    assert done.schema == table.schema
    assert redact_table(table.drop_columns(["clean"]))["text"].to_pylist() == done["text"].to_pylist()
