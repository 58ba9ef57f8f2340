"""The model on hand-made weights: sums over words, mixtures of scripts, barred labels, and reading a folder."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from feedback_nlp.core.columns import SPAN_LANGS
from feedback_nlp.core.linear import LinearHead
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.langid.features import width, word_features
from feedback_nlp.langid.judge import JUDGED
from feedback_nlp.langid.model import KIND, Decoding, LangModel, fold_langs, open_lang_model
from feedback_nlp.langid.tokens import tokenise

SPEC = NgramSpec(words=(1,), chars=(), bits=16)
LEXICON = {"خدمة": "ar", "خوبه": "fa", "good": "en", "kwayes": "ar-Latn", "khube": "fa-Latn", "gut": "other"}
DECODING = Decoding(word=1.0, comment=0.2, switch=1.0, romanised=2.0)


@pytest.fixture
def model() -> LangModel:
    """Return a model that knows one word of each label and nothing else."""
    features = [word_features([word], SPEC)[1][0] for word in LEXICON]
    places = np.full(width(SPEC), -1, dtype=np.int32)
    order = np.argsort(features)
    places[np.sort(features)] = np.arange(len(features), dtype=np.int32)
    labels = [SPAN_LANGS.index(label) for label in LEXICON.values()]
    weights = 6 * np.eye(len(SPAN_LANGS), dtype=np.float32)[np.array(labels)[order]]
    return LangModel(SPEC, places, LinearHead(weights, np.zeros(6, np.float32)), (0.0, 0.0), DECODING)


def test_each_word_is_told_and_romanised_ones_count_for_their_language(model: LangModel) -> None:
    found = model.judge(list(LEXICON))
    wanted = [label.removesuffix("-Latn") for label in LEXICON.values()]
    assert [JUDGED[best] for best in found.probabilities.argmax(axis=1)] == wanted
    assert [SPAN_LANGS[label] for label in found.token_langs] == list(LEXICON.values())
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_comment_in_two_scripts_is_a_mixture(model: LangModel) -> None:
    pure, half, most = model.judge(["خدمة خدمة", "خدمة good", "خدمة خدمة خدمة good"]).probabilities[:, 0]
    assert pure > most > half
    assert 0.5 < half < 0.75
    assert most > 0.9


def test_repeated_evidence_makes_a_score_surer(model: LangModel) -> None:
    once, often = model.judge(["good", "good good good good"]).probabilities[:, 2]
    assert often > once


def test_labels_of_the_wrong_script_are_barred(model: LangModel) -> None:
    tokens = tokenise(["چچچ zzz 中文 ممم qqq"])
    labels = model.judge(["چچچ zzz 中文 ممم qqq"]).token_langs
    allowed = {0: {"ar", "fa", "other"}, 1: {"en", "ar-Latn", "fa-Latn", "other"}, 2: {"other"}}
    for unit, label in zip(tokens.units, labels, strict=True):
        assert SPAN_LANGS[label] in allowed[int(tokens.scripts[unit])]


def test_an_unknown_word_goes_with_its_neighbours(model: LangModel) -> None:
    labels = model.judge(["kwayes zzz kwayes", "khube zzz khube"]).token_langs
    assert [SPAN_LANGS[label] for label in labels] == ["ar-Latn"] * 3 + ["fa-Latn"] * 3


def test_folding_adds_romanised_forms() -> None:
    folded = fold_langs(np.array([[0.1, 0.2, 0.3, 0.15, 0.05, 0.2]], dtype=np.float32))
    assert np.allclose(folded, [[0.25, 0.25, 0.3, 0.2]])


def test_a_folder_gives_the_model_back(model: LangModel, tmp_path: Path) -> None:
    details = {
        "ngrams": asdict(SPEC),
        "decoding": asdict(DECODING),
        "calibration": {"sharpness": [0.0, 0.0]},
    }
    arrays = {**model.head.to_arrays(), "features": np.flatnonzero(model.places >= 0).astype(np.uint32)}
    folder = write_model(tmp_path / "m", kind=KIND, name="m", version="1", details=details, arrays=arrays)
    again = open_lang_model(folder)
    ours, theirs = (one.judge(list(LEXICON)) for one in (model, again))
    assert np.allclose(ours.probabilities, theirs.probabilities, atol=1e-3)
    assert ours.token_langs.tolist() == theirs.token_langs.tolist()
