import csv
import io

import fastexcel
import pyarrow.parquet as pq
import pytest
from review_samples import PHONE, SCRIPT

FORMS = ("csv", "xlsx", "parquet")


def rows(answer, form):
    if form == "csv":
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))[1:]
    if form == "xlsx":
        book = fastexcel.read_excel(answer.content)
        sheet = book.load_sheet(book.sheet_names[0], dtypes="string")
        return [[str(cell) for cell in row.values()] for row in sheet.to_arrow().to_pylist()]
    return [list(map(str, row.values())) for row in pq.read_table(io.BytesIO(answer.content)).to_pylist()]


@pytest.mark.parametrize("form", FORMS)
def test_comments_leave_with_personal_data_covered(viewer, form):
    answer = viewer.get(f"/export/comments.{form}")
    assert answer.status_code == 200
    assert f'filename="comments.{form}"' in answer.headers["content-disposition"]
    cells = [cell for row in rows(answer, form) for cell in row]
    assert not any("0912 345 6789" in cell for cell in cells)
    assert any("‹phone›" in cell for cell in cells)
    assert any(SCRIPT in cell for cell in cells)
    assert PHONE not in cells


@pytest.mark.parametrize("form", FORMS)
def test_the_view_is_what_leaves(viewer, form):
    every = rows(viewer.get(f"/export/comments.{form}"), form)
    some = rows(viewer.get(f"/export/comments.{form}?lang=fa"), form)
    topic = rows(viewer.get(f"/export/comments.{form}?topic=2"), form)
    assert 0 < len(some) < len(every)
    assert {row[0] for row in topic} == {"f2", "e1", "e2", "e3"} & {row[0] for row in every}
    assert rows(viewer.get(f"/export/comments.{form}?q=nothingholdsthis"), form) == []


def test_no_cell_of_a_csv_is_a_formula(viewer):
    cells = [cell for row in rows(viewer.get("/export/comments.csv"), "csv") for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not any(cell.startswith(("=", "@", "\t")) for cell in cells)


@pytest.mark.parametrize("form", FORMS)
def test_topics_leave_with_their_names_and_figures(viewer, form):
    found = rows(viewer.get(f"/export/topics.{form}"), form)
    assert {row[1] for row in found} >= {"books", "late delivery", "staff"}


def test_headings_are_in_the_readers_language(viewer):
    head = viewer.get("/export/comments.csv?ui=fa").content.decode("utf-8-sig").splitlines()[0]
    assert "شناسهٔ نظر" in head


@pytest.mark.parametrize(
    "path", ["/export/comments.exe", "/export/comments.csv?topic=x", "/export/comments.csv?lang=xx"]
)
def test_what_cannot_be_is_refused(viewer, path):
    assert viewer.get(path).status_code in (404, 422)


def test_nobody_exports_without_logging_in(anybody):
    assert anybody.get("/export/comments.csv").status_code in (303, 401)
