"""The application: routes, guards, errors, and the watch over the store while it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from feedback_nlp.config import ReviewSettings
from feedback_nlp.core.errors import ConfigError, ConflictError, FeedbackError
from feedback_nlp.core.version import __version__
from feedback_nlp.review.faults import told
from feedback_nlp.review.guards import Guard
from feedback_nlp.review.identity import identify
from feedback_nlp.review.rendering import is_fragment, open_templates, page, words_of
from feedback_nlp.review.routes import (
    account,
    acts,
    admin,
    api,
    comments,
    compare,
    exports,
    history,
    login,
    map,
    metrics,
    news,
    oidc,
    queue,
    topics,
)
from feedback_nlp.review.search import Readings, no_readings
from feedback_nlp.review.site import Site, open_key, site_of
from feedback_nlp.rootcause.taxonomy import Taxonomy, open_taxonomy

if TYPE_CHECKING:
    from feedback_nlp.store import Store

LOG = logging.getLogger(__name__)

API = "/api"

_PAGES = (
    login,
    topics,
    comments,
    acts,
    history,
    news,
    account,
    admin,
    api,
    compare,
    exports,
    queue,
    map,
    oidc,
    metrics,
)


def create_app(
    store: "Store",
    settings: ReviewSettings,
    folder: Path,
    *,
    taxonomy: Taxonomy | None = None,
    readings: Readings = no_readings,
) -> FastAPI:
    """Make the review page's application.

    :param store: an open store, which the caller closes afterwards.
    :param settings: how the page is served.
    :param folder: folder of the runs' files, where the secret of the cookies is kept too.
    :param taxonomy: names of causes; None takes the shipped ones.
    :param readings: native spellings of Latin words, for the search.
    :raises ConfigError: when the secret cannot be read or written.
    """
    site = Site(
        store, settings, taxonomy or open_taxonomy(), folder, open_key(folder), open_templates(), readings=readings
    )
    app = FastAPI(
        title="feedback_nlp review",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_watching,
    )
    app.state.site = site
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(FeedbackError, _on_ours)
    for each in _PAGES:
        app.include_router(each.router)
    static = resources.files("feedback_nlp.review").joinpath("static")
    fonts = resources.files("feedback_nlp.report").joinpath("fonts")
    app.mount("/static/fonts", StaticFiles(directory=str(fonts)), name="fonts")
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    app.add_middleware(
        Guard,
        hosts=(settings.host, *settings.hosts),
        once=(settings.proxy_user_header,) if settings.proxy_user_header else (),
        most=settings.max_body_kb * 1024,
        https=settings.https,
        proxies=settings.proxies,
    )
    return app


@asynccontextmanager
async def _watching(app: FastAPI) -> AsyncIterator[None]:
    watch = asyncio.create_task(app.state.site.news.watch())
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


def _answer(
    request: Request, status: int, words: str, error: Exception | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Answer with an error in the form that was asked for: JSON, a line for the page, or a page."""
    if request.url.path.startswith(f"{API}/"):
        return JSONResponse({"error": words}, status, headers=headers)
    if status == 401:
        target = f"/login?after={quote(_came_from(request))}"
        if is_fragment(request):
            return Response(status_code=401, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)
    name = "fault.html.j2" if is_fragment(request) else "error.html.j2"
    me = identify(site_of(request), request) if status != 503 else None
    words_told = told(words_of(request), error, status, words)
    response = page(request, name, me, status=status, words=words_told, code=status)
    response.headers.update(headers or {})
    return response


def _came_from(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}" if request.method == "GET" else "/"


def _on_http(request: Request, error: Exception) -> Response:
    status, words = getattr(error, "status_code", 500), str(getattr(error, "detail", ""))
    return _answer(request, status, words, error, dict(getattr(error, "headers", None) or {}))


def _on_invalid(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    # Pydantic's messages alone: its inputs are what people typed.
    lines = [f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}" for fault in faults]
    return _answer(request, 422, "; ".join(lines) or "The request is not understood.")


def _on_ours(request: Request, error: Exception) -> Response:
    if isinstance(error, ConflictError):
        return acts.conflict(request, error)
    if isinstance(error, ConfigError):
        words = str(error)
        return _answer(request, 404 if words.startswith("No ") else 422, words, error)
    if getattr(error, "fault", "") == "run_unfinished":
        return _answer(request, 404, str(error), error)
    LOG.warning("%s %s: %s", request.method, request.url.path, error)
    return _answer(request, 503, str(error), error, {"Retry-After": "5"})
