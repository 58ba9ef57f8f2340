"""Files, globs, folders, and files that are not what they say."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_files import comments, texts, write_workbook

from feedback_nlp.core.errors import BadDataError, FeedbackError, MissingInputError
from feedback_nlp.ingest import IngestSettings, spool
from feedback_nlp.ingest.inputs import find_inputs

CSV = "id,comment\n{0},hello {0}\n"


def test_files_globs_and_folders_each_file_once(dump, tmp_path) -> None:
    a, b = dump("a.csv", CSV.format(1)), dump("b.jsonl.gz", '{"id":2,"comment":"x"}')
    dump("notes.md", "nothing")
    dump(".hidden.csv", CSV)
    dump("~$book.xlsx", b"lock")
    for inputs in (
        [a.parent],
        [a.parent / "*"],
        [str(a.parent / "[ab].*")],
        [a, b, a.parent],
        [str(tmp_path / "**" / "*.*")],
    ):
        assert [file.source for file in find_inputs(inputs)] == ["a.csv", "b.jsonl.gz"]


def test_a_name_with_brackets_is_a_file_first(dump) -> None:
    assert find_inputs([dump("a[1].csv", CSV)])[0].source == "a[1].csv"


def test_equal_names_are_told_apart_by_their_folders(dump, spooled) -> None:
    made = spooled(dump("x/c.csv", CSV.format(1)), dump("y/c.csv", CSV.format(2)), dump("z.csv", CSV.format(3)))
    assert [comment["source"] for comment in comments(made)] == ["x/c.csv", "y/c.csv", "z.csv"]


def test_a_link_keeps_its_own_name(dump, tmp_path) -> None:
    link = tmp_path / "tonight.csv"
    link.symlink_to(dump("export-17.csv", CSV))
    assert [file.source for file in find_inputs([link])] == ["tonight.csv"]


@pytest.mark.parametrize("given", ["none.csv", "none/*.csv", "empty"])
def test_missing_inputs(tmp_path: Path, given: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInputError):
        find_inputs([tmp_path / given])


def test_no_input_at_all() -> None:
    with pytest.raises(MissingInputError, match="No input"):
        find_inputs([])


def test_a_folder_without_readable_files_says_what_is_read(dump) -> None:
    with pytest.raises(MissingInputError, match="Parquet and XLSX"):
        find_inputs([dump("notes.md", "x").parent])


def test_a_special_file_is_no_input() -> None:
    with pytest.raises(MissingInputError, match="no regular file"):
        find_inputs(["/dev/null"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.doc", b"words", "no known format"),
        ("a.zip", b"PK\x03\x04", "no known format"),
        ("a.ods", b"PK\x03\x04", "save it as .xlsx or .csv"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "password"),
        ("a.xlsx", b"id,comment", "suffix of its true format"),
        ("a.parquet", b"id,comment", "suffix of its true format"),
        ("a.parquet.gz", b"PAR1", "decompress it first"),
        ("a.parquet", b"PAR1 and nothing", "damaged or cut-off Parquet"),
        ("a.xlsx", b"PK\x03\x04 and nothing", "damaged or cut-off workbook"),
        ("a.jsonl", b" \n\n", "nothing but blanks"),
    ],
)
def test_bad_files_are_named_with_what_to_do(dump, spooled, name, content, said) -> None:
    with pytest.raises(BadDataError, match=said) as caught:
        spooled(dump(name, content))
    assert name in str(caught.value)


def test_a_true_format_under_a_wrong_text_suffix_is_read(tmp_path, spooled) -> None:
    assert texts(spooled(write_workbook(tmp_path / "a.csv", {"S": [["id", "comment"], [1, "hello"]]}))) == ["hello"]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz", "a.jsonl.gz", "a.json.gz"])
def test_compressed_text(dump, spooled, name) -> None:
    content = {
        "csv": "id,comment\n1,hi\n",
        "tsv": "id\tcomment\n1\thi\n",
        "jsonl": '{"id":1,"comment":"hi"}\n',
        "json": '[{"id":1,"comment":"hi"}]',
    }[name.split(".")[1]]
    assert texts(spooled(dump(name, content))) == ["hi"]


def test_compressed_without_saying_so(dump, spooled) -> None:
    assert texts(spooled(dump("a.csv", gzip.compress(CSV.format(1).encode())))) == ["hello 1"]


def test_cut_off_gzip(dump, spooled) -> None:
    rows = "".join(f"{n},{hash((n, 3))}\n" for n in range(5000))
    whole = gzip.compress(("id,comment\n" + rows).encode())
    path = dump("a.csv", whole[: len(whole) // 2])
    with pytest.raises(BadDataError, match=r"a\.csv is a damaged or cut-off gzip"):
        spooled(path)


def test_limit_counts_rows_over_all_files(dump, spooled) -> None:
    many = "id,comment\n" + "".join(f"{n},text {n}\n" for n in range(10))
    more = "id,comment\n" + "".join(f"{n},text {n}\n" for n in range(10, 20))
    made = spooled(dump("b.csv", more), dump("a.csv", many), limit=12)
    assert [(file.name, file.rows_in) for file in made.files] == [("a.csv", 10), ("b.csv", 2)]
    assert spooled(dump("a.csv", many), limit=0).rows_in == 0


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    suffix=st.sampled_from(["csv", "tsv", "txt", "jsonl", "json", "parquet", "xlsx", "csv.gz"]),
    head=st.sampled_from(
        [b"", b"id,comment\n", b'[{"text":"a"},', b'{"text":"a"}\n', b"PAR1", b"PK\x03\x04", b"\xff\xfe"]
    ),
    body=st.binary(max_size=200),
)
def test_no_bytes_lead_to_anything_but_rows_rejects_or_one_clear_error(tmp_path, suffix, head, body) -> None:
    path = tmp_path / f"any.{suffix}"
    path.write_bytes(head + body)
    made, said = None, ""
    try:
        made = spool([path], IngestSettings(), tmp_path / "spool")
    except FeedbackError as error:
        said = str(error)
    if made is None:
        assert path.name in said
    else:
        assert made.rows + made.rejected == made.rows_in
        assert len(comments(made)) == made.rows
