"""Brings every input to this machine, so that it can be read twice and its fingerprint taken."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.ingest.remote.settings import ConnectSettings, SqlSource, StorageSource
from feedback_nlp.ingest.remote.sql import fetch_rows
from feedback_nlp.ingest.remote.storage import fetch_files

SOURCE_MARK = "@"


def fetch(inputs: Sequence[str | Path], settings: ConnectSettings, folder: Path) -> list[str | Path]:
    """Return the inputs with each remote one replaced by local copies.

    :param inputs: paths and globs, which stay as they are; ``@name`` of a configured source; addresses with a
        protocol (``s3://…``).
    :param folder: where copies are written, made when needed.
    :raises ConfigError: for a name that no source has.
    :raises MissingInputError: when a remote input is missing or out of reach.
    """
    local: list[str | Path] = []
    for number, given in enumerate(inputs):
        place = folder / str(number)
        if isinstance(given, str) and given.startswith(SOURCE_MARK):
            local += _from_source(given.removeprefix(SOURCE_MARK), settings, place)
        elif isinstance(given, str) and "://" in given:
            local += fetch_files(StorageSource(url=given), settings, place)
        else:
            local.append(given)
    return local


def _from_source(name: str, settings: ConnectSettings, place: Path) -> list[Path]:
    source = settings.sources.get(name)
    if source is None:
        close = difflib.get_close_matches(name, settings.sources, n=1)
        hint = f" Did you mean @{close[0]}?" if close else ""
        known = ", ".join(f"@{known}" for known in settings.sources) or "none"
        raise ConfigError(f"No source '{SOURCE_MARK}{name}' in connect.sources; configured: {known}.{hint}")
    place.mkdir(parents=True, exist_ok=True)
    if isinstance(source, SqlSource):
        return [fetch_rows(name, source, settings, place)]
    return fetch_files(source, settings, place)
