"""Causes of a user's own, found by a few examples: the clause that lies nearest to them in vector space.

A cause's prototype is the direction from the mean of all other examples of the taxonomy to the mean of its own (nearest
class mean; Snell et al. 2017 use it for a few examples). Its threshold is the one with the best F1 when each example is
left out of the mean in turn, against the others.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from feedback_nlp.core.linear import sigmoid
from feedback_nlp.core.product import stable_product
from feedback_nlp.rootcause.backends import Comments, Floats, Found, Ints
from feedback_nlp.rootcause.evidence import find_words, trim
from feedback_nlp.rootcause.taxonomy import Cause, Taxonomy, phrases

Encode = Callable[[Sequence[str]], Floats]

_AT_HOME = 1.386
"""Log-odds of .8: the score of an example at the mean of those left out."""
_LEAST_SCALE = 0.01


@dataclass(frozen=True)
class LeftOut:
    """How a prototype did on examples left out of it.

    :param hits: own examples that were found.
    :param examples: own examples.
    :param alarms: examples of anything else that were taken for it.
    :param others: examples of anything else.
    """

    hits: int
    examples: int
    alarms: int
    others: int


@dataclass(frozen=True)
class Prototype:
    """What a cause of one sign looks like.

    :param cause: cause, for example ``parking``.
    :param sign: ``-`` complaint, ``+`` praise.
    :param direction: float32 array (width,) of unit length.
    :param threshold: product with a clause's vector from which the clause shows the cause.
    :param scale: how far above the threshold the log-odds grow by one.
    :param left_out: how it did on examples left out.
    """

    cause: str
    sign: str
    direction: Floats
    threshold: float
    scale: float
    left_out: LeftOut


def examples_of(cause: Cause) -> Iterator[tuple[str, list[str]]]:
    """Yield the signs of a cause of the user's own that have examples, with these."""
    for sign, by_language in (("-", cause.examples), ("+", cause.praise_examples)):
        if phrases(by_language):
            yield sign, phrases(by_language)


def needs_encoder(taxonomy: Taxonomy) -> bool:
    """Tell whether any cause of the user's own is told by examples."""
    return any(cause.is_own and any(examples_of(cause)) for cause in taxonomy.causes)


def fit_prototypes(taxonomy: Taxonomy, encode: Encode) -> list[Prototype]:
    """Fit the causes of the user's own that are told by examples.

    :param encode: gives float32 vectors of unit length.
    """
    own = [(cause.id, sign, texts) for cause in taxonomy.causes if cause.is_own for sign, texts in examples_of(cause)]
    background = encode(_background(taxonomy))
    vectors = [encode(texts) for _, _, texts in own]
    found = []
    for place, (cause, sign, _) in enumerate(own):
        others = np.concatenate([background, *vectors[:place], *vectors[place + 1 :]])
        found.append(fit_prototype(cause, sign, vectors[place], others))
    return found


def _background(taxonomy: Taxonomy) -> list[str]:
    """Return what the scheme's causes and the readings show as examples and cues."""
    entries = [
        *(one for one in taxonomy.causes if not one.is_own),
        *(e for es in taxonomy.readings.values() for e in es),
    ]
    texts = [text for entry in entries for told in (entry.examples, entry.cues) for text in phrases(told)]
    texts += [text for cause in taxonomy.causes if not cause.is_own for text in phrases(cause.praise_cues)]
    return list(dict.fromkeys(texts))


def fit_prototype(cause: str, sign: str, own: Floats, others: Floats) -> Prototype:
    """Fit one cause of one sign.

    :param own: float32 array (n, width), vectors of its examples; two or more.
    :param others: float32 array (m, width), vectors of examples of anything else.
    """
    base = others.mean(axis=0, dtype=np.float64)
    direction = _direction(own, base)
    left = np.array([float(own[k] @ _direction(np.delete(own, k, axis=0), base)) for k in range(len(own))])
    rest = stable_product(others, direction[:, None])[:, 0].astype(np.float64)
    threshold = _best_cut(left, rest)
    scale = max((float(left.mean()) - threshold) / _AT_HOME, _LEAST_SCALE)
    told = LeftOut(int(np.sum(left >= threshold)), len(left), int(np.sum(rest >= threshold)), len(rest))
    return Prototype(cause, sign, direction, threshold, scale, told)


def _direction(own: Floats, base: np.ndarray) -> Floats:
    away = own.mean(axis=0, dtype=np.float64) - base
    return np.asarray(away / max(float(np.linalg.norm(away)), 1e-12), dtype=np.float32)


def _best_cut(own: np.ndarray, others: np.ndarray) -> float:
    """Return the middle between the lowest score taken at the best F1 and the highest one left."""
    scores = np.concatenate([own, others])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(order < len(own))
    quality = 2 * hits / (np.arange(1, len(scores) + 1) + len(own))
    cut = int(np.argmax(quality))
    ranked = scores[order]
    return float(ranked[cut] if cut + 1 == len(ranked) else (ranked[cut] + ranked[cut + 1]) / 2)


@dataclass(frozen=True)
class PrototypeFinder:
    """Finds causes of the user's own in clauses.

    :param prototypes: the causes.
    :param encode: gives float32 vectors of unit length, of the encoder that the prototypes were fitted with.
    :param evidence_words: the longest evidence, in words; a longer clause is looked at in stretches of as many.
    """

    prototypes: Sequence[Prototype]
    encode: Encode
    evidence_words: int = 12

    def find(self, comments: Comments) -> list[Found]:
        """Find each cause and sign at most once a comment, where it shows best; comments in rising order."""
        if not self.prototypes:
            return []
        pieces = list(self._pieces(comments))
        texts = [comments.texts[row][start:end] for row, start, end in pieces]
        directions = np.stack([prototype.direction for prototype in self.prototypes], axis=1)
        scores = stable_product(self.encode(texts), directions) if texts else np.zeros((0, len(self.prototypes)))
        best: dict[tuple[int, int], tuple[float, int]] = {}
        for place, (row, _, _) in enumerate(pieces):
            for k, prototype in enumerate(self.prototypes):
                score = float(scores[place, k])
                if score >= prototype.threshold and score > best.get((row, k), (-np.inf, 0))[0]:
                    best[row, k] = (score, place)
        return [self._found(*key, *found, pieces) for key, found in sorted(best.items())]

    def _found(self, row: int, k: int, score: float, place: int, pieces: list[tuple[int, int, int]]) -> Found:
        prototype = self.prototypes[k]
        odds = np.array([(score - prototype.threshold) / prototype.scale], dtype=np.float32)
        return Found(row, prototype.cause, prototype.sign, float(sigmoid(odds)[0]), *pieces[place][1:])

    def _pieces(self, comments: Comments) -> Iterator[tuple[int, int, int]]:
        """Yield comment, start and end of each clause, and of stretches of those that are too long for evidence."""
        for row, start, end in comments.clauses.tolist():
            words = find_words(comments.texts[row][start:end], np.zeros((0, 2), dtype=np.int64))
            for first, last in _stretches(words.starts + start, words.ends + start, self.evidence_words):
                low, high = trim(comments.texts[row], first, last)
                if high > low:
                    yield row, low, high


def _stretches(starts: Ints, ends: Ints, most: int) -> Iterator[tuple[int, int]]:
    """Yield first code point and end of stretches of at most ``most`` words, each half over the one before."""
    step = max(most // 2, 1)
    for first in range(0, max(len(starts) - most, 0) + step, step):
        last = min(first + most, len(starts)) - 1
        if first <= last:
            yield int(starts[first]), int(ends[last])
