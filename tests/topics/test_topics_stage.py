import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topic_samples import make_sample

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import LANG, TOPIC_ID, TOPIC_SCORE, VECTOR
from feedback_nlp.core.errors import StageContractError
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.topics import TopicSettings, TopicStage, discover
from feedback_nlp.topics.settings import KMeansSettings


@pytest.fixture(scope="module")
def model():
    return discover(make_sample(150), TopicSettings(backend=KMeansSettings(topics=5), min_topic_size=5))


def _batch(vectors, langs, valid=None):
    batch = CommentBatch.from_texts(["x"] * len(langs))
    return batch.adding({LANG: pa.array(langs, pa.string()), VECTOR: vector_array(vectors, valid)}, who="test")


def test_it_keeps_its_promise(model, sample_of):
    sample = sample_of(20, seed=5)
    stage = TopicStage(model)
    assert isinstance(stage, Stage)
    done, _ = run_stages([stage], _batch(sample.vectors, sample.langs))
    assert min(done.values(TOPIC_ID)) >= -1
    assert done[TOPIC_SCORE].type == pa.float32()


def test_a_null_vector_has_no_topic(model, sample_of):
    sample = sample_of(3)
    out = TopicStage(model).compute(_batch(sample.vectors, sample.langs, np.array([True, False, True])))
    assert (out[TOPIC_ID][1].as_py(), out[TOPIC_SCORE][1].as_py()) == (-1, 0)


def test_an_empty_batch(model):
    out = TopicStage(model).compute(_batch(np.zeros((0, 32), dtype=np.float32), []))
    assert len(out[TOPIC_ID]) == len(out[TOPIC_SCORE]) == 0


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 5))
def test_however_a_batch_is_cut_the_bytes_are_the_same(model, cuts, seed):
    sample = make_sample(120, seed=seed)
    whole = model.assign(sample.vectors, sample.langs)
    at, ids, scores = 0, [], []
    for cut in [*cuts, 120]:
        part = slice(at, min(at + cut, 120))
        found = model.assign(sample.vectors[part], sample.langs[part])
        ids.append(found.topic_id)
        scores.append(found.topic_score)
        at = part.stop
    assert np.concatenate(ids).tobytes() == whole.topic_id.tobytes()
    assert np.concatenate(scores).tobytes() == whole.topic_score.tobytes()


def test_another_encoder_is_refused(model):
    with pytest.raises(StageContractError, match="width 32"):
        model.assign(np.zeros((2, 5), dtype=np.float32))


def test_odd_vectors_do_not_fail(model):
    found = model.assign(np.full((1, 32), 1e30, dtype=np.float32), ["xx"])
    assert found.topic_id.shape == (1,)
