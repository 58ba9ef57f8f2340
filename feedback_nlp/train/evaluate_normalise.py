"""Evaluates the normalise room: personal data on hand-written lines, de-romanisation on comments in both scripts."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.normalise import find_personal_data
from feedback_nlp.normalise.deromanise import WordModel
from feedback_nlp.train.figures import Figure, bootstrap
from feedback_nlp.train.romanised import LANGS, NAME, figures_of, romanised_rows

_SUITE = "language"
LINES = Path(__file__).resolve().parents[2] / "tests" / "normalise" / "personal_data.jsonl"


def personal_figures(lines: Path = LINES) -> list[Figure]:
    """Measure recall and precision of personal data; a span counts when its ends and kind are exact.

    :param lines: JSON lines with ``lang``, ``text`` and ``spans`` (start, end, kind).
    :raises MissingInputError: when the file is not there.
    """
    if not lines.is_file():
        raise MissingInputError(f"{lines} does not exist. Run from a checkout, which holds the lines.")
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    hits, wanted, given = [], [], []
    for row in rows:
        expected = {(span["start"], span["end"], span["kind"]) for span in row["spans"]}
        found = {tuple(one) for one in find_personal_data(row["text"])}
        hits.append(len(expected & found))
        wanted.append(len(expected))
        given.append(len(found))
    langs = np.array([row["lang"] for row in rows])
    figures = []
    for lang in (*dict.fromkeys(langs.tolist()), "all"):
        here = np.ones(len(langs), dtype=bool) if lang == "all" else langs == lang
        for metric, totals in (("recall", wanted), ("precision", given)):
            value, low, high = bootstrap(
                lambda some, of: float(some.sum() / max(of.sum(), 1)), np.array(hits)[here], np.array(totals)[here]
            )
            total = int(np.array(totals)[here].sum())
            figures.append(Figure(_SUITE, "personal data, hand-written lines", lang, metric, value, low, high, total))
    return [*figures, _speed([row["text"] for row in rows])]


def _speed(texts: Sequence[str]) -> Figure:
    """Measure redaction where nearly every text holds personal data or looks like it."""
    began = time.process_time()
    for text in texts:
        find_personal_data(text)
    seconds = max(time.process_time() - began, 1e-9)
    name = "personal data, hand-written lines"
    return Figure(_SUITE, name, "all", "comments a CPU second", len(texts) / seconds, n=len(texts))


def romanised_figures(data: Path, model: str = NAME) -> list[Figure]:
    """Measure a de-romanisation model on the comments of ``romanised/`` that people wrote in both scripts.

    The shipped model learnt from those of its training data; its card holds figures of writers it never saw.

    :param model: name or path of the model folder.
    """
    rows = {lang: romanised_rows(data, lang) for lang in LANGS}
    return figures_of(WordModel.from_folder(open_model(resolve_model(model))), rows, "romanised comments")


def evaluate(data: Path, *, lines: Path = LINES, romanised: bool = True) -> list[Figure]:
    """Evaluate the room with what is there: hand-written lines in a checkout, romanised comments in the data.

    :param data: the data folder.
    :param lines: hand-written lines of personal data.
    :param romanised: whether to judge de-romanisation.
    """
    figures = personal_figures(lines) if lines.is_file() else []
    return figures + romanised_figures(data) if romanised and (data / "romanised").is_dir() else figures
