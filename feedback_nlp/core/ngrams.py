"""Hashed word and character n-grams of a whole batch at once, with the place of each in its text.

All texts are folded (core.folding) into one array of code points. A prefix sum of ``code * base**position`` modulo
2**64 gives the polynomial hash (Karp & Rabin 1987) of any stretch in two look-ups, so every n-gram of every text costs
a few array operations and no Python loop.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.folding import SPACE, Codes, codes_of, fold_codes

Ints = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]

_BASE = np.uint64(0x9E3779B97F4A7C15 | 1)
_BASE_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))
_MAX_CODES = 1 << 22
_CACHE_CODES = 1 << 16


@dataclass(frozen=True)
class NgramSpec:
    """Which n-grams to take and into how many features they are hashed.

    :param words: lengths of word n-grams.
    :param chars: lengths of character n-grams; each lies within one word and the blanks around it.
    :param bits: features number ``2**bits``.
    """

    words: tuple[int, ...] = (1, 2)
    chars: tuple[int, ...] = (2, 3, 4, 5)
    bits: int = 18


@dataclass(frozen=True)
class NgramTable:
    """All n-grams of a batch, in no particular order.

    :param rows: int64 array (n,), the text each came from.
    :param features: int64 array (n,), in 0..2**bits - 1.
    :param starts: int64 array (n,), first code point in the text as given.
    :param ends: int64 array (n,), end, exclusive.
    :param n_rows: number of texts.
    """

    rows: Ints
    features: Ints
    starts: Ints
    ends: Ints
    n_rows: int


@cache
def _word_table() -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Mark the code points that words are made of; each other visible one is a word of its own."""
    table = np.ones(0x110000, dtype=bool)
    for code in range(0x3000):
        char = chr(code)
        table[code] = char.isalnum() or char in "_'#@"
    table[0x2000:0x3000] = False
    table[0x1F000:0x20000] = False
    table[0xFE00:0xFE10] = False
    return table


@dataclass(frozen=True)
class _Stream:
    """All folded texts in one array; each text stands between blanks."""

    codes: np.ndarray[Any, np.dtype[np.uint32]]
    rows: Ints
    places: Ints
    prefix: Hashes
    inverse: Hashes

    def hashes(self, starts: Ints, ends: Ints) -> Hashes:
        """Return hashes of stretches, the same wherever they stand."""
        return (self.prefix[ends] - self.prefix[starts]) * self.inverse[starts]


def _stream(texts: Sequence[str]) -> _Stream:
    codes: list[Codes] = []
    rows: list[Ints] = []
    places: list[Ints] = []
    edge = np.array([SPACE], dtype=np.uint32)
    for row, text in enumerate(texts):
        folded, kept = fold_codes(codes_of(text))
        codes.extend((edge, folded, edge))
        places.extend((np.zeros(1, dtype=np.int64), kept, np.array([len(text)], dtype=np.int64)))
        rows.append(np.full(len(folded) + 2, row, dtype=np.int64))
    flat = np.concatenate(codes) if codes else np.empty(0, dtype=np.uint32)
    count = len(flat)
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.concatenate([[np.uint64(1)], np.full(count, _BASE)]), dtype=np.uint64)
        inverse = np.cumprod(np.concatenate([[np.uint64(1)], np.full(count, _BASE_INVERSE)]), dtype=np.uint64)
        terms = (flat.astype(np.uint64) + np.uint64(1)) * powers[:-1]
        prefix = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
    none = np.empty(0, dtype=np.int64)
    return _Stream(
        flat,
        np.concatenate([none, *rows]),
        np.concatenate([none, *places]),
        prefix,
        inverse,
    )


def _mix(hashes: Hashes, salt: int, bits: int) -> Ints:
    """Finish hashes with the splitmix64 finaliser (Steele et al. 2014) and cut them to ``bits``."""
    with np.errstate(over="ignore"):
        mixed = hashes + np.uint64((salt * 0x9E3779B97F4A7C15) % (1 << 64))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - bits)).astype(np.int64)


def _words(stream: _Stream) -> tuple[Ints, Ints]:
    """Return starts and ends of words; a visible sign that is no letter is a word of its own."""
    is_word = _word_table()[stream.codes]
    is_blank = stream.codes == SPACE
    begins = ~is_blank
    begins[1:] &= ~(is_word[1:] & is_word[:-1])
    starts = np.flatnonzero(begins)
    closes = ~is_blank
    closes[:-1] &= ~(is_word[1:] & is_word[:-1])
    return starts, np.flatnonzero(closes) + 1


def _word_ngrams(stream: _Stream, order: int, bits: int) -> tuple[Ints, Ints, Ints]:
    starts, ends = _words(stream)
    single = stream.hashes(starts, ends)
    count = len(starts) - order + 1
    if count <= 0:
        none = np.empty(0, dtype=np.int64)
        return none, none, none
    total = np.zeros(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for k in range(order):
            total = total * np.uint64(0x100000001B3) + single[k : k + count]
    first, last = starts[:count], ends[order - 1 :]
    same = stream.rows[first] == stream.rows[last - 1]
    return first[same], last[same], _mix(total[same], order, bits)


def _char_ngrams(stream: _Stream, order: int, bits: int, blanks: Ints) -> tuple[Ints, Ints, Ints]:
    count = len(stream.codes) - order + 1
    if count <= 0:
        none = np.empty(0, dtype=np.int64)
        return none, none, none
    at = np.arange(count, dtype=np.int64)
    inner = blanks[at + order - 1] - blanks[at + 1]
    both_edges = (stream.codes[at] == SPACE) & (stream.codes[at + order - 1] == SPACE)
    inside = (inner == 0) & ~(both_edges & (order == 2)) & (stream.rows[at] == stream.rows[at + order - 1])
    at = at[inside]
    return at, at + order, _mix(stream.hashes(at, at + order), 16 + order, bits)


def extract(texts: Sequence[str], spec: NgramSpec) -> NgramTable:
    """Take all n-grams of a batch.

    :param texts: any strings; ``None`` is not allowed.
    """
    stream = _stream(texts)
    blanks = np.concatenate([[0], np.cumsum(stream.codes == SPACE)]).astype(np.int64)
    parts = [_word_ngrams(stream, order, spec.bits) for order in spec.words]
    parts += [_char_ngrams(stream, order, spec.bits, blanks) for order in spec.chars]
    none = np.empty(0, dtype=np.int64)
    first = np.concatenate([none, *[part[0] for part in parts]])
    last = np.concatenate([none, *[part[1] for part in parts]])
    features = np.concatenate([none, *[part[2] for part in parts]])
    rows = stream.rows[first] if len(first) else none
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    starts = stream.places[first] if len(first) else none
    return NgramTable(rows, features, starts, _ends(stream, last, rows, lengths), len(texts))


def _ends(stream: _Stream, last: Ints, rows: Ints, lengths: Ints) -> Ints:
    """Return where stretches end in their texts: up to the next kept code point, so that diacritics belong to them."""
    if not len(last):
        return last
    following = np.minimum(last, len(stream.rows) - 1)
    same = (last < len(stream.rows)) & (stream.rows[following] == rows)
    return np.where(same, stream.places[following], lengths[rows])


def to_matrix(table: NgramTable, bits: int) -> sp.csr_matrix:
    """Return rows of unit length with weights ``1 + log(count)``.

    :returns: float32 sparse matrix of shape (n_rows, 2**bits), columns of a row in rising order.
    """
    ones = np.ones(len(table.rows), dtype=np.float32)
    matrix = sp.csr_matrix((ones, (table.rows, table.features)), shape=(table.n_rows, 1 << bits), dtype=np.float32)
    matrix.sum_duplicates()
    matrix.data = 1 + np.log(matrix.data)
    squares = np.add.reduceat(np.append(matrix.data**2, 0), matrix.indptr[:-1]) if table.n_rows else np.empty(0)
    squares = np.where(np.diff(matrix.indptr) > 0, squares, 1)
    matrix.data = (matrix.data / np.sqrt(np.repeat(squares, np.diff(matrix.indptr)))).astype(np.float32)
    return matrix


def ngram_matrix(texts: Sequence[str], spec: NgramSpec) -> sp.csr_matrix:
    """Hash texts into one sparse matrix; see :func:`extract` and :func:`to_matrix`.

    Long inputs are cut so that memory stays bounded.
    """
    parts, first, size = [], 0, 0
    for position, text in enumerate(texts):
        size += len(text)
        if size > _MAX_CODES:
            parts.append(to_matrix(extract(texts[first : position + 1], spec), spec.bits))
            first, size = position + 1, 0
    parts.append(to_matrix(extract(texts[first:], spec), spec.bits))
    return parts[0] if len(parts) == 1 else sp.vstack(parts, format="csr")


def within_spans(table: NgramTable, rows: Ints, starts: Ints, ends: Ints) -> NgramTable:
    """Return the n-grams that lie within spans, one blank beyond an edge allowed, with the spans in place of texts.

    :param rows: int64 array (m,), the text each span lies in, never falling.
    :param starts: int64 array (m,), first code point of each span; spans of a text stand in order and do not overlap.
    :param ends: int64 array (m,), end, exclusive.
    """
    if not len(rows):
        none = np.empty(0, dtype=np.int64)
        return NgramTable(none, none, none, none, 0)
    length = int(max(table.ends.max(initial=0), ends.max())) + 2
    middles = (table.starts + table.ends) // 2
    found = np.searchsorted(rows * length + starts, table.rows * length + middles, side="right") - 1
    span = np.maximum(found, 0)
    inside = (found >= 0) & (rows[span] == table.rows)
    inside &= (table.starts >= starts[span] - 1) & (table.ends <= ends[span] + 1)
    kept = np.flatnonzero(inside)
    return NgramTable(span[kept], table.features[kept], table.starts[kept], table.ends[kept], len(rows))


def cache_sized(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut a batch, as (first, end) positions, where its hashes would outgrow the processor's cache."""
    first, size = 0, 0
    for position, text in enumerate(texts):
        size += len(text)
        if size >= _CACHE_CODES:
            yield first, position + 1
            first, size = position + 1, 0
    if first < len(texts):
        yield first, len(texts)
