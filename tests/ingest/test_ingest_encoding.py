"""Encodings are found, the whole file counts, and damaged bytes cost only their rows."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_files import rejected, texts

from feedback_nlp.ingest.encoding import UNDECODABLE, detect_encoding
from feedback_nlp.ingest.lines import Oversize, decoded_blocks, split_lines

PERSIAN = "id,نظر\n1,پيک خيلي دير رسيد و گوشت هم يخ زده بود\n2,چرا کسي جواب نميدهد\n"
ARABIC = "id,التعليق\n1,التوصيل متأخر جدا والموظف غير متعاون\n2,شكرا لكم على الخدمة الرائعة\n"
FRENCH = "id,comment\n1,Le café était très bon – déjà vu, “parfait”\n2,à bientôt l’été\n"
ENGLISH = "id,comment\n1,It’s great – costs £5\n2,“nice” staff, don’t change\n"


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        (PERSIAN, "utf-8", "utf-8"),
        (PERSIAN, "utf-8-sig", "utf-8-sig"),
        (ARABIC, "utf-16", "utf-16"),
        (ARABIC, "utf-16-le", "utf-16-le"),
        (PERSIAN, "utf-16-be", "utf-16-be"),
        (ENGLISH, "utf-16-le", "utf-16-le"),
        (ARABIC, "utf-32", "utf-32"),
        (PERSIAN, "cp1256", "cp1256"),
        (ARABIC, "cp1256", "cp1256"),
        (ARABIC, "iso8859_6", "iso8859_6"),
        (FRENCH, "cp1252", "cp1252"),
        (ENGLISH, "cp1252", "cp1252"),
        ("id,comment\n1,plain\n", "ascii", "utf-8"),
    ],
)
def test_encoding_is_detected(text: str, written: str, found: str) -> None:
    assert detect_encoding(io.BytesIO(text.encode(written))) == found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"])
def test_persian_and_arabic_files_read_the_same_in_every_encoding(dump, spooled, encoding) -> None:
    for text in (PERSIAN, ARABIC):
        made = spooled(dump("a.csv", text, encoding))
        assert texts(made) == [line.split(",")[1] for line in text.splitlines()[1:]]


def test_a_legacy_byte_far_beyond_any_sample_still_decides() -> None:
    head = b"id,comment\n" + b"1,plain words only\n" * 200_000
    tail = ARABIC.encode("cp1256")
    assert detect_encoding(io.BytesIO(head + tail)) == "cp1256"


def test_a_utf8_file_with_a_few_broken_bytes_stays_utf8_and_loses_those_rows(dump, spooled) -> None:
    good = "id,نظر\n" + "".join(f"{n},خیلی خوب بود\n" for n in range(50))
    made = spooled(dump("a.csv", good.encode() + "50,خوب".encode()[:-1] + b"\n51,ok\n"))
    assert made.files[0].encoding == "utf-8"
    assert made.reject_reasons == {"undecodable": 1}
    assert rejected(made)[0] | {"text": "", "detail": ""} == {
        "file": "a.csv",
        "row": 51,
        "reason": "undecodable",
        "detail": "",
        "comment_id": "50",
        "text": "",
    }
    assert "ok" in texts(made)


def test_a_cut_utf16_file_keeps_its_whole_rows(dump, spooled) -> None:
    made = spooled(dump("a.tsv", "id\tتعليق\n1\tممتاز جدا\n2\tسيئ".encode("utf-16")[:-1]))
    assert (made.rows, made.reject_reasons) == (1, {"undecodable": 1})


def test_encoding_may_be_set(dump, spooled) -> None:
    made = spooled(dump("a.csv", "id,comment\n1,caf\xe9\n".encode("cp1252")), encoding="cp1252")
    assert texts(made) == ["café"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(dump, spooled) -> None:
    made = spooled(dump("a.csv", "﻿text,id\nhello,1\n"), encoding="utf-8")
    assert made.files[0].columns["text"] == "text"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=300), st.integers(1, 7))
def test_lines_join_to_the_text_again(text: str, cut: int) -> None:
    blocks = [text[at : at + cut] for at in range(0, len(text), cut)]
    lines = list(split_lines(blocks, 1000))
    assert "".join(lines) == text
    assert all(line.endswith("\n") for line in lines[:-1])


def test_other_line_separators_do_not_cut() -> None:
    text = "a\u2028b\x0bc\x85d\x1ee\r\nf"
    assert list(split_lines([text], 100)) == ["a\u2028b\x0bc\x85d\x1ee\r\n", "f"]


def test_carriage_returns_cut_where_there_is_nothing_else() -> None:
    assert list(split_lines(["a\rb\r", "c"], 100)) == ["a\r", "b\r", "c"]


def test_a_long_line_is_passed_over_in_bounded_memory() -> None:
    blocks = ["ok\nlong"] + ["x" * 1000] * 5000 + ["end\nnext\n"]
    lines = list(split_lines(iter(blocks), 2000))
    assert [type(line) for line in lines] == [str, Oversize, str]
    assert (lines[0], lines[2]) == ("ok\n", "next\n")
    assert len(lines[1]) == 500


def test_undecodable_bytes_become_a_lone_surrogate_in_every_codec() -> None:
    for raw, encoding in ((b"a\xffb", "utf-8"), (b"a\x81b", "cp1252"), (b"a\x00\x00\xd8b\x00", "utf-16-le")):
        assert "".join(decoded_blocks(io.BytesIO(raw), encoding)) == f"a{UNDECODABLE}b"
