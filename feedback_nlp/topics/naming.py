"""Names topics and themes in every language: from their own comments, or by translation where those are too few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.keywords import Ranking, rank_keywords, without_variants
from feedback_nlp.topics.lexicon import Lexicon, telling_words
from feedback_nlp.topics.phrases import join_label, make_label
from feedback_nlp.topics.settings import LabelSettings
from feedback_nlp.topics.space import Vectors
from feedback_nlp.topics.tokens import split_words
from feedback_nlp.topics.translating import Translator
from feedback_nlp.topics.words import LanguageWords
from feedback_nlp.topics.wordspace import Encode, WordSpace

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

_FEWEST = 15
_LEAST_SHARE = 0.12
_LARGE_SHARE = 0.25
_FEW = 4
_FEWEST_WORDS = 3
_TRANSLATED = 6
_LABEL_PARTS = 2
_FIT_FLOOR = 0.3
_SAME_MEANING = 0.75


@dataclass(frozen=True)
class Names:
    """Labels and keywords of one topic by language."""

    labels: Mapping[str, str]
    keywords: Mapping[str, tuple[str, ...]]


class Namer:
    """Names groups of comments.

    :param words: each language's comments, split.
    :param lexicon: translations of words.
    :param encode: the encoder; without it keywords are ranked by counts alone and translated by the lexicon alone.
    """

    def __init__(
        self, words: Mapping[str, LanguageWords], lexicon: Lexicon, settings: LabelSettings, encode: Encode | None
    ) -> None:
        self._words = words
        self._settings = settings
        self._space = WordSpace(words, lexicon, encode)
        self._translator = Translator(self._space, lexicon)

    def name(
        self,
        topics: Ints,
        count: int,
        wanted: Sequence[int] | None = None,
        said: Sequence[Mapping[str, str]] = (),
    ) -> list[Names]:
        """Name groups in every language.

        :param topics: int64 array, group of each comment, -1 for none.
        :param count: number of groups.
        :param wanted: groups to name; None = all.
        :param said: for each group the label by language that stands above its own, whose words need no telling again.
        """
        chosen = range(count) if wanted is None else wanted
        if not chosen:
            return []
        centres = self._space.centres(topics, count)
        rankings = {lang: self._rank(lang, topics[words.rows], centres) for lang, words in self._words.items()}
        names = []
        for at in chosen:
            members = np.flatnonzero(topics == at)
            own = {lang: ranking[at] for lang, ranking in rankings.items()}
            names.append(self._name(own, members, centres[at], said[at] if said else {}))
        return names

    def _rank(self, lang: str, topics: Ints, centres: Vectors) -> list[Ranking]:
        def fitness(topic: int, words: Sequence[str]) -> Floats:
            if not self._space.usable or not words:
                return np.ones(len(words))
            cosines = self._space.vectors(lang, words) @ centres[topic]
            return np.asarray(_FIT_FLOOR + np.maximum(cosines, 0), dtype=np.float64)

        return rank_keywords(
            self._words[lang], topics, len(centres), fewest=2, fitness=fitness, learn=self._space.learn
        )

    def _name(self, own: Mapping[str, Ranking], members: Ints, centre: Vectors, said: Mapping[str, str]) -> Names:
        """Take the words of the languages with enough comments; where those say little, add translations of others."""
        sources = self._sources(own, len(members))
        native = {lang: self._native(lang, own[lang], members, said.get(lang, "")) for lang in sources}
        labels, keywords = {}, {}
        for lang in CODES:
            label, words = native.get(lang, ("", ()))
            if len(words) < _FEWEST_WORDS:
                told = {source: native[source][1][:_TRANSLATED] for source in sources if source != lang}
                found = self._translator.translate_all(told, lang, centre)
                words = tuple(without_variants([*words, *found], self._settings.keywords))
            short = len(label.split()) < _LABEL_PARTS
            labels[lang] = join_label(words[:_LABEL_PARTS], lang) if short else label
            keywords[lang] = words
        main = labels[sources[0]] if sources else ""
        return Names({lang: label or main for lang, label in labels.items()}, keywords)

    @staticmethod
    def _sources(own: Mapping[str, Ranking], members: int) -> list[str]:
        """Return the languages whose words name the topic: the one that tells most, and others with enough comments."""
        spoken = [lang for lang in own if own[lang].weights]
        order = sorted(
            spoken, key=lambda lang: (-min(len(own[lang].weights), _FEWEST_WORDS), -own[lang].comments, lang)
        )
        least = min(max(_FEWEST, _LEAST_SHARE * members), max(_FEW, _LARGE_SHARE * members))
        return order[:1] + [lang for lang in order[1:] if own[lang].comments >= least]

    def _apart(self, lang: str, keys: Sequence[str]) -> list[str]:
        """Leave out keys that mean nearly the same as an earlier one, so that a label's words say different things."""
        if not self._space.usable or not keys:
            return list(keys)
        shown = [self._words[lang].vocabulary.shown[key] for key in keys]
        vectors = self._space.vectors(lang, shown)
        kept: list[int] = []
        for at in range(len(keys)):
            if not kept or (vectors[kept] @ vectors[at]).max() < _SAME_MEANING:
                kept.append(at)
        return [keys[at] for at in kept]

    def _native(self, lang: str, ranking: Ranking, members: Ints, said: str) -> tuple[str, tuple[str, ...]]:
        words = self._words[lang]
        shown = words.vocabulary.shown
        known = {words.vocabulary.key(word) for stretch in split_words(said) for word in stretch}
        telling = [key for key in ranking.weights if key not in known and telling_words([shown[key]], lang)]
        ranked = without_variants(telling, self._settings.keywords)
        own = np.flatnonzero(np.isin(words.rows, members))
        label = make_label(self._apart(lang, ranked), ranking.weights, words, own)
        return label, tuple(words.vocabulary.shown[key] for key in ranked)
