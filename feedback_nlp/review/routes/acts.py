"""Acts: forms that decide something, undo and redo, and what a page is told when someone else was quicker."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from feedback_nlp.core.errors import ConfigError, ConflictError, FeedbackError
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.forms import number, read_wish
from feedback_nlp.review.identity import Analyst, identify
from feedback_nlp.review.rendering import page
from feedback_nlp.review.site import Site, site_of
from feedback_nlp.store.decisions import Decision

router = APIRouter(include_in_schema=False)


async def _fields(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=40, max_part_size=4 * 1024 * 1024)
    return {name: value for name, value in form.items() if isinstance(value, str)}


Sent = Annotated[dict[str, str], Depends(_fields)]


def _told(request: Request, me: Analyst, decision: Decision | None) -> HTMLResponse:
    """Answer with a line that can be undone, and let the page's parts come again."""
    site = site_of(request)
    site.hub.refresh()
    response = page(request, "done.html.j2", me, decision=decision)
    response.headers["HX-Trigger"] = "decided"
    return response


def reverse(site: Site, act: str, decision: int | None, author: str, expected: int | None) -> Decision:
    """Undo or redo an act.

    :raises Refused: where there is nothing to reverse, or it would change nothing (409).
    """
    try:
        return getattr(site.store, act)(decision, author=author, expected=expected)  # type: ignore[no-any-return]
    except (ConfigError, ConflictError):
        raise
    except FeedbackError as error:
        if not error.fault.startswith(("nothing_to_", "reversal_")):
            raise
        raise Refused(409, error.fault) from error


@router.post("/acts/undo")
def undo(request: Request, me: Analyst, sent: Sent) -> HTMLResponse:
    """Take back the act named, or the user's latest that stands."""
    author, expected = me.user.name, number(sent, "expected")
    return _told(request, me, reverse(site_of(request), "undo", number(sent, "decision"), author, expected))


@router.post("/acts/redo")
def redo(request: Request, me: Analyst, sent: Sent) -> HTMLResponse:
    """Let the act named, or the one that the user undid last, stand again."""
    author, expected = me.user.name, number(sent, "expected")
    return _told(request, me, reverse(site_of(request), "redo", number(sent, "decision"), author, expected))


@router.post("/acts/{act}")
def decide(request: Request, me: Analyst, sent: Sent, act: str) -> HTMLResponse:
    """Carry out an act of an analyst; see :mod:`feedback_nlp.review.forms` for the fields of each."""
    wish = read_wish(act, sent)
    decision = site_of(request).store.decide(
        wish.act,
        author=me.user.name,
        topic_id=wish.topic_id,
        comment_id=wish.comment_id,
        comment_ids=wish.comment_ids,
        before=wish.before,
        after=wish.after,
        expected=wish.expected,
    )
    return _told(request, me, decision)


def newer_of(error: ConflictError) -> Decision | None:
    """Return the decision that someone else took meanwhile."""
    return error.newer if isinstance(error.newer, Decision) else None


def conflict(request: Request, error: ConflictError) -> Response:
    """Answer that someone else was quicker, and with what."""
    newer = newer_of(error)
    if request.url.path.startswith("/api/"):
        told: Mapping[str, object] | None = None if newer is None else newer.as_dict()
        return JSONResponse({"error": str(error), "newer": told}, 409)
    me = identify(site_of(request), request)
    return page(request, "conflict.html.j2", me, status=409, newer=newer)
