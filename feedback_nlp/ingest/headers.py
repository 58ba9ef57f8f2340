"""Finds which column of a dump is which: by settings first, then by synonyms in English, Arabic and Persian."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.ingest.synonyms import header_key, load_synonyms, ranks

_CONTAINS = 10_000
_QUESTION = 20_000
_MOST_SHOWN = 30
_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class HeaderColumn:
    """One column as the dump names it.

    :param name: the key of its cells in a row, unique within the table.
    :param labels: everything the header rows say about it, the name included.
    """

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Filled:
    """How full a column is: non-blank cells, and their characters together."""

    cells: int
    characters: int


@dataclass(frozen=True)
class Layout:
    """Which columns hold what.

    :param text: columns joined into the text, usually one.
    :param comment_id: the column of ids, None when ids must be made.
    :param created_at: the column of dates, None when there is none.
    :param meta: every other column's key in ``meta``, by its name.
    """

    text: tuple[str, ...]
    comment_id: str | None
    created_at: str | None
    meta: dict[str, str]

    def mapped(self) -> dict[str, str]:
        """Return our field names with the dump's column names, joined by `` + `` where several make one."""
        found = {"text": " + ".join(self.text)}
        for field, column in (("comment_id", self.comment_id), ("created_at", self.created_at)):
            if column is not None:
                found[field] = column
        known = load_synonyms()["fields"]
        return found | {key: column for column, key in self.meta.items() if key in known}


def _has_words(key: str, words: Sequence[str]) -> bool:
    return any(f" {word} " in f" {key} " for word in words)


def _text_rank(column: HeaderColumn) -> int | None:
    """Rank a column as the comment's text, 0 the best; None when nothing speaks for it."""
    exact, words, questions, never = (ranks("text", entry) for entry in ("names", "words", "questions", "never"))
    keys = [header_key(label) for label in column.labels]
    found = [exact[key] for key in keys if key in exact]
    for key in keys:
        if _has_words(key, tuple(words)) and not _has_words(key, tuple(never)):
            found.append(_CONTAINS)
        if _has_words(key, tuple(questions)):
            found.append(_QUESTION)
    return min(found, default=None)


def _best(columns: Sequence[HeaderColumn], table: dict[str, int], taken: set[str]) -> str | None:
    found = [
        (min(hits), position, column.name)
        for position, column in enumerate(columns)
        if column.name not in taken and (hits := [table[k] for k in map(header_key, column.labels) if k in table])
    ]
    return min(found)[2] if found else None


def _shown(columns: Sequence[HeaderColumn]) -> str:
    """List column names for an error; a long one may be a customer's words in a file without a header."""
    names = [
        repr(column.name) if len(column.name) <= _LONGEST_SHOWN else f"(column {position}, a long name)"
        for position, column in enumerate(columns, start=1)
    ]
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more


def _named(columns: Sequence[HeaderColumn], wanted: str, key: str, source: str) -> str:
    """Find the column that a setting names, by its exact name first, then folded."""
    for column in columns:
        if wanted in column.labels:
            return column.name
    for column in columns:
        if header_key(wanted) in map(header_key, column.labels):
            return column.name
    close = difflib.get_close_matches(wanted, [column.name for column in columns], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise BadDataError(f"{source}: no column {wanted!r} ({key}).{hint} Columns found: {_shown(columns)}.")


def _choose_text(
    columns: Sequence[HeaderColumn], taken: set[str], measure: Callable[[Sequence[str]], dict[str, Filled]]
) -> str | None:
    """Choose the text column: the best synonym among those well filled, then the longest cells, then the name."""
    found = {c.name: rank for c in columns if c.name not in taken and (rank := _text_rank(c)) is not None}
    if len(found) <= 1:
        return next(iter(found), None)
    filled = measure(sorted(found))
    fullest = max(filled[name].cells for name in found)
    usable = [name for name in found if filled[name].cells * 10 >= fullest]
    return min(usable, key=lambda n: (found[n], -filled[n].characters / max(1, filled[n].cells), n))


def _meta_keys(columns: Sequence[HeaderColumn], taken: set[str], given: dict[str, str]) -> dict[str, str]:
    """Name each other column's key in meta; a known field has one column, the rest keep their own names."""
    keys = {column: field for field, column in given.items()}
    used = taken | set(keys)
    for field in load_synonyms()["fields"]:
        if field not in given:
            name = _best(columns, ranks("fields", field), used)
            if name is not None:
                keys[name] = field
                used.add(name)
    fields = set(keys.values())
    for column in columns:
        if column.name not in used:
            # A column must not pass for a field that another column holds, nor for a date that could not be read.
            clash = column.name in fields or column.name == "created_at"
            keys[column.name] = f"{column.name} (given)" if clash else column.name
    return keys


def find_layout(
    columns: Sequence[HeaderColumn],
    settings: IngestSettings,
    *,
    source: str,
    measure: Callable[[Sequence[str]], dict[str, Filled]],
) -> Layout:
    """Find which columns hold what.

    :param columns: the table's columns in order.
    :param source: the file, for errors.
    :param measure: reads the whole table to tell how full the named columns are; called only where several columns
        could be the text, so that the choice does not depend on which rows come first.
    :raises BadDataError: when no column can be the text, or a column named in the settings is missing.
    """
    given: dict[str, str] = {
        field: _named(columns, name, f"columns.{field}", source) for field, name in settings.columns.items()
    }
    text = tuple(_named(columns, name, "text_columns", source) for name in settings.text_columns)
    if not text and "text" in given:
        text = (given["text"],)
    taken = {*given.values(), *text}
    places: dict[str, str | None] = {}
    for field in ("comment_id", "created_at"):
        places[field] = given.get(field) or _best(columns, ranks(field), taken)
        taken |= {name for name in (places[field],) if name is not None}
    if not text:
        others = {name for f in load_synonyms()["fields"] if (name := _best(columns, ranks("fields", f), taken))}
        chosen = _choose_text(columns, taken | others, measure)
        if chosen is None:
            raise BadDataError(
                f"{source}: no column found that holds the comments. Columns found: {_shown(columns)}. "
                "Name it in the settings, for example  ingest: {columns: {text: 'NAME'}}  "
                "(header_rows: 0 where the file has no header)."
            )
        text = (chosen,)
    taken |= set(text)
    fields = {f: name for f, name in given.items() if f not in ("text", "comment_id", "created_at")}
    return Layout(text, places["comment_id"], places["created_at"], _meta_keys(columns, taken, fields))
