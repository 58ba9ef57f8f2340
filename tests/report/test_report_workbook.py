"""The report as a workbook: every table in each language, numbers as on the page, personal data covered."""

import json
import re
from dataclasses import replace
from pathlib import Path

import fastexcel
import pyarrow as pa
import pytest
from sample import large_input, sample_run, small_input

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.lang.pack import CODES
from feedback_nlp.report import ReportInput, render_report, write_report
from feedback_nlp.report.content import gather
from feedback_nlp.report.workbook import workbook_bytes

TABLES = 9


@pytest.fixture(scope="module")
def large() -> ReportInput:
    return large_input()


def sheets_of(content: bytes) -> dict[str, pa.Table]:
    book = fastexcel.read_excel(content)
    return {name: pa.table(book.load_sheet(name).to_arrow()) for name in book.sheet_names}


def table_at(content: bytes, place: int) -> pa.Table:
    return list(sheets_of(content).values())[place]


@pytest.mark.parametrize("lang", CODES)
def test_every_language_has_all_tables_in_its_words(large: ReportInput, lang: str) -> None:
    content = workbook_bytes(large, lang=lang)
    assert content == workbook_bytes(large, lang=lang)
    sheets = sheets_of(content)
    assert len(sheets) == TABLES
    words = " ".join([*sheets, *(name for table in sheets.values() for name in table.column_names)])
    letters = re.findall(r"[A-Za-z]+", words)
    assert bool(letters) == (lang == "en"), letters
    assert all(table.num_rows for table in sheets.values())


def test_causes_stand_as_on_the_page(large: ReportInput) -> None:
    content = gather(large)
    table = table_at(workbook_bytes(large), 1).to_pylist()
    assert len(table) == len(content.causes) > 5
    for row, cause in zip(table, content.causes, strict=True):
        assert row["Comments"] == cause["comments"]
        assert row["Share"] == pytest.approx(cause["share"], abs=1e-4)
        assert row["Lower bound"] <= row["Share"] <= row["Upper bound"]
        assert (row["Complaint or praise"] == "Complaints") == (cause["sign"] == "-")
    assert any(row["Owner"] and row["Recommended"] and row["Examples"] for row in table)
    ids = [quote.comment_id for cause in content.causes for quote in cause["quotes"]]
    assert ids
    assert all(f"[{one} · " in str([row["Examples"] for row in table]) for one in ids)


def test_topics_and_groups_are_all_there(large: ReportInput) -> None:
    sheets = list(sheets_of(workbook_bytes(large)).values())
    content = gather(large)
    assert sheets[2].num_rows == content.topics_in_all
    assert sheets[3].num_rows == sum(place.groups for place in content.places)
    assert len(set(sheets[3].column("Compared by").to_pylist())) == len(content.places)


def test_only_topics_have_the_numbers_that_commands_take(large: ReportInput) -> None:
    def numbers(level: str) -> set[object]:
        content = workbook_bytes(replace(large, topic_level=level))
        return set(table_at(content, 2).column("Number").to_pylist())

    assert numbers("topic") == {row["topic_id"] for row in gather(large).topics}
    assert numbers("theme") == numbers("subtopic") == {None}


def test_what_could_turn_the_text_around_it_is_taken_out(large: ReportInput) -> None:
    turned = "\u202eB1\u200b"
    metas = [json.dumps({"branch": turned if row % 2 else "B2"}) for row in range(large.comments.num_rows)]
    place = large.comments.column_names.index("meta")
    comments = large.comments.set_column(place, "meta", pa.array(metas, large.comments.schema.field(place).type))
    groups = table_at(workbook_bytes(replace(large, comments=comments)), 3).column("Group").to_pylist()
    assert set(groups) == {"B1", "B2"}


def test_personal_data_is_covered_as_on_the_page() -> None:
    given = small_input()
    secrets = [
        row["text"][span["start"] : span["end"]]
        for row in given.comments.select(["text", "redactions"]).to_pylist()
        for span in row["redactions"] or ()
    ]
    assert secrets
    told = str([table.to_pylist() for table in sheets_of(workbook_bytes(given)).values()])
    assert re.search("‹[a-z ]+›", told)
    assert not [secret for secret in secrets if secret in told]


def test_a_run_without_comments_has_a_workbook(large: ReportInput) -> None:
    none = large.comments.slice(0, 0)
    sheets = list(sheets_of(workbook_bytes(ReportInput(none, sample_run(none)))).values())
    assert len(sheets) == TABLES - 1, "nobody told how likely it is to recommend"
    assert "No comments were read" in str(sheets[0].to_pylist())
    assert not sheets[1].num_rows


def test_the_name_says_what_is_written(large: ReportInput, tmp_path: Path) -> None:
    book = write_report(large, tmp_path / "deep" / "report.xlsx", lang="fa")
    assert book.read_bytes() == workbook_bytes(large, lang="fa")
    page = write_report(large, tmp_path / "deep", lang="fa")
    assert page.read_text(encoding="utf-8") == render_report(large, lang="fa")
    assert {path.name for path in book.parent.iterdir()} == {"report.xlsx", "report.html"}


def test_a_language_without_interface_is_refused(large: ReportInput) -> None:
    with pytest.raises(ConfigError, match="xx"):
        workbook_bytes(large, lang="xx")
