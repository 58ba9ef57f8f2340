"""The comments that topics are discovered on: canonical order, near duplicates once, a stratified draw."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.core.folding import fold

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

_DIGITS = re.compile(r"\d+")
_SIGNS = re.compile(r"[^\w]+")


@dataclass(frozen=True)
class DiscoverySample:
    """Comments with their vectors, one entry a comment, in any order.

    :param ids: comment ids.
    :param cleans: normalised texts; None where a comment has none.
    :param langs: language codes as in the column ``lang``.
    :param vectors: float32 array of shape (comments, width), rows of unit length; a row of zeros = no vector.
    :param strata: a further group of each comment (its source, say) that the draw keeps in proportion, or None.
    :param days: the day each comment was written, ISO 8601, None where unknown; or None.
    :param labels: the topic's name that an analyst gave each comment, None where none did; or None.
    """

    ids: Sequence[str]
    cleans: Sequence[str | None]
    langs: Sequence[str]
    vectors: Vectors
    strata: Sequence[str] | None = None
    days: Sequence[str | None] | None = None
    labels: Sequence[str | None] | None = None

    def __post_init__(self) -> None:
        """Check that all parts are of one length.

        :raises StageContractError: otherwise.
        """
        lengths = {"cleans": len(self.cleans), "langs": len(self.langs), "vectors": len(self.vectors)}
        further = {"strata": self.strata, "days": self.days, "labels": self.labels}
        lengths |= {name: len(values) for name, values in further.items() if values is not None}
        wrong = {name: length for name, length in lengths.items() if length != len(self.ids)}
        if wrong or self.vectors.ndim != 2:
            raise StageContractError(
                f"DiscoverySample: {len(self.ids)} ids need as many rows of each part, got {wrong or 'flat vectors'}."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def first_day(self, rows: Sequence[int]) -> str | None:
        """Return the earliest day of these rows, None where none has one."""
        return min(self._known_days(rows), default=None)

    def last_day(self) -> str | None:
        """Return the latest day of all, None where none has one."""
        return max(self._known_days(range(len(self))), default=None)

    def _known_days(self, rows: Sequence[int]) -> list[str]:
        days = self.days or ()
        return [day for row in rows if days and (day := days[row]) is not None]


@dataclass(frozen=True)
class Draw:
    """Different comments drawn from a sample, in canonical order.

    :param rows: int64 array (n,), the sample's row of each.
    :param copies: int64 array (n,), how many comments of the sample say the same.
    """

    rows: Ints
    copies: Ints

    def __len__(self) -> int:
        return len(self.rows)


def same_text_key(clean: str, lang: str) -> bytes:
    """Return 16 bytes that are equal for comments that differ only in signs, emoji, numbers or letter forms."""
    words = _SIGNS.sub(" ", _DIGITS.sub("0", fold(clean))).strip() or clean
    return hashlib.blake2b(f"{lang}\n{words}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def draw(sample: DiscoverySample, limit: int) -> Draw:
    """Draw at most ``limit`` different comments with a vector and a text, in proportion to language and stratum.

    The draw and its order depend on what the comments say and on their ids alone, never on the order they come in.
    """
    usable = np.flatnonzero(np.any(sample.vectors, axis=1))
    groups: dict[bytes, list[int]] = {}
    for row in usable.tolist():
        clean = sample.cleans[row]
        if clean:
            groups.setdefault(same_text_key(clean, sample.langs[row]), []).append(row)
    chosen = []
    for key in sorted(groups):
        members = groups[key]
        first = min(members, key=lambda row: (str(sample.cleans[row]), sample.ids[row]))
        chosen.append((key, first, len(members)))
    if len(chosen) > limit:
        chosen = _proportional(sample, chosen, limit)
    rows = np.array([row for _, row, _ in chosen], dtype=np.int64)
    copies = np.array([count for _, _, count in chosen], dtype=np.int64)
    return Draw(rows, copies)


def _proportional(
    sample: DiscoverySample, chosen: list[tuple[bytes, int, int]], limit: int
) -> list[tuple[bytes, int, int]]:
    """Keep ``limit`` entries by largest remainder over language and stratum; in each, the smallest keys (hashes)."""
    cells: dict[tuple[str, str], list[tuple[bytes, int, int]]] = {}
    for entry in chosen:
        row = entry[1]
        stratum = "" if sample.strata is None else sample.strata[row]
        cells.setdefault((sample.langs[row], stratum), []).append(entry)
    names = sorted(cells)
    exact = np.array([len(cells[name]) * limit / len(chosen) for name in names])
    quota = np.floor(exact).astype(np.int64)
    for at in np.argsort(quota - exact, kind="stable")[: limit - int(quota.sum())]:
        quota[at] += 1
    kept = [entry for name, count in zip(names, quota.tolist(), strict=True) for entry in cells[name][:count]]
    return sorted(kept)
