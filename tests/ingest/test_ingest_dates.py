"""Dates in the forms that dumps use."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.ingest.dates import EPOCH, jalali_date, read_date


def moment(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-10-05 18:08:20+00:00", "2026-10-05T18:08:20"),
        ("2026-10-05T18:08:20.123456Z", "2026-10-05T18:08:20.123456"),
        ("2026-10-05T21:38:20+03:30", "2026-10-05T18:08:20"),
        ("2026-10-05", "2026-10-05"),
        ("2026/10/5 18:08", "2026-10-05T18:08"),
        ("2026.10.05", "2026-10-05"),
        ("05/10/2026", "2026-10-05"),
        ("5-10-2026 06:08:20 PM", "2026-10-05T18:08:20"),
        ("05/10/2026 06:08:20 م", "2026-10-05T18:08:20"),
        ("05/10/2026 12:08 AM", "2026-10-05T00:08"),
        ("05.10.2026, 18:08 +0330", "2026-10-05T14:38"),
        ("٠٥/١٠/٢٠٢٦ ١٨:٠٨", "2026-10-05T18:08"),
        ("\u200f۲۰۲۶/۱۰/۰۵", "2026-10-05"),
        ("۱۴۰۵/۰۷/۱۳ ۱۸:۰۸", "2026-10-05T18:08"),
        ("1405-07-13", "2026-10-05"),
        ("13/07/1405", "2026-10-05"),
        ("18:08:20 - 1405/07/13", "2026-10-05T18:08:20"),
        ("۱۳ مهر ۱۴۰۵", "2026-10-05"),
        ("دوشنبه ۱۳ مهر ۱۴۰۵", "2026-10-05"),
        ("14050713", "2026-10-05"),
        ("5 October 2026", "2026-10-05"),
        ("Oct 5, 2026 6:08 pm", "2026-10-05T18:08"),
        ("Mon, 05 Oct 2026 18:08:20 +0000", "2026-10-05T18:08:20"),
        ("5 أكتوبر 2026", "2026-10-05"),
        ("٥ تشرين الأول ٢٠٢٦", "2026-10-05"),
        ("20261005", "2026-10-05"),
        ("20261005180820", "2026-10-05T18:08:20"),
        ("1791223700", "2026-10-05T18:08:20"),
        ("1791223700000", "2026-10-05T18:08:20"),
        ("1791223700.0", "2026-10-05T18:08:20"),
        (1791223700, "2026-10-05T18:08:20"),
        (1791223700000.0, "2026-10-05T18:08:20"),
        (1791223700000000, "2026-10-05T18:08:20"),
        (1791223700000000000, "2026-10-05T18:08:20"),
        (date(2026, 10, 5), "2026-10-05"),
        (datetime(2026, 10, 5, 18, 8), "2026-10-05T18:08"),
    ],
)
def test_read(written: object, meant: str) -> None:
    assert read_date(written) == moment(meant)


@pytest.mark.parametrize(
    "written",
    [
        "31/02/2026",
        "2026-02-30",
        "yesterday",
        "",
        "  ",
        "12",
        "26/10/05",
        "1448/03/12",
        "1405/12/30",
        "1405/07/31",
        "0001-01-01",
        "9999-12-31",
        "5 foo 2026",
        "5 مهر 2026",
        "5 October 1405",
        "25:61 2026-10-05",
        "13:00 PM 2026-10-05",
        "Oct 2026",
        None,
        True,
        [],
        float("nan"),
        float("inf"),
        10**30,
        "1" * 400,
        "2026-13-01",
        "12/25/2026",
    ],
)
def test_no_date(written: object) -> None:
    assert read_date(written) is None


def test_order_of_day_and_month_is_a_setting() -> None:
    assert read_date("05/10/2026", "mdy") == moment("2026-05-10")
    assert read_date("25/10/2026", "mdy") is None
    assert read_date("2026/05/10", "mdy") == moment("2026-05-10")


@pytest.mark.parametrize(
    ("jalali", "gregorian"),
    [
        ((1300, 1, 1), date(1921, 3, 21)),
        ((1357, 11, 22), date(1979, 2, 11)),
        ((1399, 12, 30), date(2021, 3, 20)),
        ((1400, 1, 1), date(2021, 3, 21)),
        ((1403, 12, 30), date(2025, 3, 20)),
        ((1405, 1, 1), date(2026, 3, 21)),
        ((1405, 7, 1), date(2026, 9, 23)),
        ((1408, 12, 30), date(2030, 3, 20)),
    ],
)
def test_jalali_dates(jalali: tuple[int, int, int], gregorian: date) -> None:
    assert jalali_date(*jalali) == gregorian


def test_jalali_days_follow_each_other_without_gap() -> None:
    days = []
    for year in range(1300, 1421):
        for month in range(1, 13):
            for day in range(1, 32):
                try:
                    days.append(jalali_date(year, month, day).toordinal())
                except ValueError:
                    continue
    assert days == list(range(days[0], days[0] + len(days)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31)))
def test_iso_comes_back_exactly(value: datetime) -> None:
    assert read_date(value.isoformat()) == read_date(value) == moment(value.isoformat())


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    found = read_date(text)
    assert found is None or isinstance(found, int)


def test_an_unreadable_date_keeps_its_row_and_its_words(dump, spooled) -> None:
    from ingest_files import comments

    made = spooled(dump("a.csv", "id,comment,date\n1,hi,31/02/2026\n2,ho,\n3,hu,2026-11-01\n"))
    found = [(c["created_at"] is None, c["meta"]) for c in comments(made)]
    assert found == [(True, {"created_at": "31/02/2026"}), (True, {}), (False, {})]
    assert made.files[0].dates_unread == 1
