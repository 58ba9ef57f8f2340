"""Which words tell a topic from the others, in one language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.topics.words import LanguageWords

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Fitness = Callable[[int, Sequence[str]], Floats]

_POOL = 60
_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Ranking:
    """A topic's telling words in one language.

    :param comments: number of the topic's comments in the language.
    :param weights: weight by key, the most telling first; empty where there are too few comments.
    """

    comments: int
    weights: dict[str, float]


def class_weights(counts: sp.csr_matrix) -> Floats:
    """Return c-TF-IDF (Grootendorst 2022) of shape (topics, keys) from numbers of comments by topic and key."""
    dense = np.asarray(counts.todense(), dtype=np.float64)
    every = dense.sum(axis=0)
    mean = dense.sum() / max(len(dense), 1)
    shares = dense / np.maximum(dense.sum(axis=1, keepdims=True), 1)
    return np.asarray(shares * np.log1p(mean / np.maximum(every, 1)), dtype=np.float64)


def rank_keywords(
    words: LanguageWords,
    topics: Ints,
    count: int,
    *,
    fewest: int,
    fitness: Fitness,
    learn: Callable[[Sequence[str]], object] = len,
) -> list[Ranking]:
    """Rank the words of every topic.

    :param topics: int64 array, topic of each of ``words.rows``, -1 for none.
    :param count: number of topics.
    :param fewest: fewest comments of a topic in the language from which words are taken.
    :param learn: told all words that ``fitness`` will be asked about, so that they are encoded in one go.
    :param fitness: tells, for a topic and words as shown, how well each fits its meaning; multiplies the weights.
    """
    valid = np.flatnonzero(topics >= 0)
    gather = sp.csr_matrix((words.counts[valid], (topics[valid], valid)), shape=(count, len(topics)), dtype=np.float64)
    counts = (gather @ words.occurrences.matrix).tocsr()
    weights = class_weights(counts)
    sizes = np.bincount(topics[valid], weights=words.counts[valid], minlength=count)
    orders = []
    for topic in range(count):
        size = int(sizes[topic])
        own = counts[topic].toarray().ravel()
        least = max(2.0 if size < 30 else 3.0, _LEAST_SHARE * size) if size >= fewest else np.inf
        orders.append([at for at in np.argsort(-weights[topic], kind="stable")[:_POOL].tolist() if own[at] >= least])
    keys = [[words.occurrences.keys[at] for at in order] for order in orders]
    shown = [[words.vocabulary.shown[key] for key in row] for row in keys]
    learn([word for row in shown for word in row])
    out = []
    for topic, order in enumerate(orders):
        worth = weights[topic][order] * fitness(topic, shown[topic])
        ranked = {keys[topic][at]: float(worth[at]) for at in np.argsort(-worth, kind="stable").tolist()}
        out.append(Ranking(int(sizes[topic]), ranked))
    return out


def without_variants(keys: Sequence[str], most: int) -> list[str]:
    """Keep the first of words that differ only in a short ending, at most ``most``."""
    kept: list[str] = []
    for key in keys:
        if len(kept) == most:
            break
        if not any(are_variants(key, other) for other in kept):
            kept.append(key)
    return kept


def are_variants(left: str, right: str) -> bool:
    """Tell whether one word holds the other, or they differ only in a short ending."""
    short, long = sorted((left, right), key=len)
    if len(short) >= 4 and short in long:
        return True
    stem = short[: max(3, len(short) - 1)]
    return len(short) >= 3 and len(long) - len(short) <= 3 and long.startswith(stem)
