"""A user's own page: password and bearer tokens."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.identity import Identity, Viewer, address_of
from feedback_nlp.review.passwords import digest, fits, hash_password, new_secret
from feedback_nlp.review.rendering import page
from feedback_nlp.review.routes.login import set_session
from feedback_nlp.review.site import site_of
from feedback_nlp.store.users import LONGEST_NAME

router = APIRouter(include_in_schema=False)

PREFIX = "fnr_"
MOST_TOKENS = 20


def _show(request: Request, me: Identity, *, status: int = 200, fault: str = "", token: str = "") -> HTMLResponse:
    tokens = site_of(request).users.tokens(me.user.name)
    return page(request, "account.html.j2", me, status=status, tokens=tokens, fault=fault, new_token=token)


@router.get("/account")
def show_account(request: Request, me: Viewer) -> HTMLResponse:
    """Show the user's tokens and the form for a new password."""
    return _show(request, me)


@router.post("/account/password")
def change_password(
    request: Request,
    me: Viewer,
    old: Annotated[str, Form(max_length=1024)],
    new: Annotated[str, Form(max_length=1024)],
) -> Response:
    """Change the password, which ends every session but a fresh one for this browser."""
    site = site_of(request)
    if me.via == "token":
        raise Refused(403, "token_password")
    if site.by_user.paused(me.user.name) or not fits(old, me.user.password):
        site.by_user.failed(me.user.name)
        site.users.record_login(
            me.user.name, address=address_of(request), via="password", outcome="refused", at=site.clock()
        )
        return _show(request, me, status=403, fault="account.wrong")
    try:
        hashed = hash_password(new)
    except ConfigError:
        return _show(request, me, status=422, fault="account.short")
    user = site.users.change(me.user.name, password=hashed)
    response = RedirectResponse("/account", 303)
    set_session(site, response, user)
    return response


@router.post("/account/tokens")
def add_token(
    request: Request,
    me: Viewer,
    label: Annotated[str, Form(min_length=1, max_length=LONGEST_NAME)],
    days: Annotated[int, Form(ge=1, le=366)] = 90,
) -> HTMLResponse:
    """Make a bearer token, which is shown this once."""
    site = site_of(request)
    if me.via == "token":
        raise Refused(403, "token_tokens")
    if len(site.users.tokens(me.user.name)) >= MOST_TOKENS:
        raise Refused(422, "tokens_many", most=MOST_TOKENS)
    token, now = PREFIX + new_secret(), site.clock()
    site.users.add_token(me.user.name, digest(token), label, now, now + timedelta(days=days))
    return _show(request, me, token=token)


@router.post("/account/tokens/{token}/drop")
def drop_token(request: Request, me: Viewer, token: int) -> Response:
    """Drop one of the user's tokens."""
    if not 0 <= token < 2**31:
        raise Refused(404, "token_unknown")
    site_of(request).users.drop_token(me.user.name, token)
    return RedirectResponse("/account", 303)
