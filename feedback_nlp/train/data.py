"""Reads the training material and states where it came from."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.core.modelfolder import ModelFolder

# What write_model writes into a manifest by itself.
_OWN_KEYS = ("kind", "format_version", "name", "version", "files")


def _existing(path: Path) -> Path:
    if not path.exists():
        raise MissingInputError(f"{path} does not exist. Give the training data's folder with --data.")
    return path


def read_set(data: Path, name: str, *, folder: str = "feedback") -> pd.DataFrame:
    """Read one data set by name, for example ``fa_snappfood``.

    :param data: the data folder, with ``feedback/``, ``eval/``, ``parallel/`` …
    :returns: one row a text, columns as published; ``extra`` stays a JSON string.
    :raises MissingInputError: when it is not there.
    """
    return pd.read_parquet(_existing(data / folder / f"{name}.parquet"))


def read_jsonl(data: Path, name: str) -> list[dict[str, Any]]:
    """Read a JSON-lines file by its path under the data folder."""
    with _existing(data / name).open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.strip()]


def set_names(data: Path, *, folder: str = "feedback") -> Iterator[str]:
    """List the data sets of a folder in sorted order."""
    for path in sorted(_existing(data / folder).glob("*.parquet")):
        yield path.stem


def provenance(data: Path, rows: dict[str, int]) -> Sequence[dict[str, Any]]:
    """Return name, rows used and licence as stated of each set, for a model's manifest.

    :param rows: rows used, by data set name.
    """
    entries = read_jsonl(data, "manifest.jsonl")
    stated = {str(entry.get("file") or entry.get("name")): str(entry.get("license")) for entry in entries}
    return [{"name": name, "rows": count, "licence": stated.get(name, "none stated")} for name, count in rows.items()]


def details_of(folder: ModelFolder) -> dict[str, Any]:
    """Return what a folder's manifest tells beyond its name, kind, version and files."""
    return {key: value for key, value in folder.manifest.items() if key not in _OWN_KEYS}
