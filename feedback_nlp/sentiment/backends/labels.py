"""What the labels of a classification model mean, told from their names."""

import re
from collections.abc import Mapping, Sequence

from feedback_nlp.core.errors import ConfigError

_WORDS: Mapping[str, frozenset[str]] = {
    "mixed": frozenset({"mixed", "both", "conflict"}),
    "neutral": frozenset({"neutral", "neu", "neut", "none", "objective", "obj", "normal", "idea", "محايد", "خنثی"}),
    "negative": frozenset(
        {"negative", "neg", "bad", "sad", "angry", "furious", "unhappy", "dissatisfied", "سلبي", "منفی", "ناراضی"}
    ),
    "positive": frozenset(
        {"positive", "pos", "good", "happy", "delighted", "satisfied", "recommended", "recommend", "ايجابي", "مثبت"}
        | {"راضی", "إيجابي"}
    ),
}
_OPPOSITE = {"positive": "negative", "negative": "positive"}
_NUMBERED = re.compile(r"(?:label|class|stars?|rating|score|sentiment|polarity)?[ _-]*(\d+)[ _-]*(?:stars?)?")
_BY_COUNT: Mapping[int, tuple[str, ...]] = {
    2: ("negative", "positive"),
    3: ("negative", "neutral", "positive"),
    5: ("negative", "negative", "neutral", "positive", "positive"),
}


def meanings(names: Sequence[str], given: Mapping[str, str], *, setting: str) -> list[str]:
    """Return what each label means: ``negative``, ``neutral``, ``positive`` or ``mixed``.

    Words are understood (``NEG``, ``very_positive``, ``not_recommended``), and so are two, three or five numbered
    labels (``LABEL_0``, ``1 star``), which are taken to rise from bad to good.

    :param names: the model's labels in order.
    :param given: what the user says they mean, by label, letter case aside; empty to tell it from the names.
    :param setting: the setting named in errors.
    :raises ConfigError: when a label is not understood, left out or unknown, or negative or positive is missing.
    """
    found = _as_given(names, given, setting) if given else _by_words(names) or _by_numbers(names)
    if found is None:
        raise ConfigError(
            f"{setting}: the model's labels ({', '.join(names)}) do not say what they mean. "
            f"Set {setting}.labels, for example {{{names[0]}: negative}}, for each of them."
        )
    missing = [wanted for wanted in ("negative", "positive") if wanted not in found]
    if missing:
        raise ConfigError(f"{setting}: none of the model's labels ({', '.join(names)}) means {missing[0]}.")
    return found


def _as_given(names: Sequence[str], given: Mapping[str, str], setting: str) -> list[str]:
    folded = {name.casefold(): meaning for name, meaning in given.items()}
    known = {name.casefold() for name in names}
    left_out = [name for name in names if name.casefold() not in folded]
    unknown = [name for name in given if name.casefold() not in known]
    if left_out or unknown:
        fault = f"says nothing of {', '.join(left_out)}" if left_out else f"names {', '.join(unknown)}"
        raise ConfigError(f"{setting}.labels {fault}; the model's labels are {', '.join(names)}.")
    return [folded[name.casefold()] for name in names]


def _by_words(names: Sequence[str]) -> list[str] | None:
    found = [_meaning_of(name) for name in names]
    return None if None in found else [meaning for meaning in found if meaning]


def _meaning_of(name: str) -> str | None:
    words = set(re.split(r"[\W_]+", name.casefold()))
    for meaning, known in _WORDS.items():
        if words & known:
            return _OPPOSITE.get(meaning, meaning) if "not" in words else meaning
    return None


def _by_numbers(names: Sequence[str]) -> list[str] | None:
    matches = [re.fullmatch(r"(-1)|" + _NUMBERED.pattern, name.strip().casefold()) for name in names]
    numbers = [int(match.group(1) or match.group(2)) for match in matches if match]
    ranked = sorted(numbers)
    steady = ranked == list(range(ranked[0], ranked[0] + len(names))) if ranked else False
    if len(numbers) < len(names) or not steady or ranked[0] > 1 or len(names) not in _BY_COUNT:
        return None
    return [_BY_COUNT[len(names)][ranked.index(number)] for number in numbers]
