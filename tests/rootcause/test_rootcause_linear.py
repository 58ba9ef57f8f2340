"""The linear backend: halved features, best clauses, what is given, evidence, readings; and the shipped folder."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.rootcause.backends import READING_VALUES, Comments
from feedback_nlp.rootcause.backends.linear import LinearTagger, best_of, calibrated, halved, read_labels


@functools.cache
def tagger() -> LinearTagger:
    return LinearTagger.open("rootcause")


def comments(*texts: str) -> Comments:
    clauses = np.array([(row, 0, len(text)) for row, text in enumerate(texts)], dtype=np.int64).reshape(-1, 3)
    return Comments(texts, None, clauses)


def test_neighbouring_features_share_a_column_when_halved() -> None:
    features = sp.csr_matrix(np.array([[1, 2, 0, 4]], dtype=np.float32))
    assert halved(features).toarray().tolist() == [[3, 4]]


def test_the_best_clause_counts_and_a_text_without_any_gets_a_low_score() -> None:
    best = best_of(np.array([[1, -1], [0, 3]], dtype=np.float32), np.array([1, 1]), 2)
    assert best.tolist() == [[-8, -8], [1, 3]]


def test_probabilities_weigh_the_whole_and_the_best_clause() -> None:
    platt = np.array([[1, 0], [0, 2], [0, -1]], dtype=np.float32)
    labels = ("policy.tools-", "policy.tools+")
    probs = calibrated(np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32), platt, labels)
    assert probs[0] == pytest.approx([0.5, 1 / (1 + np.exp(-1))])


def test_a_driver_is_as_likely_as_itself_and_its_likeliest_cause_of_the_same_sign() -> None:
    labels = ("policy-", "policy.tools-", "policy.returns-", "policy.tools+")
    wholes = np.array([[0.0, -8.0, 2.0, 8.0]], dtype=np.float32)
    platt = np.array([[1] * 4, [0] * 4, [0] * 4], dtype=np.float32)
    probs = calibrated(wholes, wholes, platt, labels)
    assert probs[0, 0] == pytest.approx((0.5 + 1 / (1 + np.exp(-2))) / 2)
    assert probs[0, 2] == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_driver_that_is_given_gives_at_least_its_likeliest_cause() -> None:
    labels = tagger().heads.labels
    probs = np.zeros((2, len(labels)), dtype=np.float32)
    probs[:, labels.index("policy.tools-")] = 0.9
    probs[0, labels.index("policy-")] = 1
    probs[1, labels.index("employee+")] = 1
    probs[1, labels.index("employee.support+")] = 1e-4
    assert [(row, labels[label]) for row, label in tagger().chosen(probs)] == [
        (0, "policy.tools-"),
        (1, "employee.support+"),
    ]


def test_the_likeliest_cause_comes_first() -> None:
    labels = tagger().heads.labels
    probs = np.ones((1, len(labels)), dtype=np.float32) * 0.9
    probs[0, labels.index("policy.handoff-")] = 1
    assert labels[tagger().chosen(probs)[0][1]] == "policy.handoff-"


def test_offsets_move_the_label_and_the_score_is_still_its_probability() -> None:
    scores = np.array([[2.0, 1.0]], dtype=np.float32)
    plain, moved = read_labels(scores, np.zeros(2)), read_labels(scores, np.array([0, 5.0]))
    assert (plain.labels[0], moved.labels[0]) == (0, 1)
    assert plain.scores[0] + moved.scores[0] == pytest.approx(1)


def test_evidence_is_bounded_and_tags_match_probabilities() -> None:
    given = comments("the waiter was very rude and the food came two hours late", "", "👍")
    short = replace(tagger(), evidence_words=2).tag(given)
    assert short.found
    for piece in short.found:
        words = given.texts[piece.row][piece.start : piece.end].split()
        assert 1 <= len(words) <= 2
    probs = tagger().probabilities(given)
    labels = tagger().heads.labels
    for piece in short.found:
        scores = [probs[piece.row, k] for k, n in enumerate(labels) if n.endswith(f".{piece.cause}{piece.sign}")]
        assert piece.score == pytest.approx(float(scores[0]))


def test_every_reading_is_made_for_every_comment() -> None:
    tags = tagger().tag(comments("good", "bad"))
    assert set(tags.readings) == set(READING_VALUES)
    assert all(len(reading.labels) == len(reading.scores) == 2 for reading in tags.readings.values())
    assert len(tags.others) == 2


def test_the_shipped_folder_tells_how_it_was_made() -> None:
    folder = open_model(resolve_model("rootcause"))
    assert "policy.authority-" in folder.manifest["labels"]
    assert folder.manifest["encoder"]
    assert folder.manifest["training_data"]
    assert sum(file.stat().st_size for file in folder.path.iterdir()) < 6_100_000
    metrics = {(row["data"], row["lang"], row["metric"]): row["value"] for row in folder.manifest["metrics"]}
    assert metrics["rootcause dev", "all", "macro-F1, driver × sign"] > 0.7
