"""What the reader learns from: texts as word pieces with their pairs, sentiment and root causes."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.embed.backends.static import tokenize
from feedback_nlp.embed.pieces import PieceCutter
from feedback_nlp.normalise.deromanise import WordModel
from feedback_nlp.normalise.normaliser import Span, normalise
from feedback_nlp.normalise.settings import DeromaniseModel
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints
from feedback_nlp.train.romanise import romanise
from feedback_nlp.train.rootcause_data import SYNTHETIC, Annotated, read_training
from feedback_nlp.train.sentiment_data import ROOT_CAUSES, Labelled, read_labelled, text_key

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

Flags = np.ndarray[Any, np.dtype[np.bool_]]

# Never read with labels before the last round, so that the reader can be judged and calibrated on unseen sources.
UNSEEN = ("en_twitter_us_airline", "ar_elsahar_res1_qaym", "fa_bank_apps_cafebazaar")
MAX_TOKENS = 128
_HEAVIEST = 8.0
_WORTH = {"written": 0.7, "translated": 1.0, "real": 1.0, "retyped": 0.25}


@dataclass(frozen=True)
class Judged:
    """Comments with a sentiment.

    :param bags: word pieces.
    :param labels: int array, index into ``SENTIMENTS``.
    :param weights: how often each is drawn, in proportion.
    :param annotated: True where ``mixed`` was a choice.
    :param rows: rows used, by data set name.
    """

    bags: Bags
    labels: Ints
    weights: Floats
    annotated: Flags
    rows: dict[str, int]


@dataclass(frozen=True)
class Caused:
    """Comments with root causes and readings.

    :param bags: word pieces.
    :param weights: how often each is drawn, in proportion.
    :param causes: bool array (n, READ_CAUSES).
    :param others: bool array (n, OTHER_CAUSES).
    :param sentiment: int array (n,), index into ``SENTIMENTS``; -1 where not annotated.
    :param readings: int array (n,) by reading; -1 where not annotated.
    :param evidence: int array (m, 4): comment, cause, first token, end token; in the order of comments.
    :param rows: rows used, by data set name.
    """

    bags: Bags
    weights: Floats
    causes: Flags
    others: Flags
    sentiment: Ints
    readings: dict[str, Ints]
    evidence: Ints
    rows: dict[str, int]


def read_judged(data: Path, tokenizer: "SentencePieceProcessor", *, seed: int, unseen: bool) -> Judged:
    """Read the comments with a sentiment, those kept for judging left out.

    :param unseen: whether the sources of ``UNSEEN`` are read, too.
    """
    labelled = read_labelled(data, seed=seed)
    wanted = ~labelled.judged
    if not unseen:
        wanted &= ~np.isin(labelled.sources, UNSEEN)
    rows = np.flatnonzero(wanted)
    cleans = [normalise(labelled.texts[row], labelled.langs[row]).clean for row in rows.tolist()]
    ids = tokenize(tokenizer, cleans)
    weights = labelled.row_weights(wanted)[rows]
    return Judged(
        Bags.of(ids),
        labelled.labels[rows],
        np.minimum(weights / weights.mean(), _HEAVIEST).astype(np.float32),
        np.asarray(labelled.sets[rows] == ROOT_CAUSES, dtype=bool),
        _counts(labelled.sets[rows]),
    )


def _counts(names: np.ndarray[Any, Any]) -> dict[str, int]:
    found, counts = np.unique(names, return_counts=True)
    return {str(name): int(count) for name, count in zip(found, counts, strict=True)}


def kept_back_keys(labelled: Labelled) -> frozenset[str]:
    """Return the keys of the texts that sentiment is judged on."""
    return frozenset(text_key(labelled.texts[row]) for row in np.flatnonzero(labelled.judged).tolist())


def read_caused(data: Path, tokenizer: "SentencePieceProcessor", *, seed: int, unseen: bool) -> Caused:
    """Read the comments with root causes, less those whose sentiment is kept for judging.

    :param unseen: whether the sources of ``UNSEEN`` are read, too.
    """
    annotated = read_training(data)
    shut = kept_back_keys(read_labelled(data, seed=seed))
    wanted = np.array([text_key(text) not in shut for text in annotated.texts])
    if not unseen:
        wanted &= ~np.isin(annotated.sources, UNSEEN)
    return _caused(annotated, np.flatnonzero(wanted), tokenizer, seed)


@cache
def _deromaniser() -> WordModel:
    """Open the shipped model once: lessons are read anew for every round, and what it learns of words takes longest."""
    return WordModel.from_folder(open_model(resolve_model(DeromaniseModel().model)))


def _retyped(annotated: Annotated, rows: Ints, seed: int) -> list[str]:
    """Return comments as they are read where somebody types them in Latin letters: some words come out wrong."""
    deromaniser = _deromaniser()
    found = []
    for row in rows.tolist():
        lang = str(annotated.langs[row])
        typed = romanise(annotated.cleans[row], lang, np.random.default_rng([seed, row]))
        whole = [Span(0, len(typed), f"{lang}-Latn")]
        found.append(normalise(typed, lang, spans=whole, deromaniser=deromaniser).clean)
    return found


def _caused(annotated: Annotated, rows: Ints, tokenizer: "SentencePieceProcessor", seed: int) -> Caused:
    real = annotated.sources[rows] != SYNTHETIC
    again = rows[real & (annotated.langs[rows] != "en")]
    cleans = [*(annotated.cleans[row] for row in rows.tolist()), *_retyped(annotated, again, seed)]
    pieces = PieceCutter(tokenizer).cut(cleans)
    position = np.full(len(annotated), -1)
    position[rows] = np.arange(len(rows))
    first = len(rows)
    rows = np.concatenate([rows, again])
    located = {piece.row for piece in annotated.evidence}
    evidence = []
    for piece in annotated.evidence:
        place = int(position[piece.row])
        if place >= 0:
            bounds = pieces[place][1][:MAX_TOKENS]
            touched = np.flatnonzero((bounds[:, 0] < piece.end) & (bounds[:, 1] > piece.start))
            if len(touched):
                evidence.append((place, piece.label, int(touched[0]), int(touched[-1]) + 1))
    causes = annotated.causes[rows]
    translated = causes.any(axis=1) & np.array([row not in located for row in rows.tolist()])
    weights = np.where(translated, _WORTH["translated"], _WORTH["real"])
    weights = np.where(annotated.sources[rows] == SYNTHETIC, _WORTH["written"], weights)
    weights[first:] = _WORTH["retyped"]
    return Caused(
        Bags.of([ids for ids, _ in pieces]),
        weights.astype(np.float32),
        causes,
        annotated.others[rows],
        annotated.sentiment[rows],
        {name: values[rows] for name, values in annotated.readings.items()},
        np.array(sorted(evidence), dtype=np.int64).reshape(-1, 4),
        _counts(annotated.sources[rows[:first]]),
    )
