"""One language's comments split into words and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.topics.tokens import Vocabulary, is_handle, passive_words, split_words

Ints = np.ndarray[Any, np.dtype[np.int64]]

_MOST_COPIES = 4


@dataclass(frozen=True)
class Occurrences:
    """Which comment has which key.

    :param matrix: binary sparse matrix of shape (comments, keys).
    :param keys: the keys in sorted order; no stop words, negations or single letters.
    """

    matrix: sp.csr_matrix
    keys: list[str]


@dataclass(frozen=True)
class LanguageWords:
    """One language's comments, split and counted.

    :param rows: rows of the draw that are written in the language.
    :param texts: each row's words in stretches.
    :param counts: int64 array (rows,), comments that say the same, at most four: a campaign may not drown the rest.
    """

    vocabulary: Vocabulary
    rows: Ints
    texts: tuple[list[list[str]], ...]
    counts: Ints

    @classmethod
    def fit(cls, lang: str, rows: Ints, cleans: Sequence[str], copies: Ints | None = None) -> "LanguageWords":
        """Split the texts of these rows and learn their vocabulary.

        :param cleans: texts of ``rows``, in that order.
        :param copies: int64 array (rows,), how many comments each row stands for; None = one.
        """
        texts = tuple(split_words(clean) for clean in cleans)
        counts = np.ones(len(texts), dtype=np.int64) if copies is None else np.minimum(copies, _MOST_COPIES)
        return cls(Vocabulary.fit(lang, texts), rows, texts, counts)

    @property
    def lang(self) -> str:
        """The language's code."""
        return self.vocabulary.lang

    def frequent(self, most: int) -> list[str]:
        """Return the readable forms of the most frequent words that occur in at least two comments."""
        names = self.occurrences.keys
        counts = np.asarray(self.occurrences.matrix.sum(axis=0)).ravel()
        order = np.argsort(-counts, kind="stable")[:most]
        return [self.vocabulary.shown[names[at]] for at in order.tolist() if counts[at] >= 2]

    @cached_property
    def occurrences(self) -> Occurrences:
        """Which comment has which telling key."""
        passive = passive_words(self.lang)
        found = [
            {
                key
                for stretch in text
                for word in stretch
                if len(key := self.vocabulary.key(word)) > 1 and key not in passive and not is_handle(word)
            }
            for text in self.texts
        ]
        names = sorted(set().union(*found))
        place = {name: at for at, name in enumerate(names)}
        columns = [sorted(place[key] for key in row) for row in found]
        indptr = np.cumsum([0, *map(len, columns)])
        flat = np.array([column for row in columns for column in row], dtype=np.int64)
        matrix = sp.csr_matrix((np.ones(len(flat)), flat, indptr), shape=(len(found), len(names)))
        return Occurrences(matrix, names)
