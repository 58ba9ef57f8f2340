"""Words that analysts write: names, notes, authors; cleaned so that they can stand in any page, list and database."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.lang.pack import CODES

LONGEST_LABEL = 120
LONGEST_NOTE = 4000
LONGEST_AUTHOR = 200
STATES = ("open", "doing", "done")

# Characters that turn the direction of what follows them, and so could spoil the rest of a page.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufdd0]")
_MARKS = "\u200b\u200c\u200d\u200e\u200f\u061c"
_BLANKS = re.compile(r"\s+")


def words_of(value: object, name: str, longest: int, *, lines: bool = False) -> str:
    """Return words in one line, in composed letters, without characters that turn directions.

    Joiners, non-joiners and direction marks stay inside a word and go at its ends.

    :param name: what it is, for messages.
    :param longest: most characters.
    :param lines: keep line breaks.
    :raises ConfigError: when it is no text, is empty, or is too long.
    """
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be a text, got {type(value).__name__}.", fault="text_empty")
    text = "".join(char for char in unicodedata.normalize("NFC", value) if not "\ud800" <= char <= "\udfff")
    text = _CONTROL.sub(" ", _TURNING.sub("", text))
    parts = text.splitlines() if lines else [text]
    text = "\n".join(_BLANKS.sub(" ", part).strip(" " + _MARKS) for part in parts).strip()
    if not text:
        raise ConfigError(f"{name} is empty.", fault="text_empty")
    if len(text) > longest:
        told = f"{name} has {len(text)} characters; at most {longest} are allowed."
        raise ConfigError(told, fault="text_long", length=len(text), most=longest)
    return text


def labels_of(given: Mapping[str, Any], *, removable: bool = True) -> dict[str, str | None]:
    """Return names by language, cleaned.

    :param removable: whether None (take the machine's name again) is allowed.
    :raises ConfigError: when a language is not known or a name is no good.
    """
    if not given:
        raise ConfigError(f"A name is needed, by language: {', '.join(CODES)}.", fault="name_needed")
    strangers = [str(lang) for lang in given if lang not in CODES]
    if strangers:
        raise ConfigError(f"Language '{strangers[0]}' is not known. Known: {', '.join(CODES)}.")
    return {
        lang: None if label is None and removable else words_of(label, f"The name ({lang})", LONGEST_LABEL)
        for lang, label in sorted(given.items())
    }


def assignment_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return who follows up, until when, and how far it is; empty where nobody does.

    :raises ConfigError: for an unknown key, a date that is none, or an unknown state.
    """
    strangers = [str(key) for key in given if key not in ("to", "due", "state")]
    if strangers:
        raise ConfigError(f"assign: '{strangers[0]}' is not known. Known: to, due, state.")
    found = {key: value for key, value in sorted(given.items()) if value is not None}
    if not found:
        return {}
    found = {"state": "open", **found, "to": words_of(found.get("to"), "assign: to", LONGEST_AUTHOR)}
    if found["state"] not in STATES:
        raise ConfigError(f"assign: state '{found['state']}' is not known. Known: {', '.join(STATES)}.")
    if "due" in found:
        try:
            found["due"] = date.fromisoformat(found["due"]).isoformat()
        except (TypeError, ValueError) as error:
            told = f"assign: due must be a date such as 2026-12-31, got {found['due']!r}."
            raise ConfigError(told, fault="date_wrong", example="2026-12-31") from error
    return dict(sorted(found.items()))
