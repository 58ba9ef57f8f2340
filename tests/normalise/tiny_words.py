"""A tiny de-romanisation model for tests."""

import numpy as np

from feedback_nlp.normalise.deromanise.lexicon import Lexicon, Prefix
from feedback_nlp.normalise.deromanise.model import Weights, WordModel
from feedback_nlp.train.romanised_pairs import fold_word, start_channel

WORDS = {
    "fa": "خوب بود خیلی غذا سرد سلام ولی بد نیست خوبه برای من از به کیفیت عالی می\u200cکنم",
    "ar": "خدمة جدا جميل في المطعم بس مطعم ممتازة سيئة الأكل على ال و",
}


def tiny_lexicon(lang: str) -> Lexicon:
    words = WORDS[lang].split()
    folds = [fold_word(word) for word in words]
    pairs = {folds.index("خوب") * len(words) + folds.index("بود"): 0.2} if lang == "fa" else {}
    prefixes = (
        (Prefix(("el", "al", "l"), "ال", "ال", 1.6), Prefix(("fel",), "فال", "في ال", 5.0)) if lang == "ar" else ()
    )
    prior = np.full(len(words), 3.0, dtype=np.float32)
    return Lexicon(lang, words, folds, prior, pairs, prefixes, {"mrc": [(0, 0.5)]} if lang == "fa" else {})


def tiny_model() -> WordModel:
    langs = ("ar", "fa")
    return WordModel(
        {lang: tiny_lexicon(lang) for lang in langs},
        {lang: start_channel(lang) for lang in langs},
        {lang: {"z": ["ز", "ز", "ز"], "b": ["ب", "ب", "ب"], "oo": ["او", "و", "و"]} for lang in langs},
        {"ar": {"el": "", "al": "", "l": "", "fel": "في ال"}, "fa": {}},
        {lang: {"app": 3.0, "wifi": 3.0} for lang in langs},
        Weights(),
    )
