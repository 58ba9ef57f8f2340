"""LanguagePack: one language's data, read from ``lang/xx/pack.toml``.

To add a language: a folder with a ``pack.toml`` and one entry in ``CODES``; the contract tests say what is missing.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from feedback_nlp.core.errors import ConfigError

CODES = ("ar", "fa", "en")


@dataclass(frozen=True)
class LanguagePack:
    """Everything particular to one language.

    :param code: ISO 639-1 code.
    :param names: the language's name in each of our languages, by code.
    :param direction: ``rtl`` or ``ltr``.
    :param letters: letters that this language uses and its neighbours do not.
    :param digits: the ten digits, zero first.
    :param decimal: decimal and thousands marks.
    :param stop_words: words without a topic; never contains a negation.
    :param negations: words that turn a meaning.
    :param contrasts: words that open a contrasting clause (but, لكن, ولی).
    :param titles: words before a person's name (Mr, السيد, آقای).
    :param account_cues: words before an order, account or customer number.
    :param clitics: prefixes written together with the next word, longest first.
    :param romanised: frequent words of the language as typed in Latin letters.
    """

    code: str
    names: dict[str, str]
    direction: str
    letters: str
    digits: str
    decimal: str
    stop_words: frozenset[str]
    negations: frozenset[str]
    contrasts: tuple[str, ...]
    titles: tuple[str, ...]
    account_cues: tuple[str, ...]
    clitics: tuple[str, ...]
    romanised: tuple[str, ...]


@cache
def open_pack(code: str) -> LanguagePack:
    """Open a language's pack.

    :raises ConfigError: when there is no such language.
    """
    if code not in CODES:
        raise ConfigError(f"Language '{code}' is not known. Known: {', '.join(CODES)}.")
    text = resources.files("feedback_nlp.lang").joinpath(code, "pack.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    stop_words = frozenset(" ".join(raw["stop_words"]).split())
    return LanguagePack(
        code=code,
        names=raw["names"],
        direction=raw["direction"],
        letters=raw["letters"],
        digits=raw["digits"],
        decimal=raw["decimal"],
        stop_words=stop_words,
        negations=frozenset(raw["negations"]),
        contrasts=tuple(raw["contrasts"]),
        titles=tuple(raw["titles"]),
        account_cues=tuple(raw["account_cues"]),
        clitics=tuple(raw["clitics"]),
        romanised=tuple(raw["romanised"]),
    )


def open_packs() -> dict[str, LanguagePack]:
    """Open every language's pack, by code."""
    return {code: open_pack(code) for code in CODES}
