"""The report as an Excel workbook: the main tables of the page in one interface language, a sheet each."""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

from feedback_nlp.core.columns import LANGS
from feedback_nlp.core.spreadsheet import Sheet, write_workbook
from feedback_nlp.report.brief import brief
from feedback_nlp.report.content import ReportInput, Row, gather
from feedback_nlp.report.interface import open_interface, technical
from feedback_nlp.report.quotes import Piece, Quote, shown
from feedback_nlp.report.view import MEASURES, SENTIMENT_ORDER, View

_SHARE = ("sentiment.share", "sheet.low", "sheet.high")
_COUNTED = tuple(name for name in MEASURES if name != "negative")
_COUNTS = tuple(f"places.{name}" for name in _COUNTED)
_READINGS = ("emotion", "effort", "resolved", "intent")
_NARROW = 14
_WIDTHS = {
    "nav.brief": 110,
    "sheet.examples": 80,
    "causes.action": 50,
    "sources.reasons": 50,
    "sheet.keywords": 40,
    "sheet.topic": 30,
    "sheet.above": 30,
    "nps.column": 30,
    "sources.file": 30,
    "causes.owner": 26,
    "places.group": 26,
    "sheet.reading": 22,
    "sheet.value": 22,
}

_Key = str | tuple[str, ...]


def workbook_bytes(given: ReportInput, *, lang: str = "en") -> bytes:
    """Return a report as an Excel workbook; the same input gives the same bytes.

    Shares lie in 0..1. Topics and groups are all there, where the page shows the largest. An example ends with its
    comment's id, by which an erasure finds copies of the file.

    :param lang: interface language.
    :raises ConfigError: when ``lang`` is no interface language, or what writes workbooks is not installed.
    """
    ui = open_interface(lang)
    view = View(gather(given, whole=True), ui)
    stream = BytesIO()
    write_workbook(stream, [_sheet(view, *parts) for parts in _sheets(view, given.topic_level)])
    return stream.getvalue()


def _sheets(view: View, level: str) -> Iterator[tuple[str, Sequence[_Key], Iterable[Sequence[Any]]]]:
    """Yield name, headings and rows of each sheet; names and headings as keys of texts."""
    langs = tuple(f"names.lang.{lang}" for lang in LANGS)
    sentiments = tuple(f"names.sentiment.{name}" for name in SENTIMENT_ORDER)
    yield "nav.brief", ("nav.brief",), _brief(view)
    head = ("sheet.sign", "sheet.driver", "nps.column", "places.comments", *_SHARE, *langs, "journey.leave")
    yield "nav.causes", (*head, "causes.owner", "causes.action", "sheet.examples"), _causes(view)
    head = ("sheet.id", "sheet.topic", "sheet.above", "places.comments", "sentiment.share", *langs, *sentiments)
    yield "nav.topics", (*head, *_COUNTS, "sheet.keywords", "sheet.examples"), _topics(view, numbered=level == "topic")
    spread: list[_Key] = []
    for name in (f"places.{measure}" for measure in MEASURES):
        spread += [name, (name, "sentiment.share"), (name, "sheet.verdict")]
    yield "nav.places", ("sheet.by", "places.group", "places.comments", *spread, "places.nps"), _places(view)
    head = ("sentiment.language", "places.comments", *sentiments, "sentiment.unsure")
    yield "nav.sentiment", head, _sentiment(view)
    head = ("journey.stage", "places.comments", "places.negative", *_COUNTS[:2], "journey.leave")
    yield "nav.journey", head, _journey(view)
    yield "sheet.readings", ("sheet.reading", "sheet.value", "places.comments", *_SHARE), _readings(view)
    if view.c.nps_causes:
        head = ("sheet.sign", "sheet.driver", "nps.column", "nps.answers", "nps.mean", "sheet.low", "sheet.high")
        yield "nav.nps", head, _nps(view)
    head = ("sources.file", "sources.encoding", "sources.rows", "sources.accepted", "sources.rejected")
    yield "nav.sources", (*head, "sources.dates", "sources.reasons"), _sources(view)


def _sheet(view: View, name: str, columns: Sequence[_Key], rows: Iterable[Sequence[Any]]) -> Sheet:
    headings = [_text(view, key) for key in columns]
    widths = [_WIDTHS.get(key, _NARROW) if isinstance(key, str) else _NARROW for key in columns]
    return Sheet(_text(view, name), headings, rows, rtl=view.ui.rtl, widths=widths)


def _text(view: View, key: _Key) -> str:
    if not isinstance(key, str):
        return ": ".join(_text(view, part) for part in key)
    if key.startswith("names."):
        _, group, code = key.split(".")
        return view.ui.spoken(view.ui.label(group, code))
    return view.ui.spoken(view.ui.t(key))


def _share(row: Row) -> list[float]:
    return [round(float(row[key]), 4) for key in ("share", "low", "high")]


def _examples(view: View, quotes: Iterable[Quote]) -> str:
    """Return example comments with id and source, a line each, personal data covered."""

    def told(piece: Piece) -> str:
        return f"‹{view.ui.spoken(view.ui.label('redaction', piece.text))}›" if piece.covered else piece.text

    def line(one: Quote) -> str:
        text = " ".join("".join(map(told, one.pieces)).split())
        return f"{'…' * one.cut_before}{text}{'…' * one.cut_after} [{shown(one.comment_id)} · {shown(one.source)}]"

    return "\n".join(map(line, quotes))


def _brief(view: View) -> Iterator[Sequence[Any]]:
    ui, c = view.ui, view.c
    yield from ([ui.spoken(sentence)] for sentence in brief(view))
    without = ui.count("comment", c.without_topic)
    yield [ui.spoken(ui.t("topics.lead", none=without) if c.topics else ui.t("topics.off"))]
    if c.run["run_id"]:
        yield [ui.spoken(ui.t("page.run", id=technical(c.run["run_id"])))]
    for key in ("sheet.interval", "sheet.beyond", "sheet.chosen", "method.engine", "method.writers", "sheet.privacy"):
        yield [_text(view, key)]


def _causes(view: View) -> Iterator[Sequence[Any]]:
    ui = view.ui
    for row in view.c.causes:
        key = row["driver"], row["cause"]
        counts = [row["comments"], *_share(row), *(row[lang] for lang in LANGS), row["churn"]]
        advice = [ui.spoken(view.cause(*key, field)) for field in ("owner", "action")]
        yield [*_named(view, row), *counts, *advice, _examples(view, row["quotes"])]


def _named(view: View, row: Row) -> list[str]:
    """Return the first cells of a cause's row: sign, driver and cause in words."""
    sign = _text(view, "causes.complaints" if row["sign"] == "-" else "causes.praise")
    names = view.name("driver", row["driver"]), view.cause(row["driver"], row["cause"])
    return [sign, *(view.ui.spoken(name) for name in names)]


def _nps(view: View) -> Iterator[Sequence[Any]]:
    for row in view.c.nps_causes:
        yield [*_named(view, row), row["n"], *(round(float(row[key]), 2) for key in ("mean", "low", "high"))]


def _topics(view: View, *, numbered: bool) -> Iterator[Sequence[Any]]:
    """Yield topics; a theme or sub-topic has no number that a command would take."""
    for row in view.c.topics:
        named = [
            row["topic_id"] if numbered else None,
            view.ui.spoken(view.topic_label(row)),
            view.ui.spoken(view.topic_above(row)),
        ]
        counts = [row["comments"], round(float(row["share"]), 4), *(row[name] for name in (*LANGS, *SENTIMENT_ORDER))]
        counts += [row[name] for name in _COUNTED]
        yield [*named, *counts, shown(view.ui.comma.join(view.topic_keywords(row))), _examples(view, row["quotes"])]


def _places(view: View) -> Iterator[Sequence[Any]]:
    verdicts = {"": "", "above": _text(view, "places.above"), "below": _text(view, "places.below")}
    for place in view.c.places:
        by = view.ui.spoken(view.ui.label("by", place.by))
        for row in place.rows:
            cells = [
                cell
                for name in MEASURES
                for cell in (row[name], round(float(row[f"{name}_share"]), 4), verdicts[row[f"{name}_flag"]])
            ]
            yield [by, shown(str(row["group"])), row["comments"], *cells, round(float(row["nps_mean"]), 2)]


def _sentiment(view: View) -> Iterator[Sequence[Any]]:
    for row in view.c.sentiment:
        lang = view.ui.spoken(view.ui.label("lang", row["group"]))
        yield [lang, row["comments"], *(row[name] for name in SENTIMENT_ORDER), row["abstained"]]


def _journey(view: View) -> Iterator[Sequence[Any]]:
    for row in view.c.journey:
        counts = [row[name] for name in ("comments", "negative", "policy_complaint", "employee_complaint", "churn")]
        yield [view.ui.spoken(view.name("stage", row["stage"])), *counts]


def _readings(view: View) -> Iterator[Sequence[Any]]:
    for of in _READINGS:
        for row in view.reading(of):
            value = view.ui.spoken(view.name(of, row["value"]))
            yield [_text(view, f"journey.{of}"), value, row["comments"], *_share(row)]


def _sources(view: View) -> Iterator[Sequence[Any]]:
    for row in view.c.files:
        reasons = view.ui.comma.join(
            f"{view.ui.spoken(view.ui.label('reject', reason))}: {count}" for reason, count in row["reasons"]
        )
        counts = [row[key] for key in ("rows_in", "accepted", "rejected", "dates_unread")]
        yield [shown(row["name"]), shown(row["encoding"] or row["format"]), *counts, reasons]
