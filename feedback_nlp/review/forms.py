"""Forms: from the fields of an act's form to what the decision layer takes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.lang.pack import CODES

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Wish:
    """What an analyst asks for, in the words of ``Store.decide``."""

    act: str
    topic_id: int | None = None
    comment_id: str | None = None
    comment_ids: tuple[str, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] = field(default_factory=dict)
    expected: int | None = None


def number(fields: Fields, name: str) -> int | None:
    """Return a whole number of a form, None where the field is missing or empty.

    :raises ConfigError: when it is something else.
    """
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        value = int(text)
    except ValueError as error:
        raise ConfigError(f"{name} must be a whole number.") from error
    if not -(2**31) <= value < 2**31:
        raise ConfigError(f"{name} is out of range.")
    return value


def _labels(fields: Fields) -> dict[str, str | None]:
    """Return the names in a form that differ from those shown; an emptied one takes the machine's name again."""
    found: dict[str, str | None] = {}
    for lang in CODES:
        given = fields.get(f"label_{lang}")
        if given is not None and given.strip() != fields.get(f"was_{lang}", "").strip():
            found[lang] = given.strip() or None
    return found


def _ids(fields: Fields) -> tuple[str, ...]:
    """Return the comments chosen: one id a line."""
    return tuple(dict.fromkeys(line for line in fields.get("comment_ids", "").splitlines() if line.strip()))


def _rename(fields: Fields) -> dict[str, Any]:
    return {"after": _labels(fields)}


def _merge(fields: Fields) -> dict[str, Any]:
    return {"after": {"into": number(fields, "into")}}


def _split(fields: Fields) -> dict[str, Any]:
    search, ids, part = fields.get("search", "").strip(), _ids(fields), number(fields, "subtopic")
    after: dict[str, Any] = {"comment_ids": list(ids)}
    if not ids and part is not None:
        after = {"subtopic": part}
    elif not ids and search:
        after = {"search": search}
    labels = {lang: text for lang, text in _labels(fields).items() if text}
    return {"after": {**after, "labels": labels} if labels else after}


def _move(fields: Fields) -> dict[str, Any]:
    return {"comment_id": None, "comment_ids": _ids(fields) or (fields.get("comment_id", ""),)}


def _text(fields: Fields) -> dict[str, Any]:
    return {"after": {"text": fields.get("text", "")}}


def _nothing(fields: Fields) -> dict[str, Any]:
    return {}


def _sentiment(fields: Fields) -> dict[str, Any]:
    return {"after": {"sentiment": fields.get("sentiment", "")}}


def _assign(fields: Fields) -> dict[str, Any]:
    given = {name: fields.get(name, "").strip() for name in ("to", "due", "state")}
    return {"after": {name: value for name, value in given.items() if value} if given["to"] else {}}


def _driver(fields: Fields) -> dict[str, Any]:
    """Return the driver that a form means: the whole entry as it was shown, so that a changed one is noticed."""
    try:
        entry = json.loads(fields.get("driver", ""))
    except ValueError as error:
        raise ConfigError("driver must be one of the comment's drivers.") from error
    if not isinstance(entry, dict):
        raise ConfigError("driver must be one of the comment's drivers.")
    return {key: entry.get(key) for key in ("driver", "cause", "sign", "start", "end")}


def _wrong_driver(fields: Fields) -> dict[str, Any]:
    return {"before": _driver(fields)}


def _correct_driver(fields: Fields) -> dict[str, Any]:
    driver, _, cause = fields.get("cause", "").partition(".")
    chosen = {"driver": driver, "cause": cause or None, "sign": fields.get("sign", "")}
    before = _driver(fields) if fields.get("driver") else None
    start, end = number(fields, "start"), number(fields, "end")
    if before is not None:
        start, end = before["start"] if start is None else start, before["end"] if end is None else end
    return {"before": before, "after": {**chosen, "start": start, "end": end}}


def _correct_evidence(fields: Fields) -> dict[str, Any]:
    return {"before": _driver(fields), "after": {key: number(fields, key) for key in ("start", "end")}}


_READERS: dict[str, Callable[[Fields], dict[str, Any]]] = {
    "rename": _rename,
    "merge": _merge,
    "split": _split,
    "move": _move,
    "lock": _nothing,
    "unlock": _nothing,
    "hide": _nothing,
    "show": _nothing,
    "note": _text,
    "confirm": _nothing,
    "wrong_driver": _wrong_driver,
    "correct_driver": _correct_driver,
    "correct_evidence": _correct_evidence,
    "correct_sentiment": _sentiment,
    "assign": _assign,
}
ACTS = tuple(_READERS)


def read_wish(act: str, fields: Fields) -> Wish:
    """Read the form of an act.

    :param fields: names and values as sent.
    :raises ConfigError: for an unknown act or a value that cannot be.
    """
    if act not in _READERS:
        raise ConfigError(f"No act '{act}'. There are: {', '.join(ACTS)}.")
    subject: dict[str, Any] = {
        "topic_id": number(fields, "topic_id"),
        "comment_id": fields.get("comment_id", "").strip() or None,
        "expected": number(fields, "expected"),
    }
    return Wish(act=act, **{**subject, **_READERS[act](fields)})
