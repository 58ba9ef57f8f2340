"""Taxonomy: the causes and readings with their names, definitions and cues in three languages, read from YAML.

Causes of the scheme are told in all three languages. A cause of the user's own needs a definition and a few examples,
in any of them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from feedback_nlp.core.columns import DRIVERS, EFFORTS, EMOTIONS, INTENTS, OTHER_CAUSES, RESOLUTIONS, STAGES
from feedback_nlp.core.errors import ConfigError, MissingInputError
from feedback_nlp.core.folding import fold
from feedback_nlp.core.modelfolder import shipped_root
from feedback_nlp.core.reading import READ_CAUSES

LANGUAGES = ("en", "ar", "fa")
FORMAT_VERSION = 1
FEWEST_EXAMPLES = 3
SCHEME = frozenset(label.split(".")[1][:-1] for label in READ_CAUSES)

_READINGS: Mapping[str, tuple[str, ...]] = {
    "other_causes": OTHER_CAUSES,
    "emotions": EMOTIONS,
    "efforts": EFFORTS,
    "resolutions": RESOLUTIONS,
    "intents": INTENTS,
    "stages": STAGES,
    "pyramid": tuple(map(str, range(6))),
}
_ENTRY_KEYS = ("id", "name", "definition", "examples", "cues")
_CAUSE_KEYS = (*_ENTRY_KEYS, "driver", "praise_cues", "owner", "action")
_OWN_KEYS = (*_CAUSE_KEYS, "praise_examples")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = frozenset({*DRIVERS, *OTHER_CAUSES, "both", "other", "none"})


@dataclass(frozen=True)
class Entry:
    """One value that a reading may take.

    :param id: the value as it stands in results.
    :param name: short name, by language.
    :param definition: one sentence, by language.
    :param examples: comments that show it, by language.
    :param cues: phrases that speak of it (of a complaint, for a cause), by language.
    """

    id: str
    name: Mapping[str, str]
    definition: Mapping[str, str]
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause(Entry):
    """A sub-cause with the driver it belongs to and what to do about it.

    :param driver: ``policy`` or ``employee``.
    :param praise_cues: phrases that praise it, by language.
    :param praise_examples: comments that praise it, by language; only of a cause of the user's own, whose ``examples``
        are complaints.
    :param owner: department that owns it, by language.
    :param action: recommended action, by language.
    """

    driver: str = ""
    praise_cues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    praise_examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owner: Mapping[str, str] = field(default_factory=dict)
    action: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Whether it is none of the scheme's causes but one that a user added."""
        return self.id not in SCHEME


@dataclass(frozen=True)
class Taxonomy:
    """All causes and readings, in the file's order.

    :param drivers: the two families of causes.
    :param causes: sub-causes of both drivers.
    :param readings: entries by section: other_causes, emotions, efforts, resolutions, intents, stages, pyramid.
    """

    drivers: tuple[Entry, ...]
    causes: tuple[Cause, ...]
    readings: Mapping[str, tuple[Entry, ...]]

    def cause(self, cause_id: str) -> Cause:
        """Return a cause by its id.

        :raises ConfigError: when there is none.
        """
        for cause in self.causes:
            if cause.id == cause_id:
                return cause
        raise ConfigError(f"No cause '{cause_id}' in the taxonomy. Known: {', '.join(c.id for c in self.causes)}.")


class _Faults:
    """Collects everything wrong with a file, to be told at once."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._lines: list[str] = []

    def add(self, place: str, fault: str) -> None:
        self._lines.append(f"  {place}: {fault}")

    def raise_if_any(self) -> None:
        if self._lines:
            raise ConfigError("\n".join([f"{self._where} has {len(self._lines)} problem(s):", *self._lines]))


def _by_language(value: Any, place: str, faults: _Faults) -> dict[str, Any]:  # noqa: ANN401 - parsed YAML
    if not isinstance(value, dict) or set(value) != set(LANGUAGES):
        faults.add(place, f"must have one value for each of {', '.join(LANGUAGES)}")
        return {}
    return value


def _texts(raw: Mapping[str, Any], key: str, place: str, faults: _Faults) -> dict[str, str]:
    found = _by_language(raw.get(key), f"{place}.{key}", faults)
    for lang, text in found.items():
        if not isinstance(text, str) or not text.strip():
            faults.add(f"{place}.{key}.{lang}", "must be a text")
    return {lang: str(text) for lang, text in found.items()}


def _lists(raw: Mapping[str, Any], key: str, place: str, faults: _Faults) -> dict[str, tuple[str, ...]]:
    found = _by_language(raw.get(key), f"{place}.{key}", faults)
    lists = {}
    for lang, phrases in found.items():
        if not isinstance(phrases, list) or not all(isinstance(phrase, str) and phrase.strip() for phrase in phrases):
            faults.add(f"{place}.{key}.{lang}", "must be a list of texts")
            continue
        lists[lang] = tuple(phrases)
    return lists


def _rows(
    raw: Mapping[str, Any], section: str, keys: Sequence[str], faults: _Faults
) -> list[tuple[str, dict[str, Any]]]:
    rows = raw.get(section)
    if not isinstance(rows, list):
        faults.add(section, "must be a list of entries")
        return []
    kept: list[tuple[str, dict[str, Any]]] = []
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            faults.add(f"{section}[{number}]", "must be a mapping with an 'id' in letters or quotes")
            continue
        place = f"{section}.{row['id']}"
        allowed = _OWN_KEYS if section == "causes" and row["id"] not in SCHEME else keys
        for key in sorted(set(map(str, row)) - set(allowed)):
            faults.add(f"{place}.{key}", f"unknown key. Known: {', '.join(allowed)}")
        if any(place == other for other, _ in kept):
            faults.add(place, "stands twice")
        kept.append((place, row))
    return kept


def _entry(place: str, row: Mapping[str, Any], faults: _Faults) -> Entry:
    return Entry(
        row["id"],
        _texts(row, "name", place, faults),
        _texts(row, "definition", place, faults),
        _lists(row, "examples", place, faults),
        _lists(row, "cues", place, faults),
    )


def _driver(place: str, row: Mapping[str, Any], faults: _Faults) -> str:
    driver = str(row.get("driver"))
    if driver not in DRIVERS:
        faults.add(f"{place}.driver", f"must be one of {', '.join(DRIVERS)}, got {driver!r}")
    return driver


def _cause(place: str, row: Mapping[str, Any], faults: _Faults) -> Cause:
    if row["id"] not in SCHEME:
        return _own_cause(place, row, faults)
    entry = _entry(place, row, faults)
    driver = _driver(place, row, faults)
    return Cause(
        entry.id,
        entry.name,
        entry.definition,
        entry.examples,
        entry.cues,
        driver=driver,
        praise_cues=_lists(row, "praise_cues", place, faults),
        owner=_texts(row, "owner", place, faults),
        action=_texts(row, "action", place, faults),
    )


def _some_languages(row: Mapping[str, Any], key: str, place: str, faults: _Faults) -> dict[str, Any]:
    """Return what is given of a key in any of the languages; nothing where the key is left out."""
    value = row.get(key, {})
    if not isinstance(value, dict) or not set(value) <= set(LANGUAGES):
        faults.add(f"{place}.{key}", f"must be a mapping with any of {', '.join(LANGUAGES)}")
        return {}
    return value


def _own_texts(row: Mapping[str, Any], key: str, place: str, faults: _Faults, default: str) -> dict[str, str]:
    """Return a text in every language; the first that is given stands in for those that are not."""
    found = _some_languages(row, key, place, faults)
    for lang, text in found.items():
        if not isinstance(text, str) or not text.strip():
            faults.add(f"{place}.{key}.{lang}", "must be a text")
    first = next((str(found[lang]) for lang in LANGUAGES if lang in found), default)
    return {lang: str(found.get(lang, first)) for lang in LANGUAGES}


def _own_lists(row: Mapping[str, Any], key: str, place: str, faults: _Faults) -> dict[str, tuple[str, ...]]:
    found = _some_languages(row, key, place, faults)
    return _lists({key: {lang: found.get(lang, []) for lang in LANGUAGES}}, key, place, faults)


def _own_cause(place: str, row: Mapping[str, Any], faults: _Faults) -> Cause:
    """Read a cause of the user's own: a driver, a definition, and examples or cues; the rest may be left out."""
    name = row["id"]
    if not _ID.fullmatch(name):
        faults.add(place, "an id is made of a-z, 0-9 and _, a letter first")
    if name in _TAKEN:
        faults.add(place, f"'{name}' is a name that results use already")
    if not _some_languages(row, "definition", place, faults):
        faults.add(f"{place}.definition", f"must say what it is in at least one of {', '.join(LANGUAGES)}")
    cause = Cause(
        name,
        _own_texts(row, "name", place, faults, default=name),
        _own_texts(row, "definition", place, faults, default=""),
        _own_lists(row, "examples", place, faults),
        _own_lists(row, "cues", place, faults),
        driver=_driver(place, row, faults),
        praise_cues=_own_lists(row, "praise_cues", place, faults),
        praise_examples=_own_lists(row, "praise_examples", place, faults),
        owner=_own_texts(row, "owner", place, faults, default=""),
        action=_own_texts(row, "action", place, faults, default=""),
    )
    counts = {key: len(phrases(getattr(cause, key))) for key in ("examples", "praise_examples", "cues", "praise_cues")}
    for key in ("examples", "praise_examples"):
        if 0 < counts[key] < FEWEST_EXAMPLES:
            faults.add(
                f"{place}.{key}", f"needs at least {FEWEST_EXAMPLES} in all languages together, got {counts[key]}"
            )
    if not any(counts.values()):
        faults.add(place, f"needs at least {FEWEST_EXAMPLES} examples or praise_examples, or cues")
    return cause


def phrases(by_language: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the phrases of every language in one list, in the order of ``LANGUAGES``, each once."""
    return list(dict.fromkeys(phrase for lang in LANGUAGES for phrase in by_language.get(lang, ())))


def _clashes(causes: Sequence[Cause]) -> Iterator[tuple[str, str]]:
    """Yield where two causes bear the same name in a language, the later one of a user's own."""
    owners: dict[tuple[str, str], str] = {}
    for cause in sorted(causes, key=lambda one: one.is_own):
        for lang, name in cause.name.items():
            owner = owners.setdefault((lang, fold(name).strip()), cause.id)
            if owner != cause.id:
                yield f"causes.{cause.id}.name.{lang}", f"'{name}' is the name of '{owner}' already"
                break


def _same_ids(section: str, found: Sequence[Entry], wanted: Sequence[str], faults: _Faults) -> None:
    ids = {entry.id for entry in found}
    for missing in [name for name in wanted if name not in ids]:
        faults.add(f"{section}.{missing}", "is missing")
    for unknown in sorted(ids - set(wanted)):
        faults.add(f"{section}.{unknown}", f"no such value. Known: {', '.join(wanted)}")


def _parsed(raw: Mapping[str, Any], where: str) -> Taxonomy:
    faults = _Faults(where)
    if raw.get("version") != FORMAT_VERSION:
        faults.add("version", f"must be {FORMAT_VERSION}, got {raw.get('version')!r}")
    for key in sorted(set(raw) - {"version", "drivers", "causes", *_READINGS}):
        faults.add(key, "unknown section")
    drivers = tuple(
        Entry(row["id"], _texts(row, "name", place, faults), _texts(row, "definition", place, faults))
        for place, row in _rows(raw, "drivers", ("id", "name", "definition"), faults)
    )
    _same_ids("drivers", drivers, DRIVERS, faults)
    causes = tuple(_cause(place, row, faults) for place, row in _rows(raw, "causes", _CAUSE_KEYS, faults))
    for place, fault in _clashes(causes):
        faults.add(place, fault)
    readings = {}
    for section, wanted in _READINGS.items():
        rows = _rows(raw, section, _ENTRY_KEYS, faults)
        readings[section] = tuple(_entry(place, row, faults) for place, row in rows)
        _same_ids(section, readings[section], wanted, faults)
    faults.raise_if_any()
    return Taxonomy(drivers, causes, readings)


def _added(taxonomy: Taxonomy, raw: Mapping[str, Any], where: str) -> Taxonomy:
    """Return the taxonomy with the causes of a user's own file."""
    faults = _Faults(where)
    if raw.get("version") != FORMAT_VERSION:
        faults.add("version", f"must be {FORMAT_VERSION}, got {raw.get('version')!r}")
    for key in sorted(set(map(str, raw)) - {"version", "causes"}):
        faults.add(key, "unknown section. A file of own causes has version and causes")
    standing = {cause.id for cause in taxonomy.causes} | SCHEME
    own = []
    for place, row in _rows(raw, "causes", _OWN_KEYS, faults):
        if row["id"] in standing:
            faults.add(place, "stands in the taxonomy already")
        else:
            own.append(_own_cause(place, row, faults))
    for place, fault in _clashes([*taxonomy.causes, *own]):
        faults.add(place, fault)
    faults.raise_if_any()
    return replace(taxonomy, causes=(*taxonomy.causes, *own))


def _read(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not file.is_file():
        raise MissingInputError(f"Taxonomy {file} does not exist.")
    try:
        raw = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not readable as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{file} must hold a mapping, found {type(raw).__name__}.")
    return raw


@cache
def open_taxonomy(path: str | Path | None = None, own: str | Path | None = None) -> Taxonomy:
    """Read a taxonomy.

    :param path: a YAML file; None takes the shipped ``configs/taxonomy.yaml``.
    :param own: a YAML file with further causes of the user's own; None adds none.
    :raises MissingInputError: when a file does not exist.
    :raises ConfigError: listing every fault at once.
    """
    file = shipped_root("configs") / "taxonomy.yaml" if path is None else Path(path)
    taxonomy = _parsed(_read(file), str(file))
    return taxonomy if own is None else _added(taxonomy, _read(Path(own)), str(own))
