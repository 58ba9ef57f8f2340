"""The Python interface: what ``import feedback_nlp as fn`` promises."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import feedback_nlp as fn
from feedback_nlp.core.errors import BadDataError

TEXTS = ["الموظف كان وقحا", "قوانین مرجوعی خیلی سخت‌گیرانه است", "great staff"]


def test_classify_gives_one_row_a_comment_in_order() -> None:
    found = fn.classify(TEXTS)
    assert found["text"].tolist() == TEXTS
    assert found["lang"].tolist() == ["ar", "fa", "en"]
    assert found["sentiment"].tolist() == ["negative", "negative", "positive"]
    assert found["root_cause"].tolist() == ["employee", "policy", "employee"]
    assert found["topic_id"].tolist() == [-1, -1, -1]


@pytest.mark.usefixtures("default_profile")
def test_the_default_reads_with_the_transformer() -> None:
    found = fn.classify([*TEXTS, "", "😀"])
    assert found["sentiment"].tolist()[:3] == ["negative", "negative", "positive"]
    assert found["root_cause"].tolist()[:3] == ["employee", "policy", "employee"]
    fast = fn.classify(TEXTS)
    assert found["sentiment_score"].tolist()[:3] == fast["sentiment_score"].tolist(), "neighbours change no bit"
    assert fn.classify(TEXTS, config="fast")["sentiment_score"].tolist() != fast["sentiment_score"].tolist()


@pytest.mark.parametrize("make", [tuple, pd.Series, lambda texts: pd.DataFrame({"text": texts})])
def test_any_collection_of_texts_will_do(make: object) -> None:
    assert fn.classify(make(TEXTS))["lang"].tolist() == ["ar", "fa", "en"]  # type: ignore[operator]


def test_a_frame_keeps_its_ids_and_its_other_columns() -> None:
    frame = pd.DataFrame({"text": TEXTS, "comment_id": ["x", "y", "z"], "branch": ["B1", "B2", "B3"]})
    found = fn.classify(frame)
    assert found["comment_id"].tolist() == ["x", "y", "z"]
    assert found["meta"].tolist() == ['{"branch": "B1"}', '{"branch": "B2"}', '{"branch": "B3"}']


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("one string", "Give a list of comments"),
        (["a", 5], "Comment 1 is int"),
        (pd.DataFrame({"body": ["a"]}), "no column 'text'. It has: body"),
    ],
)
def test_wrong_input_is_told(given: object, message: str) -> None:
    with pytest.raises(BadDataError, match=message):
        fn.classify(given)  # type: ignore[arg-type]


def test_vectors_are_near_across_languages() -> None:
    vectors = fn.embed(["the delivery was late", "تأخر التوصيل", "تحویل سفارش دیر شد", "lovely clean room"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    near = vectors @ vectors.T
    assert min(near[0, 1], near[0, 2], near[1, 2]) > max(near[0, 3], near[1, 3], near[2, 3])


@pytest.mark.slow
def test_topics_are_found_and_assigned(examples: Path) -> None:
    texts = pd.read_csv(examples)["text"]
    model = fn.discover_topics(texts)
    topics = model.topics()
    assert 5 <= len(topics) <= 40
    assert all(topics[f"label_{lang}"].str.len().gt(0).all() for lang in ("ar", "fa", "en"))
    found = model.assign(texts)
    assert (found["topic_id"] < 0).mean() <= 0.101
    assert model.assign(texts[:1]).iloc[0].tolist() == found.iloc[0].tolist()


def test_embed_is_a_function_though_a_room_has_its_name() -> None:
    code = "import feedback_nlp.config, feedback_nlp as fn; print(fn.embed(['a great day']).shape[0])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "1"


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        fn.clasify  # noqa: B018 - asking is the test
