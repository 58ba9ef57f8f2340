"""What a student learns from: pairs with the teacher's vectors, then texts that only the student itself can place."""

from pathlib import Path

import numpy as np

from feedback_nlp.embed.backends import static
from feedback_nlp.train.encoder_bags import Bags, Floats, Material, means, targets_of
from feedback_nlp.train.encoder_pairs import DIALECTS, Pairs, dialect_pairs, read_pairs, roman_pairs
from feedback_nlp.train.encoder_teacher import teacher_vectors
from feedback_nlp.train.encoder_tokenizer import tokenizer_texts, train_tokenizer

_ROMAN_WEIGHT = 2.0


def _tokenizer(data: Path, pairs: Pairs, work: Path, seed: int) -> Path:
    file = work / static.TOKENIZER
    if not file.exists():
        part = train_tokenizer(tokenizer_texts(data, pairs, seed=seed), work / "tokenizer.part")
        part.replace(file)
    return file


def taught_material(data: Path, work: Path, *, width: int, seed: int) -> Material:
    """Read the pairs and take the teacher's vectors; tokenizer and vectors that stand in ``work`` are kept."""
    pairs = read_pairs(data, seed=seed)
    tokenizer = _tokenizer(data, pairs, work, seed)
    english = [text for text, lang in zip(pairs.texts, pairs.langs, strict=True) if lang == "en"]
    place = {text: i for i, text in enumerate(english)}
    return Material(
        bags=Bags.of(static.tokenize(static.open_tokenizer(tokenizer), pairs.texts)),
        targets=targets_of(teacher_vectors(english, work / "teacher"), width),
        target_of=np.array([place[text] for text in pairs.english], dtype=np.int64),
        weights=np.array(pairs.weights, dtype=np.float32),
        tokenizer=tokenizer,
        rows=pairs.rows,
    )


def widened_material(taught: Material, data: Path, table: Floats) -> Material:
    """Add dialect and romanised texts, to be drawn to the student's own vector of their standard, native form.

    :param table: the student's token vectors.
    """
    tokenizer = static.open_tokenizer(taught.tokenizer)
    dialect, standard = dialect_pairs(data)
    roman, native = roman_pairs(data)
    targets = means(table, Bags.of(static.tokenize(tokenizer, [*standard, *native])))
    weights = np.array([1.0] * len(dialect) + [_ROMAN_WEIGHT] * len(roman), dtype=np.float32)
    return Material(
        bags=taught.bags.followed_by(Bags.of(static.tokenize(tokenizer, [*dialect, *roman]))),
        targets=np.concatenate([taught.targets, targets]),
        target_of=np.concatenate([taught.target_of, len(taught.targets) + np.arange(len(targets))]),
        weights=np.concatenate([taught.weights, weights]),
        tokenizer=taught.tokenizer,
        rows=taught.rows | {DIALECTS: len(dialect), "roman_more": len(roman)},
    )
