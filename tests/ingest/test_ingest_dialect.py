"""Delimiters, quotes and malformed rows of delimited text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_files import comments, rejected, texts

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.dialect import SINGLE_COLUMN, Dialect, choose_dialect, read_records
from feedback_nlp.ingest.rejects import ROW_TOO_LONG


@pytest.mark.parametrize("cut", [",", ";", "\t", "|"])
def test_delimiter_is_found(dump, spooled, cut) -> None:
    rows = [["id", "comment", "branch"], ["1", "good, but; slow | really", "B1"], ["2", 'said "hi"\nand left', "B2"]]
    text = "".join(cut.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows)
    made = spooled(dump("a.csv", text))
    assert made.files[0].delimiter == cut
    assert made.files[0].format == ("tsv" if cut == "\t" else "csv")
    assert texts(made) == [rows[1][1], rows[2][1]]


def test_commas_in_unquoted_text_do_not_hide_the_semicolon(dump, spooled) -> None:
    made = spooled(dump("a.csv", "id;comment\n1;good, fast, cheap\n2;slow, rude\n3;ok\n"))
    assert made.files[0].delimiter == ";"
    assert texts(made) == ["good, fast, cheap", "slow, rude", "ok"]


def test_a_single_column_keeps_its_commas(dump, spooled) -> None:
    made = spooled(dump("a.txt", 'comment\ngood, fast, cheap\n"slow, rude"\n\nok; fine\n'))
    assert made.files[0].delimiter is None
    assert sorted(texts(made)) == ["good, fast, cheap", "ok; fine", "slow, rude"]


def test_one_comment_a_line_with_quotes_that_mean_nothing(dump, spooled) -> None:
    lines = ['"great" they say', 'so "slow"', '"bad" food', "ok"]
    assert sorted(texts(spooled(dump("a.txt", "comment\n" + "\n".join(lines))))) == sorted(lines)


def test_excels_hint_line_is_no_header(dump, spooled) -> None:
    assert texts(spooled(dump("a.csv", "sep=;\r\nid;comment\r\n1;hello\r\n"))) == ["hello"]


def test_quotes_after_a_backslash(dump, spooled) -> None:
    rows = "".join(f'{n},"he said \\"hi, {n}\\" to me",B1\n' for n in range(5))
    assert texts(spooled(dump("a.csv", "id,comment,branch\n" + rows)))[3] == 'he said "hi, 3" to me'


def test_a_tsv_whose_quotes_mean_nothing(dump, spooled) -> None:
    rows = "".join(f'{n}\t"great" food {n}\tB1\n' for n in range(5))
    assert texts(spooled(dump("a.tsv", "id\tcomment\tbranch\n" + rows)))[0] == '"great" food 0'


def test_delimiter_and_quotes_may_be_set(dump, spooled) -> None:
    path = dump("a.csv", 'id^comment\n1^"a" b^\n2^c\n')
    assert texts(spooled(path, delimiter="^", quotes="none")) == ['"a" b', "c"]


def test_an_unclosed_quote_costs_one_line(dump, spooled) -> None:
    rows = [f"{n},comment number {n},B{n}" for n in range(1, 3001)]
    rows[9] = '10,"never closed,B10'
    made = spooled(dump("a.csv", "id,comment,branch\n" + "\n".join(rows) + "\n"))
    assert (made.rows_in, made.rows) == (3000, 2999)
    (reject,) = rejected(made)
    assert (reject["row"], reject["reason"], reject["detail"]) == (10, "malformed_row", "a quote that is never closed")


def test_an_unclosed_quote_far_from_the_end_is_found_by_its_length(dump, spooled) -> None:
    rows = [f"{n},{'word ' * 20},B{n}" for n in range(1, 2001)]
    rows[9] = '10,"never closed,B10'
    made = spooled(dump("a.csv", "id,comment,branch\n" + "\n".join(rows) + "\n"), max_text_length=1000)
    assert (made.rows_in, made.rows) == (2000, 1999)


def test_a_stray_quote_does_not_merge_rows(dump, spooled) -> None:
    text = 'id,comment,branch\n1,fine,B1\n2,"broken,B2\n3,"whole",B3\n4,last,B4\n'
    made = spooled(dump("a.csv", text))
    assert texts(made) == ["fine", "whole", "last"]
    assert [reject["row"] for reject in rejected(made)] == [2]


def test_wrong_number_of_cells_is_a_reject_and_trailing_blanks_are_not(dump, spooled) -> None:
    text = "id,comment,branch\n1,good,B1\n2,too,many,cells\n3,few\n4,blank tail,B4,,\n5,,\n"
    made = spooled(dump("a.csv", text))
    assert texts(made) == ["good", "blank tail"]
    found = [(reject["row"], reject["reason"], reject["detail"]) for reject in rejected(made)]
    assert found == [
        (2, "malformed_row", "4 cells where the header has 3"),
        (3, "malformed_row", "2 cells where the header has 3"),
        (5, "missing_text", ""),
    ]


def test_a_line_beyond_all_measure_is_a_reject(dump, spooled) -> None:
    made = spooled(dump("a.csv", f"id,comment\n1,{'x' * 200_000}\n2,{'y' * 5000}\n3,ok\n"), max_text_length=1000)
    assert texts(made) == ["ok"]
    assert made.reject_reasons == {"row_too_long": 1, "text_too_long": 1}


def test_nul_bytes_are_kept(dump, spooled) -> None:
    assert texts(spooled(dump("a.csv", "id,comment\n1,a\x00b\n"))) == ["a\x00b"]


def test_header_only_gives_no_rows(dump, spooled) -> None:
    made = spooled(dump("a.csv", "id,comment\n"))
    assert (made.rows_in, made.rows, comments(made)) == (0, 0, [])


@pytest.mark.parametrize("content", ["\n\n \n", '"never closed'])
def test_without_a_header_row_is_bad_data(dump, spooled, content) -> None:
    with pytest.raises(BadDataError, match=r"a\.csv"):
        spooled(dump("a.csv", content))


_CELL = st.text(alphabet=st.sampled_from('ab ,;"\n\r\\نی'), max_size=12)


@given(st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=1, max_size=8))
def test_well_quoted_cells_come_back_as_written(rows: list[list[str]]) -> None:
    text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    lines = text.splitlines(keepends=True)
    assert [record.cells for record in read_records(lines, Dialect(","), 10_000)] == rows


@given(st.lists(st.text(alphabet=st.sampled_from('ab,"\n'), max_size=20), max_size=10))
def test_reading_always_ends_and_loses_no_line_silently(lines: list[str]) -> None:
    given_lines = [line.replace("\n", "") + "\n" for line in lines]
    found = list(read_records(given_lines, Dialect(","), 50))
    assert len(found) <= len(given_lines)
    assert all((record.cells is None) == bool(record.fault) for record in found)


def test_choice_without_evidence() -> None:
    assert choose_dialect([], None, None, 100) == Dialect(SINGLE_COLUMN)
    assert choose_dialect(["a,b\n"], None, None, 100) == Dialect(",")


def test_a_line_over_the_limit_has_its_own_reason() -> None:
    from feedback_nlp.ingest.lines import split_lines

    found = list(read_records(split_lines(["a,b\n" + "x" * 100 + "\nc,d\n"], 50), Dialect(","), 50))
    assert [record.cells for record in found] == [["a", "b"], None, ["c", "d"]]
    assert found[1].reason == ROW_TOO_LONG


def test_rows_after_an_escaped_quote_are_checked_too(dump, spooled) -> None:
    rows = "".join(f'{n},"a \\"b\\" \\\\ {n}",B1\n' for n in range(5)) + '5,"broken" x,B1\n6,"C:\\\\dir",B1\n'
    made = spooled(dump("a.csv", "id,comment,branch\n" + rows))
    assert texts(made) == [*(f'a "b" \\ {n}' for n in range(5)), "C:\\dir"]
    assert [reject["row"] for reject in rejected(made)] == [6]


def test_a_few_stray_quotes_do_not_make_all_quotes_part_of_the_text(dump, spooled) -> None:
    rows = "".join(f'{n},"quoted {n}",B1\n' for n in range(40)) + "".join(f'{n},"stray {n},B1\n' for n in range(40, 52))
    made = spooled(dump("a.csv", "id,comment,branch\n" + rows))
    assert made.rows == 40
    assert texts(made)[0] == "quoted 0"
