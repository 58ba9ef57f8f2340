"""The label lexicon: frequent words of customer feedback with their English meanings, for naming across languages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.lang.pack import open_pack
from feedback_nlp.topics.tokens import fold_word, passive_words

KIND = "topic-labels"
LEXICON_FILE = "lexicon.tsv"

_ARABIC = re.compile(r"[\u0600-\u06ff]")


@dataclass(frozen=True)
class Entry:
    """One word of a language other than English.

    :param lang: its language.
    :param word: the form shown to readers.
    :param glosses: English meanings of one or two words, the main one first.
    """

    lang: str
    word: str
    glosses: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Entries, the surest and most frequent of each language first; a word may have several."""

    entries: tuple[Entry, ...]

    @cached_property
    def _glosses(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """English meanings by language and folded word, with and without the Arabic article."""
        out: dict[tuple[str, str], tuple[str, ...]] = {}
        for entry in self.entries:
            folded = fold_word(entry.word)
            bare = folded.removeprefix("ال") if entry.lang == "ar" and len(folded) > 4 else folded
            for form in dict.fromkeys((folded, bare)):
                known = out.get((entry.lang, form), ())
                out[entry.lang, form] = tuple(dict.fromkeys((*known, *entry.glosses)))
        return out

    @cached_property
    def _words(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Words by language and English meaning; those that mainly mean it first, then the more frequent."""
        main: dict[tuple[str, str], list[str]] = {}
        further: dict[tuple[str, str], list[str]] = {}
        for entry in self.entries:
            for rank, gloss in enumerate(entry.glosses):
                (further if rank else main).setdefault((entry.lang, gloss), []).append(entry.word)
        return {key: tuple(main.get(key, []) + further.get(key, [])) for key in (*main, *further)}

    def words(self, lang: str) -> tuple[str, ...]:
        """Return a language's words, the most frequent first; English ones are the meanings of the others."""
        if lang == "en":
            found = dict.fromkeys(gloss for entry in self.entries for gloss in entry.glosses[:1])
        else:
            found = dict.fromkeys(entry.word for entry in self.entries if entry.lang == lang)
        return tuple(found)

    def translations(self, word: str, source: str, target: str) -> tuple[str, ...]:
        """Return translations of a word, the likeliest first; empty where the lexicon has none.

        :param source: language of ``word``.
        :param target: language wanted.
        """
        glosses = self._meanings(word, source)
        if target == "en":
            return glosses
        return tuple(dict.fromkeys(found for gloss in glosses for found in self._words.get((target, gloss), ())))

    def _meanings(self, word: str, source: str) -> tuple[str, ...]:
        if source == "en":
            lower = word.lower()
            return tuple(dict.fromkeys((lower, lower.removesuffix("s"))))
        folded = fold_word(word)
        found = self._glosses.get((source, folded))
        if found is None and source == "ar":
            found = self._glosses.get((source, folded.removeprefix("ال")))
        return found or ()


EMPTY = Lexicon(())


def open_lexicon(name: str | Path) -> Lexicon:
    """Open the label lexicon from its model folder.

    :raises ModelError: when the folder is missing, damaged or of another kind.
    """
    folder = open_model(resolve_model(name)).require(KIND)
    path = folder.path / LEXICON_FILE
    if not path.is_file():
        raise ModelError(f"{folder.path}: {LEXICON_FILE} is missing. Bring the folder again.")
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        lang, word, *glosses = line.split("\t")
        entries.append(Entry(lang, word, tuple(glosses)))
    return Lexicon(tuple(entries))


def telling_words(words: Sequence[str], lang: str) -> list[str]:
    """Keep words that can name a topic in a language: in its script, no stop words, no single letters, no halves."""
    passive = passive_words(lang)
    arabic = open_pack(lang).direction == "rtl"
    return [
        word
        for word in words
        if len(word) > 1
        and word[0].isalpha()
        and fold_word(word) not in passive
        and bool(_ARABIC.search(word)) == arabic
    ]
