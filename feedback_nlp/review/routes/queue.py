"""The queue of comments worth checking, by keyboard."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.review.identity import Viewer
from feedback_nlp.review.marking import show_comment
from feedback_nlp.review.queueing import LENGTH, Doubt, next_to_check
from feedback_nlp.review.rendering import page
from feedback_nlp.review.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/queue")
def show_queue(request: Request, me: Viewer) -> HTMLResponse:
    """Show the comments worth checking next, one after the other."""
    site = site_of(request)
    snapshot = site.hub.refresh()

    def choose() -> tuple[Doubt, ...]:
        confirmed = {each.comment_id for each in site.store.history(act="confirm") if each.stands}
        return tuple(next_to_check(snapshot, {one for one in confirmed if one}, LENGTH))

    chosen = site.hub.cache.get(("queue", snapshot.key), choose)
    shown = [show_comment(comment) for comment in snapshot.take([each.row for each in chosen])]
    items = list(zip(shown, [each.why for each in chosen], strict=True))
    return page(request, "queue.html.j2", me, snapshot=snapshot, items=items, sentiments=SENTIMENTS)
