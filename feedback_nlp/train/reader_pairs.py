"""Texts beside their translations, for a reader whose vectors of both shall be one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from feedback_nlp.embed.backends import static
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints, targets_of
from feedback_nlp.train.encoder_pairs import DIALECTS, dialect_pairs, read_pairs, roman_pairs
from feedback_nlp.train.encoder_teacher import teacher_vectors

_ROMAN_WEIGHT = 2.0
UNTAUGHT = -1


@dataclass(frozen=True)
class Paired:
    """Texts, which of them say the same, and the teacher's vectors.

    :param bags: the texts' word pieces.
    :param left: one text of each pair.
    :param right: the other; the same one where a text stands alone.
    :param target_of: the teacher's vector for both; ``UNTAUGHT`` where there is none.
    :param targets: unit vectors (distinct targets, width).
    :param weights: how often each pair is drawn.
    :param rows: rows used, by data set name.
    """

    bags: Bags
    left: Ints
    right: Ints
    target_of: Ints
    targets: Floats
    weights: Floats
    rows: dict[str, int]


def read_paired(data: Path, work: Path, *, width: int, seed: int, prose: Sequence[str] = ()) -> Paired:
    """Read pairs, English comments, dialects and romanised comments; ``work`` holds tokenizer and teacher's vectors.

    :param prose: English sentences that stand alone, last and with weight 0.
    """
    tokenizer = static.open_tokenizer(work / static.TOKENIZER)
    pairs = read_pairs(data, seed=seed)
    row_of = {text: i for i, (text, lang) in enumerate(zip(pairs.texts, pairs.langs, strict=True)) if lang == "en"}
    english = [*row_of, *prose]
    target_of = {text: i for i, text in enumerate(english)}
    paired_english = {e for e, lang in zip(pairs.english, pairs.langs, strict=True) if lang != "en"}
    taken = [
        i
        for i, (text, lang) in enumerate(zip(pairs.texts, pairs.langs, strict=True))
        if lang != "en" or text not in paired_english
    ]
    dialect, standard = dialect_pairs(data)
    roman, native = roman_pairs(data)
    base = len(pairs.texts)
    others = len(dialect) + len(roman)
    extra = np.arange(base, base + others, dtype=np.int64)
    texts = [*pairs.texts, *dialect, *roman, *standard, *native, *prose]
    lone = np.arange(len(texts) - len(prose), len(texts), dtype=np.int64)
    return Paired(
        Bags.of(static.tokenize(tokenizer, texts)),
        np.concatenate([np.array(taken, dtype=np.int64), extra, lone]),
        np.concatenate([np.array([row_of[pairs.english[i]] for i in taken], dtype=np.int64), extra + others, lone]),
        np.concatenate(
            [
                np.array([target_of[pairs.english[i]] for i in taken], dtype=np.int64),
                np.full(others, UNTAUGHT),
                np.arange(len(row_of), len(english), dtype=np.int64),
            ]
        ),
        targets_of(teacher_vectors(english, work / "teacher"), width),
        np.array(
            [pairs.weights[i] for i in taken]
            + [1.0] * len(dialect)
            + [_ROMAN_WEIGHT] * len(roman)
            + [0.0] * len(prose),
            dtype=np.float32,
        ),
        pairs.rows | {DIALECTS: len(dialect), "roman_more": len(roman)},
    )
