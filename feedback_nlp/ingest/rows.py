"""One raw row -> a comment, or a reject with its reason."""

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from feedback_nlp.ingest import rejects
from feedback_nlp.ingest.connectors.base import RawRow
from feedback_nlp.ingest.dates import read_date
from feedback_nlp.ingest.headers import Layout
from feedback_nlp.ingest.rejects import Reject
from feedback_nlp.ingest.settings import IngestSettings

DIGEST_SIZE = 16
_NUMBERS = frozenset({"nps", "rating", "revenue"})
_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:[,٬]\d{3})+)(?:[.٫]\d+)?")
_LONGEST_NUMBER = 15
# Anything but blanks, control and format characters, variation selectors, and letters that are drawn as nothing.
_VISIBLE = re.compile(
    "[^\\s\\x00-\\x1f\\x7f-\\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff]"
)


class Comment(NamedTuple):
    """One accepted row.

    :param comment_id: as given; None when one must be made.
    :param created_at: microseconds since 1970 in UTC, or None.
    :param meta: JSON object with sorted keys, or None when there is nothing to say.
    :param digest: hash of text, created_at and meta, 16 bytes.
    """

    row: int
    comment_id: str | None
    text: str
    created_at: int | None
    meta: str | None
    digest: bytes


def is_blank(text: str) -> bool:
    """Tell whether a text shows nothing at all."""
    return _VISIBLE.search(text) is None


def _plain(value: object) -> object:
    """Make a cell fit for JSON: whole floats become integers, NaN and infinity nothing, dates ISO text."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        return int(number) if number.is_integer() else number if math.isfinite(number) else None
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else str(value)


@lru_cache(maxsize=4096)
def read_number(text: str) -> float | int | None:
    """Read a number in Western, Arabic or Persian digits; None when the text is not one, or is a long code."""
    if not _NUMBER.fullmatch(text) or len(text) > _LONGEST_NUMBER:
        return None
    number = float(text.replace(",", "").replace("٬", "").replace("٫", "."))
    return int(number) if number.is_integer() else number


def _meta_value(key: str, value: object) -> object:
    if isinstance(value, str):
        stripped = value.strip()
        if key in _NUMBERS and stripped:
            number = read_number(stripped)
            return stripped if number is None else number
        return stripped or None
    return _plain(value)


def _as_text(value: object) -> str | None:
    """Return a text cell as a string, None for an empty one.

    :raises TypeError: when it is a list, an object or a truth value.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list):
        raise TypeError(type(value).__name__)
    plain = _plain(value)
    return None if plain is None else str(plain)


def _as_id(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    plain = _plain(value)
    return None if plain is None else str(plain)


class RowReader:
    """Reads the rows of one table.

    :param source: the file's name, for rejects and for ids that are unique within a file only.
    """

    def __init__(self, layout: Layout, settings: IngestSettings, source: str) -> None:
        self._layout = layout
        self._settings = settings
        self._source = source
        self._encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
        self.dates_unread = 0

    def read(self, row: RawRow) -> Comment | Reject:
        """Read one row; dates that cannot be read are counted and kept under ``created_at`` in meta."""
        if row.cells is None:
            return Reject(self._source, row.number, row.reason, row.fault, None, row.raw)
        comment_id = self._id(row.cells)
        try:
            text = self._text(row.cells)
        except TypeError as error:
            detail = f"the text is no string but {error}"
            return Reject(self._source, row.number, rejects.MALFORMED_ROW, detail, comment_id)
        reason, detail = self._fault(text)
        if reason:
            return Reject(self._source, row.number, reason, detail, comment_id, text)
        try:
            return self._comment(row, comment_id, text or "")
        except UnicodeEncodeError:
            detail = "bytes that are no text in the file's encoding"
            return Reject(self._source, row.number, rejects.UNDECODABLE, detail, comment_id, text)
        except RecursionError:
            detail = "values nested beyond all measure"
            return Reject(self._source, row.number, rejects.MALFORMED_ROW, detail, comment_id, text)

    def _comment(self, row: RawRow, comment_id: str | None, text: str) -> Comment:
        cells = row.cells or {}
        created_at, meta = self._created_at_and_meta(cells)
        content = f"{len(text)}:{text}{created_at}|{meta}".encode()
        if comment_id is not None and not comment_id.isascii():
            comment_id.encode()
        digest = blake2b(content, digest_size=DIGEST_SIZE).digest()
        return Comment(row.number, comment_id, text, created_at, meta, digest)

    def _fault(self, text: str | None) -> tuple[str, str]:
        if text is None or not text:
            return rejects.MISSING_TEXT, ""
        if len(text) > self._settings.max_text_length:
            return rejects.TEXT_TOO_LONG, f"{len(text)} characters, allowed are {self._settings.max_text_length}"
        if is_blank(text):
            return rejects.BLANK_TEXT, f"{len(text)} characters, none visible"
        return "", ""

    def _text(self, cells: Mapping[str, object]) -> str | None:
        names = self._layout.text
        if len(names) == 1:
            return _as_text(cells.get(names[0]))
        parts = [part for name in names if (part := _as_text(cells.get(name))) and not is_blank(part)]
        return "\n".join(parts)

    def _id(self, cells: Mapping[str, object]) -> str | None:
        name = self._layout.comment_id
        found = None if name is None else _as_id(cells.get(name))
        return f"{self._source}:{found}" if found is not None and self._settings.ids_per_file else found

    def _created_at_and_meta(self, cells: Mapping[str, object]) -> tuple[int | None, str | None]:
        meta: dict[str, object] = {}
        for name, key in self._layout.meta.items():
            value = cells.get(name)
            if value is not None and value != "":
                kept = _meta_value(key, value)
                if kept is not None:
                    meta[key] = kept
        created_at = None
        raw = None if self._layout.created_at is None else cells.get(self._layout.created_at)
        if raw is not None and raw != "":
            created_at = read_date(raw, self._settings.date_order)
            if created_at is None and (kept := _meta_value("created_at", raw)) is not None:
                self.dates_unread += 1
                meta["created_at"] = kept
        return created_at, self._encode(meta) if meta else None
