"""Columns are found by settings and by synonyms in three languages; survey exports have several header rows."""

import json

import pytest
from ingest_files import comments, texts

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.headers import Filled, HeaderColumn, find_layout
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.surveys import read_header
from feedback_nlp.ingest.synonyms import header_key, load_synonyms, ranks


def layout(*names: str, filled: dict[str, Filled] | None = None, **settings: object):
    columns = [HeaderColumn(name, (name,)) for name in names]
    return find_layout(
        columns, IngestSettings(**settings), source="f.csv", measure=lambda wanted: {n: filled[n] for n in wanted}
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("CommentText", "comment text"),
        ("comment_text", "comment text"),
        ("  Comment-Text?* ", "comment text"),
        ("كود الفرع", "کود فرع"),
        ("التعليق", "تعلیق"),
        ("متنِ نظر", "متن نظر"),
    ],
)
def test_headers_are_folded(name: str, key: str) -> None:
    assert header_key(name) == key


@pytest.mark.parametrize(
    "names",
    [
        (
            "Review ID",
            "Customer Comment",
            "Created At",
            "Store",
            "Agent",
            "Channel",
            "Product Line",
            "NPS score",
            "Stars",
            "Amount",
        ),
        (
            "شناسه نظر",
            "متن نظر",
            "تاریخ ثبت",
            "شعبه",
            "کد کارمند",
            "کانال",
            "نام محصول",
            "احتمال توصیه",
            "امتیاز",
            "مبلغ سفارش",
        ),
        (
            "رقم التعليق",
            "نص التعليق",
            "تاريخ الإنشاء",
            "اسم الفرع",
            "الموظف",
            "القناة",
            "المنتج",
            "احتمالية التوصية",
            "التقييم",
            "قيمة الطلب",
        ),
    ],
)
def test_every_field_is_found_in_three_languages(names: tuple[str, ...]) -> None:
    found = layout(*names).mapped()
    fields = (
        "comment_id",
        "text",
        "created_at",
        "branch",
        "employee",
        "channel",
        "product",
        "nps",
        "rating",
        "revenue",
    )
    assert found == dict(zip(fields, names, strict=True))


@pytest.mark.parametrize(
    "name",
    ["text", "comment", "Feedback", "review", "نظر", "متن", "دیدگاه", "تعليق", "ملاحظات", "رأي", "الرأي", "توضیحات"],
)
def test_usual_names_of_the_text(name: str) -> None:
    assert layout("x", name, "date").text == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "Please leave your comments here",
        "لطفا نظر خود را بنویسید",
        "ما هي ملاحظاتك؟",
        "Tell us why you chose this score",
    ],
)
def test_whole_questions_are_found(name: str) -> None:
    assert layout("id", name, "comment date", "تعداد نظر").text == (name,)


@pytest.mark.parametrize("name", ["comment_id", "comment count", "تاریخ نظر", "عدد التعليقات", "review score"])
def test_columns_about_the_comment_are_not_the_comment(name: str) -> None:
    with pytest.raises(BadDataError, match="no column found"):
        layout("x", name)


def test_the_better_synonym_wins_and_nearly_empty_columns_do_not() -> None:
    full = {"comment": Filled(100, 1000), "message": Filled(100, 9000)}
    assert layout("message", "comment", filled=full).text == ("comment",)
    sparse = full | {"comment": Filled(3, 300)}
    assert layout("message", "comment", filled=sparse).text == ("message",)


def test_between_equal_synonyms_the_longer_texts_win() -> None:
    names = ("Positive comments", "Negative comments")
    filled = {names[0]: Filled(100, 2000), names[1]: Filled(90, 4000)}
    assert layout(*names, filled=filled).text == (names[1],)
    assert layout(*reversed(names), filled=filled).text == (names[1],)


def test_settings_come_first_and_may_be_folded() -> None:
    found = layout("id", "Q7", "comment", "outlet no", columns={"text": "q7", "branch": "outlet no"})
    assert (found.text, found.meta) == (("Q7",), {"outlet no": "branch", "comment": "comment"})


def test_an_unknown_column_in_settings_is_named_with_a_hint() -> None:
    with pytest.raises(BadDataError, match=r"no column 'comnent' \(columns\.text\)\. Did you mean 'comment'"):
        layout("id", "comment", columns={"text": "comnent"})
    with pytest.raises(BadDataError, match="text_columns"):
        layout("id", "comment", text_columns=("title",))


def test_no_text_column_says_what_was_found_and_what_to_do() -> None:
    with pytest.raises(BadDataError) as caught:
        layout("code", "amount", "a very long name that might be what a customer said about the service")
    message = str(caught.value)
    assert "'code', 'amount', (column 3, a long name)" in message
    assert "columns: {text: 'NAME'}" in message


def test_many_columns_are_not_all_listed() -> None:
    with pytest.raises(BadDataError, match="and 20 more"):
        layout(*(f"q{n}" for n in range(50)))


def test_a_field_has_one_column_and_its_name_is_not_taken_by_another() -> None:
    found = layout("text", "شعبه", "branch", "Store", columns={"branch": "Store"})
    assert found.meta == {"Store": "branch", "branch": "branch (given)", "شعبه": "شعبه"}


def test_text_columns_are_joined(dump, spooled) -> None:
    path = dump("a.csv", "id,title,pros,cons\n1,T,good,\n2, ,,slow\n3,,,\n")
    made = spooled(path, text_columns=("title", "pros", "cons"))
    assert texts(made) == ["T\ngood", "slow"]
    assert made.files[0].columns["text"] == "title + pros + cons"


def test_synonyms_are_clean() -> None:
    tables = load_synonyms()
    fields = [ranks("fields", field) for field in tables["fields"]] + [ranks("comment_id"), ranks("created_at")]
    texts_ = set(ranks("text"))
    for table in fields:
        assert not texts_ & set(table)
    assert all(len(names) == 12 for names in tables["months"].values())


QUALTRICS = (
    "StartDate,RecordedDate,ResponseId,Q1,Q2_NPS\n"
    'Start Date,Recorded Date,Response ID,"What could we do better?\nPlease explain.",'
    "How likely are you to recommend us?\n"
    '"{""ImportId"":""startDate""}","{""ImportId"":""recordedDate""}","{""ImportId"":""_recordId""}",'
    '"{""ImportId"":""QID1_TEXT""}","{""ImportId"":""QID2""}"\n'
    "2026-11-01 10:00:00,2026-11-01 10:05:00,R_1,Faster delivery,9\n"
)


def test_qualtrics_export_has_three_header_rows(dump, spooled) -> None:
    made = spooled(dump("q.csv", QUALTRICS))
    (comment,) = comments(made)
    assert (comment["comment_id"], comment["text"]) == ("R_1", "Faster delivery")
    assert str(comment["created_at"]) == "2026-11-01 10:05:00+00:00"
    assert comment["meta"] == {"StartDate": "2026-11-01 10:00:00", "nps": 9}


def test_surveymonkey_export_has_two_header_rows(dump, spooled) -> None:
    text = (
        "Respondent ID,Start Date,How was your visit?,Please rate:,,Anything else?\n"
        ",,Response,Food,Staff,Open-Ended Response\n"
        "117,11/05/2026 06:08:20 PM,Good,5,4,more parking please\n"
    )
    (comment,) = comments(spooled(dump("s.csv", text), date_order="mdy"))
    assert (comment["comment_id"], comment["text"]) == ("117", "more parking please")
    assert str(comment["created_at"]) == "2026-11-05 18:08:20+00:00"
    assert comment["meta"] == {"How was your visit?": "Good", "Please rate: - Food": "5", "Please rate: - Staff": "4"}


def test_header_rows_may_be_set(dump, spooled) -> None:
    path = dump("a.csv", "1,first words\n2,other words\n")
    made = spooled(path, header_rows=0, columns={"text": "column_2", "comment_id": "column_1"})
    assert [(c["comment_id"], c["text"]) for c in comments(made)] == [("1", "first words"), ("2", "other words")]
    two = spooled(dump("b.csv", "c1,c2\nid,comment\n1,hello\n"), header_rows=2)
    assert texts(two) == ["hello"]
    three = spooled(dump("c.csv", "Report of November\nall branches\nid,comment\n1,hello\n"), skip_rows=2)
    assert texts(three) == ["hello"]


def test_names_are_unique_and_never_blank() -> None:
    header = read_header([["a", "", "a", "a (2)"]], None)
    assert [column.name for column in header.columns] == ["a", "column_2", "a (2)", "a (2) (2)"]
    assert header.rows == 1


def test_meta_holds_every_other_column_with_sorted_keys(dump, spooled) -> None:
    text = "id,comment,zeta,alpha,NPS,شعبه,empty\n7,hi, z ,1,9.0,مركز,\n"
    made = spooled(dump("a.csv", text))
    (batch,) = made.chunks(10)
    assert batch.table.column("meta").to_pylist() == ['{"alpha":"1","branch":"مركز","nps":9,"zeta":"z"}']
    assert json.loads(batch.table.column("meta")[0].as_py())["nps"] == 9


def test_no_other_column_gives_no_meta(dump, spooled) -> None:
    (batch,) = spooled(dump("a.csv", "id,comment\n1,hi\n")).chunks(10)
    assert batch.table.column("meta").to_pylist() == [None]
