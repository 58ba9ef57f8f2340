"""The normalise stage: clean text with its alignment, clauses, personal data."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    CLAUSE_SPANS,
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    LANG,
    LANG_SCRIPT,
    LANG_SPANS,
    PROBLEMS,
    REDACTIONS,
    TEXT,
    Column,
)
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.core.offsets import Positions
from feedback_nlp.normalise.clauses import find_clauses, in_text
from feedback_nlp.normalise.normaliser import Deromaniser, Normalised, Span, normalise
from feedback_nlp.normalise.personal import find_personal_data
from feedback_nlp.normalise.settings import DeromaniseModel, NormaliseSettings

_NOTHING_LEFT = "normalise: nothing is left after cleaning"


def _spans(text: str, lang: str, script: str, given: Sequence[Mapping[str, Any]]) -> list[Span]:
    if not given and script == "latin" and lang in ("ar", "fa"):
        return [Span(0, len(text), f"{lang}-Latn")]
    return [Span(span["start"], span["end"], span["lang"]) for span in given]


def _positions(rows: Sequence[Positions | None]) -> pa.Array:
    lengths = [0 if row is None else len(row) for row in rows]
    none = np.empty(0, dtype=np.int32)
    flat = np.concatenate([none, *(row for row in rows if row is not None)])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=mask)


class NormaliseStage:
    """Adds ``clean`` with its alignment, ``clause_spans`` and ``redactions``.

    ``clean`` is null where the language is ``und`` or nothing is left; personal data is looked for in every comment.

    :param settings: what to do.
    :param deromaniser: writes romanised words in native letters; None leaves them.
    """

    name: ClassVar[str] = "normalise"
    requires: ClassVar[tuple[Column, ...]] = (TEXT, LANG, LANG_SCRIPT, LANG_SPANS)
    provides: ClassVar[tuple[Column, ...]] = (CLEAN, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS, REDACTIONS, PROBLEMS)

    def __init__(self, settings: NormaliseSettings, deromaniser: Deromaniser | None = None) -> None:
        self._settings = settings
        self._deromaniser = deromaniser

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Normalise a batch; see :class:`Stage`."""
        texts, langs = batch.values(TEXT), batch.values(LANG)
        done: list[Normalised | None] = []
        clauses: list[list[dict[str, int]]] = []
        problems: list[list[str]] = []
        columns = (texts, langs, batch.values(LANG_SCRIPT), batch.values(LANG_SPANS))
        spans_of = [_spans(*row) for row in zip(*columns, strict=True)]
        self._prepare(texts, spans_of)
        for text, lang, spans in zip(texts, langs, spans_of, strict=True):
            row = None if lang == "und" else normalise(text, lang, spans=spans, deromaniser=self._deromaniser)
            kept = row if row is not None and row.clean else None
            done.append(kept)
            clauses.append(self._clauses(kept, lang, spans))
            problems.append([_NOTHING_LEFT] if row is not None and kept is None else [])
        return {
            CLEAN: pa.array([None if row is None else row.clean for row in done], CLEAN.dtype),
            CLEAN_STARTS: _positions([None if row is None else row.offsets.starts for row in done]),
            CLEAN_ENDS: _positions([None if row is None else row.offsets.ends for row in done]),
            CLAUSE_SPANS: pa.array(clauses, CLAUSE_SPANS.dtype),
            REDACTIONS: pa.array([self._redactions(text) for text in texts], REDACTIONS.dtype),
            PROBLEMS: pa.array(problems, PROBLEMS.dtype),
        }

    def _prepare(self, texts: Sequence[str], spans_of: Sequence[Sequence[Span]]) -> None:
        if self._deromaniser is not None:
            self._deromaniser.prepare(
                (text, span.start, span.end, span.lang.removesuffix("-Latn"))
                for text, spans in zip(texts, spans_of, strict=True)
                for span in spans
                if span.lang.endswith("-Latn")
            )

    @staticmethod
    def _clauses(row: Normalised | None, lang: str, spans: Sequence[Span]) -> list[dict[str, int]]:
        if row is None:
            return []
        langs = [lang, *(span.lang.removesuffix("-Latn") for span in spans if span.lang != "other")]
        return [{"start": start, "end": end} for start, end in in_text(find_clauses(row.clean, langs), row.offsets)]

    def _redactions(self, text: str) -> list[dict[str, Any]]:
        if not self._settings.personal_data:
            return []
        return [found._asdict() for found in find_personal_data(text, names=self._settings.names)]


def open_stage(settings: NormaliseSettings) -> NormaliseStage:
    """Open the stage with its model.

    :raises ModelError: when the model folder is missing, damaged or of another kind.
    """
    deromaniser = None
    if isinstance(settings.backend, DeromaniseModel):
        from feedback_nlp.normalise.deromanise import WordModel

        deromaniser = WordModel.from_folder(open_model(resolve_model(settings.backend.model)))
    return NormaliseStage(settings, deromaniser)
