"""Matrices in a byte for several values: product quantisation (Jégou et al. 2011, doi:10.1109/TPAMI.2010.57).

A row is cut into pieces of equal length, and each piece is stored as the number of the nearest of 256 pieces in a book.
There is a book for each place in the row, or one for all places; rows may have a scale of their own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from feedback_nlp.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

CODES, BOOK, SCALE = ".codes", ".book", ".scale"
# What some rows of a quantised tensor miss, quantised by itself, and which rows these are.
MISSED, ROWS = ".missed", ".rows"


def unpack(stored: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Return tensors by name, quantised ones as float16.

    :param stored: tensors as they are; of a quantised ``name``, ``name.codes`` (uint8, rows × pieces), ``name.book`` or
        the common ``book`` (float16, places or 1 × 256 × length), perhaps ``name.scale`` (float16, rows × 1), and
        perhaps ``name.rows`` (int32) with ``name.missed`` (quantised alike), which is added to those rows.
    :raises ModelError: when a book or what rows miss is missing or does not fit.
    """
    import torch

    parts = (CODES, BOOK, SCALE, ROWS)
    found = {key: value for key, value in stored.items() if not key.endswith(parts) and key != BOOK[1:]}
    for key, codes in stored.items():
        if not key.endswith(CODES):
            continue
        name = key.removesuffix(CODES)
        book = stored.get(name + BOOK, stored.get(BOOK[1:]))
        if book is None or book.ndim != 3 or len(book) not in (1, codes.shape[1]) or book.shape[1] != 256:
            what = "none" if book is None else f"of shape {tuple(book.shape)}"
            raise ModelError(
                f"{name}: the book of its codes is {what}, (1 or {codes.shape[1]}, 256, length) is needed."
            )
        places = torch.arange(codes.shape[1]) if len(book) > 1 else torch.zeros(codes.shape[1], dtype=torch.int64)
        value = book[places, codes.long()].reshape(len(codes), -1)
        found[name] = value * stored[name + SCALE] if name + SCALE in stored else value
    for key, rows in stored.items():
        if key.endswith(ROWS):
            _add(found, key.removesuffix(ROWS), rows)
    return found


def _add(found: "dict[str, Tensor]", name: str, rows: "Tensor") -> None:
    """Add what rows of a tensor miss to them, in place."""
    value, missed = found.get(name), found.pop(name + MISSED, None)
    if value is None or missed is None or missed.shape != (len(rows), value.shape[1]):
        shapes = ", ".join("none" if one is None else str(tuple(one.shape)) for one in (value, missed))
        raise ModelError(f"{name}: {len(rows)} rows of it miss something, but it and that are of the shapes {shapes}.")
    value[rows.long()] += missed
