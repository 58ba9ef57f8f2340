"""Judges keywords of topics: normalised pointwise mutual information (Bouma 2009) and diversity (Dieng et al. 2020)."""

import math
from collections.abc import Sequence
from itertools import combinations

from feedback_nlp.topics.tokens import Vocabulary, split_words

TOP = 10


def coherence(texts: Sequence[str], topics: Sequence[Sequence[str]], lang: str) -> float:
    """Return the mean NPMI of each topic's pairs of keywords, by occurrence in the same text; -1 to 1.

    A pair that never occurs together counts -1. Topics with fewer than two keywords are left out.

    :param topics: keywords, the most telling first.
    """
    split = [split_words(text) for text in texts]
    vocabulary = Vocabulary.fit(lang, split)
    places: dict[str, set[int]] = {}
    for at, text in enumerate(split):
        for key in {vocabulary.key(word) for stretch in text for word in stretch}:
            places.setdefault(key, set()).add(at)
    means = []
    for words in topics:
        keys = [vocabulary.key(word) for word in words[:TOP]]
        pairs = [
            _npmi(places.get(one, set()), places.get(two, set()), len(texts)) for one, two in combinations(keys, 2)
        ]
        if pairs:
            means.append(sum(pairs) / len(pairs))
    return sum(means) / len(means) if means else 0.0


def _npmi(one: set[int], two: set[int], texts: int) -> float:
    both = len(one & two)
    if not both:
        return -1.0
    if both == texts:
        return 1.0
    share = both / texts
    return math.log(share / (len(one) / texts * len(two) / texts)) / -math.log(share)


def diversity(topics: Sequence[Sequence[str]]) -> float:
    """Return how many of all topics' first keywords are different; 0 to 1."""
    words = [word for topic in topics for word in topic[:TOP]]
    return len(set(words)) / len(words) if words else 0.0
