"""The language suite: what romanised comments lose, agreement, speeds, on data made here and the shipped models."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from feedback_nlp.train.evaluate import SUITES
from feedback_nlp.train.evaluate_language import (
    driver_labels,
    evaluate,
    judge,
    loss_figures,
    sentiment_labels,
    short_and_mixed_figures,
    speed_figures,
)
from feedback_nlp.train.figures import Figure

RUDE, GOOD = "کارمند بی‌ادب بود و جواب نداد", "غذا عالی بود ممنون"


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "feedback").mkdir()
    frame = pd.DataFrame({"text": [RUDE, GOOD, "x"], "sentiment": ["negative", "positive", None], "lang": "fa"})
    frame.to_parquet(folder / "feedback" / "fa_tweet_topics.parquet")
    rows = [
        {"id": "1", "text": f" {RUDE}", "roman": "karmand bi adab bood va javab nadad", "style": "a"},
        {"id": "2", "text": GOOD, "roman": "ghaza aali bood mamnoon", "style": "b"},
        {"id": "3", "text": "ok", "roman": "ok", "style": "already Latin"},
    ]
    for lang in ("ar", "fa"):
        _write(folder / "romanised" / f"{lang}_roman.jsonl", rows if lang == "fa" else rows[2:])
        for part in ("mixed", "short"):
            _write(folder / "romanised" / f"{lang}_{part}.jsonl", [{"text": "great", "sentiment": "positive"}])
    _write(folder / "rootcause" / "train.jsonl", [{"text": RUDE, "d": [["E.attitude", "-", "x"]], "o": [], "ok": 1}])
    _write(folder / "rootcause" / "dev.jsonl", [{"text": GOOD, "d": [], "o": ["product"], "ok": 1}, {"ok": 0}])
    return folder


def test_labels_are_found_by_text(data: Path) -> None:
    assert sentiment_labels(data) == {RUDE: "negative", GOOD: "positive"}
    assert driver_labels(data) == {
        RUDE: ("employee", [False, False, True, False]),
        GOOD: ("other", [False, False, False, False]),
    }


def test_the_whole_engine_judges() -> None:
    found = judge(["the cashier was rude to me", "خیلی ممنون عالی بود"])
    assert found.langs == ["en", "fa"]
    assert found.sentiments == ["negative", "positive"]
    assert found.causes[0] == "employee"
    assert found.flags.tolist()[0] == [False, False, True, False]


def test_loss_is_the_difference_to_the_original(data: Path) -> None:
    rows = [{"text": GOOD, "roman": "ghaza aali bood mamnoon"}, {"text": GOOD, "roman": "ghaza bad bood, bi adab"}]
    figures = {figure.metric: figure for figure in loss_figures(data, {"fa": rows}, "made")}
    lost = figures["points lost, sentiment"]
    assert lost.value == pytest.approx(50)
    assert lost.n == 2
    assert figures["accuracy, sentiment"].value == pytest.approx(0.5)
    assert figures["accuracy, sentiment"].anchor == "native originals: 1.000"
    assert figures["agreement with native, sentiment"].value == pytest.approx(0.5)


def test_nothing_annotated_gives_no_loss(data: Path) -> None:
    rows = [{"text": "متن ناشناس", "roman": "matne nashenas"}]
    assert {figure.metric.split(",")[0] for figure in loss_figures(data, {"fa": rows}, "made")} == {
        "agreement with native"
    }


def test_short_and_mixed_comments_are_judged(data: Path) -> None:
    figures = short_and_mixed_figures(data)
    assert {(figure.lang, figure.value, figure.n) for figure in figures} == {("ar", 1.0, 1), ("fa", 1.0, 1)}


def test_speeds_are_positive(data: Path) -> None:
    figures = speed_figures(data, comments=12)
    assert all(isinstance(figure, Figure) and np.isfinite(figure.value) for figure in figures)
    assert all(figure.value > 0 for figure in figures if figure.n)


def test_data_without_romanised_comments_is_passed_over(tmp_path: Path) -> None:
    assert evaluate(tmp_path) == []
    assert "evaluate_language" in SUITES["language"]
