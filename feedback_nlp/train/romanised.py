"""Trains the de-romanisation model: lexicons of feedback words, word pairs, and the channel of spelling."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.modelfolder import ModelFolder, write_model
from feedback_nlp.core.ngrams import NgramSpec, ngram_matrix
from feedback_nlp.normalise import Span, normalise
from feedback_nlp.normalise.deromanise.channel import LETTERS, PLACES, Channel, place_codes
from feedback_nlp.normalise.deromanise.lexicon import Lexicon
from feedback_nlp.normalise.deromanise.model import COST_STEPS, KIND, VOCABULARY, Weights, WordModel
from feedback_nlp.normalise.deromanise.symbols import SYMBOLS
from feedback_nlp.train.data import provenance, read_jsonl
from feedback_nlp.train.figures import Figure, bootstrap, card_table
from feedback_nlp.train.romanised_lexicon import (
    REAL_WEIGHT,
    count_words,
    kept_words,
    make_lexicon,
    memorise,
    native_texts,
)
from feedback_nlp.train.romanised_pairs import (
    Pair,
    align,
    fit_channel,
    fold_word,
    made_pairs,
    native_words,
    real_pairs,
    start_channel,
)

LANGS = ("ar", "fa")
NAME = "deromanise"
_MADE_TEXTS = 3000
_MOST_WEIGHT = 20.0
_HELD_OUT_STYLES = 4
JOINED: dict[str, dict[str, str]] = {
    "ar": {
        **dict.fromkeys(("el", "al", "il", "l", "wel", "wal", "wil", "wl", "bel", "bil", "bal", "bl"), ""),
        **dict.fromkeys(("lel", "lil", "ll", "le", "b", "bi", "be"), ""),
        **dict.fromkeys(("fel", "fil", "fal"), "في ال"),
        **dict.fromkeys(("3al", "3el", "3l"), "على ال"),
        **dict.fromkeys(("w", "wa", "we", "o", "ou"), ""),
    },
    "fa": {},
}  # fmt: skip


def romanised_rows(data: Path, lang: str) -> list[dict[str, Any]]:
    """Read the comments that people wrote in both scripts, ``romanised/<lang>_roman*.jsonl``.

    :returns: objects with ``text`` (native), ``roman`` and ``style`` (the writer's habits, in words).
    """
    names = sorted(path.name for path in (data / "romanised").glob(f"{lang}_roman*.jsonl"))
    rows = [row for name in names for row in read_jsonl(data, f"romanised/{name}")]
    return [row for row in rows if not row["style"].startswith("already Latin")]


def likely_letters(pairs: Mapping[Pair, float], channel: Channel) -> dict[str, list[str]]:
    """Return, for each symbol, the native letters it mostly stands for at the beginning, inside and at the end."""
    seen: dict[tuple[str, int], dict[str, float]] = {}
    for (word, symbols), weight in pairs.items():
        if not word or not symbols:
            continue
        codes = place_codes(word)
        for letter, symbol in align(channel, word, symbols)[1]:
            if symbol >= 0:
                place = 0 if symbol == 0 else 2 if symbol == len(symbols) - 1 else 1
                native = LETTERS[codes[letter] // PLACES] if letter >= 0 else ""
                row = seen.setdefault((symbols[symbol], place), {})
                row[native] = row.get(native, 0.0) + weight
    table = {}
    for symbol in SYMBOLS:
        rows = [seen.get((symbol, place), {}) for place in range(3)]
        if any(rows):
            table[symbol] = [min(row.items(), key=lambda one: (-one[1], one[0]))[0] if row else "" for row in rows]
    return table


@dataclass(frozen=True)
class Spelling:
    """What is learnt of how a language is spelled in Latin letters."""

    channel: Channel
    letters: Mapping[str, Sequence[str]]
    real: int


def learn_spelling(
    texts: Mapping[str, Sequence[str]], rows: Sequence[Mapping[str, Any]], lang: str, seed: int
) -> Spelling:
    """Learn the channel from spellings made by rule and from real ones.

    :param rows: comments in both scripts.
    """
    rng = np.random.default_rng(seed)
    pool = [text[:300] for rows_of in texts.values() for text in rows_of]
    picked = [pool[at] for at in np.sort(rng.choice(len(pool), min(_MADE_TEXTS, len(pool)), replace=False))]
    made = made_pairs(picked, lang, seed=seed, habits=2)
    weighted: dict[Pair, float] = {pair: min(float(count), _MOST_WEIGHT) for pair, count in made.items()}
    channel = fit_channel(weighted, start_channel(lang))
    real = real_pairs(rows, lang, channel)
    for pair, count in real.items():
        weighted[pair] = weighted.get(pair, 0.0) + REAL_WEIGHT * min(float(count), _MOST_WEIGHT)
    channel = fit_channel(weighted, channel)
    return Spelling(channel, likely_letters(weighted, channel), sum(real.values()))


def fit_words(
    data: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]], without: AbstractSet[str], *, seed: int
) -> tuple[WordModel, dict[str, int]]:
    """Fit the whole model.

    :param rows: by language, comments in both scripts to learn spellings from.
    :param without: native texts that no lexicon may be made from.
    :returns: the model, and texts read by data set.
    """
    english = count_words(native_texts(data, "en", without), "en")
    lexicons: dict[str, Lexicon] = {}
    channels: dict[str, Channel] = {}
    letters: dict[str, Mapping[str, Sequence[str]]] = {}
    kept: dict[str, Mapping[str, float]] = {}
    counts: dict[str, int] = {}
    for lang in LANGS:
        texts = native_texts(data, lang, without)
        corpus = count_words(texts, lang)
        counts.update({name: counts.get(name, 0) + count for name, count in corpus.rows.items()})
        spelling = learn_spelling(texts, rows[lang], lang, seed)
        lexicon = make_lexicon(corpus, lang)
        seen = memorise(lexicon, rows[lang], spelling.channel, seed)
        lexicons[lang] = replace(lexicon, seen=seen)
        channels[lang], letters[lang] = spelling.channel, spelling.letters
        kept[lang] = kept_words(corpus, english)
    return WordModel(lexicons, channels, letters, JOINED, kept, Weights()), counts


def write_words(
    model: WordModel, out: Path, *, details: Mapping[str, Any], card: str, version: str = "1"
) -> ModelFolder:
    """Write a model folder: the words as JSON, the costs as arrays."""
    languages: dict[str, Any] = {}
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for lang, lexicon in model.lexicons.items():
        channel = model.channels[lang]
        spellings = [(spelling, place, cost) for spelling, found in lexicon.seen.items() for place, cost in found]
        languages[lang] = {
            "surfaces": " ".join(lexicon.surfaces),
            "folds": " ".join(lexicon.folds),
            "prefixes": [asdict(prefix) for prefix in lexicon.prefixes],
            "letters": model.letters[lang],
            "joined": dict(model.joined[lang]),
            "kept": " ".join(model.kept[lang]),
            "kept_costs": list(model.kept[lang].values()),
            "seen": " ".join(spelling for spelling, _, _ in spellings),
        }
        arrays |= {
            f"{lang}.prior": lexicon.prior.astype(np.float16),
            f"{lang}.pairs": np.array(list(lexicon.pairs), dtype=np.uint32),
            f"{lang}.pair_costs": _as_steps(list(lexicon.pairs.values())),
            f"{lang}.seen_places": np.array([place for _, place, _ in spellings], dtype=np.uint16),
            f"{lang}.seen_costs": _as_steps([cost for _, _, cost in spellings]),
            f"{lang}.write": channel.write.astype(np.float16),
            f"{lang}.skip": channel.skip.astype(np.float16),
            f"{lang}.put": channel.put.astype(np.float16),
        }
    out.mkdir(parents=True, exist_ok=True)
    raw = {"weights": asdict(model.weights), "languages": languages}
    (out / VOCABULARY).write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")
    return write_model(out, kind=KIND, name=NAME, version=version, details=details, arrays=arrays, card=card)


def _as_steps(costs: Sequence[float]) -> np.ndarray[Any, Any]:
    return np.clip(np.rint(np.array(costs) * COST_STEPS), 0, 255).astype(np.uint8)


def split_styles(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Part comments so that every fourth writer's style is held out.

    :returns: comments to learn from, comments held out.
    """
    styles = sorted({row["style"] for row in rows})
    held = set(styles[::_HELD_OUT_STYLES])
    return [row for row in rows if row["style"] not in held], [row for row in rows if row["style"] in held]


def figures_of(model: WordModel, rows: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> list[Figure]:
    """Measure a model on comments in both scripts: words found, and likeness of features with the native original.

    :param name: what the comments are, in words.
    """
    figures = []
    for lang, some in rows.items():
        found, wanted, clean, native = [], [], [], []
        for row in some:
            text = row["roman"]
            spans = [Span(0, len(text), f"{lang}-Latn")]
            clean.append(normalise(text, lang, spans=spans, deromaniser=model).clean)
            native.append(normalise(row["text"], lang).clean)
            words = [fold_word(word) for word in native_words(native[-1], lang)]
            found.append(_common(words, [fold_word(word) for word in native_words(clean[-1], lang)]))
            wanted.append(len(words))
        value, low, high = bootstrap(lambda hits, all_: float(hits.sum() / max(all_.sum(), 1)), found, wanted)
        figures.append(Figure("language", name, lang, "words as in the native original", value, low, high, sum(wanted)))
        spec = NgramSpec(words=(1, 2), chars=(3, 4))
        alike = np.asarray(ngram_matrix(clean, spec).multiply(ngram_matrix(native, spec)).sum(axis=1)).ravel()
        value, low, high = bootstrap(lambda left, _: float(left.mean()), alike, alike)
        figures.append(Figure("language", name, lang, "cosine of n-grams with it", value, low, high, len(alike)))
    return figures


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the length of the longest common subsequence of words."""
    before = [0] * (len(right) + 1)
    for word in left:
        now = [0]
        for at, other in enumerate(right):
            now.append(before[at] + 1 if word == other else max(before[at + 1], now[at]))
        before = now
    return before[-1]


def fit_held_out(data: Path, *, seed: int = 17) -> tuple[WordModel, dict[str, list[Mapping[str, Any]]]]:
    """Fit a model without every fourth writer's style, and without any comment judged in its lexicons.

    :returns: the model, and by language the comments of the writers held out.
    """
    learn, judge, texts = {}, {}, set()
    for lang in LANGS:
        rows = romanised_rows(data, lang)
        learn[lang], judge[lang] = split_styles(rows)
        texts |= {row["text"] for row in rows}
    model, _ = fit_words(data, learn, texts, seed=seed)
    return model, judge


def held_out_figures(data: Path, *, seed: int = 17) -> list[Figure]:
    """Measure a model on the writers it was fitted without."""
    model, judge = fit_held_out(data, seed=seed)
    return figures_of(model, judge, "romanised comments, writers' styles never seen")


def train_romanised(data: Path, out: Path, *, seed: int = 17, created_at: str = "2026-11-28") -> ModelFolder:
    """Train the de-romanisation model and write its folder.

    :param data: the data folder.
    :param out: the model folder to write.
    """
    figures = held_out_figures(data, seed=seed)
    rows = {lang: romanised_rows(data, lang) for lang in LANGS}
    model, counts = fit_words(data, rows, frozenset(), seed=seed)
    counts |= {f"romanised/{lang}": len(some) for lang, some in rows.items()}
    details = {
        "languages": list(LANGS),
        "labels": [],
        "training_data": list(provenance(data, counts)),
        "metrics": [figure.as_dict() for figure in figures],
        "calibration": None,
        "library_versions": {"numpy": np.__version__},
        "created_at": created_at,
        "seed": seed,
    }
    return write_words(model, out, details=details, card=_card(figures, counts))


def _card(figures: Sequence[Figure], counts: Mapping[str, int]) -> str:
    sets = ", ".join(f"{name} ({rows:,})" for name, rows in counts.items())
    return _CARD.format(table=card_table(figures), sets=sets)


_CARD = """# deromanise

Writes Arabic and Persian that was typed in Latin letters (Arabizi, Finglish) in native letters, word by word.

**How.** A Latin word is taken apart into symbols (`kh`, `3'`, `oo`). Its consonants find candidates in a lexicon of
feedback words; a noisy channel (how each native letter is written, learnt by expectation maximisation) and word and
word-pair frequencies choose among them over the sentence. English words and brands may stay as they are.

**Made from.** Lexicons: native feedback of {sets}. Spellings: the romanised comments among these, and spellings made by
rule from many writers' habits. Licences as stated by each set are in `manifest.json`.

**Figures.** A model fitted without every fourth writer's style, and without the judged comments in its lexicons:

{table}
**Limits.** Words outside the lexicons come out letter by letter. Typing slips, words run together, and Maghrebi French
are the commonest causes of error. Vowels alone seldom decide: rare words may be read as frequent ones.
"""
