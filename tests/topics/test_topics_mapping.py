"""The map of comments: the same in any order, like meanings near each other, no place without a vector."""

from collections.abc import Iterator

import numpy as np
import pytest

from feedback_nlp.topics.mapping import Comments, draw_map


def _clusters(per: int = 60, groups: int = 4, width: int = 16) -> tuple[list[str], list[str], np.ndarray]:
    rng = np.random.default_rng(5)
    centres = np.linalg.qr(rng.standard_normal((width, width)))[0][:groups]
    vectors = np.repeat(centres, per, axis=0) + 0.05 * rng.standard_normal((per * groups, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{at}" for at in range(len(vectors))]
    return ids, ["en" if at % 2 else "fa" for at in range(len(ids))], vectors.astype(np.float32)


def _places(parts: list[Comments], **options: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}

    def given() -> Iterator[Comments]:
        return iter(parts)

    for ids, places in draw_map(given, seed=3, **options):
        found.update(zip(ids, places, strict=True))
    return found


@pytest.mark.slow
def test_like_meanings_lie_near_each_other() -> None:
    ids, langs, vectors = _clusters()
    places = np.stack([_places([(ids, langs, vectors)], landmarks=120)[each] for each in ids])
    groups = places.reshape(4, 60, 2)
    within = np.linalg.norm(groups - groups.mean(axis=1, keepdims=True), axis=2).mean()
    between = np.linalg.norm(groups.mean(axis=1)[:, None] - groups.mean(axis=1)[None], axis=2)
    assert between[between > 0].min() > 2 * within


def test_order_and_cut_do_not_matter() -> None:
    ids, langs, vectors = _clusters()
    whole = _places([(ids, langs, vectors)], landmarks=100)
    back = (ids[::-1], langs[::-1], vectors[::-1].copy())
    turned = _places([tuple(part[:70] for part in back), tuple(part[70:] for part in back)], landmarks=100)  # type: ignore[misc]
    for each in ids:
        np.testing.assert_allclose(whole[each], turned[each], atol=1e-5)


def test_comments_without_a_vector_have_no_place() -> None:
    ids, langs, vectors = _clusters(per=5)
    vectors[3] = 0
    places = _places([(ids, langs, vectors)])
    assert np.isnan(places["c3"]).all()
    assert not np.isnan(places["c4"]).any()


def test_few_comments_and_none() -> None:
    ids, langs, vectors = _clusters(per=1, groups=1)
    assert _places([(ids, langs, vectors)])["c0"].shape == (2,)
    nothing = np.zeros((2, 4), dtype=np.float32)
    assert np.isnan(_places([(["a", "b"], ["en", "en"], nothing)])["a"]).all()
    assert _places([]) == {}
