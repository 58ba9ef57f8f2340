"""Words of one language for words of another, by the lexicon and by nearness of meaning."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from feedback_nlp.topics.keywords import without_variants
from feedback_nlp.topics.lexicon import Lexicon, telling_words
from feedback_nlp.topics.space import Vectors
from feedback_nlp.topics.wordspace import WordSpace

Floats = np.ndarray[Any, np.dtype[np.float64]]

_LISTED = 6
_ALIKE = 0.5
_LEXICON_BONUS = 0.25
_RANK_COST = 0.03
_TOPIC_WEIGHT = 1.0
_PLACE_COST = 0.1
_NEARNESS = 1.0
_BARE = {"fa": (("\u200cهای", ""), ("\u200cها", ""), ("ای", "ا"), ("وی", "و"))}


class Translator:
    """Translates keywords of a topic.

    :param space: vectors of words.
    :param lexicon: translations.
    """

    def __init__(self, space: WordSpace, lexicon: Lexicon) -> None:
        self._space = space
        self._lexicon = lexicon

    def translate_all(
        self, keywords: Mapping[str, Sequence[str]], target: str, centre: Vectors | None
    ) -> tuple[str, ...]:
        """Return words of ``target`` for keywords of several languages, the most telling first.

        A word counts by its place, by how near to the topic it lies, and by the languages that lead to it.

        :param keywords: keywords by language, the most telling first.
        :param centre: float32 array (width,), the topic's centre, or None.
        """
        worth: dict[str, float] = {}
        self._space.learn(
            [word for source, words in keywords.items() for one in words for word in self._listed(one, source, target)]
        )
        for source, words in keywords.items():
            for place, word in enumerate(self.translate(words, source, target, centre)):
                worth[word] = worth.get(word, 0.0) + 1 - _PLACE_COST * place
        found = list(worth)
        if centre is not None and self._space.usable and found:
            near = self._space.vectors(target, found) @ centre
            worth = {word: worth[word] + _NEARNESS * float(cosine) for word, cosine in zip(found, near, strict=True)}
        return tuple(sorted(found, key=lambda word: (-worth[word], found.index(word))))

    def _listed(self, keyword: str, source: str, target: str) -> list[str]:
        return list(telling_words(self._lexicon.translations(keyword, source, target)[:_LISTED], target))

    def translate(self, keywords: Sequence[str], source: str, target: str, centre: Vectors | None) -> tuple[str, ...]:
        """Return words of ``target`` for keywords of ``source``, in their order, each once.

        Listed translations are preferred by their place in the lexicon, nearness to the keyword and nearness to the
        topic; the nearest other word of the language is taken where it beats them or none is listed. Abbreviations in
        capitals are left out: they are mostly names.

        :param centre: float32 array (width,), the topic's centre, or None.
        """
        keywords = [keyword for keyword in keywords if not keyword.isupper()]
        near = self._nearest(keywords, source, target) if self._space.usable else [[] for _ in keywords]
        found = []
        for keyword, nearest in zip(keywords, near, strict=True):
            listed = self._listed(keyword, source, target)
            offered = list(dict.fromkeys([*listed, *nearest]))
            if offered and self._space.usable:
                meaning = self._space.vectors(source, [keyword])[0]
                bonus = np.where(np.arange(len(offered)) < len(listed), _LEXICON_BONUS, 0)
                scores = self._closeness(offered, target, meaning, centre) + bonus
                offered = [offered[int((scores - _RANK_COST * np.arange(len(offered))).argmax())]]
            found += [self._bare(word, target) for word in offered[:1]]
        return tuple(without_variants(list(dict.fromkeys(found)), len(found)))

    def _bare(self, word: str, lang: str) -> str:
        """Return a word without the ending that joins it to a word after it or makes it many, where that is a word."""
        for ending, rest in _BARE.get(lang, ()):
            stem = word.removesuffix(ending) + rest
            if word.endswith(ending) and stem in self._space.known(lang):
                return stem
        return word

    def _nearest(self, keywords: Sequence[str], source: str, target: str) -> list[list[str]]:
        words, vectors = self._space.candidates(target)
        if not words or not keywords:
            return [[] for _ in keywords]
        cosines = self._space.vectors(source, keywords) @ vectors.T
        return [[words[int(row.argmax())]] if row.max() >= _ALIKE else [] for row in cosines]

    def _closeness(self, words: Sequence[str], lang: str, meaning: Vectors, centre: Vectors | None) -> Floats:
        """Return each word's cosine to a meaning, and to the topic's centre with less weight."""
        vectors = self._space.vectors(lang, words)
        aside = 0 if centre is None else _TOPIC_WEIGHT * (vectors @ centre)
        return np.asarray(vectors @ meaning + aside, dtype=np.float64)
