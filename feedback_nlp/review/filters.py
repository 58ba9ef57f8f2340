"""Filter: which comments a reader asks for, as a value that can be cached by, written as an address, and applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

import numpy as np

from feedback_nlp.core.columns import LANGS, SENTIMENTS
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review.corpus import FIELDS, MARKS, Bools
from feedback_nlp.review.search import Readings, no_readings
from feedback_nlp.review.snapshot import Snapshot

LONGEST_QUERY = 200
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Filter:
    """Conditions that all have to hold; an empty one always holds.

    :param q: words that a comment, or for topics also its name, must hold.
    :param lang: language.
    :param sentiment: sentiment.
    :param mark: driver and sign named: ``policy-``, ``employee+``, …
    :param subtopic: number of a sub-topic.
    :param since: first day, ISO 8601; ``until`` = last day.
    :param fields: pairs of one of ``FIELDS`` and a value.
    """

    q: str = ""
    lang: str = ""
    sentiment: str = ""
    mark: str = ""
    subtopic: str = ""
    since: str = ""
    until: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return self != Filter()

    def field(self, name: str) -> str:
        """Return the value asked for in one of the dump's own columns, or an empty text."""
        return dict(self.fields).get(name, "")

    def pairs(self) -> list[tuple[str, str]]:
        """Return the conditions as pairs for an address, empty ones left out."""
        own = [(name, getattr(self, name)) for name in ("q", "lang", "sentiment", "mark", "subtopic", "since", "until")]
        return [(name, value) for name, value in (*own, *self.fields) if value]

    def as_query(self, **more: object) -> str:
        """Return the conditions, and more of the same kind, as the query of an address."""
        return urlencode([*self.pairs(), *((name, value) for name, value in more.items() if value not in ("", None))])


def _day(text: str, name: str) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ConfigError(
            f"{name} must be a date such as 2026-11-28.", fault="date_wrong", example="2026-12-31"
        ) from error


def _number(text: str, name: str) -> str:
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ConfigError(f"{name} must be a whole number.")
    return text


def _one_of(text: str, allowed: tuple[str, ...], name: str) -> str:
    if text and text not in allowed:
        raise ConfigError(f"{name} must be one of: {', '.join(allowed)}.")
    return text


def read_filter(given: Mapping[str, str]) -> Filter:
    """Read a filter from an address; what it does not know it leaves.

    :raises ConfigError: for a value that cannot be.
    """
    q = " ".join(given.get("q", "").split())
    if len(q) > LONGEST_QUERY:
        raise ConfigError(f"A search has at most {LONGEST_QUERY} characters.", fault="search_long", most=LONGEST_QUERY)
    return Filter(
        q=q,
        lang=_one_of(given.get("lang", ""), LANGS, "lang"),
        sentiment=_one_of(given.get("sentiment", ""), SENTIMENTS, "sentiment"),
        mark=_one_of(given.get("mark", ""), MARKS, "mark"),
        subtopic=_number(given.get("subtopic", ""), "subtopic"),
        since=_day(given.get("since", ""), "since"),
        until=_day(given.get("until", ""), "until"),
        fields=tuple((name, given[name]) for name in FIELDS if given.get(name)),
    )


def matching(snapshot: Snapshot, wanted: Filter, readings: Readings = no_readings) -> Bools | None:
    """Return which comments fulfil a filter; None where all do.

    :param readings: native spellings of a Latin word, see :class:`feedback_nlp.review.search.SearchIndex`.
    """
    corpus = snapshot.corpus
    conditions: list[Bools] = []
    if wanted.lang:
        conditions.append(corpus.lang == LANGS.index(wanted.lang))
    if wanted.sentiment:
        conditions.append(snapshot.sentiment == SENTIMENTS.index(wanted.sentiment))
    if wanted.mark:
        conditions.append(snapshot.marks[wanted.mark])
    if wanted.subtopic:
        conditions.append(snapshot.subtopic == int(wanted.subtopic))
    if wanted.since:
        conditions.append(corpus.days >= (date.fromisoformat(wanted.since) - _EPOCH).days)
    if wanted.until:
        conditions.append((corpus.days >= 0) & (corpus.days <= (date.fromisoformat(wanted.until) - _EPOCH).days))
    for name, value in wanted.fields:
        field = corpus.fields[name]
        conditions.append(field.codes == (field.values.index(value) if value in field.values else -1))
    if wanted.q:
        found = corpus.index.find(wanted.q, readings)
        if found is not None:
            hit = np.zeros(len(corpus), dtype=bool)
            hit[found] = True
            conditions.append(hit)
    return None if not conditions else np.logical_and.reduce(conditions)


def choices(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Return what can be chosen in a filter: the values of the dump's own columns, by column."""
    return {name: field.values[1:] for name, field in snapshot.corpus.fields.items() if len(field.values) > 1}
