"""Topics that analysts split off without a name are named by what their comments say."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from decision_stores import LABELS, add_run, comments_table, rows_by_topic, topics_table

from feedback_nlp.config import Config
from feedback_nlp.core.columns import LANG, REDACTIONS, TEXT
from feedback_nlp.outcome import store_of
from feedback_nlp.store import Store, open_store
from feedback_nlp.topics.splitnames import name_split

SPLIT = 1_000_000


def _saying(texts: Sequence[str], redacted: Mapping[int, tuple[int, int]] | None = None) -> pa.Table:
    """Return comments of topic 1 (every fourth one) that say these texts, in English; spans of some are a name."""
    table = comments_table()
    words = table.column(TEXT.name).to_pylist()
    for at, text in enumerate(texts):
        words[4 * at + 1] = text
    spans = [[] for _ in words]
    for at, (start, end) in (redacted or {}).items():
        spans[4 * at + 1] = [{"start": start, "end": end, "kind": "name"}]
    for column, values in ((TEXT, words), (LANG, ["en"] * len(words)), (REDACTIONS, spans)):
        at = table.column_names.index(column.name)
        table = table.set_column(at, table.schema.field(at), pa.array(values, column.dtype))
    return table


TEXTS = [f"the battery of my phone died {at}" for at in range(4)] + [f"the kitchen was noisy {at}" for at in range(6)]
PHONES = [f"c{4 * at + 1:08d}" for at in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with store_of(Config(), tmp_path) as opened:
        add_run(opened, comments=_saying(TEXTS))
        yield opened


def test_a_split_is_named_by_its_comments_in_three_languages(store: Store) -> None:
    made = store.decide("split", author="a", topic_id=1, after={"comment_ids": PHONES})
    assert made is not None
    labels = made.after["labels"]
    assert {"battery", "phone", "died"} & set(labels["en"].replace(",", "").split())
    assert "kitchen" not in labels["en"]
    assert set(labels) == {"ar", "fa", "en"}
    assert rows_by_topic(store)[SPLIT]["label_en"] == labels["en"]
    store.decide("rename", author="a", topic_id=SPLIT, after={"en": "Batteries"})
    assert rows_by_topic(store)[SPLIT]["label_en"] == "Batteries"


def test_a_name_that_was_given_stands(store: Store) -> None:
    store.decide("split", author="a", topic_id=1, after={"comment_ids": PHONES, "labels": {"en": "Phones"}})
    assert rows_by_topic(store)[SPLIT]["label_en"] == "Phones"


def test_personal_data_does_not_become_a_name(tmp_path: Path) -> None:
    texts = [f"Xenofon broke my phone {at}" for at in range(4)] + TEXTS[4:]
    with store_of(Config(), tmp_path) as store:
        add_run(store, comments=_saying(texts, dict.fromkeys(range(4), (0, 7))))
        made = store.decide("split", author="a", topic_id=1, after={"comment_ids": PHONES})
        assert made is not None
        assert "xenofon" not in made.after["labels"]["en"].lower()
        assert "phone" in made.after["labels"]["en"]


def test_a_store_that_names_nothing_numbers_it(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        add_run(store, comments=_saying(TEXTS), topics=topics_table())
        store.decide("split", author="a", topic_id=1, after={"comment_ids": PHONES})
        assert rows_by_topic(store)[SPLIT]["label_en"] == f"{LABELS[1][2]} (2)"


def test_comments_without_a_common_word_have_no_name() -> None:
    inside = [("one", "en"), ("two", "en"), ("؟", "fa")]
    assert name_split(inside, [("three", "en")], {}) == {}
    assert name_split(inside, [], {}) == {}
    assert name_split([], [], {}) == {}


def test_the_topics_own_words_are_not_said_again() -> None:
    inside = [(f"cold food late courier {at}", "en") for at in range(5)]
    outside = [(f"salty food {at}", "en") for at in range(20)]
    labels = name_split(inside, outside, {"en": "food, salty"})
    assert {"courier", "late", "cold"} & set(labels["en"].replace(",", "").split())
    assert labels["en"].split()[0] != "food"
