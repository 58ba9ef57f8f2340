"""Rendering: content and templates to one HTML file that asks the network for nothing."""

import base64
import hashlib
import json
import os
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.lang.pack import CODES
from feedback_nlp.report.brief import brief
from feedback_nlp.report.content import ReportInput, gather
from feedback_nlp.report.interface import isolated, open_interfaces, technical
from feedback_nlp.report.quotes import shown
from feedback_nlp.report.view import View
from feedback_nlp.report.workbook import workbook_bytes

FILE_NAME = "report.html"
_WORKBOOK = ".xlsx"
_ARABIC_RANGE = "U+0600-06FF,U+0750-077F,U+0870-08FF,U+200C-200F,U+2010-2011,U+FB50-FDFF,U+FE70-FEFC"
_FONTS = (("vazirmatn-arabic-wght-normal.woff2", _ARABIC_RANGE), ("vazirmatn-latin-wght-normal.woff2", "U+0000-00FF"))


def _file(*parts: str) -> bytes:
    return resources.files("feedback_nlp.report").joinpath(*parts).read_bytes()


def _template(name: str) -> str:
    return _file("templates", name).decode("utf-8")


def _moment(text: object) -> Markup:
    """Return an RFC 3339 time to the minute, isolated; another text as it is."""
    try:
        return technical(f"{datetime.fromisoformat(str(text)):%Y-%m-%d %H:%M}")
    except ValueError:
        return isolated(text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        plain=isolated, code=technical, shown=lambda text: shown(str(text)), moment=_moment, brief=brief
    )
    return environment


@cache
def _style() -> Markup:
    faces = [
        '@font-face{font-family:"Vazirmatn";font-weight:100 900;font-display:swap;'
        f'src:url("data:font/woff2;base64,{base64.b64encode(_file("fonts", name)).decode()}") format("woff2");'
        f"unicode-range:{span}}}"
        for name, span in _FONTS
    ]
    return Markup("\n".join([*faces, _template("style.css")]))


@cache
def _script() -> Markup:
    return Markup(_template("page.js"))


def _hash_of(content: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"


def _policy() -> str:
    """Return the Content-Security-Policy: nothing is fetched, and no script or style runs but our own."""
    script, style = _hash_of(_script()), _hash_of(_style())
    allowed = f"script-src {script}; style-src {style}; font-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def render_report(given: ReportInput, *, lang: str = "en") -> str:
    """Render a report as one HTML document; the same input gives the same text.

    :param lang: interface language shown first; the reader can switch to the others.
    :raises ConfigError: when ``lang`` is no interface language.
    """
    if lang not in CODES:
        raise ConfigError(f"The report has no interface in '{lang}'. Known: {', '.join(CODES)}.")
    content = gather(given)
    # English first on the switch, as the one language every reader of a mixed team is likely to know.
    interfaces = sorted(open_interfaces(), key=lambda ui: ui.lang != "en")
    context: dict[str, Any] = {
        "lang": lang,
        "views": [View(content, ui) for ui in interfaces],
        "style": _style(),
        "script": _script(),
        "policy": _policy(),
        "settings": json.dumps(given.run.get("config", {}), indent=2, ensure_ascii=False, sort_keys=True, default=str),
    }
    return _environment().get_template("report.html.j2").render(context)


def _page_bytes(given: ReportInput, *, lang: str) -> bytes:
    return render_report(given, lang=lang).encode("utf-8")


def write_report(given: ReportInput, out: str | Path, *, lang: str = "en") -> Path:
    """Write a report.

    :param out: the file to write where its name ends in ``.html`` or ``.xlsx``, else a folder for ``report.html``;
        missing folders are made.
    :param lang: interface language shown first.
    :returns: the file written.
    :raises ConfigError: when ``lang`` is no interface language, or what writes workbooks is not installed.
    """
    target = Path(out)
    target = target if target.suffix in (".html", _WORKBOOK) else target / FILE_NAME
    content = workbook_bytes if target.suffix == _WORKBOOK else _page_bytes
    found = content(given, lang=lang)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Named so that the next run clears it away where this one is killed.
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    partial.write_bytes(found)
    os.replace(partial, target)
    return target
