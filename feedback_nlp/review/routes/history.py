"""The history of all decisions."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.rendering import is_fragment, page
from feedback_nlp.review.site import site_of

router = APIRouter(include_in_schema=False)

MOST = 300


@router.get("/history")
def show_history(request: Request, me: Viewer) -> HTMLResponse:
    """Show the latest decisions of everybody, the newest first."""
    site = site_of(request)
    log = site.store.history(newest_first=True, limit=MOST)
    name = "history_list.html.j2" if is_fragment(request) else "history.html.j2"
    return page(request, name, me, log=log, snapshot=site.hub.refresh())
