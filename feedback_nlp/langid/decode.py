"""The best sequence of languages over the words of each comment (Viterbi 1967), all comments in step."""

from typing import Any

import numpy as np

from feedback_nlp.langid.tokens import Ints

Floats = np.ndarray[Any, np.dtype[np.float32]]


def best_path(emissions: Floats, rows: Ints, transitions: Floats) -> Ints:
    """Find the best label of each word given its neighbours.

    :param emissions: float32 array (words, labels), logarithmic.
    :param rows: int64 array (words,), never falling; the comment each word stands in.
    :param transitions: float32 array (labels, labels), logarithmic, from the word before to this one.
    :returns: int64 array (words,); each comment's labels depend on its own words alone.
    """
    found = np.zeros(len(rows), dtype=np.int64)
    if not len(rows):
        return found
    firsts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
    lengths = np.diff(np.append(firsts, len(rows)))
    order = np.argsort(-lengths, kind="stable")
    firsts, lengths = firsts[order], lengths[order]
    alive = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
    best = emissions.copy()
    back = np.zeros(emissions.shape, dtype=np.int8)
    for step in range(1, len(alive)):
        at = firsts[: alive[step]] + step
        ways = best[at - 1][:, :, None] + transitions
        back[at] = ways.argmax(axis=1)
        best[at] += ways.max(axis=1)
    lasts = firsts + lengths - 1
    found[lasts] = best[lasts].argmax(axis=1)
    for step in range(len(alive) - 1, 0, -1):
        at = firsts[: alive[step]] + step
        found[at - 1] = back[at, found[at]]
    return found
