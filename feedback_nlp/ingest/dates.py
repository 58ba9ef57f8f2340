"""Dates as dumps write them -> microseconds since 1970 in UTC.

Read: ISO 8601, year-month-day, day-month-year (or month-day-year by setting), month names in English, Arabic and
Persian, Unix time, Persian and Arabic digits, and Jalali years. A time without a zone is UTC.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache

from feedback_nlp.core.folding import fold
from feedback_nlp.ingest.synonyms import load_synonyms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_YEARS = range(1900, 2101)
# Jalali years end at 1420 (2042) here: from about 1421 on the number is far more likely a Hijri year.
_JALALI_YEARS = range(1300, 1421)
_JALALI_EPOCH = 226_894
_UNIT_BY_DIGITS = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}

_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,٫](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap]\.?m\.?|ص|م|ق\.?ظ|ب\.?ظ|صباحا|مساء))?"
    r"(?:\s*(?P<zone>z|utc|gmt|(?:utc|gmt)?[+-]\d{2}:?\d{2}))?"
)
_DATE = r"(?P<a>\d{1,4})[/.\-](?P<b>\d{1,2})[/.\-](?P<c>\d{1,4})"
_NAMED = r"(?:(?P<d1>\d{1,2})\s+)?(?P<month>[^\W\d_]{2,}(?: [^\W\d_]{2,})?)\s+(?:(?P<d2>\d{1,2}),?\s+)?(?P<year>\d{4})"
_GAP = r"(?:t|[\s,،\-]+|\s+at\s+)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_DATE}(?:{_GAP}{_TIME})?",
        rf"{_TIME}{_GAP}{_DATE}",
        rf"(?:[^\W\d_]+[,،]?\s+)?{_NAMED}(?:{_GAP}{_TIME})?",
    )
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2}))?")
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def jalali_date(year: int, month: int, day: int) -> date:
    """Convert a Jalali date by the 33-year cycle, exact for the years 1244 to 1472.

    :raises ValueError: when there is no such day.
    """
    leap = (year % 33) in (1, 5, 9, 13, 17, 22, 26, 30)
    length = 31 if month <= 6 else 30 if month <= 11 or leap else 29
    if not (1 <= month <= 12 and 1 <= day <= length):
        raise ValueError("no such Jalali day")
    cycles, rest = divmod(year, 33)
    leaps = cycles * 8 + sum(1 for leap_year in (1, 5, 9, 13, 17, 22, 26, 30) if leap_year < rest)
    days_before_month = (month - 1) * 31 if month <= 7 else (month - 1) * 30 + 6
    return date.fromordinal(_JALALI_EPOCH + (year - 1) * 365 + leaps + days_before_month + day)


def _calendar_date(year: int, month: int, day: int) -> date:
    if year in _JALALI_YEARS:
        return jalali_date(year, month, day)
    if year not in _YEARS:
        raise ValueError("the year is out of range")
    return date(year, month, day)


@cache
def _months() -> dict[str, tuple[int, bool]]:
    table: dict[str, tuple[int, bool]] = {}
    for language, names in load_synonyms()["months"].items():
        for number, name in enumerate(names, start=1):
            table.setdefault(fold(name), (number, language == "jalali"))
            if language == "en":
                table.setdefault(name[:3], (number, False))
    table["sept"] = (9, False)
    return table


def _named_date(parts: dict[str, str | None]) -> date:
    day = parts["d1"] or parts["d2"]
    found = _months().get(fold(parts["month"] or ""))
    if found is None or day is None or (parts["d1"] and parts["d2"]):
        raise ValueError("no date with a known month")
    month, jalali = found
    year = int(parts["year"] or 0)
    if jalali != (year in _JALALI_YEARS):
        raise ValueError("the month's calendar is not the year's")
    return _calendar_date(year, month, int(day))


def _numeric_date(parts: dict[str, str | None], order: str) -> date:
    a, b, c = (parts[name] or "" for name in "abc")
    if len(a) == 4:
        return _calendar_date(int(a), int(b), int(c))
    if len(c) != 4:
        raise ValueError("a year has four digits")
    day, month = (a, b) if order == "dmy" else (b, a)
    return _calendar_date(int(c), int(month), int(day))


def _zone(text: str | None) -> timezone:
    digits = re.sub(r"[^\d+-]", "", text or "")
    if len(digits) != 5:
        return UTC
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


def _hour(parts: dict[str, str | None]) -> int:
    hour, half = int(parts["hour"] or 0), parts["half"]
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of a half day")
    return hour % 12 + (12 if half[0] in "pمب" else 0)


def _moment(match: re.Match[str], order: str) -> datetime:
    parts = match.groupdict()
    day = _named_date(parts) if "month" in parts else _numeric_date(parts, order)
    micros = int((parts["fraction"] or "").ljust(6, "0")[:6])
    clock = time(_hour(parts), int(parts["minute"] or 0), int(parts["second"] or 0), micros, _zone(parts["zone"]))
    return datetime.combine(day, clock)


def _from_digits(text: str) -> datetime:
    compact = _COMPACT.fullmatch(text)
    if compact:
        year, month, day, hour, minute, second = (int(part or 0) for part in compact.groups())
        return datetime.combine(_calendar_date(year, month, day), time(hour, minute, second, tzinfo=UTC))
    unit = _UNIT_BY_DIGITS.get(len(text))
    if unit is None:
        raise ValueError("no date by its length")
    return EPOCH + timedelta(microseconds=int(text) * 1_000_000 // unit)


def _from_text(text: str, order: str) -> datetime:
    if "-" in text:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if moment.year in _YEARS:
                return moment
    plain = _MARKS.sub("", text).strip().lower()
    whole = plain.removesuffix(".0")
    if whole.isdecimal():
        return _from_digits(str(int(whole)))
    for form in _FORMS:
        match = form.fullmatch(plain)
        if match:
            return _moment(match, order)
    raise ValueError("no known form of date")


def read_date(value: object, order: str = "dmy") -> int | None:
    """Read a cell as a moment.

    :param value: text, a number (Unix time), a date or a datetime.
    :param order: ``dmy`` or ``mdy``, for dates that do not begin with the year.
    :returns: microseconds since 1970 in UTC, of the years 1900 to 2100; None when the cell is no such date.
    """
    try:
        if isinstance(value, str):
            moment = _from_text(value[:64], order)
        elif isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime.combine(value, time(tzinfo=UTC))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = _from_digits(str(int(value)))
        else:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        micros = (moment - EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None
    return micros if moment.year in _YEARS else None
