"""Training on a small made-up data folder: codes, evidence, splits, the whole folder, twice the same bytes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.train import evaluate_rootcause, rootcause
from feedback_nlp.train.rootcause_data import (
    CAUSE_LABELS,
    SOURCE_FOLDS,
    SYNTHETIC,
    build,
    cause_label,
    driver_flags,
    read_dev,
    read_training,
)

PHRASES = (
    ("P.tools", "-", "the app crashes"),
    ("E.attitude", "-", "rude waiter"),
    ("E.attitude", "+", "kind waiter"),
    ("P.pricing", "+", "good price"),
    ("P.operations", "-", "late delivery"),
)


def _row(number: int, source: str) -> dict[str, Any]:
    code, sign, words = PHRASES[number % len(PHRASES)]
    return {
        "id": f"en-{number}",
        "lang": "en",
        "source": source,
        "text": f"Well, {words} today. Visit {number}",
        "s": "neg" if sign == "-" else "pos",
        "d": [[code, sign, words]] if number % 6 else [],
        "o": ["product"] if number % 2 else [],
        "j": ("use", "delivery")[number % 2],
        "g": number % 3,
        "em": ("anger", "joy", "none")[number % 3],
        "ef": "na",
        "rs": ("no", "na")[number % 2],
        "ch": "na",
        "ok": 1,
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part in ("eval", "rootcause", "parallel"):
        (folder / part).mkdir()
    pd.DataFrame({"text": ["x"], "lang": ["en"]}).to_parquet(folder / "eval" / "en_edurabsa.parquet")
    sources = [fold[0] for fold in SOURCE_FOLDS]
    train = [_row(k, sources[k % len(sources)]) for k in range(80)]
    train += [_row(200, "en_edurabsa"), _row(201, sources[0]) | {"ok": 0}]
    written = [
        {key: row[key] for key in ("id", "lang", "s", "d", "o", "text")}
        for row in (_row(k, "") for k in range(300, 312))
    ]
    for name, rows in (
        ("train", train),
        ("dev", [_row(k, sources[0]) for k in range(400, 420)]),
        ("synthetic", written),
    ):
        lines = "\n".join(json.dumps(row) for row in rows)
        (folder / "rootcause" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    line = {"id": "t", "en": train[1]["text"], "ar": "نادل وقح", "fa": "پیشخدمت بی ادب", "src_lang": "en"}
    pd.DataFrame([line]).to_parquet(folder / "parallel" / "feedback_trilingual.parquet")
    (folder / "manifest.jsonl").write_text(json.dumps({"file": "x", "license": "none"}), encoding="utf-8")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootcause, "SPEC", NgramSpec(words=(1, 2), chars=(3,), bits=10))


def test_codes_of_the_guide_become_names_of_results() -> None:
    assert cause_label("P.tools", "-") == "policy.tools-"
    assert cause_label("E.support", "+") == "employee.support+"
    assert len(CAUSE_LABELS) == 22


def test_a_driver_is_there_when_any_of_its_causes_is() -> None:
    causes = np.zeros((2, len(CAUSE_LABELS)), dtype=bool)
    causes[0, CAUSE_LABELS.index("policy.pricing-")] = True
    causes[1, CAUSE_LABELS.index("employee.support+")] = True
    assert driver_flags(causes).tolist() == [[True, False, False, False], [False, False, False, True]]


def test_evidence_is_placed_in_the_normalised_text_and_marks_its_clause() -> None:
    annotated = build([_row(1, "x")])
    (piece,) = annotated.evidence
    assert annotated.cleans[0][piece.start : piece.end] == "rude waiter"
    marked = annotated.clause_causes()[:, piece.label]
    assert marked.sum() == 1
    _, start, end = annotated.clauses[int(np.argmax(marked))]
    assert start <= piece.start < piece.end <= end


def test_training_leaves_out_unusable_and_evaluation_only_comments(data: Path) -> None:
    annotated = read_training(data)
    assert "en_edurabsa" not in set(annotated.sources)
    written = annotated.sources == SYNTHETIC
    generic = [row for row in np.flatnonzero(written) if annotated.texts[row] in ("great", "عالی", "ممتاز")]
    assert len(generic) == 3
    assert not annotated.causes[generic].any()
    cue = annotated.texts.index("it is our policy")
    assert annotated.causes[cue].any()
    translated = [row for row, lang in enumerate(annotated.langs) if lang != "en" and not written[row]]
    assert [annotated.texts[row] for row in translated] == ["نادل وقح", "پیشخدمت بی ادب"]
    assert annotated.causes[translated].any(axis=1).all()
    assert not rootcause.known_evidence(annotated)[translated].any()
    assert len(read_dev(data)) == 20


def test_thresholds_are_drawn_to_the_usual_one_where_truth_is_rare() -> None:
    probs, truth = np.linspace(0, 1, 101), np.linspace(0, 1, 101) > 0.595
    assert rootcause.best_threshold(probs, truth) == pytest.approx((0.6 * 41 + 0.3 * 50) / 91)
    assert rootcause.best_threshold(probs, np.zeros(101, dtype=bool)) == pytest.approx(0.3)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_training_writes_a_whole_folder_twice_the_same(data: Path, tmp_path: Path) -> None:
    first = rootcause.train_rootcause(data, tmp_path / "a")
    assert first.fingerprint == rootcause.train_rootcause(data, tmp_path / "b").fingerprint
    card = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    assert "sources never seen" in card
    assert "rootcause, synthetic: " in card
    figures = evaluate_rootcause.evaluate(data, model=str(tmp_path / "a"))
    named = {figure.data for figure in figures}
    assert {"rootcause dev", "rootcause dev, TF-IDF + LR", "sources never seen, TF-IDF + LR"} <= named
    best = next(f for f in figures if f.data == "rootcause dev" and f.metric == "F1, employee-" and f.lang == "all")
    assert best.value > 0.8


def test_measures() -> None:
    truth, found = np.array([[1, 0], [1, 1]], dtype=bool), np.array([[1, 0], [0, 1]], dtype=bool)
    assert evaluate_rootcause.f1(truth, found) == pytest.approx(0.8)
    assert evaluate_rootcause.mean_f1(truth, found) == pytest.approx((2 / 3 + 1) / 2)
    assert evaluate_rootcause.kappa(np.array([0, 1, 1]), np.array([0, 1, 1])) == pytest.approx(1)
    assert evaluate_rootcause.kappa(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])) == pytest.approx(0)
