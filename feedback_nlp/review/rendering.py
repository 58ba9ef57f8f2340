"""Rendering: templates with the reader's language, name and rights."""

import hashlib
import json
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from feedback_nlp.lang.pack import CODES
from feedback_nlp.report.interface import isolated, technical
from feedback_nlp.report.quotes import shown
from feedback_nlp.review.identity import Identity
from feedback_nlp.review.site import LANGUAGE, languages, site_of
from feedback_nlp.review.words import Words, open_words_in

YEAR = 365 * 86_400


def _template(name: str) -> str:
    return resources.files("feedback_nlp.review").joinpath("templates", name).read_text(encoding="utf-8")


def _moment(text: object) -> Markup:
    """Return an RFC 3339 time or a datetime to the minute, isolated; another text as it is."""
    try:
        return technical(f"{datetime.fromisoformat(str(text)):%Y-%m-%d %H:%M}")
    except ValueError:
        return isolated(text)


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@cache
def assets() -> str:
    """Return what tells one state of the static files from another, so that browsers may keep them."""
    found = hashlib.sha256()
    for file in sorted(Path(str(resources.files("feedback_nlp.review").joinpath("static"))).rglob("*")):
        found.update(file.read_bytes() if file.is_file() else b"")
    return found.hexdigest()[:12]


def open_templates() -> Environment:
    """Open the page's templates; every value is escaped unless it was made by us as markup."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        plain=isolated, code=technical, shown=lambda text: shown(str(text)), moment=_moment, json=_as_json
    )
    return environment


def language_of(request: Request) -> str:
    """Return the interface language: the one asked for, the one chosen before, or the page's own."""
    site = site_of(request)
    for wanted in (request.query_params.get("ui"), request.cookies.get(site.cookie(LANGUAGE))):
        if wanted in CODES:
            return str(wanted)
    return site.settings.language


def words_of(request: Request) -> Words:
    """Return the words of the reader's language."""
    return open_words_in(language_of(request))


def is_fragment(request: Request) -> bool:
    """Tell whether a part of a page is asked for, not a page."""
    return request.headers.get("hx-request") == "true"


def address_in(request: Request, lang: str) -> str:
    """Return the address of this page in another interface language."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "ui"]
    return f"{request.url.path}?{urlencode([*pairs, ('ui', lang)])}"


def render_text(request: Request, name: str, identity: Identity | None, **context: Any) -> str:  # noqa: ANN401
    """Return a template filled in.

    :param context: what the template names besides ``ui``, ``me``, ``site``, ``request`` and ``languages``.
    """
    site = site_of(request)
    common = {
        "ui": words_of(request),
        "me": identity,
        "site": site,
        "path": request.url.path,
        "assets": assets(),
        "languages": [(open_words_in(code), address_in(request, code)) for code in languages()],
    }
    return site.templates.get_template(name).render({**common, **context})


def page(
    request: Request,
    name: str,
    identity: Identity | None,
    *,
    status: int = 200,
    **context: Any,  # noqa: ANN401 - whatever the template shows
) -> HTMLResponse:
    """Answer with a template, and remember the language chosen; see :func:`render_text`."""
    response = HTMLResponse(render_text(request, name, identity, **context), status)
    return remember_language(request, response)


def remember_language(request: Request, response: HTMLResponse) -> HTMLResponse:
    """Set the cookie of the interface language where the reader just chose one."""
    site = site_of(request)
    if request.query_params.get("ui") in CODES:
        response.set_cookie(
            site.cookie(LANGUAGE),
            language_of(request),
            max_age=YEAR,
            httponly=True,
            samesite="lax",
            secure=site.settings.https,
        )
    return response
