"""Runs evaluation suites by name."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.train.figures import Figure

SUITES = {
    "language": ("evaluate_langid", "evaluate_normalise", "evaluate_language"),
    "embedding": ("evaluate_embedding",),
    "sentiment": ("evaluate_sentiment",),
    "topics": ("evaluate_topics",),
    "rootcause": ("evaluate_rootcause",),
}
_QUICK: Mapping[str, dict[str, bool]] = {
    "evaluate_sentiment": {"refit": False},
    "evaluate_language": {"refit": False},
    "evaluate_rootcause": {"held_out": False},
}


def measure(data: Path, suites: Sequence[str], *, quick: bool = False) -> list[Figure]:
    """Measure the shipped models.

    :param data: folder of evaluation data.
    :param suites: names of suites, in the order wanted.
    :param quick: leave out what takes minutes because models are fitted again without some of the data.
    :raises ConfigError: for a name that is no suite.
    :raises MissingInputError: when data is missing.
    """
    unknown = [name for name in suites if name not in SUITES]
    if unknown:
        raise ConfigError(f"No suite '{unknown[0]}'. There are: {', '.join(SUITES)}.")
    figures: list[Figure] = []
    for name in suites:
        for module in SUITES[name]:
            options = _QUICK.get(module, {}) if quick else {}
            figures += import_module(f"feedback_nlp.train.{module}").evaluate(data, **options)
    return figures
