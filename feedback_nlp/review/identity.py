"""Who asks: session cookie, bearer token or a trusted proxy's header; and whether they may."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from feedback_nlp.review.faults import Refused
from feedback_nlp.review.passwords import digest, new_secret, same, sealed
from feedback_nlp.review.site import SESSION, Site, site_of
from feedback_nlp.store.users import ROLES, Role, User

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Identity:
    """A logged-in user in one request.

    :param user: who it is.
    :param via: ``session``, ``token`` or ``proxy``.
    :param csrf: what forms must bring back; empty for tokens, which no browser sends by itself.
    :param session: digest of the session's id, None without one.
    """

    user: User
    via: str
    csrf: str = ""
    session: str | None = None

    def may(self, role: Role) -> bool:
        """Tell whether the user has a role or a higher one."""
        return ROLES.index(self.user.role) >= ROLES.index(role)


def address_of(request: Request) -> str:
    """Return the address a request came from: of the peer, or what a trusted proxy says (set up in the server)."""
    return request.client.host if request.client else "unknown"


def _of_token(site: Site, header: str) -> Identity | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    user = site.users.of_token(digest(token.strip()), site.clock())
    return None if user is None else Identity(user, "token")


def _of_session(site: Site, cookie: str) -> Identity | None:
    session = site.unsigned(cookie, site.settings.session_hours * 3600)
    if session is None:
        return None
    user = site.users.of_session(digest(session), site.clock())
    return None if user is None else Identity(user, "session", sealed(site.key, "csrf", session), digest(session))


def _of_proxy(site: Site, request: Request) -> Identity | None:
    header = site.settings.proxy_user_header
    peer = request.scope.get("peer") or request.client
    if header is None or peer is None or peer[0] not in site.settings.proxies:
        return None
    user = site.users.find(request.headers.get(header, ""))
    if user is None or user.disabled:
        return None
    return Identity(user, "proxy", sealed(site.key, "csrf-proxy", user.name))


def identify(site: Site, request: Request) -> Identity | None:
    """Return who asks, None where nobody is logged in."""
    header = request.headers.get("authorization", "")
    if header:
        # Whoever shows a token means it: a cookie beside it does not count.
        return _of_token(site, header)
    cookie = request.cookies.get(site.cookie(SESSION), "")
    found = _of_session(site, cookie) if cookie else None
    return found or _of_proxy(site, request)


def from_here(request: Request) -> bool:
    """Tell whether a browser sent the request from a page of this site, as far as it says."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def brought_back(request: Request) -> str:
    """Return the token against forged requests that a request brings, from its header or its form."""
    token = request.headers.get("x-csrf-token", "")
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not token and kind in FORM_TYPES:
        value = (await request.form()).get("csrf", "")
        token = value if isinstance(value, str) else ""
    return token


async def _is_ours(request: Request, identity: Identity) -> bool:
    return from_here(request) and same(await brought_back(request), identity.csrf)


def needs(role: Role) -> Callable[[Request], Awaitable[Identity]]:
    """Make a dependency that lets in users of a role or a higher one.

    Requests that change something must also show that they come from a page of this site.
    """

    async def check(request: Request) -> Identity:
        site = site_of(request)
        identity = await run_in_threadpool(identify, site, request)
        if identity is None:
            raise Refused(401, "log_in_first", {"WWW-Authenticate": "Bearer"})
        if request.method not in _SAFE and identity.via != "token" and not await _is_ours(request, identity):
            raise Refused(403, "form_stale")
        if not identity.may(role):
            raise Refused(403, "role_needed", role=role, own=identity.user.role)
        return identity

    check.role = role  # type: ignore[attr-defined]
    return check


Viewer = Annotated[Identity, Depends(needs("viewer"))]
Analyst = Annotated[Identity, Depends(needs("analyst"))]
Admin = Annotated[Identity, Depends(needs("admin"))]


def begin_session(site: Site, user: User) -> str:
    """Begin a session and return the value of its cookie."""
    session, now = new_secret(), site.clock()
    site.users.begin_session(user.name, digest(session), now, now + timedelta(hours=site.settings.session_hours))
    return site.signer.sign(session).decode("ascii")
