"""The spool: every row accounted for, one canonical order, ids and duplicates settled by content alone."""

import csv
import io
import pickle
import unicodedata

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_files import comments, rejected, texts
from pydantic import ValidationError

from feedback_nlp.ingest import REASONS, IngestSettings, spool
from feedback_nlp.ingest.rejects import SCHEMA
from feedback_nlp.ingest.rows import is_blank, read_number


def csv_text(rows: list[list[str]], header: tuple[str, ...] = ("id", "comment", "branch")) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def batches(made) -> list[bytes]:
    return [batch.table.to_batches()[0].serialize().to_pybytes() for batch in made.chunks(3)]


TRICKY = ['=HYPERLINK("http://x")', "<b>bad</b>&nbsp;", "a\tb\x07c", "  padded  ", "می\u200cخواهم", "😡", "."]


def test_text_is_kept_exactly(dump, spooled) -> None:
    made = spooled(dump("a.csv", csv_text([[str(n), text, ""] for n, text in enumerate(TRICKY)])))
    assert texts(made) == TRICKY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing_text"),
        ("  \u200c \u200f ", "blank_text"),
        ("\t\n\x00\x1b", "blank_text"),
        ("\ufeff\u2800\u3164", "blank_text"),
        ("x" * 101, "text_too_long"),
    ],
)
def test_reject_reasons_are_true(dump, spooled, text, reason) -> None:
    made = spooled(dump("a.csv", csv_text([["1", text, "B1"], ["2", "x" * 100, "B1"]])), max_text_length=100)
    assert made.reject_reasons == {reason: 1}
    (reject,) = rejected(made)
    assert (reject["file"], reject["row"], reject["comment_id"]) == ("a.csv", 1, "1")
    assert reject["text"] == text[:500]
    assert pq.read_schema(made.rejects_path).equals(SCHEMA)


def test_rejected_text_is_cut(dump, spooled) -> None:
    made = spooled(dump("a.csv", csv_text([["1", "x" * 2000, ""]])), max_text_length=1000)
    assert rejected(made)[0]["text"] == "x" * 500


@given(st.text(max_size=6))
def test_blank_means_that_nothing_is_visible(text: str) -> None:
    fillers = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f"
    hidden = all(
        unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp", "Cf")
        or c in fillers
        or "VARIATION SELECTOR" in unicodedata.name(c, "")
        for c in text
    )
    assert is_blank(text) or not hidden
    if any(c.isalnum() and c not in fillers for c in text):
        assert not is_blank(text)


def test_missing_ids_are_made_from_content_and_occurrence(dump, spooled) -> None:
    rows = [["", "good", "B1"], ["", "good", "B1"], ["", "good", "B2"], ["7", "given", ""]]
    one = comments(spooled(dump("a.csv", csv_text(rows))))
    other = comments(spooled(dump("a.csv", csv_text(rows[::-1]))))
    assert one == other
    made = [c["comment_id"] for c in one if c["comment_id"] != "7"]
    assert len(set(made)) == 3
    assert sorted(name.rsplit("-", 1)[1] for name in made) == ["1", "1", "2"]


def test_without_an_id_column_all_ids_are_made(dump, spooled) -> None:
    made = spooled(dump("a.csv", "comment\ngood\nbad\ngood\n"))
    assert made.rows == 3
    assert all(c["comment_id"].startswith("c-") for c in comments(made))


def test_duplicates_are_settled_by_content(dump, spooled) -> None:
    rows = [["1", "same", "B"], ["1", "same", "B"], ["2", "one", "B"], ["2", "two", "B"], ["2", "three", "B"]]
    kept = set()
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 4, 1, 2]):
        made = spooled(dump("a.csv", csv_text([rows[place] for place in order])))
        assert made.reject_reasons == {"duplicate_id": 2, "duplicate_row": 1}
        assert {reject["comment_id"] for reject in rejected(made)} == {"1", "2"}
        kept.add(tuple(texts(made)))
    assert len(kept) == 1


def test_the_same_file_twice_counts_every_row(dump, spooled) -> None:
    content = csv_text([[str(n), f"text {n}", "B"] for n in range(20)])
    made = spooled(dump("b.csv", content), dump("a.csv", content))
    assert (made.rows_in, made.rows, made.reject_reasons) == (40, 20, {"duplicate_row": 20})
    assert {c["source"] for c in comments(made)} == {"a.csv"}
    assert [(f.name, f.accepted, f.rejected) for f in made.files] == [("a.csv", 20, 0), ("b.csv", 0, 20)]


def test_ids_may_be_unique_within_a_file_only(dump, spooled) -> None:
    a, b = dump("a.csv", csv_text([["1", "one", ""]])), dump("b.csv", csv_text([["1", "two", ""]]))
    assert spooled(a, b).reject_reasons == {"duplicate_id": 1}
    assert [c["comment_id"] for c in comments(spooled(a, b, ids_per_file=True))] == ["a.csv:1", "b.csv:1"]


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "1", "2", "3", "10", "a", "ب"]),
        st.sampled_from(["good", "bad", "خوب", "", " ", "multi\nline", 'say "hi"', "a,b"]),
        st.sampled_from(["", "B1", "B2"]),
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=_ROWS, seed=st.randoms(use_true_random=False), cut=st.integers(0, 25))
def test_the_order_of_rows_and_files_changes_nothing(tmp_path, rows, seed, cut) -> None:
    shuffled = list(rows)
    seed.shuffle(shuffled)
    made = []
    for name, order in (("one", rows), ("two", shuffled)):
        path = tmp_path / name / "a.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(csv_text([list(row) for row in order]), encoding="utf-8", newline="")
        made.append(spool([path], IngestSettings(), tmp_path / name / "spool"))
    one, two = made
    assert batches(one) == batches(two)
    assert (one.fingerprint, one.reject_reasons, one.rows) == (two.fingerprint, two.reject_reasons, two.rows)
    assert one.rows + one.rejected == one.rows_in == len(rows)
    ids = [c["comment_id"] for c in comments(one, size=max(1, cut))]
    assert ids == sorted(set(ids))


def test_fingerprint_follows_content(dump, spooled) -> None:
    prints = {
        spooled(dump("a.csv", csv_text(rows))).fingerprint
        for rows in (
            [["1", "x", "B"]],
            [["2", "x", "B"]],
            [["1", "y", "B"]],
            [["1", "x", "C"]],
            [["1", "x", "B"], ["2", "x", "B"]],
            [],
        )
    }
    assert len(prints) == 6
    assert all(len(value) == 64 for value in prints)


def test_rejects_do_not_change_the_fingerprint(dump, spooled) -> None:
    clean = spooled(dump("a.csv", csv_text([["1", "x", "B"]])))
    messy = spooled(dump("a.csv", csv_text([["", "", ""], ["1", "x", "B"], ["1", "x", "B"]])))
    assert clean.fingerprint == messy.fingerprint


def test_chunks_cover_all_rows_once_whatever_their_size(dump, spooled) -> None:
    made = spooled(dump("a.csv", csv_text([[f"{n * 7919 % 500:04d}", f"text {n}", ""] for n in range(500)])))
    whole = comments(made, size=10_000)
    for size in (1, 7, 500):
        assert comments(made, size=size) == whole
    assert [len(batch) for batch in made.chunks(200)] == [200, 200, 100]


def test_rows_beyond_one_written_batch_keep_their_places(dump, spooled) -> None:
    rows = [[f"{n * 7919 % 20_011:05d}", f"text {n * 7919 % 20_011:05d}", ""] for n in range(20_011)]
    found = comments(spooled(dump("a.csv", csv_text(rows))), size=999)
    assert [c["text"] for c in found] == [f"text {n:05d}" for n in range(20_011)]


def test_a_spool_may_be_sent_to_another_process(dump, spooled) -> None:
    made = spooled(dump("a.csv", csv_text([["1", "x", ""]])))
    assert texts(pickle.loads(pickle.dumps(made))) == ["x"]


def test_a_second_spool_in_the_same_folder_does_not_break_the_first(dump, tmp_path) -> None:
    folder = tmp_path / "same"
    many = dump("a.csv", csv_text([[f"{n:04d}", f"text {n}", ""] for n in range(3000)]))
    few = dump("b.csv", csv_text([["1", "x", ""]]))
    reading = spool([many], IngestSettings(), folder).chunks(10)
    first = next(reading)
    assert spool([few], IngestSettings(), folder).rows == 1
    assert len(first) + sum(len(batch) for batch in reading) == 3000
    assert not list(folder.glob("*.part"))


def test_every_reason_is_explained() -> None:
    assert all(meaning[0].islower() for meaning in REASONS.values())


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("9", 9),
        ("9.0", 9),
        ("-3", -3),
        ("33.22", 33.22),
        ("۱۲٫۵", 12.5),
        ("١٬٢٣٤", 1234),
        ("1,234.5", 1234.5),
        ("222", 222),
        ("12,5", None),
        ("ten", None),
        ("", None),
        ("1e5", None),
        ("nan", None),
        ("9" * 16, None),
        ("4/5", None),
    ],
)
def test_numbers(written: str, number: float | None) -> None:
    assert read_number(written) == number


@pytest.mark.parametrize(
    "wrong",
    [
        {"encoding": "klingon"},
        {"encoding": "base64"},
        {"delimiter": ";;"},
        {"max_text_length": 0},
        {"max_reject_share": 1.5},
        {"columns": {"txt": "a"}},
        {"date_order": "ymd"},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IngestSettings(**wrong)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in IngestSettings.model_fields.values())
