"""Further topics by clause."""

import numpy as np
import pyarrow as pa
import pytest
from topic_samples import encode, make_sample

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import (
    CLAUSE_SPANS,
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    LANG,
    TOPIC_ID,
    TOPICS_ALSO,
    VECTOR,
)
from feedback_nlp.core.stage import run_stages
from feedback_nlp.topics import TopicSettings, TopicStage, discover
from feedback_nlp.topics.also import clause_texts
from feedback_nlp.topics.settings import KMeansSettings

FOOD, ROOM = "food taste chicken cold", "room hotel bed towel"
LONG_AND_SHORT = ["food taste chicken", "ok."]


@pytest.fixture(scope="module")
def model():
    return discover(make_sample(150), TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5))


def batch_of(comments, lang="en"):
    """Make a batch of comments given as lists of clauses; None = nothing to read."""
    texts = [" ".join(clauses or []) for clauses in comments]
    spans = []
    for clauses in comments:
        ends = np.cumsum([len(clause) + 1 for clause in clauses or []]).tolist()
        spans.append(
            [{"start": end - len(clause) - 1, "end": end - 1} for end, clause in zip(ends, clauses or [], strict=True)]
        )
    valid = np.array([clauses is not None for clauses in comments])
    return CommentBatch.from_texts(texts).adding(
        {
            LANG: pa.array([lang] * len(texts)),
            CLEAN: pa.array([text if clauses else None for text, clauses in zip(texts, comments, strict=True)]),
            CLEAN_STARTS: pa.array([list(range(len(text))) for text in texts], CLEAN_STARTS.dtype),
            CLEAN_ENDS: pa.array([list(range(1, len(text) + 1)) for text in texts], CLEAN_ENDS.dtype),
            CLAUSE_SPANS: pa.array(spans, CLAUSE_SPANS.dtype),
            VECTOR: vector_array(encode(texts), valid),
        },
        who="test",
    )


def test_a_comment_of_two_things_has_both_topics(model):
    batch = batch_of([[FOOD + " kitchen", ROOM], [FOOD], [ROOM], None])
    done, _ = run_stages([TopicStage(model, encode, 0.3)], batch)
    first, also = done.values(TOPIC_ID), done.values(TOPICS_ALSO)
    food, room = first[1], first[2]
    assert {first[0], *also[0]} - {-1} == {food, room}
    assert also[1:] == [[], [], []]


def test_a_high_threshold_leaves_none(model):
    out = TopicStage(model, encode, 1.0).compute(batch_of([[FOOD, ROOM]]))
    assert out[TOPICS_ALSO].to_pylist() == [[]]


def test_without_encoder_or_clauses_there_is_no_answer(model):
    assert TopicStage(model).compute(batch_of([[FOOD, ROOM]]))[TOPICS_ALSO].to_pylist() == [None]
    bare = batch_of([[FOOD, ROOM]])
    bare = CommentBatch(bare.table.drop_columns([CLAUSE_SPANS.name]))
    assert TopicStage(model, encode).compute(bare)[TOPICS_ALSO].to_pylist() == [None]


def test_fragments_and_single_clauses_are_not_read():
    rows, texts = clause_texts(batch_of([[FOOD, ROOM], LONG_AND_SHORT, [FOOD], None]))
    assert (rows, texts) == ([0, 0], [FOOD, ROOM])


def test_rows_do_not_depend_on_those_beside_them(model):
    comments = [[FOOD, ROOM], [ROOM, "battery charger phone"], [FOOD]]
    stage = TopicStage(model, encode, 0.3)
    whole = stage.compute(batch_of(comments))[TOPICS_ALSO].to_pylist()
    assert whole == [stage.compute(batch_of([each]))[TOPICS_ALSO].to_pylist()[0] for each in comments]
