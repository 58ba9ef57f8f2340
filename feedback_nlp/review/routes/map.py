"""The map of comments: its page, its points, one comment under the pointer, and the list that a lasso catches."""

from collections import Counter
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from feedback_nlp.core.columns import LANGS, ROOT_CAUSES
from feedback_nlp.review.drawing import SENTIMENT_ORDER
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.filters import Filter, choices, matching, read_filter
from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.listing import list_topics
from feedback_nlp.review.mapping import CommentMap, open_map, packed
from feedback_nlp.review.marking import show_comment
from feedback_nlp.review.rendering import page, words_of
from feedback_nlp.review.site import Site, site_of
from feedback_nlp.review.snapshot import Snapshot

router = APIRouter(include_in_schema=False)

SHOWN = 100
MOST_CAUGHT = 20_000
_HIGHEST = 2**31 - 1


@router.get("/map")
def show_map(request: Request, me: Viewer) -> HTMLResponse:
    """Show the map."""
    site = site_of(request)
    snapshot = site.hub.refresh()
    return page(
        request,
        "map.html.j2",
        me,
        snapshot=snapshot,
        wanted=read_filter(request.query_params),
        choices=choices(snapshot),
        sentiments=SENTIMENT_ORDER,
        langs=LANGS,
        roots=ROOT_CAUSES,
        drawn=map_of(site, snapshot).drawn,
        most=MOST_CAUGHT,
    )


def map_of(site: Site, snapshot: Snapshot) -> CommentMap:
    """Return the map of a snapshot's run; one that only tells topics changes with every decision."""
    run_id = snapshot.corpus.run_id
    stored = (site.folder / run_id).is_dir()
    key = ("map", run_id) if stored else ("map", *snapshot.key)
    return site.hub.cache.get(key, lambda: open_map(site.folder, snapshot))


@router.get("/map/points")
def points(request: Request, me: Viewer) -> Response:
    """Return the points that a filter lets through; see :func:`feedback_nlp.review.mapping.packed`."""
    site, ui = site_of(request), words_of(request)
    snapshot, wanted = site.hub.refresh(), read_filter(request.query_params)
    kept = matching(snapshot, wanted, site.readings) if wanted else None
    return Response(packed(snapshot, map_of(site, snapshot), kept, ui.lang), media_type="application/octet-stream")


def _same_run(snapshot: Snapshot, run: str) -> None:
    if run != snapshot.corpus.run_id:
        raise Refused(409, "night_changed")


@router.get("/map/peek")
def peek(
    request: Request,
    me: Viewer,
    run: Annotated[str, Query(max_length=64)],
    row: Annotated[int, Query(ge=0, le=_HIGHEST)],
) -> HTMLResponse:
    """Return the comment under the pointer."""
    snapshot = site_of(request).hub.refresh()
    _same_run(snapshot, run)
    if row >= len(snapshot.corpus):
        raise Refused(404, "comment_unknown", comment=row)
    return page(request, "peek.html.j2", me, snapshot=snapshot, shown=show_comment(snapshot.take([row])[0]))


@router.post("/map/list")
def list_caught(
    request: Request,
    me: Viewer,
    run: Annotated[str, Form(max_length=64)],
    rows: Annotated[str, Form(max_length=2_000_000, pattern=r"^[0-9,]*$")],
) -> HTMLResponse:
    """Return the comments that a lasso caught, with what can be done to them."""
    site, ui = site_of(request), words_of(request)
    snapshot = site.hub.refresh()
    _same_run(snapshot, run)
    caught = np.unique(np.array([int(each) for each in rows.split(",") if each and len(each) < 10], dtype=np.int64))
    if len(caught) > MOST_CAUGHT or (len(caught) and caught[-1] >= len(snapshot.corpus)):
        raise Refused(422, "caught_many", most=MOST_CAUGHT)
    ids = snapshot.corpus.comments.column("comment_id").take(caught).to_pylist()
    by_topic = Counter(snapshot.topic[caught].tolist())
    groups = [
        (
            snapshot.topics[topic_id],
            [each for each, at in zip(ids, snapshot.topic[caught], strict=True) if at == topic_id],
        )
        for topic_id, _ in by_topic.most_common(6)
        if topic_id in snapshot.topics
    ]
    every = list_topics(site.hub, snapshot, Filter(), sort="name", lang=ui.lang, readings=site.readings)
    return page(
        request,
        "caught.html.j2",
        me,
        snapshot=snapshot,
        ids=ids,
        groups=groups,
        others=every,
        shown=[show_comment(comment) for comment in snapshot.take(caught[:SHOWN].tolist())],
    )
