import numpy as np
import pandas as pd
import pytest
from topic_samples import THEMES, encode, make_sample

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.topics import DiscoverySample
from feedback_nlp.train import evaluate_topics


def _night(texts):
    return DiscoverySample([str(at) for at in range(len(texts))], texts, ["en"] * len(texts), encode(texts))


def test_the_planted_theme_is_what_is_repeated_on_the_second_night_alone():
    first = _night(["food cold"] * 8 + ["price"])
    second = _night(["food cold!"] * 8 + ["battery phone", "battery phone ."] * 4 + ["room"] * 2)
    assert evaluate_topics.planted_rows(first, second).tolist() == [False] * 8 + [True] * 8 + [False] * 2


def test_a_missing_dump_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"night_1\.csv"):
        evaluate_topics.read_night(tmp_path, "night_1")


def test_intervals_hold_their_value():
    truth = np.arange(400) % 4
    found = np.where(np.arange(400) % 10 == 0, 0, truth)
    for score in ("NMI", "ARI", "V-measure"):
        value, low, high = evaluate_topics._with_interval(evaluate_topics._SCORES[score], truth, found)
        assert 0 <= low < value < high <= 1.1


@pytest.mark.slow
def test_every_figure_is_measured(tmp_path, monkeypatch):
    (tmp_path / "feedback").mkdir()
    for name, lang in (("en_banking77", "en"), ("multi_sib200", None)):
        sample = make_sample(200, langs=(lang,) if lang else ("en", "ar", "fa"))
        topics = [list(THEMES)[at % 5] for at in range(200)]
        frame = pd.DataFrame({"text": sample.cleans, "lang": sample.langs, "topic": topics, "split": "train"})
        frame.to_parquet(tmp_path / "feedback" / f"{name}.parquet")

    def read_night(_data, name):
        sample = make_sample(300, seed=int(name[-1]))
        planted = encode(["battery towel zz"] * (30 if name == "night_2" else 0))
        texts = ["battery towel zz"] * len(planted)
        return DiscoverySample(
            [*sample.ids, *[f"p{at}" for at in range(len(planted))]],
            [*sample.cleans, *texts],
            [*sample.langs, *["en"] * len(planted)],
            np.concatenate([sample.vectors, planted]),
        )

    class TinyEncoder:
        def __init__(self, backend=None):
            self.encode = encode

    monkeypatch.setattr(evaluate_topics, "read_night", read_night)
    monkeypatch.setattr(evaluate_topics, "open_encoder", TinyEncoder)
    figures = {(figure.data, figure.metric): figure for figure in evaluate_topics.evaluate(tmp_path)}
    assert (
        figures["multi_sib200", "V-measure, every comment placed, at most 5 topics asked for, mean of 3 seeds"].n == 200
    )
    assert figures["night_1", "ARI with topics of shuffled rows"].value == 1
    assert figures["night_2", "planted theme: recall of its best topic"].value == 1
    assert all(figure.suite == "topics" for figure in figures.values())
    assert all(figure.low is None or figure.low <= figure.value <= figure.high for figure in figures.values())
