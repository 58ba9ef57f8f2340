"""Heads fitted again without some of the comments: cross-validation, and sources seen against sources never seen.

A head is fitted on the comments of one language, which is cheap and all that counts for comments of that language.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from feedback_nlp.core.linear import softmax
from feedback_nlp.sentiment.backends import Floats
from feedback_nlp.train.figures import Figure, accuracy, bootstrap
from feedback_nlp.train.fit import best_temperature
from feedback_nlp.train.sentiment_data import KEPT_BACK, PHRASES, ROOT_CAUSES, Labelled, Mask
from feedback_nlp.train.sentiment_figures import (
    MIXED,
    NEUTRAL,
    SUITE,
    Labels,
    calibration_figures,
    polarity_figures,
    two_labels,
)
from feedback_nlp.train.sentiment_material import Material

CROSS_VALIDATED = ("en_twitter_us_airline", "ar_semeval16_hotels_sb1")
_FOLDS = 5
_SOURCE_FOLDS = 6
_FEWEST = 100
_ALWAYS = frozenset({*KEPT_BACK, ROOT_CAUSES, PHRASES})

# Sources with texts in common are held out together.
_OVERLAPS: tuple[frozenset[str], ...] = (
    frozenset({"ar_arsarcasm_v2", "ar_astd"}),
    frozenset({"ar_ajgt", "ar_artwitter"}),
    frozenset({"ar_semeval16_hotels_sb1", "ar_semeval16_hotels_sb2"}),
    frozenset({"fa_sentipers", "fa_deepsentipers"}),
    frozenset(
        {"en_acos_laptop", "en_acos_restaurant16", "multi_m_absa", "en_mams"}
        | {"en_semeval2014_laptop", "en_semeval2014_restaurant"}
    ),
    frozenset({"en_tweeteval_sentiment", "multi_umsab"}),
    frozenset({"en_fdu_mtl_16domains", "en_sst5"}),
    frozenset({"en_skytrax_british_airways", "en_skytrax_lounge_seat", "en_skytrax_singapore_airlines"}),
)


def part_of(identity: str) -> int:
    """Return which fifth of a set a comment belongs to, told by its hash."""
    return int(hashlib.sha256(identity.encode()).hexdigest(), 16) % _FOLDS


def cross_validated(material: Material) -> list[Figure]:
    """Judge each fifth of a few sets with a head that was fitted on everything else."""
    labelled = material.labelled
    figures = []
    for name in CROSS_VALIDATED:
        rows = np.flatnonzero((labelled.sets == name) & (labelled.labels != MIXED))
        if not len(rows):
            continue
        lang = str(labelled.langs[rows[0]])
        parts = np.array([part_of(labelled.identities[row]) for row in rows.tolist()])
        probs = np.zeros((len(rows), 3), dtype=np.float32)
        for part in range(_FOLDS):
            held = np.zeros(len(labelled), dtype=bool)
            held[rows[parts == part]] = True
            head = material.fit_polarity(without(labelled, held) & (labelled.langs == lang))
            probs[parts == part] = softmax(material.design.take(rows[parts == part]).scores(head))
        labels = labelled.labels[rows]
        figures += polarity_figures(f"{name}, 5 folds", lang, labels, probs, name)
        figures += calibration_figures(f"{name}, 5 folds", lang, labels, probs)
    return figures


def without(labelled: Labelled, held: Mask) -> Mask:
    """Return the rows that may be fitted on where others are held out.

    Neither these nor what shares a review with them; comments kept for judging only where their own set is held out in
    turn.
    """
    usable = ~labelled.judged | np.isin(labelled.sets, np.unique(labelled.sets[held]))
    return np.asarray(usable & ~np.isin(labelled.identities, labelled.identities[held]), dtype=bool)


def source_groups(labelled: Labelled, lang: str) -> list[tuple[str, ...]]:
    """Return a language's sources, put into folds that are held out together.

    Overlapping sources share a fold; groups are dealt out by domain, so that a fold never takes all of one.
    """
    here = (labelled.langs == lang) & (labelled.sets != PHRASES)
    domains: dict[frozenset[str], str] = {}
    for source in np.unique(labelled.sources[here]):
        group = next((group for group in _OVERLAPS if source in group), frozenset({str(source)}))
        domains.setdefault(group, str(labelled.domains[here & (labelled.sources == source)][0]))
    dealt = sorted(domains, key=lambda group: (domains[group], min(group)))
    folds = [dealt[first::_SOURCE_FOLDS] for first in range(_SOURCE_FOLDS)]
    return [tuple(sorted(source for group in fold for source in group)) for fold in folds if fold]


def judging_rows(labelled: Labelled) -> Mask:
    """Return which comments judge sources: those kept back, else the published test split, else a fifth by hash.

    None of the annotated comments and written phrases but those kept back.
    """
    chosen = labelled.judged.copy()
    for name in np.unique(labelled.sets):
        rows = np.flatnonzero((labelled.sets == name) & (name not in _ALWAYS))
        published = labelled.splits[rows] == "test"
        if published.any() and not published.all():
            chosen[rows] = published
        else:
            chosen[rows] = [part_of(labelled.identities[row]) == 0 for row in rows.tolist()]
    return chosen


def sources_compared(material: Material, langs: Sequence[str]) -> list[Figure]:
    """Compare, source by source, a head that knows the source with one that never saw it, on the same comments.

    :returns: accuracy in-source and never seen for each set, their difference in points, and for each language the
        calibration on sources never seen, with a temperature fitted on the other folds.
    """
    labelled = material.labelled
    held = judging_rows(labelled)
    figures = []
    for lang in langs:
        here = labelled.langs == lang
        rows = np.flatnonzero(here & held & (labelled.labels != MIXED) & (labelled.sets != ROOT_CAUSES))
        if not len(rows):
            continue
        head = material.fit_polarity(here & ~held)
        inside = material.design.take(rows).scores(head)
        outside, fold_of = np.zeros_like(inside), np.zeros(len(rows), dtype=np.int64)
        for number, sources in enumerate(source_groups(labelled, lang)):
            out = np.isin(labelled.sources, sources)
            picked = np.flatnonzero(out[rows])
            if not len(picked):
                continue
            head = material.fit_polarity(here & ~held & ~out)
            outside[picked] = material.design.take(rows[picked]).scores(head)
            fold_of[picked] = number
        figures += list(_each_source(labelled, rows, lang, inside, outside))
        probs = _calibrated(labelled, rows, outside, fold_of)
        figures += calibration_figures("sources never seen", lang, labelled.labels[rows], probs)
        for domain in np.unique(labelled.domains[rows]):
            part = labelled.domains[rows] == domain
            figures += polarity_figures(
                f"domain {domain}, sources never seen", lang, labelled.labels[rows][part], probs[part]
            )[:2]
    return figures


def _each_source(labelled: Labelled, rows: Labels, lang: str, inside: Floats, outside: Floats) -> Iterator[Figure]:
    for name in np.unique(labelled.sets[rows]):
        here = labelled.sets[rows] == name
        labels = labelled.labels[rows][here]
        if len(labels) < _FEWEST:
            continue
        kind = 3 if np.any(labels == NEUTRAL) else 2
        knows, never = (_right(labels, softmax(scores[here])) for scores in (inside, outside))
        for words, right in (("in-source", knows), ("source never seen", never)):
            value, low, high = bootstrap(accuracy, right, np.ones_like(right))
            yield Figure(SUITE, f"{name}, {words}", lang, f"accuracy, {kind} labels", value, low, high, len(labels))
        value, low, high = bootstrap(_points, knows.astype(float), never.astype(float))
        metric = "points lost where the source was never seen"
        yield Figure(SUITE, str(name), lang, metric, value, low, high, len(labels), "wanted: at most 6")


def _right(labels: Labels, probs: Floats) -> Mask:
    if np.any(labels == NEUTRAL):
        return np.asarray(probs.argmax(axis=1) == labels, dtype=bool)
    sided, pair = two_labels(labels, probs)
    return np.asarray(np.where(pair > 0.5, 2, 0) == sided, dtype=bool)


def _points(knows: Labels, never: Labels) -> float:
    return float(100 * (np.mean(knows) - np.mean(never)))


def _calibrated(labelled: Labelled, rows: Labels, scores: Floats, fold_of: Labels) -> Floats:
    """Return probabilities with a temperature fitted on the other folds, each source counting the same."""
    labels = labelled.labels[rows]
    names, inverse = np.unique(labelled.sets[rows], return_inverse=True)
    weights = 1 / np.bincount(inverse, minlength=len(names))[inverse]
    probs = np.zeros_like(scores)
    for fold in np.unique(fold_of):
        others = fold_of != fold
        heat = best_temperature(scores[others], labels[others], weights[others]) if others.any() else 1.0
        probs[~others] = softmax(scores[~others] / np.float32(heat))
    return probs
