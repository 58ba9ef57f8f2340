"""The language-neutral space: each language's mean is taken off, so that topics gather meanings, not languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.product import stable_product

Vectors = np.ndarray[Any, np.dtype[np.float32]]

ANY = "*"
_PRIOR = 8.0


@dataclass(frozen=True, eq=False)
class LanguageShift:
    """What is taken off a vector, by language.

    :param langs: language codes; the first is ``*``, for languages not listed.
    :param means: float32 array of shape (langs, width).
    :param metric: float32 array of shape (width, width) that shifted vectors are multiplied by, or None.
    """

    langs: tuple[str, ...]
    means: Vectors
    metric: Vectors | None = None

    @classmethod
    def fit(cls, vectors: Vectors, langs: Sequence[str]) -> "LanguageShift":
        """Take each language's mean, drawn towards the mean of all as if eight comments more lay there.

        The mean of all is drawn towards zero alike, so that a handful of comments keeps its meaning.
        """
        codes = np.asarray(langs)
        every = vectors.sum(axis=0, dtype=np.float64) / (len(vectors) + _PRIOR)
        names, means = [ANY], [every]
        for lang in sorted(set(langs)):
            own = vectors[codes == lang]
            means.append((own.sum(axis=0, dtype=np.float64) + _PRIOR * every) / (len(own) + _PRIOR))
            names.append(lang)
        return cls(tuple(names), np.asarray(means, dtype=np.float32))

    def with_metric(self, metric: Vectors | None) -> "LanguageShift":
        """Return the same shift with a metric."""
        return LanguageShift(self.langs, self.means, metric)

    def apply(self, vectors: Vectors, langs: Sequence[str] | None = None) -> Vectors:
        """Return the vectors shifted and of unit length; a row of zeros stays one.

        :param langs: each row's language; None shifts every row by the mean of all.
        """
        place = {lang: at for at, lang in enumerate(self.langs)}
        codes = np.zeros(len(vectors), dtype=np.int64)
        if langs is not None:
            codes[:] = [place.get(lang, 0) for lang in langs]
        blank = ~np.any(vectors, axis=1)
        shifted = np.asarray(vectors - self.means[codes], dtype=np.float32)
        shifted[blank] = 0
        if self.metric is not None:
            shifted = stable_product(shifted, self.metric)
        length = np.sqrt(np.einsum("ij,ij->i", shifted, shifted))
        return np.asarray(shifted / np.where(length > 0, length, 1)[:, None], dtype=np.float32)
