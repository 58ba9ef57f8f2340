"""Causes of a user's own: prototypes, their thresholds, clauses as evidence, and the whole stage with the encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rootcause_batches import batch_of
from ruamel.yaml import YAML

from feedback_nlp.core.columns import DRIVER_SPANS, ROOT_CAUSE
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.settings import StaticBackend
from feedback_nlp.rootcause import RootCauseSettings, open_stage, open_taxonomy
from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.prototypes import (
    Prototype,
    PrototypeFinder,
    fit_prototype,
    fit_prototypes,
    needs_encoder,
)
from feedback_nlp.rootcause.settings import OwnCauses

PARKING: dict[str, Any] = {
    "id": "parking",
    "driver": "policy",
    "name": {"en": "Parking", "fa": "پارکینگ"},
    "definition": {"en": "Too few parking places, or too dear."},
    "examples": {
        "en": ["there is no place to park", "the parking lot is always full", "could not find parking anywhere"],
        "ar": ["لا توجد مواقف للسيارات", "المواقف دائما ممتلئة"],
        "fa": ["جای پارک نبود", "پارکینگ همیشه پر است"],
    },
    "praise_examples": {"en": ["plenty of parking", "free parking in front of the door", "parking was easy"]},
}


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def own_file(tmp_path: Path, *causes: dict[str, Any]) -> str:
    file = tmp_path / "own.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump({"version": 1, "causes": list(causes)}, stream)
    return str(file)


def test_a_prototype_points_from_the_others_to_its_own() -> None:
    own = np.stack([unit(1, 0.1, 0), unit(1, -0.1, 0), unit(1, 0, 0.1)])
    others = np.stack([unit(0, 1, k / 10) for k in range(-5, 6)])
    found = fit_prototype("parking", "-", own, others)
    assert np.linalg.norm(found.direction) == pytest.approx(1, abs=1e-6)
    assert found.direction[0] > 0.6
    assert (own @ found.direction).min() > found.threshold > (others @ found.direction).max()
    assert (found.left_out.hits, found.left_out.examples) == (3, 3)
    assert (found.left_out.alarms, found.left_out.others) == (0, 11)


def test_examples_that_have_nothing_in_common_are_told_by_what_was_left_out() -> None:
    own = np.stack([unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)])
    others = np.stack([unit(1, 1, k) for k in range(1, 9)])
    found = fit_prototype("x", "-", own, others).left_out
    assert found.hits < 3 or found.alarms > 0


def encoded(texts: list[str]) -> np.ndarray:
    """Give "park" one direction and everything else another."""
    return np.stack([unit(1, 0) if "park" in text else unit(0, 1) for text in texts])


def finder(words: int = 12, threshold: float = 0.5) -> PrototypeFinder:
    direction = unit(1, 0)
    told = fit_prototype("parking", "-", np.stack([direction] * 3), np.stack([unit(0, 1)] * 3)).left_out
    return PrototypeFinder([Prototype("parking", "-", direction, threshold, 0.1, told)], encoded, words)


def comments(*texts: str) -> Comments:
    clauses = []
    for row, text in enumerate(texts):
        at = 0
        for piece in text.split("."):
            clauses.append((row, at, at + len(piece)))
            at += len(piece) + 1
    return Comments(texts, None, np.array(clauses, dtype=np.int64).reshape(-1, 3))


def test_the_clause_that_shows_it_is_the_evidence() -> None:
    texts = ("nice room. nowhere to park, really", "nice room", "")
    (found,) = finder().find(comments(*texts))
    assert (found.row, found.cause, found.sign) == (0, "parking", "-")
    assert texts[0][found.start : found.end] == "nowhere to park, really"
    assert found.score == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-4)


@given(st.integers(1, 6), st.integers(0, 20))
def test_evidence_never_has_more_words_than_allowed(words: int, before: int) -> None:
    text = " ".join(["word"] * before + ["park"] + ["word"] * 7)
    (found,) = finder(words).find(comments(text))
    assert "park" in text[found.start : found.end]
    assert len(text[found.start : found.end].split()) <= words


def test_nothing_is_found_without_prototypes_or_words() -> None:
    assert PrototypeFinder([], encoded).find(comments("park")) == []
    assert finder().find(comments(" . ,")) == []
    assert finder().find(comments()) == []


def test_the_shipped_taxonomy_needs_no_encoder(tmp_path: Path) -> None:
    assert not needs_encoder(open_taxonomy())
    assert needs_encoder(open_taxonomy(None, own_file(tmp_path, PARKING)))


def test_each_sign_gets_a_prototype_of_its_own(tmp_path: Path) -> None:
    taxonomy = open_taxonomy(None, own_file(tmp_path, PARKING))
    complaint, praise = fit_prototypes(taxonomy, open_encoder(StaticBackend()).encode)
    assert (complaint.sign, praise.sign) == ("-", "+")
    for found in (complaint, praise):
        assert found.left_out.hits / found.left_out.examples > 0.6
        assert found.left_out.alarms / found.left_out.others < 0.02


def test_an_own_cause_shows_up_among_the_drivers_with_score_and_evidence(tmp_path: Path) -> None:
    settings = RootCauseSettings(own=OwnCauses(file=own_file(tmp_path, PARKING)))
    stage = open_stage(settings, lambda: open_encoder(StaticBackend()).encode)
    texts = ["The room was clean. There was nowhere to park the car", "فندق جميل. لا يوجد مواقف", "the soup was cold"]
    out = stage.compute(batch_of(texts))
    for row, evidence in ((0, "There was nowhere to park the car"), (1, "لا يوجد مواقف")):
        found = [one for one in out[DRIVER_SPANS][row].as_py() if one["cause"] == "parking"]
        assert [(one["driver"], one["sign"]) for one in found] == [("policy", "-")]
        assert texts[row][found[0]["start"] : found[0]["end"]] == evidence
        assert 0.5 <= found[0]["score"] <= 1
    assert all(one["cause"] != "parking" for one in out[DRIVER_SPANS][2].as_py())
    assert out[ROOT_CAUSE][1].as_py() in ("policy", "both")


def test_rows_with_own_causes_do_not_depend_on_their_neighbours(tmp_path: Path) -> None:
    settings = RootCauseSettings(own=OwnCauses(file=own_file(tmp_path, PARKING)))
    stage = open_stage(settings, lambda: open_encoder(StaticBackend()).encode)
    texts = ["no parking at all", "", "جای پارک نبود. غذا سرد بود", "x"]
    together = stage.compute(batch_of(texts))[DRIVER_SPANS]
    alone = [stage.compute(batch_of([text]))[DRIVER_SPANS][0].as_py() for text in texts]
    assert together.to_pylist() == alone


def test_examples_without_an_encoder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="need an encoder"):
        open_stage(RootCauseSettings(own=OwnCauses(file=own_file(tmp_path, PARKING))))
