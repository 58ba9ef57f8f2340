"""Faults: what went wrong, told in the reader's language."""

from collections.abc import Mapping
from http import HTTPStatus

from markupsafe import Markup
from starlette.exceptions import HTTPException

from feedback_nlp.report.interface import isolated, technical
from feedback_nlp.review.words import Words, open_words_in

_TECHNICAL = ("topic", "into", "comment", "run", "example")
_ROLES = ("role", "own")


class Refused(HTTPException):
    """A refusal that pages tell in the reader's language, and programs in English.

    :param status: of the answer.
    :param fault: its text under ``faults`` in ``strings.toml``.
    :param values: what stands in the text's braces.
    """

    def __init__(self, status: int, fault: str, headers: Mapping[str, str] | None = None, **values: object) -> None:
        ui = open_words_in("en")
        super().__init__(status, ui.spoken(ui.t(f"faults.{fault}", **_told(ui, values))), dict(headers or {}))
        self.fault = fault
        self.values = values


def _told(ui: Words, values: Mapping[str, object]) -> dict[str, Markup]:
    found = {}
    for name, value in values.items():
        if name in _ROLES:
            found[name] = ui.label("role", str(value))
        elif name in _TECHNICAL:
            found[name] = technical(value)
        else:
            found[name] = ui.number(value) if isinstance(value, int) else isolated(value)
    return found


def told(ui: Words, error: Exception | None, status: int, words: str = "") -> Markup:
    """Tell a fault in the reader's language.

    :param error: the fault; where it bears a code (``fault``) that ``strings.toml`` knows, that is told.
    :param status: of the answer, which is told where there is no such code.
    :param words: what to tell English readers then instead.
    """
    fault = getattr(error, "fault", "")
    if fault and ui.knows(f"faults.{fault}"):
        return ui.t(f"faults.{fault}", **_told(ui, getattr(error, "values", {})))
    if ui.lang == "en" and words and words not in {each.phrase for each in HTTPStatus}:
        return isolated(words)
    key = f"faults.status_{status}"
    return ui.t(key if ui.knows(key) else "faults.status_422")
