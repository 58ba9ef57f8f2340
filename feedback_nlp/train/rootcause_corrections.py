"""Learns from analysts' corrections: moves a root-cause model's heads as far as the corrections ask, and no further.

The new heads are the old ones plus a small change, fitted to the corrected comments and to a sample of comments that
nobody corrected, whose scores are to stay as they are. So nothing but the store and the shipped model is needed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.errors import FeedbackError, MissingInputError
from feedback_nlp.core.linear import LinearHead, sigmoid
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model, write_model
from feedback_nlp.core.ngrams import ngram_matrix
from feedback_nlp.normalise.clauses import find_clauses
from feedback_nlp.rootcause.backends import Comments, Floats
from feedback_nlp.rootcause.backends.linear import KIND, LinearTagger
from feedback_nlp.store import Store
from feedback_nlp.train.fit import Design, fit_logistic
from feedback_nlp.train.fit_vectors import encode
from feedback_nlp.train.rootcause_data import CAUSE_LABELS, driver_flags, read_dev
from feedback_nlp.train.rootcause_figures import as_comments, found_flags, mean_f1

Flags = np.ndarray[Any, np.dtype[np.bool_]]

FEWEST = 20
_REPLAYED = 3000
_FOLDS = 5
_REPLAY_WEIGHT = 1.0
_STRETCH = np.float32(8)
_L2, _ITERATIONS = 3e-2, 30
_DEV_SLACK, _LEAST_AGREEMENT = 0.005, 0.95


@dataclass(frozen=True)
class Verdicts:
    """Comments with the causes they have by now.

    :param cleans: normalised texts.
    :param langs: language of each.
    :param causes: bool array (n, causes × signs) in the order of ``CAUSE_LABELS``.
    """

    cleans: Sequence[str]
    langs: Sequence[str]
    causes: Flags

    def take(self, rows: np.ndarray[Any, Any]) -> "Verdicts":
        """Return some of them."""
        return Verdicts([self.cleans[row] for row in rows], [self.langs[row] for row in rows], self.causes[rows])


@dataclass(frozen=True)
class Refit:
    """What a refit did.

    :param corrected: comments whose causes analysts corrected.
    :param before: macro-F1 of the four driver × sign labels on them with the old heads.
    :param after: the same with new ones that were fitted without the comment in question.
    :param check: what guarded against forgetting: ``dev`` or ``agreement``.
    :param check_before: macro-F1 on dev, or 1.
    :param check_after: macro-F1 on dev, or the share of untouched comments that keep their drivers.
    :param folder: the model written, None where it is no better.
    """

    corrected: int
    before: float
    after: float
    check: str
    check_before: float
    check_after: float
    folder: ModelFolder | None

    def as_text(self) -> str:
        """Tell what changed."""
        return (
            f"{self.corrected} corrected comments: macro-F1 {self.before:.3f} -> {self.after:.3f} (each judged by "
            f"heads that had not seen it)\n{self.check}: {self.check_before:.3f} -> {self.check_after:.3f}"
        )


def refit_rootcause(
    store: Store, out: Path, *, model: str = "rootcause", data: Path | None = None, seed: int = 17
) -> Refit:
    """Fit a root-cause model to the store's corrections and write it, where it is better.

    :param store: holds a run and the corrections.
    :param out: the model folder to write.
    :param model: the model to start from.
    :param data: data folder whose ``rootcause/dev.jsonl`` guards against forgetting; None takes comments of the run
        that nobody corrected.
    :param seed: deals the corrected comments into folds.
    :raises MissingInputError: when fewer than ``FEWEST`` comments were corrected.
    :raises FeedbackError: when the new heads are no better; nothing is written then.
    """
    base = open_model(resolve_model(model)).require(KIND)
    tagger = LinearTagger.from_folder(base)
    corrected, untouched = read_verdicts(store, seed)
    if len(corrected.cleans) < FEWEST:
        raise MissingInputError(
            f"Only {len(corrected.cleans)} comments have corrected causes; at least {FEWEST} are needed to learn from."
        )
    half = len(untouched.cleans) // 2
    replayed, kept = untouched.take(np.arange(half)), untouched.take(np.arange(half, 2 * half))
    before = _macro(corrected.causes, judge(tagger, corrected))
    after = _macro(corrected.causes, _judged_unseen(tagger, corrected, replayed, seed))
    better = moved(tagger, corrected, replayed)
    check, check_before, check_after = _check(tagger, better, kept, data)
    refit = Refit(len(corrected.cleans), before, after, check, check_before, check_after, None)
    least = check_before - _DEV_SLACK if data is not None else _LEAST_AGREEMENT
    if after < before or check_after < least:
        raise FeedbackError(f"The refitted model is no better, so none is written.\n{refit.as_text()}")
    return replace(refit, folder=_write(base, better, out, refit))


def read_verdicts(store: Store, seed: int) -> tuple[Verdicts, Verdicts]:
    """Read the comments whose causes were corrected, and a sample of the others; both always in the same order."""
    corrections = store.corrections()
    ids = {
        comment
        for comment, name in zip(*(corrections[key].to_pylist() for key in ("comment_id", "field")), strict=True)
        if name == "driver"
    }
    rows = store.comments(columns=["comment_id", "clean", "lang", "drivers"]).to_pylist()
    usable = [row for row in rows if row["clean"]]
    touched = sorted((row for row in usable if row["comment_id"] in ids), key=lambda row: str(row["comment_id"]))
    others = sorted((row for row in usable if row["comment_id"] not in ids), key=lambda row: _drawn(row, seed))
    return _verdicts(touched), _verdicts(others[: 2 * _REPLAYED])


def _drawn(row: dict[str, Any], seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{row['comment_id']}".encode()).hexdigest()


def _verdicts(rows: Sequence[dict[str, Any]]) -> Verdicts:
    causes = np.zeros((len(rows), len(CAUSE_LABELS)), dtype=bool)
    for number, row in enumerate(rows):
        for one in row["drivers"] or []:
            label = f"{one['driver']}.{one['cause']}{one['sign']}"
            if label in CAUSE_LABELS:
                causes[number, CAUSE_LABELS.index(label)] = True
    return Verdicts([row["clean"] for row in rows], [row["lang"] for row in rows], causes)


def _comments(verdicts: Verdicts) -> Comments:
    clauses = [
        (row, start, end)
        for row, (clean, lang) in enumerate(zip(verdicts.cleans, verdicts.langs, strict=True))
        for start, end in find_clauses(clean, [lang])
    ]
    return Comments(verdicts.cleans, encode(verdicts.cleans), np.array(clauses, dtype=np.int64).reshape(-1, 3))


def judge(tagger: LinearTagger, verdicts: Verdicts) -> Flags:
    """Return the causes that a tagger finds, bool array (n, causes × signs)."""
    return found_flags(tagger.tag(_comments(verdicts)).found, len(verdicts.cleans))


def _macro(truth: Flags, found: Flags) -> float:
    return mean_f1(driver_flags(truth), driver_flags(found))


def moved(tagger: LinearTagger, corrected: Verdicts, replayed: Verdicts) -> LinearTagger:
    """Return the tagger with its cause heads moved towards the corrections.

    :param replayed: comments whose scores are to stay.
    """
    cleans = [*corrected.cleans, *replayed.cleans]
    features, vectors = ngram_matrix(cleans, tagger.spec) * _STRETCH, encode(cleans)
    heads = tagger.heads
    standing = features @ (heads.cause_head.weights / _STRETCH) + vectors @ heads.cause_vectors + heads.cause_head.bias
    truth = np.concatenate([driver_flags(corrected.causes), corrected.causes], axis=1).astype(np.float32)
    targets = np.concatenate([truth, sigmoid(standing[len(truth) :])])
    weights = np.where(np.arange(len(cleans)) < len(truth), 1.0, _REPLAY_WEIGHT)[:, None]
    # Only n-grams of the corrected comments can move: nothing draws the weights of others away from where they are.
    held = np.unique(features[: len(truth)].indices)
    change = fit_logistic(
        Design(features[:, held], vectors),
        targets,
        np.repeat(weights, targets.shape[1], axis=1),
        l2=_L2,
        iterations=_ITERATIONS,
        offsets=standing.astype(np.float32),
    )
    weights = heads.cause_head.weights.copy()
    weights[held] += change.weights[: len(held)] * _STRETCH
    head = LinearHead(weights, heads.cause_head.bias + change.bias)
    vectors_moved = heads.cause_vectors + change.weights[len(held) :]
    return replace(tagger, heads=replace(heads, cause_head=head, cause_vectors=vectors_moved))


def _judged_unseen(tagger: LinearTagger, corrected: Verdicts, replayed: Verdicts, seed: int) -> Flags:
    """Judge every corrected comment with heads that were moved without it."""
    folds = np.random.default_rng(seed).permutation(len(corrected.cleans)) % _FOLDS
    found = np.zeros_like(corrected.causes)
    for fold in range(_FOLDS):
        held = folds == fold
        without = moved(tagger, corrected.take(np.flatnonzero(~held)), replayed)
        found[held] = judge(without, corrected.take(np.flatnonzero(held)))
    return found


def _check(tagger: LinearTagger, better: LinearTagger, kept: Verdicts, data: Path | None) -> tuple[str, float, float]:
    if data is not None:
        dev = read_dev(data)
        comments = as_comments(dev)
        scores = [_macro(dev.causes, found_flags(one.tag(comments).found, len(dev))) for one in (tagger, better)]
        return "dev", scores[0], scores[1]
    pairs = [driver_flags(judge(one, kept)) for one in (tagger, better)]
    same = np.all(pairs[0] == pairs[1], axis=1)
    return "agreement", 1.0, float(same.mean()) if len(same) else 1.0


def _write(base: ModelFolder, better: LinearTagger, out: Path, refit: Refit) -> ModelFolder:
    arrays: dict[str, Floats] = base.arrays() | better.heads.cause_head.to_arrays("cause_")
    arrays["cause_vectors"] = better.heads.cause_vectors
    own = ("kind", "name", "version", "format_version", "files")
    details = {key: value for key, value in base.manifest.items() if key not in own}
    used = {"name": "analysts' corrections", "rows": refit.corrected, "licence": "the user's own"}
    details |= {"training_data": [*details["training_data"], used], "corrections": {"before": round(refit.before, 4)}}
    details["corrections"] |= {"after": round(refit.after, 4), "check": refit.check}
    details["corrections"] |= {"check_before": round(refit.check_before, 4), "check_after": round(refit.check_after, 4)}
    card = (
        f"# {out.name}\n\n`{base.manifest['name']}` {base.manifest['version']} moved by analysts' corrections of the "
        f"user's own comments.\n\n{refit.as_text()}\n\nAll else is as on the card of the model it started from.\n"
    )
    version = f"{base.manifest['version']}+{refit.corrected}"
    return write_model(out, kind=KIND, name=out.name, version=version, details=details, arrays=arrays, card=card)
