"""Comments: lists that grow as they are scrolled, and one comment with what was decided on it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from feedback_nlp.core.columns import DRIVERS, SENTIMENTS
from feedback_nlp.review.drawing import SENTIMENT_ORDER
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.filters import Filter, choices, read_filter
from feedback_nlp.review.identity import Identity, Viewer
from feedback_nlp.review.listing import list_topics, rows_of
from feedback_nlp.review.marking import show_comment
from feedback_nlp.review.rendering import is_fragment, page, remember_language, render_text, words_of
from feedback_nlp.review.site import site_of
from feedback_nlp.review.snapshot import Snapshot

router = APIRouter(include_in_schema=False)

COMMENTS = 25
_HISTORY = 50
_MOST = 10_000_000


def comments_text(
    request: Request, me: Identity, snapshot: Snapshot, *, topic_id: int | None, wanted: Filter, start: int
) -> str:
    """Return a stretch of comments as cards, remembered for every reader of the same language and rights.

    :param topic_id: only of this topic; None takes all.
    :param start: position of the first one shown.
    """
    site, ui = site_of(request), words_of(request)

    def make() -> str:
        rows = rows_of(site.hub, snapshot, topic_id, wanted, site.readings)
        shown = [show_comment(comment) for comment in snapshot.take(rows[start : start + COMMENTS])]
        following = start + COMMENTS if start + COMMENTS < len(rows) else None
        return render_text(
            request,
            "comments.html.j2",
            me,
            shown=shown,
            following=following,
            start=start,
            found=len(rows),
            topic_id=topic_id,
            wanted=wanted,
            snapshot=snapshot,
        )

    key = ("comments html", snapshot.key, ui.lang, me.may("analyst"), topic_id, wanted, start)
    return site.hub.cache.get(key, make)


@router.get("/comments")
def search_comments(request: Request, me: Viewer) -> HTMLResponse:
    """Show the comments of all topics that a filter lets through."""
    snapshot, wanted = site_of(request).hub.refresh(), read_filter(request.query_params)
    return page(
        request,
        "list.html.j2" if is_fragment(request) else "search.html.j2",
        me,
        snapshot=snapshot,
        wanted=wanted,
        comments=comments_text(request, me, snapshot, topic_id=None, wanted=wanted, start=0),
        choices=choices(snapshot),
        sentiments=SENTIMENT_ORDER,
    )


@router.get("/more")
def more_comments(
    request: Request,
    me: Viewer,
    start: Annotated[int, Query(ge=0, le=_MOST)] = 0,
    topic: Annotated[int | None, Query(ge=-1, le=2**31 - 1)] = None,
) -> HTMLResponse:
    """Return further comments of a list."""
    snapshot = site_of(request).hub.refresh()
    wanted = read_filter(request.query_params)
    text = comments_text(request, me, snapshot, topic_id=topic, wanted=wanted, start=start)
    return remember_language(request, HTMLResponse(text))


def comment_context(request: Request, snapshot: Snapshot, comment_id: str) -> dict[str, Any]:
    """Gather what a comment's page shows.

    :raises Refused: where the run has no such comment (404).
    """
    site, ui = site_of(request), words_of(request)
    row = snapshot.corpus.rows.get(comment_id)
    if row is None:
        raise Refused(404, "comment_unknown", comment=comment_id)
    every = list_topics(site.hub, snapshot, Filter(), sort="name", lang=ui.lang, readings=site.readings)
    return {
        "snapshot": snapshot,
        "shown": show_comment(snapshot.take([row])[0]),
        "state": snapshot.decided.comments.get(comment_id),
        "log": site.store.history(comment_id=comment_id, newest_first=True, limit=_HISTORY),
        "others": every,
        "sentiments": SENTIMENTS,
        "causes": [(driver, [c for c in site.taxonomy.causes if c.driver == driver]) for driver in DRIVERS],
    }


@router.get("/comments/{comment_id:path}")
def show_comment_page(request: Request, me: Viewer, comment_id: str, part: str = "") -> HTMLResponse:
    """Show a comment with its decisions; ``part=edit`` gives what corrects it, ``part=card`` the card of a list."""
    context = comment_context(request, site_of(request).hub.refresh(), comment_id)
    name = {"edit": "comment_edit.html.j2", "card": "comment_card.html.j2"}.get(part, "comment.html.j2")
    return page(request, name, me, **context)
