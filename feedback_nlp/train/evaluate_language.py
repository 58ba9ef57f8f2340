"""Measures what the language rooms are for: what romanised comments lose in the whole engine, and the rooms' speed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from feedback_nlp.config import Config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import DRIVER_SPANS, LANG, ROOT_CAUSE, SENTIMENT
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.core.stage import run_stages
from feedback_nlp.normalise import find_personal_data
from feedback_nlp.normalise.deromanise import WordModel
from feedback_nlp.pipeline import build_row_stages, with_problems
from feedback_nlp.rootcause.stage import whole_cause
from feedback_nlp.train.data import read_jsonl, read_set, set_names
from feedback_nlp.train.figures import Figure, bootstrap
from feedback_nlp.train.langid_material import native_texts
from feedback_nlp.train.romanised import LANGS, NAME, fit_held_out, romanised_rows, write_words
from feedback_nlp.train.rootcause_data import DRIVER_OF

SUITE = "language"
_FLAGS = tuple((driver, sign) for driver in ("policy", "employee") for sign in "-+")
_SEEN = "romanised comments, shipped models"
_UNSEEN = "romanised comments, writers' styles never seen"
_STAGES = ["langid", "normalise", "embed", "sentiment", "rootcause"]

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Verdicts:
    """What the engine says of comments.

    :param langs: language of each.
    :param sentiments: sentiment of each; None where not judged.
    :param causes: root cause of each as a whole.
    :param flags: bool array (n, 4): policy-, policy+, employee-, employee+.
    """

    langs: list[str]
    sentiments: list[str | None]
    causes: list[str | None]
    flags: np.ndarray[Any, np.dtype[np.bool_]]


def _flags(drivers: Sequence[Mapping[str, Any]]) -> list[bool]:
    found = {(one["driver"], one["sign"]) for one in drivers}
    return [flag in found for flag in _FLAGS]


def judge(texts: Sequence[str], *, words: str = NAME) -> Verdicts:
    """Run language, normalisation, sentiment and root causes over texts.

    :param words: name or path of the de-romanisation model.
    """
    config = Config.model_validate(
        {"run": {"stages": _STAGES}, "normalise": {"backend": {"kind": "model", "model": words}}}
    )
    done, _ = run_stages(build_row_stages(config), with_problems(CommentBatch.from_texts(texts)))
    flags = np.array([_flags(found or ()) for found in done.values(DRIVER_SPANS)], dtype=bool).reshape(-1, len(_FLAGS))
    return Verdicts(done.values(LANG), done.values(SENTIMENT), done.values(ROOT_CAUSE), flags)


def _key(text: str) -> str:
    return " ".join(text.split())


def sentiment_labels(data: Path) -> dict[str, str]:
    """Return the published sentiment of native comments by their text, blanks made alike."""
    found: dict[str, str] = {}
    for name in set_names(data):
        frame = read_set(data, name)
        for text, label in zip(frame["text"], frame["sentiment"], strict=True):
            if isinstance(text, str) and isinstance(label, str):
                found.setdefault(_key(text), label)
    return found


def driver_labels(data: Path) -> dict[str, tuple[str, list[bool]]]:
    """Return the annotated root cause of native comments as a whole, and its four flags, by their text."""
    found = {}
    for part in ("train", "dev"):
        for row in read_jsonl(data, f"rootcause/{part}.jsonl"):
            if row["ok"]:
                drivers = [{"driver": DRIVER_OF[code[0]], "sign": sign} for code, sign, _ in row["d"]]
                found[_key(row["text"])] = whole_cause(drivers, row["o"]), _flags(drivers)
    return found


def _loss(name: str, lang: str, what: str, native: Sequence[Any], latin: Sequence[Any]) -> list[Figure]:
    """Return the accuracy on romanised comments with that on their originals beside it, and the loss in points.

    :param native: whether the original was judged rightly, or how much of it, a number a comment.
    :param latin: the same of the romanised comment.
    """
    left, right = np.asarray(native, dtype=float), np.asarray(latin, dtype=float)
    if not len(left):
        return []
    value, low, high = bootstrap(lambda _, some: float(some.mean()), left, right)
    beside = f"native originals: {left.mean():.3f}"
    lost, least, most = bootstrap(lambda one, other: 100 * float(one.mean() - other.mean()), left, right)
    return [
        Figure(SUITE, name, lang, f"accuracy, {what}", value, low, high, len(left), beside),
        Figure(SUITE, name, lang, f"points lost, {what}", lost, least, most, len(left), "goal: at most 8"),
    ]


def loss_figures(data: Path, rows: Mapping[str, Rows], name: str, *, words: str = NAME) -> list[Figure]:
    """Measure what sentiment and root causes lose where a comment is typed in Latin letters.

    Right is what the original's publisher or annotator says. Originals that the models learnt from are at an
    advantage, so that the loss is rather over- than understated. Few romanised comments are annotated for root causes,
    so that agreement with the verdict on the original is given, too.

    :param rows: by language, objects with ``text`` (native) and ``roman``.
    :param name: what the comments are, in words.
    :param words: name or path of the de-romanisation model.
    """
    sentiments, drivers = sentiment_labels(data), driver_labels(data)
    figures = []
    for lang, some in rows.items():
        keys = [_key(row["text"]) for row in some]
        native, latin = judge([row["text"] for row in some]), judge([row["roman"] for row in some], words=words)
        at = [place for place, key in enumerate(keys) if key in sentiments]
        right = [[one.sentiments[i] == sentiments[keys[i]] for i in at] for one in (native, latin)]
        figures += _loss(name, lang, "sentiment", *right)
        at = [place for place, key in enumerate(keys) if key in drivers]
        right = [[one.causes[i] == drivers[keys[i]][0] for i in at] for one in (native, latin)]
        figures += _loss(name, lang, "root cause of the comment", *right)
        shares = [[np.mean(one.flags[i] == drivers[keys[i]][1]) for i in at] for one in (native, latin)]
        figures += _loss(name, lang, "driver × sign", *shares)
        figures += _agreement(name, lang, native, latin)
    return figures


def _agreement(name: str, lang: str, native: Verdicts, latin: Verdicts) -> list[Figure]:
    pairs = {
        "sentiment": np.array([one == other for one, other in zip(native.sentiments, latin.sentiments, strict=True)]),
        "root cause of the comment": np.array(
            [one == other for one, other in zip(native.causes, latin.causes, strict=True)]
        ),
        "driver × sign": (native.flags == latin.flags).mean(axis=1),
    }
    figures = []
    for what, same in pairs.items():
        value, low, high = bootstrap(lambda one, _: float(one.mean()), same, same)
        figures.append(Figure(SUITE, name, lang, f"agreement with native, {what}", value, low, high, len(same)))
    return figures


def unseen_loss_figures(data: Path, *, seed: int = 17) -> list[Figure]:
    """Measure the same on writers' styles that the de-romanisation model was fitted without."""
    model, rows = fit_held_out(data, seed=seed)
    with TemporaryDirectory() as folder:
        write_words(model, Path(folder) / "words", details={}, card="")
        return loss_figures(data, rows, _UNSEEN, words=str(Path(folder) / "words"))


def short_and_mixed_figures(data: Path) -> list[Figure]:
    """Measure sentiment on code-switched comments and on comments of one to four words."""
    figures = []
    for lang in LANGS:
        for part, name in (("mixed", "code-switched comments"), ("short", "comments of 1-4 words")):
            rows = [row for row in read_jsonl(data, f"romanised/{lang}_{part}.jsonl") if row.get("sentiment")]
            found = judge([row["text"] for row in rows]).sentiments
            right = np.array([row["sentiment"] == one for row, one in zip(rows, found, strict=True)])
            value, low, high = bootstrap(lambda one, _: float(one.mean()), right, right)
            figures.append(Figure(SUITE, name, lang, "accuracy, sentiment", value, low, high, len(right)))
    return figures


def speed_figures(data: Path, *, comments: int = 4000) -> list[Figure]:
    """Measure comments a CPU second of redaction, normalisation and de-romanisation, cold and warm.

    :param comments: comments of the held-out sets drawn, about.
    """
    rng = np.random.default_rng(17)
    texts = [
        text
        for lang in ("ar", "fa", "en")
        for found in native_texts(data, lang, split="test", per_set=comments // 6, rng=rng).values()
        for text in found
    ][:comments]
    langid, normalise = build_row_stages(Config.model_validate({"run": {"stages": _STAGES[:2]}}))
    judged, _ = run_stages([langid], with_problems(CommentBatch.from_texts(texts)))
    began = time.process_time()
    for text in texts:
        find_personal_data(text)
    figures = [_speed("redaction", "all", began, len(texts))]
    began = time.process_time()
    run_stages([normalise], judged)
    figures.append(_speed("normalisation with redaction", "all", began, len(texts)))
    return figures + [figure for lang in LANGS for figure in _word_speeds(data, lang)]


def _word_speeds(data: Path, lang: str) -> list[Figure]:
    romanised = [str(row["roman"]) for row in romanised_rows(data, lang)]
    model = WordModel.from_folder(open_model(resolve_model(NAME)))
    model.edits("salam", 0, 5, lang)
    figures = []
    for state in ("nothing cached", "words met before"):
        began = time.process_time()
        model.prepare((text, 0, len(text), lang) for text in romanised)
        for text in romanised:
            model.edits(text, 0, len(text), lang)
        figures.append(_speed(f"de-romanisation, {state}", lang, began, len(romanised)))
    return figures


def _speed(name: str, lang: str, began: float, count: int) -> Figure:
    return Figure(SUITE, name, lang, "comments a CPU second", count / max(time.process_time() - began, 1e-9), n=count)


def evaluate(data: Path, *, refit: bool = True) -> list[Figure]:
    """Measure loss on romanised comments, short and mixed comments, and speed.

    :param refit: fit a de-romanisation model without some writers and measure on those, too; takes two minutes.
    """
    if not (data / "romanised").is_dir():
        return []
    rows = {lang: romanised_rows(data, lang) for lang in LANGS}
    figures = loss_figures(data, rows, _SEEN)
    figures += unseen_loss_figures(data) if refit else []
    return [*figures, *short_and_mixed_figures(data), *speed_figures(data)]
