"""Training on a small made-up data folder: codes, evidence, splits, the whole folder, twice the same bytes."""

from pathlib import Path

import numpy as np
import pytest

from feedback_nlp.train import evaluate_rootcause, rootcause, rootcause_figures
from feedback_nlp.train.rootcause_consistency import TAUGHT_TRIPLES, TRIPLES, judge, romanised_loss, triple_figures
from feedback_nlp.train.rootcause_data import (
    CAUSE_LABELS,
    SYNTHETIC,
    build,
    cause_label,
    driver_flags,
    people_and_deeds,
    read_dev,
    read_training,
    read_triples,
)


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
    driver = ["E.attitude", "-", "rude waiter"]
    annotated = build([{"text": "Well, rude waiter today. Visit 1", "lang": "en", "d": [driver], "o": []}])
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
    ranked = np.sort(probs)[::-1]
    expected = ranked[np.argmax(2 * np.cumsum(ranked) / (np.arange(1, 102) + ranked.sum()))]
    assert rootcause.best_threshold(probs, truth) == pytest.approx(((0.6 * 41 + 0.3 * 50) / 91 + expected) / 2)
    assert rootcause.best_threshold(probs, np.zeros(101, dtype=bool)) == pytest.approx((0.3 + expected) / 2)


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
    assert {
        "rootcause dev",
        "rootcause dev, TF-IDF + LR",
        "sources never seen",
        "sources never seen, TF-IDF + LR",
        "comments in three languages",
        "romanised comments",
    } <= named
    quick = {
        figure.data: figure for figure in evaluate_rootcause.evaluate(data, model=str(tmp_path / "a"), held_out=False)
    }
    standing = [row for row in first.manifest["metrics"] if row["data"] == "sources never seen"]
    assert quick["sources never seen"].as_dict() == standing[-1]
    beside = {figure.anchor for figure in figures if figure.data == "rootcause dev"}
    assert any(anchor.startswith("two annotation passes: 0.") for anchor in beside)
    best = next(f for f in figures if f.data == "rootcause dev" and f.metric == "F1, employee-" and f.lang == "all")
    assert best.value > 0.8


def test_measures() -> None:
    truth, found = np.array([[1, 0], [1, 1]], dtype=bool), np.array([[1, 0], [0, 1]], dtype=bool)
    assert rootcause_figures.f1(truth, found) == pytest.approx(0.8)
    assert rootcause_figures.mean_f1(truth, found) == pytest.approx((2 / 3 + 1) / 2)
    assert rootcause_figures.kappa(np.array([0, 1, 1]), np.array([0, 1, 1])) == pytest.approx(1)
    assert rootcause_figures.kappa(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])) == pytest.approx(0)


def test_taking_policy_for_employee_is_counted_only_where_nothing_else_is_right() -> None:
    truth = np.array([[1, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    found = np.array([[0, 0, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=bool)
    assert rootcause_figures.mixed_up(truth, found) == pytest.approx(2 / 4)
    assert rootcause_figures.mixed_up(truth, np.zeros_like(found)) == 0


def test_agreement_of_two_annotations_is_told_in_words(data: Path) -> None:
    first, second = read_dev(data), read_dev(data, second=True)
    assert first.texts == second.texts
    told = rootcause_figures.agreement(first, second)
    assert told["micro-F1, cause × sign"] != "two annotation passes: 1.000"
    assert told["token-F1 of evidence, causes rightly found"] == "two annotation passes: 1.000"
    assert told["kappa, stage"] == "two annotation passes: 1.000"


def test_written_people_and_deeds_carry_their_cause_and_its_words() -> None:
    rows = list(people_and_deeds(persons=2))
    assert {row["lang"] for row in rows} == {"en", "ar", "fa"}
    assert rows == list(people_and_deeds(persons=2))
    annotated = build(rows)
    assert len(annotated.evidence) == sum(len(row["d"]) for row in rows)
    assert annotated.causes[:, CAUSE_LABELS.index("policy.authority-")].sum() > 30
    assert (~annotated.causes.any(axis=1)).sum() > 10
    assert not any("{" in row["text"] for row in rows)


@pytest.mark.slow
def test_the_same_comment_in_three_languages_and_in_latin_letters(data: Path) -> None:
    triples = {(f.data, f.metric): f for f in triple_figures(data) if f.lang == "all"}
    kept, taught = (triples[name, "same root cause in all three"] for name in (TRIPLES, TAUGHT_TRIPLES))
    assert kept.n + taught.n == 12
    assert kept.value == taught.value == 1
    assert len(read_triples(data, kept=True)) == kept.n > 0
    latin = {(f.lang, f.metric): f for f in romanised_loss(data)}
    assert latin["fa", "same root cause as the native original"].n == 2
    assert 0 <= latin["ar", "same root cause as the native original"].value <= 1
    known = {
        "en": [{"text": "Well, the app crashes today. Visit 15", "roman": "Well, the app crashes today. Visit 15"}]
    }
    told = {f.metric: f for f in romanised_loss(data, known)}
    assert told["points lost, root cause of the comment"].value == 0
    assert told["accuracy, root cause of the comment"].anchor == "native originals: 1.000"


def test_verdicts_stand_in_the_order_of_the_texts() -> None:
    found = judge(["the waiter was very rude", "", "the app keeps crashing"])
    assert found.causes[0] == "employee"
    assert found.causes[2] == "policy"
    assert not found.flags[1].any()
