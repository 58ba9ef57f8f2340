"""LangidStage: language, script, score and language spans of each comment."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    LANG,
    LANG_SCORE,
    LANG_SCRIPT,
    LANG_SPANS,
    PROBLEMS,
    SCRIPTS,
    SPAN_LANGS,
    TEXT,
    Column,
)
from feedback_nlp.langid.backends.shipped import open_shipped
from feedback_nlp.langid.judge import JUDGED, Judge
from feedback_nlp.langid.legible import legible
from feedback_nlp.langid.settings import LangidSettings, LangPrior, LinguaBackend
from feedback_nlp.langid.tokens import ARABIC, LATIN, Ints, TokenTable

NOTHING_TO_JUDGE = "lang: no letters to judge"
_STANDS_ALONE = re.compile(r"\s\S+\s")
_NATIVE, _LATIN, _MIXED = range(len(SCRIPTS))


class LangidStage:
    """Tells what language a comment is written in, in which letters, and where the language changes.

    :param judge: any language judge.
    :param settings: prior and the threshold of ``mixed``.
    """

    name: ClassVar[str] = "langid"
    requires: ClassVar[tuple[Column, ...]] = (TEXT,)
    provides: ClassVar[tuple[Column, ...]] = (LANG, LANG_SCRIPT, LANG_SCORE, LANG_SPANS, PROBLEMS)

    def __init__(self, judge: Judge, settings: LangidSettings) -> None:
        self._judge = judge
        self._settings = settings

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Return ``lang``, ``lang_script``, ``lang_score``, ``lang_spans`` and ``problems``."""
        texts = batch.values(TEXT)
        shown = legible(texts)
        found = self._judge.judge(shown.texts)
        tokens = shown.as_given(found.tokens)
        probabilities = with_prior(found.probabilities, self._settings.prior)
        best = probabilities.argmax(axis=1) if len(texts) else np.zeros(0, dtype=np.int64)
        score = np.clip(probabilities[np.arange(len(texts)), best], 0, 1)
        empty = np.bincount(tokens.rows, minlength=len(texts)) == 0
        langs = np.where(empty, "und", np.array(JUDGED)[best])
        scripts = scripts_of(tokens, best, self._settings.mixed_share)
        return {
            LANG: pa.array(langs, LANG.dtype),
            LANG_SCRIPT: pa.array(np.array(SCRIPTS)[scripts], LANG_SCRIPT.dtype),
            LANG_SCORE: pa.array(np.where(empty, 1, score).astype(np.float32), LANG_SCORE.dtype),
            LANG_SPANS: spans_of(texts, tokens, found.token_langs),
            PROBLEMS: _reasons(empty),
        }


def _reasons(empty: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(empty)]).astype(np.int32)
    reasons = pa.array([NOTHING_TO_JUDGE] * int(empty.sum()), pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets), reasons, type=PROBLEMS.dtype)


def with_prior(
    probabilities: np.ndarray[Any, np.dtype[np.float32]], prior: LangPrior | None
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Weigh probabilities of shape (rows, 4) by the expected shares of the languages, by Bayes' rule."""
    if prior is None:
        return probabilities
    weighed = probabilities * np.array([getattr(prior, code) for code in JUDGED], dtype=np.float32)
    return np.asarray(weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-30), dtype=np.float32)


def scripts_of(tokens: TokenTable, best: Ints, mixed_share: float) -> Ints:
    """Return each comment's script as position in ``SCRIPTS``.

    ``mixed``: the words in the rarer of Arabic and Latin letters are at least ``mixed_share`` of all. Else ``latin``:
    Arabic or Persian, with more words in Latin letters. Else ``native``.

    :param best: int64 array (rows,), the language as position in ``JUDGED``.
    """
    scripts = tokens.scripts[tokens.units]
    arabic, latin = (np.bincount(tokens.rows, scripts == which, tokens.n_rows) for which in (ARABIC, LATIN))
    rarer = np.minimum(arabic, latin)
    mixed = (rarer > 0) & (rarer >= mixed_share * (arabic + latin))
    romanised = (latin > arabic) & np.isin(best, (JUDGED.index("ar"), JUDGED.index("fa")))
    return np.where(mixed, _MIXED, np.where(romanised, _LATIN, _NATIVE))


def spans_of(texts: list[str], tokens: TokenTable, langs: Ints) -> pa.Array:
    """Join neighbouring words of one language into spans; a number, link or emoji standing between two parts them.

    :param langs: int64 array (words,), position in ``SPAN_LANGS``.
    :returns: list array, one list a text.
    """
    rows, starts, ends = tokens.rows, tokens.starts, tokens.ends
    opens = np.ones(len(rows), dtype=bool)
    opens[1:] = (rows[1:] != rows[:-1]) | (langs[1:] != langs[:-1])
    wide = np.append(False, starts[1:] - ends[:-1] >= 3)[: len(rows)]
    for place in np.flatnonzero(wide & ~opens):
        opens[place] = _STANDS_ALONE.search(texts[rows[place]], ends[place - 1], starts[place]) is not None
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(rows))[: len(first)] - 1
    counts = np.bincount(rows[first], minlength=len(texts))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    names = pa.array(np.array(SPAN_LANGS)[langs[first]], pa.string())
    structs = pa.StructArray.from_arrays(
        [pa.array(starts[first], pa.int32()), pa.array(ends[last], pa.int32()), names],
        fields=list(LANG_SPANS.dtype.value_type),
    )
    return pa.ListArray.from_arrays(pa.array(offsets), structs, type=LANG_SPANS.dtype)


def open_stage(settings: LangidSettings) -> LangidStage:
    """Open the backend that the settings name.

    :raises ModelError: when the model is missing, damaged or of another kind.
    :raises ConfigError: when the backend's package is not installed.
    """
    if isinstance(settings.backend, LinguaBackend):
        from feedback_nlp.langid.backends.lingua import open_lingua

        return LangidStage(open_lingua(), settings)
    return LangidStage(open_shipped(settings.backend), settings)
