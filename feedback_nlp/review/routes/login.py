"""Logging in and out with a password; the only pages open to everybody."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from feedback_nlp.review.faults import Refused
from feedback_nlp.review.identity import Viewer, address_of, begin_session, from_here, identify
from feedback_nlp.review.passwords import fits, new_secret, same, sealed
from feedback_nlp.review.rendering import page
from feedback_nlp.review.site import SESSION, VISIT, Site, site_of
from feedback_nlp.store.users import LONGEST_NAME, User

router = APIRouter(include_in_schema=False)

_VISIT_SECONDS = 3600


def local_path(wanted: str) -> str:
    """Return a path on this site to go on to; the front page for anything else."""
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
    return wanted if inside and not parts.netloc and wanted.isprintable() else "/"


def set_session(site: Site, response: Response, user: User) -> None:
    """Begin a session and give its cookie to the browser."""
    response.set_cookie(
        site.cookie(SESSION),
        begin_session(site, user),
        max_age=site.settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=site.settings.https,
    )


def _form(request: Request, status: int = 200, fault: str = "", after: str = "/", minutes: int = 0) -> HTMLResponse:
    """Answer with the log-in form, sealed to a cookie so that no other site can log a browser in."""
    site = site_of(request)
    visit = site.unsigned(request.cookies.get(site.cookie(VISIT), ""), _VISIT_SECONDS // 2) or new_secret()
    seal = sealed(site.key, "visit", visit)
    oidc = site.settings.oidc.issuer is not None
    context = {"fault": fault, "seal": seal, "after": local_path(after), "oidc": oidc, "minutes": minutes}
    response = page(request, "login.html.j2", None, status=status, **context)
    response.set_cookie(
        site.cookie(VISIT),
        site.signer.sign(visit).decode("ascii"),
        max_age=_VISIT_SECONDS,
        httponly=True,
        samesite="lax",
        secure=site.settings.https,
    )
    return response


def refused(request: Request) -> HTMLResponse:
    """Answer to somebody whom a provider vouches for, but who may not come in, or whom it does not vouch for."""
    return _form(request, 403, "foreign")


@router.get("/login")
def show_login(request: Request, after: str = "/") -> Response:
    """Show the log-in form; who is logged in goes on."""
    if identify(site_of(request), request) is not None:
        return RedirectResponse(local_path(after), 303)
    return _form(request, after=after)


@router.post("/login")
def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=LONGEST_NAME)],
    password: Annotated[str, Form(max_length=1024)],
    csrf: Annotated[str, Form(max_length=128)] = "",
    after: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """Check a password, write the attempt down, begin a session."""
    site, address = site_of(request), address_of(request)
    visit = site.unsigned(request.cookies.get(site.cookie(VISIT), ""), _VISIT_SECONDS)
    if not from_here(request) or visit is None or not same(csrf, sealed(site.key, "visit", visit)):
        return _form(request, 403, "stale", after)
    user = site.users.find(name)
    known = user.name if user is not None else None
    wait = max(site.by_user.paused(name), site.by_address.paused(address))
    outcome = "throttled" if wait else "ok" if fits(password, user.password if user else None) else "refused"
    if outcome == "ok" and user is not None and user.disabled:
        outcome = "disabled"
    site.users.record_login(known, address=address, via="password", outcome=outcome, at=site.clock())
    if outcome == "throttled":
        response: Response = _form(request, 429, "throttled", after, minutes=-(-wait // 60))
        response.headers["Retry-After"] = str(wait)
        return response
    if outcome != "ok" or user is None:
        site.by_user.failed(name)
        site.by_address.failed(address)
        return _form(request, 401, "refused", after)
    site.by_user.succeeded(name)
    response = RedirectResponse(local_path(after), 303)
    set_session(site, response, user)
    return response


@router.post("/logout")
def log_out(request: Request, me: Viewer) -> Response:
    """End the session."""
    site = site_of(request)
    if me.session is None:
        raise Refused(409, "session_none")
    site.users.end_session(me.session)
    site.users.record_login(me.user.name, address=address_of(request), via=me.via, outcome="logout", at=site.clock())
    response = RedirectResponse("/login", 303)
    response.delete_cookie(site.cookie(SESSION), httponly=True, samesite="lax", secure=site.settings.https)
    return response
