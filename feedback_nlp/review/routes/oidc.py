"""Logging in by an OpenID Connect provider: leaving for it and coming back."""

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review.faults import Refused
from feedback_nlp.review.identity import address_of
from feedback_nlp.review.oidc import Journey, OidcError, Provider, begin_journey
from feedback_nlp.review.routes.login import local_path, refused, set_session
from feedback_nlp.review.site import Site, site_of
from feedback_nlp.store.users import User

LOG = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

JOURNEY = "feedback_nlp_journey"
_SECONDS = 600


def _provider(request: Request) -> Provider:
    site = site_of(request)
    if site.settings.oidc.issuer is None:
        raise Refused(404, "oidc_none")
    scheme = "https" if site.settings.https else request.url.scheme
    redirect = f"{scheme}://{request.headers['host']}/oidc/back"
    provider: Provider = site.hub.cache.get(("provider", redirect), lambda: Provider(site.settings.oidc, redirect))
    return provider


@router.get("/oidc/start")
def leave(request: Request, after: Annotated[str, Query(max_length=2048)] = "/") -> Response:
    """Send the browser to the provider."""
    site, journey = site_of(request), begin_journey(local_path(after))
    response = RedirectResponse(_provider(request).leave(journey), 303)
    response.set_cookie(
        site.cookie(JOURNEY),
        site.signer.sign(journey.as_text()).decode("ascii"),
        max_age=_SECONDS,
        httponly=True,
        samesite="lax",
        secure=site.settings.https,
    )
    return response


@router.get("/oidc/back")
def arrive(
    request: Request,
    state: Annotated[str, Query(max_length=512)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
) -> Response:
    """Take the browser back from the provider and log its user in."""
    site, provider = site_of(request), _provider(request)
    kept = site.unsigned(request.cookies.get(site.cookie(JOURNEY), ""), _SECONDS)
    user, after = None, "/"
    try:
        journey = Journey.from_text(kept or "")
        user, after = _known(site, provider.arrive(journey, state=state, code=code, now=site.clock())), journey.after
    except OidcError as error:
        LOG.info("log-in by the provider refused: %s", error)
    outcome = "refused" if user is None else "disabled" if user.disabled else "ok"
    name = None if user is None else user.name
    site.users.record_login(name, address=address_of(request), via="oidc", outcome=outcome, at=site.clock())
    if user is None or user.disabled:
        return refused(request)
    response = RedirectResponse(local_path(after), 303)
    response.delete_cookie(site.cookie(JOURNEY), httponly=True, samesite="lax", secure=site.settings.https)
    set_session(site, response, user)
    return response


def _known(site: Site, name: str) -> User | None:
    """Return the user of a name that the provider vouches for; a new one is added where the settings give a role."""
    user, role = site.users.find(name), site.settings.oidc.role
    if user is not None or role is None:
        return user
    try:
        return site.users.add(name, role, None, site.clock())
    except ConfigError as error:
        raise OidcError(str(error)) from error
