import numpy as np
import pyarrow as pa
import pytest

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import CLEAN, VECTOR
from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.stage import Stage, check_plan, run_stages
from feedback_nlp.embed import EmbedSettings, open_encoder, open_stage
from feedback_nlp.embed.settings import StaticBackend


def batch_of(cleans):
    batch = CommentBatch.from_texts([text or "" for text in cleans])
    return batch.adding({CLEAN: pa.array(cleans, pa.string())}, who="test")


@pytest.fixture(scope="module")
def stage(static_folder):
    return open_stage(EmbedSettings(backend=StaticBackend(model=str(static_folder))))


def test_keeps_the_contract(stage):
    assert isinstance(stage, Stage)
    check_plan([stage], given=(CLEAN,))
    out, _ = run_stages([stage], batch_of(["the shop", None, "", "   ", "این فروشگاه", "𒀀"]))
    assert out[VECTOR].is_valid().to_pylist() == [True, False, False, False, True, False]
    assert out[VECTOR].type == pa.list_(pa.float32(), 24)


def test_vectors_are_those_of_the_encoder(stage, static_folder):
    texts = ["the shop", "این فروشگاه"]
    out, _ = run_stages([stage], batch_of(texts))
    encoder = open_encoder(StaticBackend(model=str(static_folder)))
    np.testing.assert_array_equal(out.vectors(), encoder.encode(texts))


def test_no_rows(stage):
    out, _ = run_stages([stage], batch_of([]))
    assert len(out[VECTOR]) == 0


def test_the_same_batch_twice_gives_the_same_bytes(stage):
    batch = batch_of(["the shop is kind", None, "ارسال دیر شد"])
    first, second = (stage.compute(batch)[VECTOR] for _ in range(2))
    assert first.equals(second)


def test_a_missing_model_fails_when_opened():
    with pytest.raises(ModelError, match="nowhere"):
        open_stage(EmbedSettings(backend=StaticBackend(model="nowhere")))


def test_the_shipped_static_model_opens():
    stage = open_stage(EmbedSettings(backend=StaticBackend()))
    out, _ = run_stages([stage], batch_of(["great service", "خدمة ممتازة", "خدمات عالی"]))
    assert out.vectors().shape == (3, 256)
