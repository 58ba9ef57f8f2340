"""Vectors of words and of groups of comments in one space, by which groups are named."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from feedback_nlp.topics.backends.kmeans import unit_means
from feedback_nlp.topics.lexicon import Lexicon, telling_words
from feedback_nlp.topics.space import LanguageShift, Vectors
from feedback_nlp.topics.words import LanguageWords

Encode = Callable[[Sequence[str]], Vectors]
Ints = np.ndarray[Any, np.dtype[np.int64]]

_FREQUENT = 2000
_SUREST = 1500


class WordSpace:
    """Vectors of words and of groups of comments, each language's mean taken off, so that languages meet.

    The encoder need not be that of the comments' own vectors: a small one of words serves.

    :param words: each language's comments, split.
    :param lexicon: further words.
    :param encode: the encoder, or None: then no word has a vector.
    """

    def __init__(self, words: Mapping[str, LanguageWords], lexicon: Lexicon, encode: Encode | None) -> None:
        self._words = words
        self._lexicon = lexicon
        self._encode = encode
        self._tables: dict[str, tuple[list[str], Vectors, Vectors]] = {}
        self._known: dict[str, Vectors] = {}
        self._all: dict[str, frozenset[str]] = {}

    @property
    def usable(self) -> bool:
        """Whether there is an encoder."""
        return self._encode is not None

    def candidates(self, lang: str) -> tuple[list[str], Vectors]:
        """Return a language's frequent words and their vectors, float32 of shape (words, width)."""
        words, vectors, _ = self._table(lang)
        return words, vectors

    def known(self, lang: str) -> frozenset[str]:
        """Return a language's frequent words and all words of the lexicon."""
        if lang not in self._all:
            own = self._words[lang].frequent(_FREQUENT) if lang in self._words else []
            self._all[lang] = frozenset(own) | frozenset(self._lexicon.words(lang))
        return self._all[lang]

    def vectors(self, lang: str, words: Sequence[str]) -> Vectors:
        """Return vectors of words, float32 of shape (words, width), rows of unit length or zeros."""
        _, _, mean = self._table(lang)
        return self._neutral(self._encoded(words), mean)

    def centres(self, groups: Ints, count: int) -> Vectors:
        """Return the mean direction of each group's comments, float32 of shape (count, width).

        :param groups: int64 array, group of each comment, -1 for none.
        :param count: number of groups.
        """
        rows, vectors = self._comments
        return unit_means(vectors, groups[rows], count)

    @cached_property
    def _comments(self) -> tuple[Ints, Vectors]:
        """All comments' rows, and their vectors without each language's mean."""
        rows = [row for words in self._words.values() for row in words.rows.tolist()]
        langs = [lang for lang, words in self._words.items() for _ in words.texts]
        texts = [
            " ".join(word for stretch in text for word in stretch)
            for words in self._words.values()
            for text in words.texts
        ]
        if self._encode is None or not texts:
            return np.array(rows, dtype=np.int64), np.zeros((len(rows), 1), dtype=np.float32)
        vectors = self._encode(texts)
        return np.array(rows, dtype=np.int64), LanguageShift.fit(vectors, langs).apply(vectors, langs)

    def learn(self, words: Sequence[str]) -> None:
        """Encode words together that will be asked about one by one."""
        self._encoded(words)

    def _encoded(self, words: Sequence[str]) -> Vectors:
        if self._encode is None or not words:
            return np.zeros((len(words), 1), dtype=np.float32)
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if new:
            self._known.update(zip(new, self._encode(new), strict=True))
        return np.stack([self._known[word] for word in words])

    def _table(self, lang: str) -> tuple[list[str], Vectors, Vectors]:
        if lang not in self._tables:
            own = self._words[lang].frequent(_FREQUENT) if lang in self._words else []
            words = telling_words(list(dict.fromkeys([*own, *self._lexicon.words(lang)[:_SUREST]])), lang)
            vectors = self._encoded(words)
            mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], dtype=np.float32)
            self._tables[lang] = words, self._neutral(vectors, mean), mean
        return self._tables[lang]

    @staticmethod
    def _neutral(vectors: Vectors, mean: Vectors) -> Vectors:
        shifted = np.where(np.any(vectors, axis=1, keepdims=True), vectors - mean, 0)
        return np.asarray(shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-9), dtype=np.float32)
