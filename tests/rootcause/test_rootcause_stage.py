"""The stage: what it makes of a tagger's findings, nulls, and the shipped model on plain comments."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rootcause_batches import ToldTagger, batch_of

from feedback_nlp.core.columns import (
    DRIVER_SPANS,
    EMOTION,
    INTENT,
    OTHER_CAUSE_LIST,
    PROBLEMS,
    PYRAMID,
    READINGS,
    ROOT_CAUSE,
    TEXT,
    VECTOR,
)
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.rootcause import RootCauseSettings, RootCauseStage, open_stage, open_taxonomy
from feedback_nlp.rootcause.backends import Found
from feedback_nlp.rootcause.settings import LinearRootCause
from feedback_nlp.rootcause.stage import NO_TEXT, whole_cause

SAMPLES = (
    ("the waiter was very rude and ignored us", "attitude", "-"),
    ("the app keeps crashing when i try to log in", "tools", "-"),
    ("prices are far too expensive for what you get", "pricing", "-"),
    ("غالي جدا والأسعار مرتفعة", "pricing", "-"),
    ("تعامل الموظفين سيء جدا", "attitude", "-"),
    ("الموظفين محترمين ومتعاونين جدا", "attitude", "+"),
    ("غذا خیلی دیر رسید و سرد بود", "operations", "-"),
    ("برخورد پیک خیلی بی ادبانه بود", "attitude", "-"),
    ("ارسال سریع و بسته بندی عالی", "operations", "+"),
)


@functools.cache
def stage() -> RootCauseStage:
    return open_stage(RootCauseSettings())


def told(*found: Found, other: tuple[str, ...] = (), min_score: float = 0.0) -> RootCauseStage:
    return RootCauseStage(RootCauseSettings(min_score=min_score), ToldTagger(found, other), open_taxonomy())


@pytest.mark.parametrize(("text", "cause", "sign"), SAMPLES)
def test_plain_comments_get_the_plain_cause(text: str, cause: str, sign: str) -> None:
    drivers = stage().compute(batch_of([text]))[DRIVER_SPANS].to_pylist()[0]
    assert (cause, sign) in {(driver["cause"], driver["sign"]) for driver in drivers}


def test_a_mention_of_staff_alone_blames_nobody() -> None:
    text = "She did her best but the system does not allow her to change it, only head office can"
    out = stage().compute(batch_of([text]))
    blamed = {driver["driver"] for driver in out[DRIVER_SPANS].to_pylist()[0] if driver["sign"] == "-"}
    assert blamed == {"policy"}
    assert out[ROOT_CAUSE].to_pylist() == ["policy"]


def test_evidence_is_a_verbatim_stretch_of_one_clause() -> None:
    text = "Nice view. The waiter was very rude to my wife. We had soup"
    out, _ = run_stages([stage()], batch_of([text]))
    driver = next(d for d in out.values(DRIVER_SPANS)[0] if d["cause"] == "attitude")
    assert text[driver["start"] : driver["end"]] in "The waiter was very rude to my wife"
    assert "rude" in text[driver["start"] : driver["end"]]


def test_it_is_a_stage_and_asks_for_vectors_only_where_it_uses_them() -> None:
    assert isinstance(stage(), Stage)
    assert VECTOR in stage().requires
    bare = open_stage(RootCauseSettings(backend=LinearRootCause(vectors=False)))
    assert VECTOR not in bare.requires
    (found,) = bare.compute(batch_of(["the waiter was rude"], width=3))[ROOT_CAUSE].to_pylist()
    assert found in ("employee", "both")


def test_vectors_of_another_width_are_refused() -> None:
    with pytest.raises(ModelError, match="width 3"):
        stage().compute(batch_of(["the waiter was rude"], width=3))


def test_findings_become_rows_with_the_taxonomy_s_driver() -> None:
    out = told(Found(0, "tools", "-", 0.75, 4, 15)).compute(batch_of(["the app, crashes, a lot"]))
    assert out[DRIVER_SPANS].to_pylist() == [
        [{"driver": "policy", "cause": "tools", "sign": "-", "score": 0.75, "start": 4, "end": 15}]
    ]
    assert out[ROOT_CAUSE].to_pylist() == ["policy"]


def test_causes_that_the_taxonomy_lacks_and_low_scores_are_left_out() -> None:
    found = (Found(0, "weather", "-", 0.9, 0, 3), Found(0, "tools", "-", 0.2, 0, 3))
    assert told(*found, min_score=0.3).compute(batch_of(["app"]))[DRIVER_SPANS].to_pylist() == [[]]


def test_causes_that_the_tagger_lacks_are_found_by_their_cues() -> None:
    out = told().compute(batch_of(["they refused: it is OUR policy!", "a policy"]))
    (driver,), none = out[DRIVER_SPANS].to_pylist()
    assert (driver["cause"], driver["sign"], driver["start"], driver["end"]) == ("outdated", "-", 14, 30)
    assert none == []


@pytest.mark.parametrize(
    ("signs", "others", "wanted"),
    [
        ((), (), "none"),
        ((), ("product",), "other"),
        ((("policy", "-"),), ("product",), "policy"),
        ((("policy", "-"), ("employee", "+")), (), "policy"),
        ((("policy", "-"), ("employee", "-")), (), "both"),
        ((("employee", "+"),), (), "employee"),
    ],
)
def test_the_cause_of_the_whole_puts_complaints_first(
    signs: tuple[tuple[str, str], ...], others: tuple[str, ...], wanted: str
) -> None:
    assert whole_cause([{"driver": driver, "sign": sign} for driver, sign in signs], others) == wanted


def test_without_clean_text_there_are_nulls_and_a_reason() -> None:
    out = told(other=("product",)).compute(batch_of([None, " ", "ok"]))
    assert out[ROOT_CAUSE].to_pylist() == [None, None, "other"]
    assert out[OTHER_CAUSE_LIST].to_pylist() == [[], [], ["product"]]
    assert all(out[column].null_count == 2 for column in READINGS)
    assert out[PROBLEMS].to_pylist() == [[NO_TEXT], [NO_TEXT], []]


def test_no_rows_give_no_rows() -> None:
    assert all(len(values) == 0 for values in stage().compute(batch_of([])).values())


def test_readings_take_declared_values() -> None:
    texts = [text for text, _, _ in SAMPLES] + [
        "Thank you so much to the whole team, we are grateful",
        "never again, avoid",
    ]
    out, _ = run_stages([stage()], batch_of(texts))
    assert out.values(EMOTION)[-2] == "gratitude"
    assert out.values(INTENT)[-1] == "churn"
    assert all(0 <= level <= 5 for level in out.values(PYRAMID))


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_row_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    kept = [text.encode("utf-8", "ignore").decode() for text in texts]
    together, _ = run_stages([stage()], batch_of(kept))
    for row, text in enumerate(kept):
        alone = stage().compute(batch_of([text]))
        for column, values in alone.items():
            assert values[0].as_py() == together[column][row].as_py()
        for driver in alone[DRIVER_SPANS][0].as_py():
            assert text[driver["start"] : driver["end"]].strip()
    assert together.values(TEXT) == kept


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match="no-such-model"):
        open_stage(RootCauseSettings(backend=LinearRootCause(model="no-such-model")))
