"""Figures of causes told by examples: those of a user's file, and known causes as if they were a user's own."""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from feedback_nlp.train import rootcause_own
from feedback_nlp.train.rootcause_data import build
from feedback_nlp.train.rootcause_own import few_example_figures, joined, left_out_figures

CAUSE = {
    "id": "parking",
    "driver": "policy",
    "definition": {"en": "Too few parking places."},
    "examples": {"en": ["there is no place to park", "the parking lot is always full", "could not find parking"]},
}
DEAR = {
    "en": ["too expensive for me", "the price is far too high", "prices are too high", "very expensive place"],
    "ar": ["الأسعار غالية جدا", "غالي جدا", "السعر مرتفع", "الأسعار مرتفعة"],
    "fa": ["قیمت خیلی بالاست", "خیلی گران است", "قیمت‌ها گران بود", "خیلی گرونه"],
}


def test_a_user_s_file_is_shown_by_examples_left_out(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump({"version": 1, "causes": [CAUSE]}, stream)
    found, taken = left_out_figures(file)
    assert found.metric == "examples left out and found, parking-"
    assert (found.n, found.value) == (3, 1.0)
    assert taken.value < 0.02 < taken.n
    assert left_out_figures() == []


def _rows(count: int) -> list[dict]:
    dear = [
        {"text": text, "lang": lang, "d": [["P.pricing", "-", text]], "o": []}
        for lang, texts in DEAR.items()
        for text in texts * count
    ]
    return [*dear, *({"text": "the room was lovely", "lang": "en", "d": [], "o": []} for _ in range(4 * count))]


def test_known_causes_are_judged_as_if_told_by_a_few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootcause_own, "_JUDGED", 40)
    monkeypatch.setattr(rootcause_own, "_FEWEST", 10)
    (figure,) = few_example_figures(build(_rows(10)), build(_rows(1)))
    assert figure.metric == "F1, policy.pricing-"
    assert figure.anchor.endswith("9 examples")
    assert figure.value > 0.6


def test_comments_of_both_parts_keep_their_clauses() -> None:
    dev, training = build(_rows(1)[:2]), build(_rows(1))
    both = joined(dev, training, np.array([5, 9]))
    assert list(both.texts) == [*dev.cleans, training.cleans[5], training.cleans[9]]
    for row, start, end in both.clauses.tolist():
        assert both.texts[row][start:end].strip()
    assert set(both.clauses[:, 0]) == {0, 1, 2, 3}
