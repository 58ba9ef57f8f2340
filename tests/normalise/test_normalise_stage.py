"""The stage: its columns, nulls with reasons, independence of rows, settings."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tiny_words import tiny_model

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
)
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.normalise import NormaliseSettings, NormaliseStage, open_stage
from feedback_nlp.normalise.settings import DeromaniseModel, KeepRomanised

PLAIN = NormaliseSettings(backend=KeepRomanised())
ROWS = [
    ("<p>عاااالي جدّاً ولكن غالي</p>", "ar", "native", []),
    ("call 09121234567", "und", "native", []),
    ("https://a.b", "en", "native", []),
    ("", "und", "native", []),
    ("kheyli khoob", "fa", "latin", []),
    ("خدمة kheyli sard kheyli sard", "ar", "mixed", [{"start": 5, "end": 28, "lang": "fa-Latn"}]),
    ("نمیشه ولی خوبه", "fa", "native", [{"start": 0, "end": 14, "lang": "fa"}]),
]


def _batch(rows: list[tuple[str, str, str, list[dict[str, object]]]]) -> CommentBatch:
    batch = CommentBatch.from_texts([row[0] for row in rows])
    columns = {
        LANG: pa.array([row[1] for row in rows], pa.string()),
        LANG_SCRIPT: pa.array([row[2] for row in rows], pa.string()),
        LANG_SPANS: pa.array([row[3] for row in rows], LANG_SPANS.dtype),
    }
    return batch.adding(columns, who="test")


def _run(rows: list[tuple[str, str, str, list[dict[str, object]]]], stage: NormaliseStage) -> CommentBatch:
    return run_stages([stage], _batch(rows))[0]


def test_columns_of_each_row() -> None:
    stage = NormaliseStage(PLAIN, tiny_model())
    assert isinstance(stage, Stage)
    done = _run(ROWS, stage)
    assert done.values(CLEAN) == [
        "عالي جدا ولكن غالي",
        None,
        None,
        None,
        "خیلی خوب",
        "خدمة خیلی سرد خیلی سرد",
        "نمی\u200cشه ولی خوبه",
    ]
    assert done.values(CLAUSE_SPANS)[0] == [{"start": 3, "end": 16}, {"start": 17, "end": 26}]
    assert done.values(CLAUSE_SPANS)[1] == []
    assert done.values(REDACTIONS)[1] == [{"start": 5, "end": 16, "kind": "phone"}]
    assert done.values(PROBLEMS) == [[], [], ["normalise: nothing is left after cleaning"], [], [], [], []]
    starts, ends = done.values(CLEAN_STARTS), done.values(CLEAN_ENDS)
    for clean, first, last in zip(done.values(CLEAN), starts, ends, strict=True):
        assert (clean is None) == (first is None) == (last is None)
        assert clean is None or len(clean) == len(first) == len(last)


def test_no_rows() -> None:
    assert len(_run([], NormaliseStage(PLAIN))) == 0


def test_without_a_model_latin_letters_stay() -> None:
    assert _run(ROWS[4:5], open_stage(PLAIN)).values(CLEAN) == ["kheyli khoob"]


def test_personal_data_may_be_left_unsought() -> None:
    done = _run(ROWS, NormaliseStage(NormaliseSettings(backend=KeepRomanised(), personal_data=False)))
    assert all(not found for found in done.values(REDACTIONS))


def test_names_are_sought_when_asked() -> None:
    rows = [("آقای محمدی خوب بود", "fa", "native", [])]
    assert _run(rows, NormaliseStage(PLAIN)).values(REDACTIONS) == [[]]
    done = _run(rows, NormaliseStage(NormaliseSettings(backend=KeepRomanised(), names=True)))
    assert done.values(REDACTIONS) == [[{"start": 5, "end": 10, "kind": "name"}]]


@given(st.permutations(range(len(ROWS))), st.integers(1, len(ROWS)))
@settings(max_examples=20, deadline=None)
def test_rows_do_not_hang_on_their_neighbours(order: list[int], cut: int) -> None:
    stage = NormaliseStage(PLAIN, tiny_model())
    whole = _run(ROWS, stage).table.drop_columns(["comment_id"]).to_pylist()
    parts = [_run([ROWS[at] for at in some], stage) for some in (order[:cut], order[cut:]) if some]
    mixed = [row for part in parts for row in part.table.drop_columns(["comment_id"]).to_pylist()]
    assert mixed == [whole[at] for at in order]


def test_settings_refuse_unknown_keys_and_backends() -> None:
    with pytest.raises(ValidationError):
        NormaliseSettings.model_validate({"backends": {}})
    with pytest.raises(ValidationError):
        NormaliseSettings.model_validate({"backend": {"kind": "magic"}})
    assert NormaliseSettings.model_validate({"backend": {"kind": "none"}}) == PLAIN


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match="no-such-words"):
        open_stage(NormaliseSettings(backend=DeromaniseModel(model="no-such-words")))
