"""The snapshot's topics are those that the store itself gives, whatever was decided."""

import pytest

from feedback_nlp.review.hub import Hub
from feedback_nlp.store import Store


def _agree(store: Store) -> bool:
    mine, theirs = Hub(store).refresh().topics, store.topics(decided=True).to_pylist()
    return list(mine.values()) == theirs


def test_topics_are_as_the_store_gives_them_after_every_act(store: Store) -> None:
    assert _agree(store)
    acts = (
        {"act": "rename", "topic_id": 1, "after": {"en": "tomes"}},
        {"act": "move", "topic_id": 1, "comment_ids": ["e4", "e1"]},
        {"act": "split", "topic_id": 3, "after": {"search": "minutes at the desk"}},
        {"act": "merge", "topic_id": 2, "after": {"into": 1}},
        {"act": "move", "topic_id": -1, "comment_ids": ["a1"]},
        {"act": "hide", "topic_id": 3},
        {"act": "correct_sentiment", "comment_id": "e2", "after": {"sentiment": "mixed"}},
    )
    for act in acts:
        assert store.decide(author="a", **act) is not None  # type: ignore[arg-type]
        assert _agree(store), act
    for _ in acts:
        store.undo(author="a")
        assert _agree(store)


def test_an_earlier_night_is_as_the_store_gives_it(store: Store) -> None:
    store.decide("merge", author="a", topic_id=2, after={"into": 1})
    assert list(Hub(store).of_run("night1").topics.values()) == store.topics("night1", decided=True).to_pylist()


@pytest.mark.parametrize("topic", [1, 3])
def test_sizes_of_sub_topics_follow_moved_comments(store: Store, topic: int) -> None:
    store.decide("move", author="a", topic_id=topic, comment_ids=["e4", "x00001"])
    parts = {part["subtopic_id"]: part["size"] for part in Hub(store).refresh().topics[3]["subtopics"]}
    assert parts == ({31: 1, 32: 49} if topic == 1 else {31: 2, 32: 50})
