"""Learning from corrections, from a real run and real decisions to a model that reads better."""

import csv
from pathlib import Path

import numpy as np
import pytest

import feedback_nlp as fn
from feedback_nlp.config import load_config
from feedback_nlp.core.errors import FeedbackError, MissingInputError
from feedback_nlp.core.modelfolder import open_model
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.store import open_store
from feedback_nlp.train import rootcause_corrections
from feedback_nlp.train.rootcause_corrections import Verdicts, judge, refit_rootcause

EXAMPLES = Path(__file__).parents[2] / "examples" / "comments.csv"
PLACES = ("riyadh", "tehran", "cairo", "shiraz", "jeddah", "dubai")
WORDS = ("the glorp hummed in {}", "a glorp hummed again, {}", "glorp hummed near {} today", "{}: glorp hummed, glorp")


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Return a store with a run in which analysts call a humming glorp a fault of the tools."""
    folder = tmp_path_factory.mktemp("night")
    dump = folder / "dump.csv"
    with EXAMPLES.open(encoding="utf-8") as stream:
        texts = [row.get("comment") or row.get("text") for row in csv.DictReader(stream)]
    own = [words.format(place) for place in PLACES for words in WORDS]
    with dump.open("w", encoding="utf-8", newline="") as stream:
        rows = [(f"e{i}", text) for i, text in enumerate(texts)] + [(f"g{i}", text) for i, text in enumerate(own)]
        csv.writer(stream).writerows([("id", "text"), *rows])
    stages = ("langid", "normalise", "embed", "rootcause")
    fn.run(dump, load_config(run__threads=1, run__stages=stages), folder)
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    for number, text in enumerate(own):
        start = text.index("glorp")
        entry = {"driver": "policy", "cause": "tools", "sign": "-", "start": start, "end": start + 5}
        store.decide("correct_driver", author="mina", comment_id=f"g{number}", after=entry)
    yield store
    store.close()


@pytest.mark.slow
def test_the_model_learns_what_analysts_corrected_and_keeps_the_rest(night, tmp_path):
    refit = refit_rootcause(night, tmp_path / "mine")
    assert refit.corrected == 24
    assert refit.after > refit.before
    assert (refit.check, refit.check_before) == ("agreement", 1.0)
    assert refit.check_after >= 0.95
    folder = open_model(tmp_path / "mine")
    assert folder.manifest["training_data"][-1]["rows"] == 24
    unseen = Verdicts(["glorp hummed in doha", "nice weather today"], ["en", "en"], np.zeros((2, 22), dtype=bool))
    before, after = (
        judge(LinearTagger.open(model), unseen).any(axis=1).tolist() for model in ("rootcause", folder.path)
    )
    assert before == [False, False]
    assert after == [True, False]


@pytest.mark.slow
def test_the_same_corrections_give_the_same_model(night, tmp_path):
    first, second = (refit_rootcause(night, tmp_path / name / "m").folder for name in "ab")
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint


def test_a_few_corrections_are_not_learnt_from(tmp_path):
    dump = tmp_path / "d.csv"
    dump.write_text("id,text\n1,good\n")
    fn.run(dump, load_config(run__threads=1, run__stages=("langid", "normalise")), tmp_path)
    with (
        open_store(f"sqlite:///{tmp_path / 'store.db'}") as store,
        pytest.raises(MissingInputError, match="at least 20"),
    ):
        refit_rootcause(store, tmp_path / "mine")


@pytest.mark.slow
def test_a_model_that_is_no_better_is_not_written(night, tmp_path, monkeypatch):
    monkeypatch.setattr(rootcause_corrections, "_LEAST_AGREEMENT", 1.01)
    with pytest.raises(FeedbackError, match="no better"):
        refit_rootcause(night, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
