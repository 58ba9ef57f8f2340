"""Evidence: the stretch of words, within one clause, that speaks most for a label."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

_LENT = 0.3
_WORDS = re.compile(r"\S+")
_EDGES = re.compile(r"^[\s.,;:!?،؛؟()\[\]\"'«»…-]+|[\s.,;:!?،؛؟()\[\]\"'«»…-]+$")


@dataclass(frozen=True)
class Words:
    """The words of one text.

    :param starts: int64 array, first code point of each.
    :param ends: int64 array, end, exclusive.
    :param clauses: int64 array, number of the clause each lies in.
    """

    starts: Ints
    ends: Ints
    clauses: Ints

    def __len__(self) -> int:
        return len(self.starts)


def find_words(text: str, clauses: Ints) -> Words:
    """Cut a text at its blanks.

    :param clauses: int64 array (k, 2) of starts and ends of the text's clauses, in order.
    """
    spans = np.array([match.span() for match in _WORDS.finditer(text)], dtype=np.int64).reshape(-1, 2)
    number = np.searchsorted(clauses[:, 0], spans[:, 1] - 1, side="right") if len(clauses) else np.zeros(len(spans))
    return Words(spans[:, 0], spans[:, 1], number.astype(np.int64))


def words_of_ngrams(words: Words, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Return the first word that each n-gram touches, and the one after the last; the same where it touches none.

    :param starts: first code point of each n-gram.
    :param ends: its end, exclusive.
    """
    first = np.searchsorted(words.ends, starts, side="right")
    return first, np.maximum(np.searchsorted(words.starts, ends, side="left"), first)


def gains_of_words(count: int, first: Ints, last: Ints, gains: Floats) -> Floats:
    """Share the gain of each n-gram evenly among the words that it touches.

    :param count: number of words.
    :param first: first word that each n-gram touches.
    :param last: the one after the last that it touches.
    :param gains: weight of each n-gram.
    :returns: float64 array, one gain a word.
    """
    share = gains.astype(np.float64) / np.maximum(last - first, 1)
    steps = np.bincount(first, share, count + 1) - np.bincount(last, share, count + 1)
    return np.cumsum(steps)[:count]


def lend(gains: Floats) -> Floats:
    """Let each word lend its neighbours a share of its gain, so that evidence holds together."""
    lent = _LENT * gains
    lent_left, lent_right = np.append(lent[1:], 0.0), np.concatenate([[0.0], lent[:-1]])
    return np.asarray(gains + lent_left + lent_right)


def best_stretch(words: Words, gains: Floats, *, most: int, price: float) -> tuple[int, int]:
    """Return the stretch of at most ``most`` words of one clause with the largest sum of gains.

    :param gains: gain of each word; at least one.
    :param price: what each word costs, as a share of the largest gain; the higher, the shorter the evidence.
    :returns: first code point and end, exclusive.
    """
    # Plain numbers: a comment has few words, and an array operation for each length would cost more than the sums.
    cost = price * max(float(gains.max()), 0.0)
    net, clauses = gains.tolist(), words.clauses.tolist()
    best, where = -np.inf, (0, 1)
    for first, clause in enumerate(clauses):
        total = 0.0
        for last in range(first, min(first + most, len(net))):
            if clauses[last] != clause:
                break
            total += net[last] - cost
            if total > best:
                best, where = total, (first, last + 1)
    return int(words.starts[where[0]]), int(words.ends[where[1] - 1])


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out blanks and punctuation at the edges of a stretch, unless nothing else is in it."""
    piece = text[start:end]
    if not _EDGES.sub("", piece):
        bare = piece.strip()
        at = start + piece.find(bare)
        return (at, at + len(bare)) if bare else (start, end)
    lead = re.match(_EDGES, piece)
    first = start + (lead.end() if lead else 0)
    return first, first + len(_EDGES.sub("", piece))
