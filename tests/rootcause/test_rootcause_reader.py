"""Fitting a blend: what it learns from scores, what it leaves out, and a whole folder with a reader that is made up."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedback_nlp.core.columns import OTHER_CAUSES
from feedback_nlp.core.errors import MissingInputError, ModelError
from feedback_nlp.core.modelfolder import open_model
from feedback_nlp.core.reading import READING_LABELS, READING_SLICES, TOKEN_LABELS
from feedback_nlp.rootcause.backends import READING_VALUES, Comments, Floats, Read
from feedback_nlp.rootcause.backends.blend import Blend, label_scores
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.train import redecide, rejudge, rootcause, rootcause_reader
from feedback_nlp.train.rootcause_data import read_training
from feedback_nlp.train.rootcause_reader import Scored, add_blend, blend_figures, fit_blend, part_of, read_comments
from feedback_nlp.train.sentiment_data import text_key

LABELS = len(TOKEN_LABELS)


def scored(rows: int = 400, *, ngrams: float = 0.0, reader: float = 3.0) -> Scored:
    """Return scores that know the truth by so much, each with noise of its own; the same on every call."""
    rng = np.random.default_rng(5)
    truth = rng.random((rows, LABELS)) < 0.3
    others = rng.random((rows, len(OTHER_CAUSES))) < 0.4
    readings = {name: rng.integers(0, len(values), rows) for name, values in READING_VALUES.items()}
    width = len(OTHER_CAUSES) + sum(map(len, READING_VALUES.values()))

    def noisy(flags: np.ndarray, known: float) -> np.ndarray:
        return (known * (2 * flags - 1) + rng.normal(size=flags.shape)).astype(np.float32)

    read = np.zeros((rows, len(READING_LABELS)), dtype=np.float32)
    label_scores(read)[:] = noisy(truth, reader)
    read[:, READING_SLICES["others"]] = noisy(others, reader)
    for name, labels in readings.items():
        part = READING_SLICES[name]
        read[:, part] = noisy(np.eye(part.stop - part.start)[labels], reader)
    return Scored(
        noisy(truth, ngrams),
        noisy(truth, ngrams),
        rng.normal(size=(rows, width)).astype(np.float32),
        read,
        noisy(truth, reader / 2),
        truth,
        others,
        readings,
    )


def test_a_blend_believes_what_knows() -> None:
    by_reader, by_ngrams = fit_blend(scored()), fit_blend(scored(ngrams=2.0, reader=0.0))
    whole, clause, reader, reader_clause, bias = by_reader.weights.mean(axis=1)
    assert reader > reader_clause > 2 * max(abs(whole), abs(clause))
    assert bias < 0
    assert by_ngrams.weights[:2].mean() > 4 * abs(by_ngrams.weights[2:4].mean())
    assert by_reader.readings["stage"][1] > 1 > by_reader.readings["stage"][0]


def test_what_is_given_is_right_on_comments_it_was_not_fitted_on() -> None:
    blend, unseen = fit_blend(scored()), scored(300)
    probs = blend.probabilities(unseen.wholes, unseen.clauses, unseen.read, unseen.read_clauses)
    assert np.mean((probs >= 0.5) == unseen.truth) > 0.98
    other = blend.other_probabilities(unseen.raw[:, : len(OTHER_CAUSES)], unseen.read)
    assert np.mean((other >= blend.other_thresholds) == unseen.others) > 0.95
    assert ((blend.thresholds > 0.05) & (blend.thresholds < 0.95)).all()


def test_sources_are_judged_by_blends_of_the_others() -> None:
    tagger = LinearTagger.open("rootcause")
    sources = np.array([*rootcause_reader.UNREAD_SOURCES, "fa_snappfood"], dtype=object)[np.arange(400) % 4]
    langs = np.array(["ar", "en"], dtype=object)[np.arange(400) % 2]
    right = np.ones((20, LABELS - 4), dtype=bool)
    figures = blend_figures(tagger, scored(), sources, langs, (right, right))
    of_causes = [figure for figure in figures if figure.data == "dev and sources never seen, with a reader"]
    assert len(of_causes) == LABELS - 4
    assert {figure.n for figure in of_causes} == {320}
    named = {(figure.lang, figure.metric): figure for figure in figures if figure not in of_causes}
    assert named["all", "macro-F1, driver × sign"].n == 300
    assert ("fa", "macro-F1, driver × sign") not in named
    assert named["all", "micro-F1, driver × sign, mean of sources"].n == 3


def test_biases_make_probabilities_add_up_and_rare_labels_keep_theirs() -> None:
    some = scored(reader=0.3)
    blend = fit_blend(some)
    off = replace(blend, weights=np.vstack([blend.weights[:-1], blend.weights[-1] + 1.5]))
    none = replace(some, truth=some.truth & (np.arange(LABELS) != 3))

    def expected(blend: Blend) -> Floats:
        return blend.probabilities(some.wholes, some.clauses, some.read, some.read_clauses).sum(axis=0)

    mended = redecide.with_biases(off, some)
    missed = np.abs(expected(mended) - some.truth.sum(axis=0))
    assert (missed < np.abs(expected(off) - some.truth.sum(axis=0)) * 0.5).all()
    np.testing.assert_array_equal(mended.weights[:-1], blend.weights[:-1])
    assert np.isfinite(redecide.with_biases(off, none).weights).all()
    assert off.weights[-1, 3] - 6 < redecide.with_biases(off, none).weights[-1, 3] < mended.weights[-1, 3]
    few = replace(some, truth=np.zeros_like(some.truth))
    alike = redecide.with_biases(replace(off, weights=off.weights - np.eye(5)[4][:, None] * 12), few)
    assert np.abs(alike.weights[-1] - (off.weights[-1] - 12)).max() < 0.1, "where a label is held for rare, it stays"


def test_comments_kept_back_are_judged_by_thresholds_of_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_on: list[Scored] = []

    def drawn(blend: Blend, some: Scored, usual: object) -> Blend:
        drawn_on.append(some)
        return rootcause_reader.with_thresholds(blend, some, usual)

    monkeypatch.setattr(redecide, "with_thresholds", drawn)
    tagger = replace(LinearTagger.open("rootcause"), blend=fit_blend(scored()))
    langs = np.array(["ar", "en"], dtype=object)[np.arange(400) % 2]
    right = np.ones((20, LABELS - 4), dtype=bool)
    figures = redecide.kept_back_figures(tagger, scored(), langs, (right, right))
    named = {(figure.data, figure.lang, figure.metric): figure for figure in figures}
    assert named["comments kept back, with a reader", "all", "macro-F1, driver × sign"].n == 400
    first, second = (some.wholes for some in drawn_on)
    np.testing.assert_array_equal(first, scored().wholes[1::2])
    np.testing.assert_array_equal(second, scored().wholes[::2])
    assert named["comments kept back, with a reader", "ar", "ECE, driver × sign"].n == 200
    assert ("comments kept back, with a reader", "fa", "macro-F1, driver × sign") not in named
    of_causes = [figure for figure in figures if figure.data == "dev and comments kept back, with a reader"]
    assert {figure.n for figure in of_causes} == {420}


def test_an_encoder_that_does_not_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootcause_reader, "open_encoder", lambda _: object())
    with pytest.raises(ModelError, match="no reading layer"):
        read_comments(Comments(["a"], None, np.zeros((0, 3), dtype=np.int64)), "x")


def test_some_comments_are_numbered_anew(data: Path) -> None:
    annotated = read_training(data)
    held = np.zeros(len(annotated), dtype=bool)
    held[[3, 7]] = True
    part = part_of(annotated, held)
    assert part.texts == [annotated.cleans[3], annotated.cleans[7]]
    assert set(part.clauses[:, 0]) == {0, 1}


def made_up_reader(comments: Comments, encoder: str | Path) -> Comments:
    """Read "crashes" as a tool that failed, a word a token."""
    del encoder
    count = len(comments.texts)
    wholes = np.full((count, len(READING_LABELS)), -3, dtype=np.float32)
    spans, tokens = [], []
    for row, text in enumerate(comments.texts):
        at = 0
        for word in text.split():
            at = text.index(word, at)
            spans.append((row, at, at + len(word)))
            tokens.append(np.full(LABELS, 2.0 if word == "crashes" else -2.0))
            at += len(word)
        if "crashes" in text:
            label_scores(wholes)[row, [TOKEN_LABELS.index("policy.tools-"), TOKEN_LABELS.index("policy-")]] = 4
    read = Read(
        np.ones(count, dtype=bool),
        wholes,
        wholes[comments.clauses[:, 0]],
        np.array(spans, dtype=np.int64).reshape(-1, 3),
        np.array(tokens, dtype=np.float32).reshape(-1, LABELS),
    )
    return replace(comments, vectors=None, read=read)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_blend_is_added_to_a_standing_folder(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (data / "feedback").mkdir(exist_ok=True)

    def no_one_kept(annotated: Any) -> frozenset[str]:
        del annotated
        return frozenset()

    monkeypatch.setattr(rootcause_reader, "read_labelled", lambda data, seed: None)
    monkeypatch.setattr(rootcause_reader, "kept_back_keys", no_one_kept)
    monkeypatch.setattr(rootcause_reader, "read_comments", made_up_reader)
    before = rootcause.train_rootcause(data, tmp_path / "model")
    shutil.copytree(before.path, tmp_path / "plain")
    arrays = before.arrays()
    after = add_blend(data, before.path, before.path)
    again = add_blend(data, before.path, before.path)
    assert after.fingerprint == again.fingerprint != before.fingerprint
    assert all(np.array_equal(after.arrays()[name], value) for name, value in arrays.items())
    assert LinearTagger.from_folder(open_model(after.path)).blend is not None
    manifest = json.loads((after.path / "manifest.json").read_text(encoding="utf-8"))
    told = [row["data"] for row in manifest["metrics"]]
    assert told.count("rootcause dev, with a reader") == sum(name == "rootcause dev" for name in told)
    card = (after.path / "README.md").read_text(encoding="utf-8")
    assert "with a reader" in card

    def blind_reader(comments: Comments, encoder: str | Path) -> Comments:
        mute = made_up_reader(replace(comments, texts=["-"] * len(comments.texts)), encoder)
        return replace(mute, texts=comments.texts)

    monkeypatch.setattr(rejudge, "read_comments", blind_reader)
    blind = rejudge.judge_rootcause(data, after.path, before.path)
    assert blind.fingerprint == after.fingerprint
    assert blind.manifest["reader"] == after.fingerprint
    fresh = {(row["data"], row["lang"], row["metric"]): row["value"] for row in blind.manifest["metrics"]}
    stood = {(row["data"], row["lang"], row["metric"]): row["value"] for row in manifest["metrics"]}
    assert list(fresh) == list(stood)
    changed = {key[0] for key, value in fresh.items() if value != stood[key]}
    assert "rootcause dev, with a reader" in changed
    assert all(name.startswith("rootcause dev, with a reader") for name in changed)
    assert (blind.path / "README.md").read_text(encoding="utf-8") != card

    with pytest.raises(MissingInputError, match="no annotated comment is kept back"):
        redecide.decide_rootcause(data, after.path, before.path)
    texts = read_training(data).texts
    monkeypatch.setattr(rootcause_reader, "kept_back_keys", lambda _: frozenset(map(text_key, texts[::2])))
    for module in (redecide, rejudge):
        monkeypatch.setattr(module, "read_comments", made_up_reader)
    stood_arrays = blind.arrays()
    decided = redecide.decide_rootcause(data, after.path, before.path)
    moved = {name for name, value in stood_arrays.items() if not np.array_equal(value, decided.arrays()[name])}
    fitted = {"blend_weights", "blend_thresholds"}
    assert fitted <= moved <= fitted | {"blend_other_thresholds"}
    for name, stood_value in (
        ("thresholds", stood_arrays["blend_thresholds"]),
        ("biases", stood_arrays["blend_weights"][-1]),
    ):
        np.testing.assert_array_equal(decided.arrays()[f"blend_first_{name}"], stood_value)
    np.testing.assert_array_equal(decided.arrays()["blend_weights"][:-1], stood_arrays["blend_weights"][:-1])
    assert decided.manifest["calibration"]["decided_on"] > 0
    assert "Biases were then fitted anew" in (decided.path / "README.md").read_text(encoding="utf-8")
    kept = [row for row in decided.manifest["metrics"] if "comments kept back" in row["data"]]
    assert {row["n"] for row in kept if row["lang"] == "all"} >= {decided.manifest["calibration"]["decided_on"]}
    again = redecide.decide_rootcause(data, after.path, before.path)
    assert (again.fingerprint, again.manifest["metrics"]) == (decided.fingerprint, decided.manifest["metrics"])
    with pytest.raises(ModelError, match=r"fitted without a reader.*train rootcause --reader"):
        redecide.decide_rootcause(data, tmp_path / "plain", before.path)
