"""Sub-topics as analysts' decisions leave them: merged along, gone with a split, counted without moved comments."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from decision_stores import add_run, comments_table, rows_by_topic, topics_table

from feedback_nlp.core.columns import SUBTOPIC_ID, TOPIC_ID
from feedback_nlp.core.decidedtopics import TopicCounts, decided_topics, recounted
from feedback_nlp.store import Store, open_store

PART = pa.struct(
    [("subtopic_id", pa.int32()), ("size", pa.int64()), ("share", pa.float32()), ("label_en", pa.string())]
)


def _comments() -> pa.Table:
    """Return comments of four topics; each but topic 3 has two sub-topics, ``10 * topic`` and one more."""
    table = comments_table()
    topics = table.column(TOPIC_ID.name).to_pylist()
    parts = [None if topic in (-1, 3) else 10 * topic + (at // 4) % 2 for at, topic in enumerate(topics)]
    at = table.column_names.index(SUBTOPIC_ID.name)
    return table.set_column(at, table.schema.field(at), pa.array(parts, SUBTOPIC_ID.dtype))


def _topics(comments: pa.Table) -> pa.Table:
    sizes = TopicCounts()
    sizes.add(comments)
    parts = [
        [
            {"subtopic_id": 10 * topic + each, "size": 0, "share": 0.0, "label_en": f"part {each}"}
            for each in range(2)
            if topic != 3
        ]
        for topic in range(4)
    ]
    table = topics_table().append_column("subtopics", pa.array(parts, pa.list_(PART)))
    return recounted(table, sizes)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    comments = _comments()
    with open_store(store_url) as opened:
        add_run(opened, comments=comments, topics=_topics(comments))
        yield opened


def _sizes(store: Store, topic: int) -> dict[int, int]:
    return {part["subtopic_id"]: part["size"] for part in rows_by_topic(store)[topic]["subtopics"]}


def _read(store: Store) -> dict[int, int]:
    """Count comments by sub-topic as a reader sees them."""
    counts = TopicCounts()
    counts.add(store.comments(columns=["subtopic_id"]))
    return counts.by_subtopic


def _agrees(store: Store) -> bool:
    told = {part["subtopic_id"]: part["size"] for row in store.topics().to_pylist() for part in row["subtopics"]}
    read = _read(store)
    return all(size == read.get(part, 0) for part, size in told.items()) and set(read) <= set(told)


def test_a_topic_shows_what_it_falls_into(store: Store) -> None:
    row = rows_by_topic(store)[1]
    assert [part["label_en"] for part in row["subtopics"]] == ["part 0", "part 1"]
    assert sum(part["size"] for part in row["subtopics"]) == row["size"]
    assert sum(part["share"] for part in row["subtopics"]) == pytest.approx(1)
    assert rows_by_topic(store)[3]["subtopics"] == []
    assert _agrees(store)


def test_a_merged_topic_takes_its_sub_topics_along(store: Store) -> None:
    before = _sizes(store, 0), _sizes(store, 1)
    store.decide("merge", author="a", topic_id=0, after={"into": 1})
    assert _sizes(store, 1) == before[1] | before[0]
    assert sum(part["share"] for part in rows_by_topic(store)[1]["subtopics"]) == pytest.approx(1)
    assert _agrees(store)
    store.undo(author="a")
    assert (_sizes(store, 0), _sizes(store, 1)) == before


def test_a_comment_put_elsewhere_leaves_its_sub_topic(store: Store) -> None:
    before = _sizes(store, 0)
    store.decide("move", author="a", topic_id=2, comment_ids=["c00000000"])
    assert _sizes(store, 0) == before | {0: before[0] - 1}
    assert store.comments(columns=["subtopic_id"], topic=2).column(0).null_count == 1
    assert _agrees(store)
    store.decide("merge", author="a", topic_id=0, after={"into": 2})
    assert _sizes(store, 2)[0] == before[0], "it is back among its own once both topics are one"
    assert _agrees(store)


def test_a_topic_split_off_has_no_sub_topics_and_the_other_fewer_comments(store: Store) -> None:
    before = _sizes(store, 1)
    store.decide("split", author="a", topic_id=1, after={"comment_ids": ["c00000001", "c00000009"]})
    rows = rows_by_topic(store)
    assert rows[1_000_000]["subtopics"] == []
    assert _sizes(store, 1) == before | {10: before[10] - 2}
    assert _agrees(store)


def test_a_hidden_topic_keeps_its_sub_topics(store: Store) -> None:
    before = _sizes(store, 1)
    store.decide("hide", author="a", topic_id=1)
    assert rows_by_topic(store)[1]["hidden"]
    assert _sizes(store, 1) == before


def test_a_free_number_is_above_every_sub_topic(store: Store) -> None:
    assert store.first_free_topic() == 22


def test_tables_of_earlier_versions_have_none(store: Store) -> None:
    table: Any = decided_topics(topics_table(), store.decided(), {})
    assert "subtopics" not in table.column_names
