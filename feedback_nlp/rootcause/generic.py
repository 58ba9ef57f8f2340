"""Comments that praise or blame without saying of what."""

import re
import tomllib
from functools import cache
from importlib import resources

from feedback_nlp.core.folding import fold

_LONGEST = 80
_WORD = re.compile(r"\w+")


@cache
def _words() -> frozenset[str]:
    text = resources.files("feedback_nlp.rootcause").joinpath("generic.toml").read_text(encoding="utf-8")
    return frozenset(_WORD.findall(fold(" ".join(tomllib.loads(text)["words"]))))


def says_nothing(text: str) -> bool:
    """Tell whether a text has words, and none that says what is praised or blamed.

    :param text: a normalised text; a long one always says something.
    """
    if len(text) > _LONGEST:
        return False
    words = _WORD.findall(fold(text))
    return bool(words) and all(word in _words() for word in words)
