import hashlib
from collections.abc import Sequence

import numpy as np

from feedback_nlp.topics import DiscoverySample

WIDTH = 32

# Three languages say the same five things; the first word of each tuple names the topic.
THEMES = {
    "delivery": {
        "en": ["delivery", "courier", "late", "parcel", "shipping"],
        "ar": ["التوصيل", "المندوب", "متأخر", "الطرد", "الشحن"],
        "fa": ["تحویل", "پیک", "دیر", "بسته", "ارسال"],
    },
    "food": {
        "en": ["food", "taste", "chicken", "cold", "kitchen"],
        "ar": ["الطعام", "الطعم", "الدجاج", "بارد", "المطبخ"],
        "fa": ["غذا", "طعم", "مرغ", "سرد", "آشپزخانه"],
    },
    "battery": {
        "en": ["battery", "charger", "phone", "screen", "power"],
        "ar": ["البطارية", "الشاحن", "الهاتف", "الشاشة", "الطاقة"],
        "fa": ["باتری", "شارژر", "گوشی", "نمایشگر", "برق"],
    },
    "room": {
        "en": ["room", "hotel", "bed", "towel", "reception"],
        "ar": ["الغرفة", "الفندق", "السرير", "المنشفة", "الاستقبال"],
        "fa": ["اتاق", "هتل", "تخت", "حوله", "پذیرش"],
    },
    "price": {
        "en": ["price", "expensive", "discount", "cost", "value"],
        "ar": ["السعر", "غالي", "الخصم", "التكلفة", "القيمة"],
        "fa": ["قیمت", "گران", "تخفیف", "هزینه", "ارزش"],
    },
}
CENTRES = {
    name: np.random.default_rng(1000 + at).normal(size=WIDTH).astype(np.float32) for at, name in enumerate(THEMES)
}
TILT = {lang: np.random.default_rng(50 + at).normal(size=WIDTH) * 0.6 for at, lang in enumerate(("en", "ar", "fa"))}
WORDS = {word: (name, lang) for name, langs in THEMES.items() for lang, words in langs.items() for word in words}


def unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def encode(texts: Sequence[str]) -> np.ndarray:
    """A tiny encoder: the mean of the known words' topics and languages, and a little of the text itself."""
    rows = []
    for text in texts:
        known = [WORDS[word] for word in text.split() if word in WORDS]
        row = np.zeros(WIDTH)
        for name, lang in known:
            row += CENTRES[name] + TILT[lang]
        if known:
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
            row = row / len(known) + np.random.default_rng(seed).normal(scale=0.35, size=WIDTH)
        rows.append(row)
    return unit(np.array(rows).reshape(len(texts), WIDTH))


def make_sample(
    count: int, *, seed: int = 0, themes: Sequence[str] = tuple(THEMES), langs: Sequence[str] = ("en", "ar", "fa")
) -> DiscoverySample:
    rng = np.random.default_rng(seed)
    cleans, codes = [], []
    for at in range(count):
        name, lang = themes[at % len(themes)], langs[int(rng.integers(len(langs)))]
        words = rng.choice(THEMES[name][lang], size=3, replace=False).tolist()
        cleans.append(
            " ".join([*words, "abcdefghijklmnopqrstuvwxyz"[at % 26] * 2 + "xyzw"[at // 26 % 4] * 2 + str(at)])
        )
        codes.append(lang)
    return DiscoverySample([f"c{at:05d}" for at in range(count)], cleans, codes, encode(cleans))


def shuffled(sample: DiscoverySample, seed: int) -> DiscoverySample:
    order = np.random.default_rng(seed).permutation(len(sample)).tolist()
    return DiscoverySample(
        [sample.ids[at] for at in order],
        [sample.cleans[at] for at in order],
        [sample.langs[at] for at in order],
        sample.vectors[order],
        None if sample.strata is None else [sample.strata[at] for at in order],
    )
