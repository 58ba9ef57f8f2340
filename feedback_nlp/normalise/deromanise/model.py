"""WordModel: Arabizi and Finglish into native letters, word by word, with a language model over the sentence."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from feedback_nlp.core.modelfolder import ModelFolder
from feedback_nlp.normalise.aligned import Edit
from feedback_nlp.normalise.deromanise.channel import Channel
from feedback_nlp.normalise.deromanise.lexicon import Lexicon, Prefix
from feedback_nlp.normalise.deromanise.symbols import symbols_of

KIND = "deromanise"
VOCABULARY = "vocabulary.json"
_SIGNS = "A-Za-z0-9\u00c0-\u024f$"
TOKEN = re.compile(f"['’]?[{_SIGNS}](?:['’`´-]?[{_SIGNS}]|['’](?![A-Za-z]))*")
_NO_WORD = re.compile(r"\d[\d'’.-]*(?:[gGkK]|[A-Z]{1,3})?|[A-Z]{1,3}\d+[A-Z]?")
_CHUNK = re.compile(r"\S+")
_SITE = re.compile(r"\w\.(?:com|ir|net|org|sa|ae|io)\b", re.IGNORECASE)
_LONGEST_WORD = 40
_LONGEST_LEAD = 8
_MOST_CANDIDATES = 6
_MOST_LOOKED_AT = 24
_MOST_TOGETHER = 256
_MOST_CACHED = 200_000
_WIDEST_GAP = 6.0
_START = -1
_NO_LETTERS = ("", "", "")
# Costs are kept as bytes: sixteenths, up to 15.9.
COST_STEPS = 16.0


class Candidate(NamedTuple):
    """A native reading of a Latin word.

    :param surface: as written.
    :param place: place in the lexicon, -1 when it is not there.
    :param spelling: cost of the spelling.
    :param prior: cost of the word.
    """

    surface: str
    place: int
    spelling: float
    prior: float


@dataclass(frozen=True)
class _Unit:
    """Latin words that are read as one."""

    start: int
    end: int
    latin: str
    apart: str


@dataclass(frozen=True)
class Weights:
    """How the parts of a reading's cost are weighed.

    :param prior: weight of a word's rarity beside its spelling's cost.
    :param unknown: cost of a word that no lexicon holds, for each of its symbols.
    :param foreign: cost of the spelling of a word that may stay.
    """

    prior: float = 0.75
    unknown: float = 6.0
    foreign: float = 2.0


@dataclass(frozen=True)
class WordModel:
    """De-romanises; see the module.

    :param lexicons: by language.
    :param channels: by language.
    :param letters: by language, for each symbol the native letters it mostly stands for at the beginning, inside and at
        the end of a word; for words that no lexicon holds.
    :param joined: by language, Latin words that are read together with the next one (``el``, ``fel``), with the words
        apart that native writers put for what they share (``في ال`` for ``فال``), or nothing.
    :param kept: by language, Latin words, lower case, that may stay (English words, brands), with the cost of each.
    :param weights: how costs are weighed.
    """

    lexicons: Mapping[str, Lexicon]
    channels: Mapping[str, Channel]
    letters: Mapping[str, Mapping[str, Sequence[str]]]
    joined: Mapping[str, Mapping[str, str]]
    kept: Mapping[str, Mapping[str, float]]
    weights: Weights
    _cache: dict[tuple[str, str], tuple[Candidate, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> "WordModel":
        """Read a model from its folder.

        :raises ModelError: when the folder holds another kind of model.
        """
        arrays = folder.require(KIND).arrays()
        raw: dict[str, Any] = json.loads((folder.path / VOCABULARY).read_text(encoding="utf-8"))
        languages = raw["languages"]
        lexicons, channels = {}, {}
        for lang, part in languages.items():
            pairs, costs = arrays[f"{lang}.pairs"].tolist(), arrays[f"{lang}.pair_costs"] / COST_STEPS
            lexicons[lang] = Lexicon(
                lang=lang,
                surfaces=part["surfaces"].split(" "),
                folds=part["folds"].split(" "),
                prior=arrays[f"{lang}.prior"].astype(np.float32),
                pairs=dict(zip(pairs, costs.tolist(), strict=True)),
                prefixes=tuple(Prefix(**{**row, "latin": tuple(row["latin"])}) for row in part["prefixes"]),
                seen=_seen(part["seen"], arrays[f"{lang}.seen_places"].tolist(), arrays[f"{lang}.seen_costs"].tolist()),
            )
            channels[lang] = Channel(
                *(arrays[f"{lang}.{name}"].astype(np.float32) for name in ("write", "skip", "put"))
            )
        return cls(
            lexicons,
            channels,
            {lang: part["letters"] for lang, part in languages.items()},
            {lang: part["joined"] for lang, part in languages.items()},
            {
                lang: dict(zip(part["kept"].split(" "), part["kept_costs"], strict=True))
                for lang, part in languages.items()
            },
            Weights(**raw["weights"]),
        )

    def edits(self, text: str, start: int, end: int, lang: str) -> list[Edit]:
        """Return edits that put the words of ``text[start:end]`` into native letters; web addresses and numbers stay.

        :param lang: ``ar`` or ``fa``; nothing is done for another.
        """
        if lang not in self.lexicons:
            return []
        units = list(self._units(text, start, end, lang))
        words = self.read([unit.latin for unit in units], lang)
        return [(unit.start, unit.end, _apart(word, unit.apart)) for unit, word in zip(units, words, strict=True)]

    def _units(self, text: str, start: int, end: int, lang: str) -> Iterator["_Unit"]:
        """Yield the Latin words of a stretch, an article joined with its word."""
        tokens = list(_tokens(text, start, end))
        joined = self.joined[lang]
        first, lead, apart = -1, "", ""
        for match, following in zip_longest(tokens, tokens[1:]):
            latin = lead + match.group()
            first = match.start() if not lead else first
            close = following is not None and text[match.end() : following.start()] in (" ", "-")
            if close and match.group().lower() in joined and len(latin) <= _LONGEST_LEAD:
                apart = apart or joined[match.group().lower()]
                lead = latin
            else:
                yield _Unit(first, match.end(), latin, apart)
                lead, apart = "", ""

    def read(self, words: Sequence[str], lang: str) -> list[str]:
        """Return the likeliest native words of a sentence of Latin words (Viterbi 1967 over the readings)."""
        lexicon = self.lexicons[lang]
        weight = self.weights.prior
        self._learn([word for word in dict.fromkeys(words) if (word, lang) not in self._cache], lang)
        paths: list[tuple[float, int, tuple[Any, ...]]] = [(0.0, _START, ())]
        for word in words:
            longer = []
            for candidate in self.candidates(word, lang):
                best = None
                for cost, before, path in paths:
                    prior = candidate.prior
                    pair = lexicon.after(before, candidate.place)
                    if pair is not None:
                        prior = min(prior, pair)
                    step = cost + candidate.spelling + weight * prior
                    if best is None or step < best[0]:
                        best = (step, candidate.place, (path, candidate.surface))
                if best is not None:
                    longer.append(best)
            paths = longer
        return _unrolled(min(paths, key=lambda path: path[0])[2])

    def candidates(self, word: str, lang: str) -> tuple[Candidate, ...]:
        """Return the likeliest readings of a Latin word, best first; the same object for the same word."""
        key = (word, lang)
        if key not in self._cache:
            self._learn([word], lang)
        return self._cache[key]

    def prepare(self, stretches: Iterable[tuple[str, int, int, str]]) -> None:
        """Look up the words of many stretches together, which is much faster than one by one; changes no result.

        :param stretches: text, start, end and language of each, as :meth:`edits` takes them.
        """
        words: dict[str, dict[str, None]] = {lang: {} for lang in self.lexicons}
        for text, start, end, lang in stretches:
            if lang in words:
                words[lang].update((unit.latin, None) for unit in self._units(text, start, end, lang))
        for lang, found in words.items():
            self._learn([word for word in found if (word, lang) not in self._cache], lang)

    def _learn(self, words: Sequence[str], lang: str) -> None:
        """Put the readings of words into the cache."""
        if len(self._cache) + len(words) > _MOST_CACHED:
            self._cache.clear()
        weight = self.weights.prior
        longest_first = sorted(((word, symbols_of(word)) for word in words), key=lambda one: -len(one[1]))
        for first in range(0, len(words), _MOST_TOGETHER):
            some = longest_first[first : first + _MOST_TOGETHER]
            known = self._known([(word.lower(), symbols) for word, symbols in some], lang)
            for (word, symbols), native in zip(some, known, strict=True):
                readings = sorted(
                    [*native, *self._as_it_stands(word, symbols, lang)], key=lambda one: one[2] + weight * one[3]
                )
                highest = readings[0].spelling + weight * readings[0].prior + _WIDEST_GAP
                self._cache[word, lang] = tuple(
                    one for one in readings[:_MOST_CANDIDATES] if one.spelling + weight * one.prior <= highest
                )

    def _known(self, words: Sequence[tuple[str, Sequence[str]]], lang: str) -> list[list[Candidate]]:
        """Return the likeliest readings from the lexicon of each of some words, those with most symbols first."""
        lexicon = self.lexicons[lang]
        found = lexicon.find(words)
        codes, lengths = lexicon.codes(found)
        spelling = self.channels[lang].costs([symbols for _, symbols in words], found.counts, codes, lengths)
        prior = lexicon.priors(found)
        total = spelling + np.float32(self.weights.prior) * prior
        places, prefixes = found.places.tolist(), found.prefixes.tolist()
        readings = []
        start = 0
        for (_, symbols), count in zip(words, found.counts.tolist(), strict=True):
            order = start + total[start : start + count].argsort(kind="stable")
            start += count
            seen = dict(lexicon.seen.get("".join(symbols), ()))
            ours: list[Candidate] = []
            for at in order[:_MOST_LOOKED_AT].tolist():
                place, prefix = places[at], prefixes[at]
                # What the lexicon has as a word of its own is not put together once more.
                if prefix >= 0 and lexicon.is_word(prefix, place):
                    continue
                known, cost = (place if prefix < 0 else -1), float(spelling[at])
                cost = min(cost, seen.pop(known, cost))
                ours.append(Candidate(lexicon.surface(place, prefix), known, cost, float(prior[at])))
                if len(ours) == _MOST_CANDIDATES:
                    break
            for place, cost in seen.items():
                ours.append(Candidate(lexicon.surfaces[place], place, cost, float(lexicon.prior[place])))
            readings.append(ours)
        return readings

    def _as_it_stands(self, word: str, symbols: Sequence[str], lang: str) -> list[Candidate]:
        """Return the readings that no lexicon holds: letter by letter, and kept in Latin letters."""
        readings = []
        kept, latin = self.kept[lang], word.lower()
        if latin in kept or not symbols:
            readings.append(Candidate(word, -1, self.weights.foreign, kept.get(latin, 0.0)))
        lexicon = self.lexicons[lang]
        for head, numbers in lexicon.heads_of(latin):
            rest = latin[len(head) :]
            if rest in kept:
                for prefix in (lexicon.prefixes[number] for number in numbers):
                    surface = f"{prefix.surface} {word[len(head) :]}"
                    readings.append(Candidate(surface, -1, self.weights.foreign, prefix.cost + kept[rest]))
        if symbols:
            table = self.letters[lang]
            places = [0, *[1] * (len(symbols) - 2), 2][: len(symbols)]
            letters = "".join(table.get(symbol, _NO_LETTERS)[at] for symbol, at in zip(symbols, places, strict=True))
            readings.append(Candidate(letters or word, -1, self.weights.unknown * max(len(symbols), 2), 0.0))
        return readings


def _tokens(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the Latin words of a stretch, without addresses, numbers and what is too long to be a word."""
    for chunk in _CHUNK.finditer(text, start, end):
        if "@" in chunk.group() or _SITE.search(chunk.group()):
            continue
        for match in TOKEN.finditer(text, *chunk.span()):
            if len(match.group()) <= _LONGEST_WORD and not _NO_WORD.fullmatch(match.group()):
                yield match


def _apart(word: str, apart: str) -> str:
    """Write a preposition and the article apart, where the word was read with both: فالمطعم, في المطعم."""
    together = f"{apart[:1]}ال"
    return apart + word[len(together) :] if apart and word.startswith(together) else word


def _seen(spellings: str, places: Sequence[int], costs: Sequence[float]) -> dict[str, list[tuple[int, float]]]:
    """Gather the readings of spellings; one that stands for several words stands several times."""
    found: dict[str, list[tuple[int, float]]] = {}
    for spelling, place, cost in zip(spellings.split(), places, costs, strict=True):
        found.setdefault(spelling, []).append((place, cost / COST_STEPS))
    return found


def _unrolled(path: tuple[Any, ...]) -> list[str]:
    words: list[str] = []
    while path:
        path, word = path
        words.append(word)
    return words[::-1]
