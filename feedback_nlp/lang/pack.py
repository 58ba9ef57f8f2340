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
class Turns:
    """How a language turns one describing word, all in small letters.

    :param before: words that turn the next word wherever they stand (isn't, مش, ليس).
    :param opening: words that do so behind one of ``copulas`` or where a clause begins (not).
    :param copulas: words of being (is, was).
    :param after: words that turn the word before them (نبود, نیست).
    :param fillers: words that may stand between (very, at all, هم).
    :param never: words that are not turned, for the phrase means something else (not only, not sure).
    """

    before: frozenset[str]
    opening: frozenset[str]
    copulas: frozenset[str]
    after: frozenset[str]
    fillers: frozenset[str]
    never: frozenset[str]


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
    :param turns: those of them that turn one describing word.
    :param contrasts: words that open a contrasting clause (but, لكن, ولی).
    :param weak_contrasts: those of ``contrasts`` that have other meanings too (بس "only", فقط "only", yet), with what
        must stand before them: ``pause`` a punctuation mark, ``predicate`` also a word of ``clause_ends``, ``words``
        also any two words.
    :param clause_ends: words that clauses end with.
    :param contrast_blockers: words after which a contrast word is none (not yet, nothing but, مش بس).
    :param titles: words before a person's name (Mr, السيد, آقای).
    :param account_cues: words before an order, account or customer number; alternatives for one word parted by ``/``.
    :param phone_cues: words before a telephone number.
    :param id_cues: words before a national identity number.
    :param card_cues: words before the number of a bank card.
    :param currencies: words after an amount.
    :param clitics: prefixes written together with the next word, longest first.
    :param romanised: frequent words of the language as typed in Latin letters.
    :param verb_stems: stems that a separable prefix is written with, by tense; empty where the language has none.
    """

    code: str
    names: dict[str, str]
    direction: str
    letters: str
    digits: str
    decimal: str
    stop_words: frozenset[str]
    negations: frozenset[str]
    turns: Turns
    contrasts: tuple[str, ...]
    weak_contrasts: dict[str, str]
    clause_ends: frozenset[str]
    contrast_blockers: frozenset[str]
    titles: tuple[str, ...]
    account_cues: tuple[str, ...]
    phone_cues: tuple[str, ...]
    id_cues: tuple[str, ...]
    card_cues: tuple[str, ...]
    currencies: tuple[str, ...]
    clitics: tuple[str, ...]
    romanised: tuple[str, ...]
    verb_stems: dict[str, tuple[str, ...]]


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
        turns=Turns(**{name: frozenset(raw["turns"].get(name, "").split()) for name in Turns.__dataclass_fields__}),
        contrasts=tuple(raw["contrasts"]),
        weak_contrasts=raw["weak_contrasts"],
        clause_ends=frozenset(raw["clause_ends"]),
        contrast_blockers=frozenset(raw["contrast_blockers"]),
        titles=tuple(raw["titles"]),
        account_cues=tuple(raw["account_cues"]),
        phone_cues=tuple(raw["phone_cues"]),
        id_cues=tuple(raw["id_cues"]),
        card_cues=tuple(raw["card_cues"]),
        currencies=tuple(raw["currencies"]),
        clitics=tuple(raw["clitics"]),
        romanised=tuple(raw["romanised"]),
        verb_stems={tense: tuple(" ".join(stems).split()) for tense, stems in raw.get("verb_stems", {}).items()},
    )


def open_packs() -> dict[str, LanguagePack]:
    """Open every language's pack, by code."""
    return {code: open_pack(code) for code in CODES}
