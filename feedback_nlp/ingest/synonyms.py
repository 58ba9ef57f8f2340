"""Loads ``synonyms.toml`` and folds headers so that they can be compared."""

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from feedback_nlp.core.folding import fold

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^\w']+|_+")


@cache
def load_synonyms() -> dict[str, Any]:
    """Return the tables of ``synonyms.toml``."""
    text = resources.files("feedback_nlp.ingest").joinpath("synonyms.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@lru_cache(maxsize=4096)
def header_key(name: str) -> str:
    """Fold a header to lower-case words split by single spaces, without the Arabic article."""
    words = _NO_WORD.sub(" ", fold(_CAMEL.sub(" ", name[:500]))).split()
    return " ".join(word[2:] if word.startswith("ال") and len(word) > 4 else word for word in words)


@cache
def ranks(section: str, entry: str = "names") -> dict[str, int]:
    """Return header keys with their rank, 0 the best, of one list of ``synonyms.toml``."""
    table: dict[str, int] = {}
    for rank, name in enumerate(load_synonyms()[section][entry]):
        table.setdefault(header_key(name), rank)
    return table
