"""Texts for the encoder: foreign texts and the English text whose teacher vector each shall get."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from feedback_nlp.core.folding import fold
from feedback_nlp.train.data import read_jsonl, read_set, set_names

TRILINGUAL, DIALECTS, ABSA = "feedback_trilingual", "dial2msa_ar_ar", "multi_m_absa"
_CAPTIONS, _CAPTIONS_KEPT = "flickr30k_captions_en_ar", 80_000
_FEEDBACK_PER_SET, _FEEDBACK_CHARS = 4_000, 300
_EVALUATED = ("tatoeba_laser_en_ar", "tatoeba_laser_en_fa", "flores200_devtest_en_ar", "flores200_devtest_en_fa")
_NEVER_READ = ("multi_sib200", "multi_sib200_dialects", "multi_massive_subset")


@dataclass
class Pairs:
    """Texts with the English texts that say the same.

    :param texts: in any of the three languages.
    :param english: for each text its English side; the same text for an English one.
    :param langs: language of each text.
    :param weights: weight of each text in the loss.
    :param rows: rows used, by data set name.
    """

    texts: list[str] = field(default_factory=list)
    english: list[str] = field(default_factory=list)
    langs: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, text: str, english: str, lang: str, weight: float) -> None:
        """Add one text of a data set."""
        self.texts.append(text)
        self.english.append(english)
        self.langs.append(lang)
        self.weights.append(weight)
        self.rows[name] = self.rows.get(name, 0) + 1


def key(text: str) -> str:
    """Return what two texts must share to count as the same: their folded letters and digits."""
    return "".join(char for char in fold(text) if char.isalnum())


def evaluation_keys(data: Path) -> frozenset[str]:
    """Return the keys of every sentence that the encoder is judged on."""
    texts: list[str] = []
    for name in _EVALUATED:
        frame = read_set(data, name, folder="eval")
        texts += [*frame["src"], *frame["tgt"]]
    for name in _NEVER_READ[:2]:
        texts += list(read_set(data, name)["text"])
    return frozenset(map(key, texts))


def _weight(kind: str, source: str) -> float:
    if kind == "sentence":
        return 0.5 if source.endswith("_ui") or source == _CAPTIONS else 1.0
    return 0.5 if kind == "phrase" else 0.3


def _with_english(data: Path, rng: np.random.Generator) -> Iterator[tuple[str, str, str, str, float]]:
    for name in set_names(data, folder="parallel"):
        if name in (TRILINGUAL, DIALECTS):
            continue
        frame = read_set(data, name, folder="parallel")
        frame = frame[frame["src_lang"] == "en"]
        if name == _CAPTIONS and len(frame) > _CAPTIONS_KEPT:
            frame = frame.iloc[np.sort(rng.permutation(len(frame))[:_CAPTIONS_KEPT])]
        rows = zip(frame["src"], frame["tgt"], frame["tgt_lang"], frame["kind"], strict=True)
        for english, text, lang, kind in rows:
            yield name, text, english, lang, _weight(kind, name)


def _trilingual(data: Path) -> Iterator[tuple[str, str, str, str, float]]:
    frame = read_set(data, TRILINGUAL, folder="parallel")
    for lang in ("ar", "fa"):
        for english, text in zip(frame["en"], frame[lang], strict=True):
            yield TRILINGUAL, text, english, lang, 2.0


def _glossaries(data: Path) -> Iterator[tuple[str, str, str, str, float]]:
    for lang in ("ar", "fa"):
        path = data / "parallel" / f"glossary_{lang}.tsv"
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)
        for word, gloss in zip(table["word"], table["gloss"], strict=True):
            senses = [sense.strip() for sense in gloss.split("/") if sense.strip()]
            for sense in senses:
                yield path.stem, word, sense, lang, 2.0 / len(senses)


def _translated_reviews(data: Path) -> Iterator[tuple[str, str, str, str, float]]:
    frame = read_set(data, ABSA)
    frame = frame[frame["split"] != "test"]
    rows = frame["extra"].map(lambda extra: json.loads(extra)["row"])
    sides = {
        lang: dict(zip(rows[frame["lang"] == lang], frame["text"][frame["lang"] == lang], strict=True))
        for lang in ("en", "ar")
    }
    for row in sorted(sides["en"].keys() & sides["ar"].keys()):
        yield ABSA, sides["ar"][row], sides["en"][row], "ar", 1.0


def shorten(text: str, limit: int = _FEEDBACK_CHARS) -> str:
    """Cut a text at the last blank before ``limit`` code points."""
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0]


def feedback_texts(data: Path, lang: str, *, seed: int, per_set: int = _FEEDBACK_PER_SET) -> list[tuple[str, str]]:
    """Return ``(data set, text)`` of comments in one language, at most ``per_set`` of each set, shortened."""
    found: list[tuple[str, str]] = []
    rng = np.random.default_rng(seed)
    for name in set_names(data):
        if name in _NEVER_READ:
            continue
        frame = read_set(data, name)
        texts = sorted(set(frame["text"][frame["lang"] == lang].dropna()))
        picked = rng.permutation(len(texts))[:per_set]
        found += [(name, shorten(texts[i])) for i in np.sort(picked)]
    return found


def read_pairs(data: Path, *, seed: int) -> Pairs:
    """Read all training texts that have an English side; evaluation sentences are left out.

    English sides stand in the result as texts of their own, once each.
    """
    rng = np.random.default_rng(seed)
    shut = evaluation_keys(data)
    pairs = Pairs()
    seen: set[tuple[str, str]] = set()
    heaviest: dict[str, float] = {}
    sources = (_with_english(data, rng), _trilingual(data), _glossaries(data), _translated_reviews(data))
    for source in sources:
        for name, text, english, lang, weight in source:
            keys = (key(text), key(english))
            if not all(keys) or keys in seen or shut.intersection(keys):
                continue
            seen.add(keys)
            pairs.add(name, text, english, lang, weight)
            heaviest[english] = max(heaviest.get(english, 0.0), weight)
    for name, text in feedback_texts(data, "en", seed=seed):
        if key(text) and key(text) not in shut:
            pairs.rows[name] = pairs.rows.get(name, 0) + 1
            heaviest.setdefault(text, 1.0)
    for english, weight in heaviest.items():
        pairs.add("", english, english, "en", weight)
    del pairs.rows[""]
    return pairs


def dialect_pairs(data: Path) -> tuple[Sequence[str], Sequence[str]]:
    """Return Arabic dialect texts and the standard Arabic texts that say the same."""
    frame = read_set(data, DIALECTS, folder="parallel")
    frame = frame[(frame["src"].map(key) != "") & (frame["tgt"].map(key) != "")]
    return list(frame["src"]), list(frame["tgt"])


def roman_pairs(data: Path) -> tuple[Sequence[str], Sequence[str]]:
    """Return comments typed in Latin letters and the same comments in native letters, less those kept for judging."""
    rows = [row for lang in ("ar", "fa") for row in read_jsonl(data, f"romanised/{lang}_roman_more.jsonl")]
    judged = [row["text"] for lang in ("ar", "fa") for row in read_jsonl(data, f"romanised/{lang}_roman.jsonl")]
    shut = set(map(key, judged))
    rows = [row for row in rows if key(row["text"]) not in shut]
    return [shorten(row["roman"]) for row in rows], [shorten(row["text"]) for row in rows]
