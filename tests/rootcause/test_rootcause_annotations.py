"""Annotations without texts find their comment in the data folder, place their evidence, and are never judged on."""

from collections import Counter
from importlib import resources
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feedback_nlp.train import annotations, rootcause
from feedback_nlp.train.annotations import annotation_key, read_annotations
from feedback_nlp.train.rootcause_data import CAUSE_LABELS, SOURCE_FOLDS, read_training

TEXT = "The waiter was rude, but the price is fair"
SOURCE = SOURCE_FOLDS[0][0]
LINE = f"{annotation_key(TEXT)}\t{SOURCE}\tmix\tE.attitude-:4:19;P.pricing+:29:42\tproduct"


@pytest.fixture
def noted(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a data folder with a text of a set, and let the package hold one line about it and one about another."""
    for part in data.iterdir():
        (tmp_path / part.name).symlink_to(part)
    (tmp_path / "feedback").mkdir()
    pd.DataFrame({"text": [TEXT, "else"]}).to_parquet(tmp_path / "feedback" / f"{SOURCE}.parquet")
    lines = {"en": [LINE, LINE.replace(annotation_key(TEXT), "0" * 16)], "ar": [], "fa": []}
    monkeypatch.setattr(annotations, "_lines", lines.__getitem__)
    return tmp_path


def test_a_line_finds_its_text_and_its_words(noted: Path) -> None:
    (row,) = read_annotations(noted)
    assert (row["lang"], row["source"], row["text"], row["s"], row["o"]) == ("en", SOURCE, TEXT, "mix", ["product"])
    assert row["d"] == [["E.attitude", "-", "waiter was rude"], ["P.pricing", "+", "price is fair"]]


def test_lines_without_their_text_are_left_out(data: Path) -> None:
    assert read_annotations(data) == []


@pytest.mark.usefixtures("small")
def test_they_are_learnt_from_and_not_judged_on(noted: Path) -> None:
    annotated = read_training(noted)
    (place,) = np.flatnonzero(annotated.chosen)
    assert annotated.texts[place] == TEXT
    assert annotated.causes[place, CAUSE_LABELS.index("employee.attitude-")]
    assert annotated.sentiment[place] == 3
    assert all(labels[place] == -1 for labels in annotated.readings.values())
    unseen = rootcause.leave_out(rootcause.prepare(annotated), rootcause.source_folds(annotated))
    assert place not in unseen.rows
    assert len(unseen.rows) > 0


def test_the_lines_that_ship_are_well_formed() -> None:
    kinds = {label.split(".")[1] for label in CAUSE_LABELS}
    seen: Counter[str] = Counter()
    for lang, part in product(("ar", "fa", "en"), ("", "_later")):
        file = resources.files("feedback_nlp.train.annotations").joinpath(f"{lang}{part}.tsv")
        text = file.read_text(encoding="ascii")
        for line in text.splitlines():
            key, source, sentiment, drivers, others = line.split("\t")
            seen[key + part] += 1
            assert int(key, 16) >= 0
            assert source[:2] == lang or source.startswith(("multi_", "feedback_trilingual"))
            assert sentiment in annotations.SENTIMENT_CODES
            for one in [] if drivers == "-" else drivers.split(";"):
                code, start, end = one.split(":")
                assert f"{code[2:]}" in kinds
                assert 0 <= int(start) < int(end)
            assert set(others.split(",")) <= {"-", "product", "external"}
    assert len(seen) > 1_000
    assert max(seen.values()) == 1


def test_those_annotated_later_take_the_place_of_earlier_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "en.tsv").write_text("b\told\na\told\n", encoding="ascii")
    (tmp_path / "en_later.tsv").write_text("b\tnew\nc\tnew\n", encoding="ascii")
    monkeypatch.setattr(annotations.resources, "files", lambda name: tmp_path)
    assert annotations._lines("en") == ["a\told", "b\tnew", "c\tnew"]
