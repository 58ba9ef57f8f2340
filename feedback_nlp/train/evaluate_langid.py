"""Measures language identification on sources, writers and sentences outside of training."""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import LANG, LANG_SCORE, LANG_SCRIPT, LANG_SPANS
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.stage import run_stages
from feedback_nlp.langid import LangidSettings, LangidStage, open_stage
from feedback_nlp.langid.settings import LinguaBackend
from feedback_nlp.langid.tokens import tokenise
from feedback_nlp.train import langid_material as material
from feedback_nlp.train.data import read_jsonl, read_set
from feedback_nlp.train.figures import Figure, accuracy, bootstrap, expected_calibration_error, macro_f1
from feedback_nlp.train.langid_material import Row

SUITE = "language"
_LEFT_OUT = ("sib200:eng_Latn", "sib200:arb_Latn")
# Comments of the held-out sets that are in another language than their set's, by the beginning of the sha256 of their
# text; found by reading every long window that was judged wrongly.
FOREIGN = {
    "f32c419d083433a1": "fa_tweet_topics, South Azerbaijani",
    "54433ccda8fc4606": "en_zomato_hyderabad, Hindi in Latin letters",
}
LENGTHS = (("1-3 words", 1, 3), ("5-10 words", 5, 10), ("20+ words", 20, 10**6))


def _judged(stage: LangidStage, texts: Sequence[str]) -> tuple[dict[str, list[Any]], float]:
    """Return the stage's columns as lists, and its CPU seconds."""
    batch, seconds = run_stages([stage], CommentBatch.from_texts(texts))
    return {column.name: batch.values(column) for column in (LANG, LANG_SCRIPT, LANG_SCORE, LANG_SPANS)}, seconds[
        stage.name
    ]


def _figure(
    data: str,
    lang: str,
    metric: str,
    truth: Sequence[Any],
    found: Sequence[Any],
    *,
    statistic: Callable[[Any, Any], float] = accuracy,
    anchor: str = "",
) -> Figure:
    value, low, high = bootstrap(statistic, truth, found)
    return Figure(SUITE, data, lang, metric, value, low, high, len(truth), anchor)


def is_foreign(text: str) -> bool:
    """Tell whether a comment is known not to be in its set's language, so that it cannot judge anything."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16] in FOREIGN


def windows_to_judge(data: Path, *, per_set: int = 800, seed: int = 17) -> list[Row]:
    """Draw windows of comments, romanised comments and sentences that no model was trained on.

    Each has a word, and most of its letters are of the script that its label promises: a stretch of English inside a
    Persian comment says nothing about Persian. Comments in another language than their set's (``FOREIGN``) are out.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for lang in ("ar", "fa", "en"):
        for name, texts in material.native_texts(data, lang, split="test", per_set=per_set, rng=rng).items():
            own = [text for text in texts if not is_foreign(text)]
            windows = (window for text in own for window in material.windows(text, rng, every=True))
            rows += [Row(window, lang, name) for window in windows if material.is_mostly(window, lang)]
    rows += material.sib_rows(data, split="test", rng=rng)
    rows += material.romanised_rows(data, split="test", rng=rng)
    judged = np.unique(tokenise([row.text for row in rows]).rows)
    return [rows[place] for place in judged if rows[place].source not in _LEFT_OUT]


def _length(text: str) -> str | None:
    size = len(text.split())
    return next((name for name, low, high in LENGTHS if low <= size <= high), None)


def _groups(row: Row) -> tuple[str, ...]:
    """Name the groups of texts whose accuracy a row counts for."""
    if not row.source.startswith("sib200"):
        return (row.label,)
    if row.label != "other":
        return (f"{row.label}, SIB-200 with {'dialects' if row.label == 'ar' else 'Dari'}",)
    letters = next(
        (name for suffix, name in (("Arab", "Arabic"), ("Latn", "Latin")) if row.source.endswith(suffix)), ""
    )
    return ("other", f"other, {letters} letters") if letters else ("other",)


def _window_figures(stage: LangidStage, peer: LangidStage | None, rows: Sequence[Row]) -> list[Figure]:
    texts = [row.text for row in rows]
    found, _ = _judged(stage, texts)
    beside = _judged(peer, texts)[0][LANG.name] if peer else [""] * len(rows)
    truth = [row.label.removesuffix("-Latn") for row in rows]
    places: dict[tuple[str, str | None], list[int]] = {}
    for place, row in enumerate(rows):
        for group in _groups(row):
            places.setdefault((group, _length(row.text)), []).append(place)
    figures = []
    for group in sorted({group for group, _ in places}):
        for length, _, _ in LENGTHS:
            at = places.get((group, length), [])
            theirs = np.mean([beside[i] == truth[i] for i in at]) if at else float("nan")
            anchor = f"lingua ar/fa/en, same windows: {theirs:.3f}" if peer else ""
            ours = [found[LANG.name][i] for i in at]
            if at:
                figures.append(_figure(length, group, "accuracy", [truth[i] for i in at], ours, anchor=anchor))
    return figures + _calibration_figures(rows, found)


def _calibration_figures(rows: Sequence[Row], found: dict[str, list[Any]]) -> list[Figure]:
    truth = [row.label.removesuffix("-Latn") for row in rows]
    correct = np.array([wanted == lang for wanted, lang in zip(truth, found[LANG.name], strict=True)])
    score = np.array(found[LANG_SCORE.name])
    figures = []
    for length, _, _ in LENGTHS:
        at = np.array([_length(row.text) == length for row in rows])
        error = expected_calibration_error(correct[at], score[at])
        figures.append(Figure(SUITE, length, "all", "ECE", error, n=int(at.sum())))
    error = expected_calibration_error(correct, score)
    return [*figures, Figure(SUITE, "all windows", "all", "ECE", error, n=len(rows))]


def romanised_comments(data: Path) -> list[Row]:
    """Read whole comments of writers kept for evaluation, and as many English ones of comparable length."""
    rows = []
    for lang in ("ar", "fa"):
        for part in ("roman", "roman_more"):
            for entry in read_jsonl(data, f"romanised/{lang}_{part}.jsonl"):
                style = str(entry["style"])
                if not style.startswith("already") and material.split_of_style(style) == "test":
                    rows.append(Row(str(entry["roman"]), f"{lang}-Latn", style))
    rng = np.random.default_rng(17)
    english = material.native_texts(data, "en", split="test", per_set=60, rng=rng)
    return rows + [Row(" ".join(text.split()[:20]), "en", name) for name, texts in english.items() for text in texts]


def _romanised_figures(stage: LangidStage, data: Path) -> list[Figure]:
    rows = romanised_comments(data)
    found, _ = _judged(stage, [row.text for row in rows])
    answers = [
        f"{lang}-Latn" if lang in ("ar", "fa") and script != "native" else lang
        for lang, script in zip(found[LANG.name], found[LANG_SCRIPT.name], strict=True)
    ]
    truth = [row.label for row in rows]
    name = "romanised, unseen writers"
    figures = [_figure(name, "all", "macro-F1 Arabizi/Finglish/English", truth, answers, statistic=macro_f1)]
    for label in ("ar-Latn", "fa-Latn", "en"):
        at = [i for i, value in enumerate(truth) if value == label]
        figures.append(_figure(name, label, "accuracy", [label] * len(at), [answers[i] for i in at]))
    return figures


def token_tags(text: str, tokens: Sequence[str], spans: Sequence[dict[str, Any]]) -> list[str]:
    """Return the language that covers most of each blank-separated token; ``other`` where no span does."""
    tags, at = [], 0
    for token in tokens:
        start = text.index(token, at)
        at = start + len(token)
        shares: dict[str, int] = {}
        for span in spans:
            overlap = min(at, span["end"]) - max(start, span["start"])
            if overlap > 0:
                shares[span["lang"]] = shares.get(span["lang"], 0) + overlap
        tags.append(max(shares, key=lambda lang: shares[lang]) if shares else "other")
    return tags


def _mixed_figures(stage: LangidStage, data: Path) -> list[Figure]:
    figures = []
    for lang in ("ar", "fa"):
        entries = read_jsonl(data, f"romanised/{lang}_mixed.jsonl")
        found, _ = _judged(stage, [entry["text"] for entry in entries])
        truth: list[str] = []
        answers: list[str] = []
        for entry, spans in zip(entries, found[LANG_SPANS.name], strict=True):
            tokens = [token for token, _ in entry["tokens"]]
            truth += [tag for _, tag in entry["tokens"]]
            answers += token_tags(entry["text"], tokens, spans)
        figures.append(_figure("code-switched comments", lang, "token accuracy", truth, answers))
    return figures


def _short_figures(stage: LangidStage, data: Path) -> list[Figure]:
    figures = []
    for lang in ("ar", "fa"):
        entries = read_jsonl(data, f"romanised/{lang}_short.jsonl")
        found, _ = _judged(stage, [entry["text"] for entry in entries])
        clear = [i for i, entry in enumerate(entries) if entry["lang"] != "ambiguous"]
        truth = [entries[i]["lang"] for i in clear]
        figures.append(_figure("one-word comments", lang, "accuracy", truth, [found[LANG.name][i] for i in clear]))
        for name, wanted in (("clear", True), ("ambiguous", False)):
            scores = [found[LANG_SCORE.name][i] for i in range(len(entries)) if (i in clear) == wanted]
            figures.append(
                Figure(SUITE, f"one-word comments, {name}", lang, "mean score", float(np.mean(scores)), n=len(scores))
            )
    return figures


def _whole_comment_figures(stage: LangidStage, data: Path) -> list[Figure]:
    figures = []
    for name in ("fa_armanemo", "fa_parsinlu_food", "fa_parsinlu_movie", "en_edurabsa"):
        lang = name[:2]
        texts = [
            str(text) for text in read_set(data, name, folder="eval")["text"] if material.is_mostly(str(text), lang)
        ]
        found, _ = _judged(stage, texts)
        figures.append(_figure(f"{name}, whole comments", lang, "accuracy", [lang] * len(texts), found[LANG.name]))
    return figures


def _speed_figures(stage: LangidStage, peer: LangidStage | None, data: Path, *, comments: int) -> list[Figure]:
    rng = np.random.default_rng(17)
    texts: list[str] = []
    for lang in ("ar", "fa", "en"):
        sets = material.native_texts(data, lang, split="test", per_set=comments // 6, rng=rng)
        texts += [text for found in sets.values() for text in found]
    texts = material.sample(texts, comments, rng)
    _judged(stage, texts[:50])
    began = time.process_time()
    _judged(stage, texts)
    ours = len(texts) / (time.process_time() - began)
    anchor = ""
    if peer is not None:
        _, seconds = _judged(peer, texts)
        anchor = f"lingua ar/fa/en, same run: {len(texts) / seconds:,.0f}"
    words = float(np.mean([len(text.split()) for text in texts]))
    return [
        Figure(
            SUITE, f"comments of {words:.0f} words", "all", "comments a CPU second", ours, n=len(texts), anchor=anchor
        )
    ]


def evaluate(
    data: Path, *, model: str = "langid", peer: bool = True, per_set: int = 800, comments: int = 4000
) -> list[Figure]:
    """Measure accuracy by length, romanised and mixed comments, calibration and speed.

    :param model: the model's name or folder.
    :param peer: measure lingua beside it where that is installed.
    :param per_set: texts drawn of each held-out set.
    :param comments: comments of the speed test.
    """
    stage = open_stage(LangidSettings.model_validate({"backend": {"kind": "shipped", "model": model}}))
    beside = None
    if peer:
        try:
            beside = open_stage(LangidSettings(backend=LinguaBackend()))
        except ConfigError:
            beside = None
    return [
        *_window_figures(stage, beside, windows_to_judge(data, per_set=per_set)),
        *_romanised_figures(stage, data),
        *_mixed_figures(stage, data),
        *_short_figures(stage, data),
        *_whole_comment_figures(stage, data),
        *_speed_figures(stage, beside, data, comments=comments),
    ]
