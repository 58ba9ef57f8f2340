import numpy as np
import pytest
from embed_samples import SENTENCES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import write_model
from feedback_nlp.embed import Encoder, open_encoder, prepare
from feedback_nlp.embed.backends.static import pack_table, unpack_table
from feedback_nlp.embed.settings import StaticBackend

ANY_TEXT = st.text(max_size=60) | st.sampled_from(SENTENCES)


@pytest.fixture(scope="module")
def encoder(static_folder):
    return open_encoder(StaticBackend(model=str(static_folder)))


@pytest.fixture(scope="module")
def shipped():
    return open_encoder()


def test_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.width == 24


def test_rows_are_unit_length(encoder):
    vectors = encoder.encode(SENTENCES)
    assert vectors.shape == (len(SENTENCES), 24)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("text", ["", "   ", "\u200f\u200c", "\x00", "\ud800", "𒀀"])
def test_nothing_known_gives_zeros(encoder, text):
    assert not encoder.encode([text]).any()


def test_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 24)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=12), data=st.data())
def test_a_row_does_not_depend_on_its_neighbours(encoder, texts, data):
    together = encoder.encode(texts)
    chosen = data.draw(st.integers(0, len(texts) - 1))
    assert encoder.encode([texts[chosen]]).tobytes() == together[chosen].tobytes()
    cut = data.draw(st.integers(0, len(texts)))
    parts = np.concatenate([encoder.encode(texts[:cut]), encoder.encode(texts[cut:])])
    assert parts.tobytes() == together.tobytes()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=ANY_TEXT)
def test_preparing_twice_changes_nothing(encoder, text):
    assert encoder.encode([prepare(text)]).tobytes() == encoder.encode([text]).tobytes()


def test_spelling_variants_share_a_vector(shipped):
    pairs = [("كتاب علي", "کتاب علی"), ("GREAT   App", "great app"), ("مُمتازة", "ممتازه"), ("٣ أيام", "3 ایام")]
    left, right = (shipped.encode(list(side)) for side in zip(*pairs, strict=True))
    np.testing.assert_array_equal(left, right)


def test_packing_keeps_the_direction():
    table = np.random.default_rng(1).normal(size=(50, 64)).astype(np.float32)
    again = unpack_table(pack_table(table))
    cosines = (table * again).sum(1) / np.linalg.norm(table, axis=1) / np.linalg.norm(again, axis=1)
    assert cosines.min() > 0.9998
    assert not unpack_table(pack_table(np.zeros((2, 4), np.float32))).any()


def test_a_folder_of_another_kind_is_refused(tmp_path):
    write_model(tmp_path, kind="sentiment-linear", name="x", version="1", details={})
    with pytest.raises(ModelError, match="'encoder-static' is needed"):
        open_encoder(StaticBackend(model=str(tmp_path)))


def test_a_missing_model_is_named():
    with pytest.raises(ModelError, match="no-such-encoder"):
        open_encoder(StaticBackend(model="no-such-encoder"))


def test_translations_are_near_and_strangers_far(shipped):
    english = [
        "The delivery was very late.",
        "The staff were rude to me.",
        "The food was cold.",
        "The app crashes a lot.",
    ]
    arabic = ["كان التوصيل متأخرا جدا.", "كان الموظفون وقحين معي.", "كان الطعام باردا.", "التطبيق يتعطل كثيرا."]
    persian = ["ارسال خیلی دیر شد.", "کارکنان با من بی‌ادب بودند.", "غذا سرد بود.", "برنامه مدام از کار می‌افتد."]
    sides = [shipped.encode(side) for side in (english, arabic, persian)]
    for left in sides:
        for right in sides:
            assert list((left @ right.T).argmax(1)) == [0, 1, 2, 3]
