"""What administrators see: users and log-ins. Users are added and changed at the command line."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from feedback_nlp.review.identity import Admin
from feedback_nlp.review.rendering import page
from feedback_nlp.review.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/admin")
def show_admin(request: Request, me: Admin) -> HTMLResponse:
    """Show the users and the latest attempts to log in."""
    users = site_of(request).users
    return page(request, "admin.html.j2", me, users=users.users(), logins=users.logins())
