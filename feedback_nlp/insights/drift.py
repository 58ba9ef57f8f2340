"""Drift: how far tonight's mix of languages, sentiment, causes and topics lies from that of the nights before."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.core.columns import LANG, ROOT_CAUSE, SENTIMENT, TOPIC_ID

Mix = Mapping[str, Mapping[str, int]]
Level = Literal["stable", "moderate", "major", "unsure"]

MIX_COLUMNS = (LANG, SENTIMENT, ROOT_CAUSE, TOPIC_ID)
MODERATE, MAJOR = 0.10, 0.25
_MISSING = "null"
_FLOOR = 0.5
_SURE = 2.33


@dataclass(frozen=True)
class Drift:
    """One column's drift.

    :param psi: population stability index, 0 = the same mix.
    :param noise: what chance alone would give at these numbers of comments, at the 99 % point.
    :param level: ``unsure`` where the index does not exceed that.
    :param grown: the value whose share changed most, where the level is moderate or major, else empty.
    :param change: that change of its share, -1 to 1.
    """

    column: str
    psi: float
    noise: float
    level: Level
    grown: str = ""
    change: float = 0.0


def mix_of(comments: pa.Table) -> dict[str, dict[str, int]]:
    """Count the values of language, sentiment, root cause and topic, as far as the table has these columns.

    :returns: per column, comments by value as a text (``null`` for none), sorted by value.
    """
    found: dict[str, dict[str, int]] = {}
    for column in MIX_COLUMNS:
        if column.name in comments.column_names:
            counted = pc.value_counts(comments[column.name].combine_chunks())
            values = {
                _MISSING if one["values"] is None else str(one["values"]): int(one["counts"])
                for one in counted.to_pylist()
            }
            found[column.name] = dict(sorted(values.items()))
    return found


def population_stability_index(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Return the index between two mixes: the sum over values of (q - p) ln(q / p).

    Half a comment is added to every value, so that one that is new does not make it infinite. Below .1 a mix is
    usually called stable, from .25 on changed (Siddiqi 2006, *Credit Risk Scorecards*).

    :raises ValueError: when either is empty.
    """
    values = sorted({*before, *now})
    totals = sum(before.values()), sum(now.values())
    if not all(totals):
        raise ValueError("a mix without a comment has no shares")
    index = 0.0
    for value in values:
        p = (before.get(value, 0) + _FLOOR) / (totals[0] + _FLOOR * len(values))
        q = (now.get(value, 0) + _FLOOR) / (totals[1] + _FLOOR * len(values))
        index += (q - p) * math.log(q / p)
    return index


def _noise(values: int, before: int, now: int) -> float:
    """Return the index's 99 % point under no change: chi-square by Wilson and Hilferty, scaled by the sizes."""
    degrees = max(values - 1, 1)
    quantile = degrees * (1 - 2 / (9 * degrees) + _SURE * math.sqrt(2 / (9 * degrees))) ** 3
    return quantile * (1 / before + 1 / now)


def drift(now: Mix, earlier: Sequence[Mix]) -> list[Drift]:
    """Compare a night's mix with the sum of earlier nights', column by column.

    :param earlier: mixes of earlier nights, in any order; without one there is nothing to compare.
    :returns: one entry for each column that both sides have, in the order of ``MIX_COLUMNS``.
    """
    found = []
    for column in (column.name for column in MIX_COLUMNS):
        before: Counter[str] = Counter()
        for night in earlier:
            before.update(night.get(column, {}))
        tonight = now.get(column, {})
        if before.total() and sum(tonight.values()):
            found.append(_drift(column, before, tonight))
    return found


def _drift(column: str, before: Mapping[str, int], now: Mapping[str, int]) -> Drift:
    index = population_stability_index(before, now)
    sizes = sum(before.values()), sum(now.values())
    noise = _noise(len({*before, *now}), *sizes)
    level: Level = "stable"
    if index >= MODERATE:
        level = "unsure" if index < noise else "major" if index >= MAJOR else "moderate"
    if level not in ("moderate", "major"):
        return Drift(column, round(index, 4), round(noise, 4), level)
    changes = {
        value: now.get(value, 0) / sizes[1] - before.get(value, 0) / sizes[0] for value in sorted({*before, *now})
    }
    most = max(changes, key=lambda value: abs(changes[value]))
    return Drift(column, round(index, 4), round(noise, 4), level, most, round(changes[most], 4))
