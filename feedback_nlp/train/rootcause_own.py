"""Measures causes of a user's own: the taxonomy's, and known causes as if a user had told them by a few examples."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.settings import StaticBackend
from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.prototypes import PrototypeFinder, fit_prototype, fit_prototypes, needs_encoder
from feedback_nlp.rootcause.taxonomy import Taxonomy, open_taxonomy, phrases
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.rootcause_data import CAUSE_LABELS, LANGS, Annotated, Evidence
from feedback_nlp.train.rootcause_figures import SUITE, f1, figure

OWN = "causes told by examples"
_PER_LANGUAGE = 3
_JUDGED = 3_000
_FEWEST = 60


def left_out_figures(own: str | Path | None = None) -> list[Figure]:
    """Show how each of the taxonomy's own causes did on examples left out.

    :param own: file of own causes; those of the shipped taxonomy where not given.
    """
    taxonomy = open_taxonomy(None, own)
    if not needs_encoder(taxonomy):
        return []
    figures = []
    for found in fit_prototypes(taxonomy, open_encoder(StaticBackend()).encode):
        told, name = found.left_out, f"{found.cause}{found.sign}"
        hits, alarms = told.hits / told.examples, told.alarms / told.others
        figures.append(Figure(SUITE, OWN, "all", f"examples left out and found, {name}", hits, n=told.examples))
        figures.append(Figure(SUITE, OWN, "all", f"other examples taken for {name}", alarms, n=told.others))
    return figures


def few_example_figures(training: Annotated, dev: Annotated, *, seed: int = 17) -> list[Figure]:
    """Measure each frequent cause as if it were a user's own, told by three clauses a language.

    Judged are development comments, and training comments that gave no example; no head has a part in it.
    """
    encode = open_encoder(StaticBackend()).encode
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(training))[:_JUDGED])
    judged = set(rows.tolist())
    comments = joined(dev, training, rows)
    truth = np.concatenate([dev.causes, training.causes[rows]])
    told = {}
    for label, name in enumerate(CAUSE_LABELS):
        evidence = [piece for piece in training.evidence if piece.label == label and piece.row not in judged]
        examples = _examples(training, evidence, rng)
        if truth[:, label].sum() >= _FEWEST and len(examples) >= _PER_LANGUAGE * len(LANGS):
            others = encode(_all_but(open_taxonomy(), name[:-1].split(".")[1]))
            told[label] = fit_prototype(name[:-1].split(".")[1], name[-1], encode(examples), others), len(examples)
    found = np.zeros(truth.shape, dtype=bool)
    names = {name.split(".")[1]: label for label, name in enumerate(CAUSE_LABELS)}
    for piece in PrototypeFinder([prototype for prototype, _ in told.values()], encode).find(comments):
        found[piece.row, names[f"{piece.cause}{piece.sign}"]] = True
    figures = []
    for label, (_, count) in told.items():
        metric = f"F1, {CAUSE_LABELS[label]}"
        anchors = {metric: f"{int(truth[:, label].sum())} positives, {count} examples"}
        figures.append(figure(OWN, "all", metric, f1, (truth[:, label], found[:, label]), anchors=anchors))
    return figures


def joined(dev: Annotated, training: Annotated, rows: Sequence[int] | np.ndarray) -> Comments:
    """Return the development comments and some of the training comments as a tagger takes them, without vectors."""
    wanted = np.zeros(len(training), dtype=bool)
    wanted[rows] = True
    position = np.cumsum(wanted) - 1 + len(dev)
    clauses = training.clauses[wanted[training.clauses[:, 0]]].copy()
    clauses[:, 0] = position[clauses[:, 0]]
    texts = [*dev.cleans, *(training.cleans[row] for row in np.flatnonzero(wanted).tolist())]
    return Comments(texts, None, np.concatenate([dev.clauses, clauses]))


def _examples(training: Annotated, evidence: Sequence[Evidence], rng: np.random.Generator) -> list[str]:
    """Return the clauses of a few pieces of evidence, as many of each language."""
    texts = []
    for lang in LANGS:
        some = [piece for piece in evidence if training.langs[piece.row] == lang]
        for k in rng.permutation(len(some))[:_PER_LANGUAGE].tolist():
            texts.append(_clause(training, some[k]))
    return texts


def _clause(training: Annotated, piece: Evidence) -> str:
    low, high = np.searchsorted(training.clauses[:, 0], (piece.row, piece.row + 1))
    for row, start, end in training.clauses[low:high].tolist():
        if start <= piece.start < end:
            return str(training.cleans[row][start:end])
    return training.cleans[piece.row][piece.start : piece.end]


def _all_but(taxonomy: Taxonomy, cause: str) -> list[str]:
    entries = [
        *(one for one in taxonomy.causes if one.id != cause),
        *(e for es in taxonomy.readings.values() for e in es),
    ]
    return [text for entry in entries for told in (entry.examples, entry.cues) for text in phrases(told)]
