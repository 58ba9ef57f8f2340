"""Files of what a reader sees: comments or topics, filtered as on the page, and the map as a picture."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from feedback_nlp.core.spreadsheet import csv_lines
from feedback_nlp.review.exporting import (
    COMMENT_COLUMNS,
    TOPIC_COLUMNS,
    as_parquet,
    as_workbook,
    comment_rows,
    headings,
    topic_rows,
)
from feedback_nlp.review.filters import Filter, matching, read_filter
from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.listing import SORTS, list_topics, rows_of
from feedback_nlp.review.picturing import View, picture, read_box
from feedback_nlp.review.rendering import words_of
from feedback_nlp.review.routes.map import map_of
from feedback_nlp.review.site import Site, site_of
from feedback_nlp.review.words import Words

router = APIRouter(include_in_schema=False)

Format = Literal["csv", "xlsx", "parquet"]
Picture = Literal["png", "svg"]
Colour = Literal["topic", "sentiment", "lang", "root", "day"]
Box = Annotated[str, Query(max_length=120)]
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
    "svg": "image/svg+xml",
}


@router.get("/export/comments.{form}")
def export_comments(
    request: Request, me: Viewer, form: Format, topic: Annotated[int | None, Query(ge=-1, le=2**31 - 1)] = None
) -> Response:
    """Return the comments that a filter lets through, of one topic or of all."""
    site, ui = site_of(request), words_of(request)
    snapshot, wanted = site.hub.refresh(), read_filter(request.query_params)
    chosen = rows_of(site.hub, snapshot, topic, wanted, site.readings)
    rows = comment_rows(snapshot, chosen, ui.lang)
    if form == "csv":
        return _stream(csv_lines(headings(ui, list(COMMENT_COLUMNS)), rows), "comments.csv")
    if form == "xlsx":
        return _file(as_workbook(ui, "comments", list(COMMENT_COLUMNS), rows), "comments.xlsx")
    return _file(as_parquet(COMMENT_COLUMNS, rows), "comments.parquet")


@router.get("/export/topics.{form}")
def export_topics(request: Request, me: Viewer, form: Format) -> Response:
    """Return the table of topics as it is filtered and sorted."""
    site, ui = site_of(request), words_of(request)
    sort = request.query_params.get("sort", "")
    entries = list_topics(
        site.hub,
        site.hub.refresh(),
        read_filter(request.query_params),
        sort=sort if sort in SORTS else SORTS[0],
        lang=ui.lang,
        hidden=request.query_params.get("hidden") == "1",
        readings=site.readings,
    )
    rows = topic_rows(entries)
    if form == "csv":
        return _stream(csv_lines(headings(ui, list(TOPIC_COLUMNS)), rows), "topics.csv")
    if form == "xlsx":
        return _file(as_workbook(ui, "topics", list(TOPIC_COLUMNS), rows), "topics.xlsx")
    return _file(as_parquet(TOPIC_COLUMNS, rows), "topics.parquet")


@router.get("/export/map.{form}")
def export_map(request: Request, me: Viewer, form: Picture, colour: Colour = "topic", box: Box = "") -> Response:
    """Return the map as it is filtered and coloured, or the part of it that ``box`` says, as a picture."""
    wanted = read_filter(request.query_params)
    return map_picture(site_of(request), words_of(request), wanted, colour=colour, box=box, form=form)


def map_picture(site: Site, ui: Words, wanted: Filter, *, colour: Colour, box: str, form: Picture) -> Response:
    """Answer with a picture of the map; the last ones are remembered.

    :param box: see :func:`feedback_nlp.review.picturing.read_box`.
    """
    snapshot, view = site.hub.refresh(), View(wanted, colour, read_box(box))

    def draw() -> bytes:
        kept = matching(snapshot, wanted, site.readings) if wanted else None
        return picture(snapshot, map_of(site, snapshot), kept, view, ui=ui, form=form)

    return _file(site.pictures.get((snapshot.key, ui.lang, view, form), draw), f"map.{form}")


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _stream(lines: Iterator[str], name: str) -> StreamingResponse:
    return StreamingResponse(lines, media_type=_TYPES["csv"], headers=_named(name))


def _file(content: bytes, name: str) -> Response:
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=_named(name))
