"""The stage on the shipped model: promises, golden comments, independence of rows, priors and errors."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import LANG, LANG_SCORE, LANG_SCRIPT, LANG_SPANS, PROBLEMS, SPAN_LANGS
from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.langid import LangidSettings, LangidStage, LangPrior, open_stage
from feedback_nlp.langid.settings import LinguaBackend, ShippedBackend
from feedback_nlp.langid.stage import NOTHING_TO_JUDGE

COMMENTS = (
    "التطبيق ممتاز وسهل الاستخدام",
    "برنامه خیلی خوبه ولی گاهی قطع میشه",
    "The delivery was late and the food was cold",
    "el akl kan ra2e3 bs el khedma bati2a awy",
    "kheyli mamnoon, gheymatesh ham monaseb bood",
    "صفائی اچھی تھی لیکن کھانا ٹھنڈا تھا",
    "Der Service war sehr freundlich und schnell",
    "👍👍 10/10",
    "الخدمة سيئة والموظف غير محترم but food was good",
    "",
)


@pytest.fixture(scope="module")
def stage() -> LangidStage:
    return open_stage(LangidSettings())


def judged(stage: LangidStage, texts: list[str]) -> CommentBatch:
    return run_stages([stage], CommentBatch.from_texts(texts))[0]


def test_it_is_a_stage_that_keeps_its_promise(stage: LangidStage) -> None:
    assert isinstance(stage, Stage)
    batch = judged(stage, list(COMMENTS))
    assert len(batch) == len(COMMENTS)


def test_golden_comments(stage: LangidStage) -> None:
    batch = judged(stage, list(COMMENTS))
    assert batch.values(LANG) == ["ar", "fa", "en", "ar", "fa", "other", "other", "und", "ar", "und"]
    wanted = ["native", "native", "native", "latin", "latin", "native", "native", "native", "mixed", "native"]
    assert batch.values(LANG_SCRIPT) == wanted


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("شنو هاد الخدمة خايبة بزاف", "ar"),
        ("وايد زين", "ar"),
        ("ou jawaz safar ta7i ma wjedch", "ar"),
        ("جای پارک نداشت", "fa"),
        ("salam chera javab nemidin", "fa"),
        ("خەیلێ باشە بەڵام گرانە", "other"),
        ("ناوەندی پەیوەندی زۆر باش بوو", "other"),
        ("مۇلازىمەت بەك ياخشى", "other"),
        ("Yemekler çok güzeldi, teşekkürler", "other"),
        ("très bon service, je recommande", "other"),
        ("обслуживание отличное", "other"),
        ("服务很好", "other"),
        ("worst airline ever", "en"),
        ("عـــــالے بود", "fa"),
    ],
)
def test_more_comments(stage: LangidStage, text: str, lang: str) -> None:
    assert judged(stage, [text]).values(LANG) == [lang]


@pytest.mark.parametrize(
    "text", ["", " ", "😡😡", "123 ٤٥ ۶۷", "https://example.com/offer", "...", "\u200f", "@support"]
)
def test_nothing_to_judge_has_a_reason(stage: LangidStage, text: str) -> None:
    batch = judged(stage, [text, "ok"])
    assert batch.values(LANG)[0] == "und"
    assert batch.values(LANG_SPANS)[0] == []
    assert batch.values(PROBLEMS) == [[NOTHING_TO_JUDGE], []]


def test_spans_of_a_mixed_comment(stage: LangidStage) -> None:
    text = "غذا عالی بود، I had to wait 2 hours though"
    spans = judged(stage, [text]).values(LANG_SPANS)[0]
    assert [(text[span["start"] : span["end"]], span["lang"]) for span in spans] == [
        ("غذا عالی بود", "fa"),
        ("I had to wait", "en"),
        ("hours though", "en"),
    ]


def test_english_words_within_arabizi(stage: LangidStage) -> None:
    text = "el customer service mesh kwayes khales"
    spans = judged(stage, [text]).values(LANG_SPANS)[0]
    assert {"lang": "en", "start": 3, "end": 19} in spans
    assert spans[-1]["lang"] == "ar-Latn"


def test_a_shared_word_has_a_lower_score_than_a_telling_one(stage: LangidStage) -> None:
    shared, arabic, persian = judged(stage, ["خدمات", "المندوبين", "پشتیبانیتون"]).values(LANG_SCORE)
    assert shared < 0.9 < min(arabic, persian)


def test_a_prior_settles_shared_words_and_leaves_clear_ones() -> None:
    texts = ["خدمات", "عالی بود", "وايد حلو"]
    for code, first in (("ar", "ar"), ("fa", "fa")):
        prior = LangPrior.model_validate({code: 50})
        batch = judged(open_stage(LangidSettings(prior=prior)), texts)
        assert batch.values(LANG) == [first, "fa", "ar"]


def test_an_even_prior_changes_nothing(stage: LangidStage) -> None:
    even = open_stage(LangidSettings(prior=LangPrior()))
    ours, theirs = (np.array(judged(one, list(COMMENTS)).values(LANG_SCORE)) for one in (stage, even))
    assert np.allclose(ours, theirs, atol=1e-5)


TEXT = st.one_of(
    st.sampled_from(COMMENTS),
    st.text(max_size=60),
    st.lists(st.sampled_from(["good", "خدمة", "خیلی", "3ala", "ok،", "5", "😀", "\u200c", "\n", "ـ"]), max_size=12).map(
        " ".join
    ),
)


@given(st.lists(TEXT, max_size=8), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rows_are_independent_and_spans_lie_within_their_text(
    stage: LangidStage, texts: list[str], data: st.DataObject
) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    whole = stage.compute(CommentBatch.from_texts(texts))
    cut = data.draw(st.integers(0, len(texts)))
    parts = [stage.compute(CommentBatch.from_texts(part)) for part in (texts[:cut], texts[cut:])]
    for column, array in whole.items():
        assert pa.concat_arrays([part[column] for part in parts]).to_pylist() == array.to_pylist()
    for text, spans in zip(texts, whole[LANG_SPANS].to_pylist(), strict=True):
        last = 0
        for span in spans:
            assert last <= span["start"] < span["end"] <= len(text)
            assert span["lang"] in SPAN_LANGS
            assert text[span["start"] : span["end"]].strip() == text[span["start"] : span["end"]]
            last = span["end"]


@pytest.mark.parametrize(("text", "lang"), [("الخدمة سيئة جدا", "ar"), ("غذا خیلی سرد بود", "fa")])
@pytest.mark.parametrize("read", ["cp1252", "latin-1", "cp1256"])
def test_mojibake_is_judged_as_what_was_written(stage: LangidStage, text: str, lang: str, read: str) -> None:
    spoiled = "".join(byte.decode(read, "ignore") or chr(byte[0]) for byte in (bytes([b]) for b in text.encode()))
    batch = judged(stage, [f"ok {spoiled}", text])
    assert batch.values(LANG) == [lang, lang]
    last = batch.values(LANG_SPANS)[0][-1]
    assert last == {"start": 3, "end": 3 + len(spoiled), "lang": lang}


def test_markup_is_no_language(stage: LangidStage) -> None:
    batch = judged(stage, ["<br><b>&nbsp;</b>", "<p>خوب بود</p>&amp;", 'ممتاز جدا <a href="x y">'])
    assert batch.values(LANG) == ["und", "fa", "ar"]
    assert batch.values(LANG_SCRIPT) == ["native"] * 3
    assert [(span["start"], span["end"]) for span in batch.values(LANG_SPANS)[1]] == [(3, 10)]


def test_no_rows(stage: LangidStage) -> None:
    batch = judged(stage, [])
    assert len(batch) == 0
    assert batch[LANG_SPANS].type == LANG_SPANS.dtype


def test_mixed_share_is_a_setting() -> None:
    text = "الخدمة ممتازة جدا وسريعة really"
    low, high = (open_stage(LangidSettings(mixed_share=share)) for share in (0.1, 0.5))
    assert judged(low, [text]).values(LANG_SCRIPT) == ["mixed"]
    assert judged(high, [text]).values(LANG_SCRIPT) == ["native"]


def test_a_missing_or_foreign_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no-such-model"):
        open_stage(LangidSettings(backend=ShippedBackend(model="no-such-model")))
    write_model(tmp_path / "m", kind="encoder", name="m", version="1", details={})
    with pytest.raises(ModelError, match="'langid' is needed"):
        open_stage(LangidSettings(backend=ShippedBackend(model=str(tmp_path / "m"))))


def test_settings_refuse_nonsense() -> None:
    for values in ({"backend": {"kind": "guess"}}, {"prior": {"ar": 0}}, {"prior": {"de": 1}}, {"mixed_share": 0.9}):
        with pytest.raises(ValidationError):
            LangidSettings.model_validate(values)
    assert LangidSettings.model_validate({"backend": {"kind": "lingua"}}).backend == LinguaBackend()


def test_lingua_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lingua", None)
    with pytest.raises(ConfigError, match=r"feedback-nlp\[lingua\]"):
        open_stage(LangidSettings(backend=LinguaBackend()))


@pytest.mark.slow
def test_lingua_judges_three_languages() -> None:
    pytest.importorskip("lingua")
    batch = judged(open_stage(LangidSettings(backend=LinguaBackend())), [*COMMENTS[:3], "👍"])
    assert batch.values(LANG) == ["ar", "fa", "en", "und"]
    assert [span["lang"] for spans in batch.values(LANG_SPANS) for span in spans] == ["ar", "fa", "en"]


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "lingua", "pandas")
    code = f"import sys, feedback_nlp.langid; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
