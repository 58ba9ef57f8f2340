"""Word translations learned from sentence pairs by how often two words meet (Dice 1945)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from feedback_nlp.topics.tokens import split_words
from feedback_nlp.topics.words import LanguageWords
from feedback_nlp.train.data import read_set

SETS = (
    "anki_en_ar",
    "anki_en_fa",
    "bagisto_ecommerce_ui",
    "banking77_en_ar",
    "coco_captions_en_fa",
    "massive500_en_fa",
    "tatoeba_opus_en_ar_fa",
    "tico19_sentences",
)
TRILINGUAL = "feedback_trilingual"
_FEWEST = 4
_DICE = 0.4


@dataclass(frozen=True)
class WordPair:
    """One English word and its likeliest translation.

    :param english: as mostly written.
    :param word: the translation, as mostly written.
    :param dice: 2 × pairs with both / (pairs with one + pairs with the other), in [0, 1].
    """

    english: str
    word: str
    dice: float


def read_sentence_pairs(data: Path, lang: str) -> tuple[list[str], list[str], dict[str, int]]:
    """Return English sentences, their translations, and pairs used by data set name."""
    english: list[str] = []
    other: list[str] = []
    rows: dict[str, int] = {}
    trilingual = read_set(data, TRILINGUAL, folder="parallel")
    frames = [(TRILINGUAL, trilingual.rename(columns={"en": "left", lang: "right"}))]
    for name in SETS:
        frame = read_set(data, name, folder="parallel")
        straight = frame[(frame.src_lang == "en") & (frame.tgt_lang == lang)]
        turned = frame[(frame.src_lang == lang) & (frame.tgt_lang == "en")]
        names, swapped = {"src": "left", "tgt": "right"}, {"src": "right", "tgt": "left"}
        frames.append((name, pd.concat([straight.rename(columns=names), turned.rename(columns=swapped)])))
    for name, frame in frames:
        if len(frame):
            english += frame.left.astype(str).tolist()
            other += frame.right.astype(str).tolist()
            rows[name] = len(frame)
    return english, other, rows


def learn_word_pairs(english: Sequence[str], other: Sequence[str], lang: str) -> list[WordPair]:
    """Pair each English word with the word that it meets most exclusively, where both choose each other.

    :returns: pairs by falling frequency of the English word.
    """
    rows = np.arange(len(english))
    left, right = LanguageWords.fit("en", rows, english), LanguageWords.fit(lang, rows, other)
    one, two = left.occurrences.matrix.tocsc(), right.occurrences.matrix.tocsc()
    first, second = np.asarray(one.sum(axis=0)).ravel(), np.asarray(two.sum(axis=0)).ravel()
    met = sp.coo_matrix(one.T @ two)
    common = met.data >= _FEWEST
    heads, tails, both = met.row[common], met.col[common], met.data[common]
    dice = 2 * both / (first[heads] + second[tails])
    best_left, best_right = np.zeros(len(first)), np.zeros(len(second))
    np.maximum.at(best_left, heads, dice)
    np.maximum.at(best_right, tails, dice)
    chosen = np.flatnonzero((dice >= _DICE) & (dice == best_left[heads]) & (dice >= 0.7 * best_right[tails]))
    order = chosen[np.lexsort((tails[chosen], -first[heads[chosen]]))]
    return [
        WordPair(
            left.vocabulary.shown[left.occurrences.keys[heads[at]]].lower(),
            right.vocabulary.shown[right.occurrences.keys[tails[at]]],
            round(float(dice[at]), 3),
        )
        for at in order.tolist()
    ]


def frequent_english(data: Path, names: Sequence[str], least: int = 30) -> set[str]:
    """Return lower-case English words that the feedback sets hold at least so often."""
    counts: dict[str, int] = {}
    for name in names:
        frame = read_set(data, name)
        for text in frame.text[frame.lang == "en"]:
            for stretch in split_words(str(text)):
                for word in stretch:
                    counts[word.lower()] = counts.get(word.lower(), 0) + 1
    return {word for word, count in counts.items() if count >= least}
