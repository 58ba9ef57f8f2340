"""Chunks on Ray, started on this machine; a cluster differs in the address alone."""

import functools
from pathlib import Path

import execute_stages
import pytest

import feedback_nlp as fn
from feedback_nlp.config import load_config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.errors import ConfigError, FeedbackError, ModelError
from feedback_nlp.execute import run_chunks, run_on_ray
from feedback_nlp.execute.wire import to_bytes

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Let the actors import the stages of the tests by name, as installed ones would be."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parent))


def chunks(count, rows=40):
    for index in range(count):
        yield CommentBatch.from_texts([f"{index}-{row} متن مختلط text" * (row % 3) for row in range(rows)])


def test_actors_give_the_same_bytes_in_order():
    build = functools.partial(execute_stages.build)
    given = [*chunks(5), CommentBatch.from_texts([])]
    here = [bytes(to_bytes(result.batch)) for result in run_chunks(given, build, workers=1)]
    results = list(run_on_ray(given, build, workers=2))
    assert [result.index for result in results] == list(range(6))
    assert [bytes(to_bytes(result.batch)) for result in results] == here
    assert set(results[0].seconds) == {"upper", "project"}


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [("model", ModelError, "damaged"), ("bug", FeedbackError, "ZeroDivisionError"), ("die", FeedbackError, "died")],
)
def test_faults_are_told_without_words_of_a_comment(act, kind, words):
    build = functools.partial(execute_stages.build, on="x", act=act)
    with pytest.raises(kind, match=words) as caught:
        list(run_on_ray([CommentBatch.from_texts(["x"])], build, workers=1))
    assert "SECRET" not in str(caught.value)


def test_a_cluster_that_does_not_answer_is_named():
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1"):
        list(run_on_ray(chunks(1), functools.partial(execute_stages.build), workers=1, address="127.0.0.1:1"))


def test_a_night_by_configuration_gives_the_same_bytes(tmp_path):
    dump = tmp_path / "d.csv"
    dump.write_text("id,text\n" + "".join(f"{i},the agent was rude {i}\n" for i in range(60)))
    bytes_of = []
    for name in ("local", "ray"):
        config = load_config(
            run__executor=name, run__threads=2, run__chunk_size=25, run__stages=("langid", "normalise")
        )
        result = fn.run(dump, config, tmp_path / name)
        bytes_of.append((result.folder / "comments.parquet").read_bytes())
    assert bytes_of[0] == bytes_of[1]
