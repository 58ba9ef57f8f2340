import csv
import io
from datetime import UTC, datetime

import fastexcel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core import spreadsheet
from feedback_nlp.core.spreadsheet import Sheet, csv_lines, write_workbook

AT = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
ROWS = [
    ("=HYPERLINK(1)", 1, 0.5, True, AT),
    ("https://x.example", None, float("nan"), False, None),
    ("سلام دنیا", -3, 2.0, True, AT),
    ("bell\x07\x00", 0, 0.0, False, AT),
]
NAMES = ("text", "count", "share", "flag", "at")


def read_csv(rows, columns=NAMES):
    text = "".join(csv_lines(columns, rows))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def book(rows=ROWS, **more):
    stream = io.BytesIO()
    write_workbook(stream, [Sheet("Comments", NAMES, rows, **more)])
    return stream.getvalue()


def test_csv_holds_what_was_given():
    head, *rows = read_csv(ROWS)
    assert head == list(NAMES)
    assert rows[2] == ["سلام دنیا", "-3", "2.0", "True", "2026-11-28T02:30:00+00:00"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_text_of_a_csv_is_a_formula(text):
    assert read_csv([(text,)], ("a",))[1] == ["'" + text]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=20))
def test_any_text_survives_a_csv(rows):
    _, *got = read_csv(rows, ("a", "b"))
    for given_row, got_row in zip(rows, got, strict=True):
        for text, cell in zip(given_row, got_row, strict=True):
            plain = text.replace("\0", "").encode("utf-8", "replace").decode()
            assert cell in (plain, f"'{plain}")


def test_a_workbook_holds_texts_numbers_and_times():
    frame = fastexcel.read_excel(book()).load_sheet("Comments").to_pandas()
    assert frame["text"].tolist() == ["=HYPERLINK(1)", "https://x.example", "سلام دنیا", "bell"]
    assert frame["count"].dropna().tolist() == [1, -3, 0]
    assert str(frame["at"][0]) == "2026-11-28 02:30:00"


def test_no_cell_is_a_formula_or_link_and_the_bytes_repeat():
    import zipfile

    with zipfile.ZipFile(io.BytesIO(book(rtl=True))) as content:
        page = content.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in page
    assert "hyperlink" not in page.lower()
    assert 'rightToLeft="1"' in page
    assert book() == book()


def test_what_excel_cannot_hold_is_cut_or_goes_to_another_sheet(monkeypatch):
    monkeypatch.setattr(spreadsheet, "_MOST_ROWS", 2)
    rows = [("x" * 40_000, 1, 1.0, True, AT)] * 5
    content = fastexcel.read_excel(book(rows))
    assert content.sheet_names == ["Comments", "Comments 2", "Comments 3"]
    assert content.load_sheet("Comments").to_pandas()["text"].str.len().tolist() == [32_767, 32_767]


def test_an_empty_table_has_its_headings():
    assert read_csv([]) == [list(NAMES)]
    assert fastexcel.read_excel(book([])).load_sheet("Comments").to_pandas().columns.tolist() == list(NAMES)
