"""The topic table and one topic's page."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from feedback_nlp.review.drawing import SENTIMENT_ORDER, Drawer
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.filters import Filter, choices, read_filter
from feedback_nlp.review.identity import Identity, Viewer
from feedback_nlp.review.lineage import lineage_of
from feedback_nlp.review.listing import NOTHING, SORTS, Entry, counts_of, find_topic, list_topics, neighbours_of
from feedback_nlp.review.marking import Shown, show_comment
from feedback_nlp.review.rendering import is_fragment, page, remember_language, render_text, words_of
from feedback_nlp.review.routes.comments import comments_text
from feedback_nlp.review.site import site_of
from feedback_nlp.review.snapshot import Snapshot

router = APIRouter(include_in_schema=False)

ROWS = 60
_HISTORY = 30
_NEIGHBOURS = 12
_PARTS = {part: f"topic_{part}.html.j2" for part in ("head", "log", "acts", "subtopics")}


def table_context(request: Request, start: int) -> dict[str, Any]:
    """Gather what the table of topics shows from a position on."""
    site, ui = site_of(request), words_of(request)
    snapshot, wanted = site.hub.refresh(), read_filter(request.query_params)
    sort = request.query_params.get("sort", "")
    sort = sort if sort in SORTS else SORTS[0]
    hidden = request.query_params.get("hidden") == "1"
    listed = list_topics(site.hub, snapshot, wanted, sort=sort, lang=ui.lang, hidden=hidden, readings=site.readings)
    return {
        "snapshot": snapshot,
        "wanted": wanted,
        "sort": sort,
        "sorts": SORTS,
        "hidden": hidden,
        "entries": listed[start : start + ROWS],
        "following": start + ROWS if start + ROWS < len(listed) else None,
        "listed": len(listed),
        "counts": counts_of(site.hub, snapshot, wanted, site.readings),
        "draw": Drawer(ui),
        "choices": choices(snapshot),
        "sentiments": SENTIMENT_ORDER,
    }


def _rows_text(request: Request, me: Identity, start: int) -> str:
    """Return the table's rows from a position on, remembered for every reader of the same language and rights."""
    site, ui = site_of(request), words_of(request)
    given = request.query_params.items()
    query = tuple(sorted((name, value) for name, value in given if name not in ("ui", "start")))
    key = ("rows html", site.hub.refresh().key, ui.lang, me.may("analyst"), query, start)
    return site.hub.cache.get(key, lambda: render_text(request, "rows.html.j2", me, **table_context(request, start)))


@router.get("/")
def show_table(request: Request, me: Viewer) -> HTMLResponse:
    """Show the table of topics; where a part of a page is asked for, the table alone."""
    context = {**table_context(request, 0), "rows": _rows_text(request, me, 0)}
    return page(request, "table.html.j2" if is_fragment(request) else "topics.html.j2", me, **context)


@router.get("/rows")
def more_rows(request: Request, me: Viewer, start: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> HTMLResponse:
    """Return further rows of the table."""
    return remember_language(request, HTMLResponse(_rows_text(request, me, start)))


@router.get("/topics/{topic_id}")
def show_topic(request: Request, me: Viewer, topic_id: int) -> Response:
    """Show a topic: names, figures, typical comments, neighbours, lineage, decisions, and its first comments."""
    site = site_of(request)
    snapshot = site.hub.refresh()
    part = request.query_params.get("part", "")
    root = snapshot.decided.root(topic_id)
    if topic_id not in snapshot.topics and root in snapshot.topics:
        return _merged(request, me, snapshot, root, part)
    context = topic_context(request, snapshot, topic_id)
    if request.headers.get("hx-target") == "div#list":
        text = comments_text(request, me, snapshot, topic_id=topic_id, wanted=context["wanted"], start=0)
        return page(request, "list.html.j2", me, comments=text)
    if part not in _PARTS:
        context |= {
            "typical": _typical(snapshot, topic_id),
            "neighbours": neighbours_of(site.hub, snapshot, topic_id, site.readings)[:_NEIGHBOURS],
            "events": _events(snapshot, topic_id),
            "nights": lineage_of(site.store, site.hub, snapshot, topic_id),
            "comments": comments_text(request, me, snapshot, topic_id=topic_id, wanted=context["wanted"], start=0),
            "choices": choices(snapshot),
            "sentiments": SENTIMENT_ORDER,
        }
    return page(request, _PARTS.get(part, "topic.html.j2"), me, **context)


def _merged(request: Request, me: Identity, snapshot: Snapshot, root: int, part: str) -> Response:
    """Lead on to the topic that a topic was merged into; a page that is open says so instead of jumping."""
    if not part:
        return RedirectResponse(f"/topics/{root}", 303)
    if part != "head":
        return Response(status_code=204)
    return page(request, "merged.html.j2", me, topic=Entry(snapshot.topics[root], NOTHING))


def topic_context(request: Request, snapshot: Snapshot, topic_id: int) -> dict[str, Any]:
    """Gather what the head and the log of a topic's page show.

    :raises Refused: where the run has no such topic (404).
    """
    site, wanted = site_of(request), read_filter(request.query_params)
    entry = find_topic(site.hub, snapshot, topic_id, Filter(), site.readings)
    if entry is None:
        raise Refused(404, "topic_unknown", topic=topic_id)
    every = list_topics(site.hub, snapshot, Filter(), sort="name", lang=words_of(request).lang, readings=site.readings)
    return {
        "snapshot": snapshot,
        "topic": entry,
        "state": snapshot.decided.topics.get(topic_id),
        "wanted": wanted,
        "draw": Drawer(words_of(request)),
        "log": site.store.history(topic_id=topic_id, newest_first=True, limit=_HISTORY),
        "others": [each for each in every if each.id != topic_id],
    }


def _events(snapshot: Snapshot, topic_id: int) -> list[tuple[Mapping[str, Any], Entry | None]]:
    """Return the splits and merges that discovering anew found, the earliest first, each with the other topic."""
    found = []
    for event in snapshot.topics[topic_id].get("lineage") or ():
        other = snapshot.topics.get(snapshot.decided.root(event["topic_id"]))
        found.append((event, None if other is None else Entry(other, NOTHING)))
    return found


def _typical(snapshot: Snapshot, topic_id: int) -> list[Shown]:
    """Return the topic's typical comments of this run, as long as they still stand in it."""
    found, topic = [], snapshot.topics[topic_id]
    for name in sorted(key for key in topic if key.startswith("representatives_")):
        for each in topic[name] or ():
            row = snapshot.corpus.rows.get(each["comment_id"])
            if row is not None and snapshot.topic[row] == topic_id:
                found.append(row)
    return [show_comment(comment) for comment in snapshot.take(found)]
