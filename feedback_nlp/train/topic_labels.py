"""Makes the label lexicon: frequent feedback words of Arabic and Persian with English meanings."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from feedback_nlp.core.modelfolder import ModelFolder, write_model
from feedback_nlp.topics.lexicon import KIND, LEXICON_FILE, telling_words
from feedback_nlp.topics.tokens import fold_word, split_words
from feedback_nlp.train.data import provenance, read_set, set_names
from feedback_nlp.train.figures import Figure, card_table
from feedback_nlp.train.word_pairs import frequent_english, learn_word_pairs, read_sentence_pairs

LANGS = ("ar", "fa")
_PARENTHESIS = re.compile(r"\([^)]*\)")
_LEAD = re.compile(r"^(?:the|a|an|to|my|your|his|her|its|our|their|and|in|at|by|with|for|from|very)\s+")
_MOST_GLOSSES = 3
_VERSION = "1"

Words = tuple[str, list[str]]


def read_glossary(data: Path, lang: str) -> Iterator[Words]:
    """Yield folded words with English meanings of one or two words, the most frequent words first."""
    path = data / "parallel" / f"glossary_{lang}.tsv"
    seen = set()
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            word = "".join(stretch[0] for stretch in split_words(row["word"])[:1])
            meanings = dict.fromkeys(_bare(part) for part in row["gloss"].split("/"))
            telling = [meaning for meaning in meanings if _names_something(meaning)]
            if telling and len(fold_word(word)) > 2 and word not in seen:
                seen.add(word)
                yield word, telling[:_MOST_GLOSSES]


def _bare(meaning: str) -> str:
    """Return a meaning without remarks and leading small words; proper names, which are capitalised, become empty."""
    plain = _PARENTHESIS.sub(" ", meaning).strip()
    name = plain[:1].isupper() and not plain.startswith("I ") and not plain.isupper()
    return "" if name else _LEAD.sub("", plain.lower()).strip()


def _names_something(meaning: str) -> bool:
    words = meaning.split()
    return 0 < len(words) <= 2 and meaning.isascii() and telling_words(words, "en") == words


def written_forms(data: Path) -> dict[tuple[str, str], str]:
    """Return, by language and folded word, how the feedback sets mostly write it."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name in set_names(data):
        frame = read_set(data, name)
        for lang in LANGS:
            texts = frame.text[frame.lang == lang]
            words = Counter(word for text in texts for stretch in split_words(str(text)) for word in stretch)
            for word, count in words.items():
                counts[lang, fold_word(word)][word] += count
    return {key: max(forms.items(), key=lambda item: (item[1], item[0]))[0] for key, forms in counts.items()}


def read_word_pairs(data: Path, lang: str, frequent: set[str]) -> tuple[list[Words], dict[str, int]]:
    """Return words with the English word that sentence pairs show them for, and pairs used by data set name.

    :param frequent: English words worth keeping, in lower case.
    """
    english, other, rows = read_sentence_pairs(data, lang)
    pairs = learn_word_pairs(english, other, lang)
    kept = [(pair.word, [pair.english]) for pair in pairs if pair.english in frequent]
    return [entry for entry in kept if telling_words([entry[0]], lang)], rows


def train_topic_labels(data: Path, out: Path, *, seed: int = 17, created_at: str = "2026-11-28") -> ModelFolder:
    """Write the lexicon as a model folder.

    :param seed: recorded; nothing here is random.
    """
    out.mkdir(parents=True, exist_ok=True)
    forms = written_forms(data)
    frequent = frequent_english(data, list(set_names(data)))
    lines: list[str] = []
    figures: list[Figure] = []
    rows: Counter[str] = Counter()
    for lang in LANGS:
        learned, used = read_word_pairs(data, lang, frequent)
        listed = [
            (forms.get((lang, fold_word(word)), word), glosses)
            for word, glosses in read_glossary(data, lang)
            if telling_words([word], lang)
        ]
        rows.update({**used, f"glossary_{lang}": len(listed)})
        figures.append(_confirmed(lang, learned, listed))
        lines += ["\t".join((lang, word, *glosses)) for word, glosses in [*learned, *listed]]
    (out / LEXICON_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    details = {
        "languages": [*LANGS, "en"],
        "labels": [],
        "training_data": list(provenance(data, dict(rows))),
        "metrics": [figure.as_dict() for figure in figures],
        "calibration": None,
        "library_versions": {},
        "created_at": created_at,
        "seed": seed,
    }
    card = _card(details, len(lines), figures)
    return write_model(out, kind=KIND, name=out.name, version=_VERSION, details=details, card=card)


def _confirmed(lang: str, learned: list[Words], listed: list[Words]) -> Figure:
    """Measure how many learned pairs the glossary, made apart from them, gives too, where it has the word."""
    known: dict[str, set[str]] = defaultdict(set)
    for word, glosses in listed:
        known[fold_word(word)].update(part for gloss in glosses for part in (gloss, *gloss.split()))
    hits = [glosses[0] in known[fold_word(word)] for word, glosses in learned if fold_word(word) in known]
    share = sum(hits) / max(len(hits), 1)
    half = 1.96 * (share * (1 - share) / max(len(hits), 1)) ** 0.5
    metric = "learned word pairs that the glossary gives word for word"
    return Figure(
        "topics", f"glossary_{lang}", lang, metric, share, max(share - half, 0), min(share + half, 1), len(hits)
    )


def _card(details: Mapping[str, Any], entries: int, figures: list[Figure]) -> str:
    listed = "\n".join(f"| {one['name']} | {one['rows']:,} | {one['licence']} |" for one in details["training_data"])
    return f"""# topic-labels: words that name topics in languages the comments lack

{entries:,} words of Arabic and Persian customer feedback with up to three English meanings. Topics found in comments of
one language get labels in the others through it.

## How it was made
Sentence pairs show which words stand for each other (Dice's coefficient, both words choosing each other); of those, the
English words that feedback holds at least thirty times. Behind them stand the most frequent feedback words of each
language, in the form people mostly write, with short glosses written by a language model.

## Made from
| data | rows | licence as stated |
| --- | --- | --- |
{listed}

## Figures
{card_table(figures)}
## Limits
Meanings are given without context: a word with several may get the wrong one, so that the topic's encoder has the last
word where there is one. Slang and dialect words beyond the most frequent six thousand of a language are missing.
"""
