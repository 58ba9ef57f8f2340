"""Two runs side by side, counted by hand."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from store_tables import results

from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store import Store, open_store

NIGHT = datetime(2026, 11, 28, tzinfo=UTC)


def topic_table(**labels: str) -> pa.Table:
    ids = [int(name.removeprefix("t")) for name in labels]
    rows = [{"topic_id": one, "size": 1, "label_en": label} for one, label in zip(ids, labels.values(), strict=True)]
    return pa.Table.from_pylist(
        rows, pa.schema([("topic_id", pa.int32()), ("size", pa.int64()), ("label_en", pa.string())])
    )


def write(store: Store, run_id: str, table: pa.Table, topics: pa.Table | None, *, finish: bool = True) -> None:
    prints = {"fingerprint": "f", "input_fingerprint": "i", "code_version": ""}
    store.begin_run(run_id, **prints, config={}, models={}, inputs=[], started_at=NIGHT)
    store.write_chunk(run_id, 0, table)
    if topics is not None:
        store.write_topics(run_id, topics)
    if finish:
        store.finish_run(run_id, {}, NIGHT)


def with_topics(table: pa.Table, ids: list[int]) -> pa.Table:
    return table.set_column(table.column_names.index("topic_id"), "topic_id", pa.array(ids, pa.int32()))


def test_counts_mixes_and_topics(store_url: str) -> None:
    a = with_topics(results(6), [0, 0, 0, 1, 1, -1])
    b = with_topics(results(8, first=4), [1, 1, 1, 1, 2, 2, -1, -1])
    with open_store(store_url) as store:
        write(store, "a", a, topic_table(t0="late delivery", t1="rude staff"))
        write(store, "b", b, topic_table(t1="rude staff", t2="app crash"))
        found = store.compare("a", "b")
        back = store.compare("b", "a")
    assert (found.comments, found.shared, found.new, found.gone) == ((6, 8), 2, 6, 4)
    for name in ("lang", "sentiment", "root_cause"):
        for side, table in zip(found.mix[name], (a, b), strict=True):
            values = [value or "-" for value in table.column(name).to_pylist()]
            assert side == {value: values.count(value) for value in set(values)}
    assert [(pair.topic_id, pair.labels["en"], pair.first, pair.second) for pair in found.topics] == [
        (0, "late delivery", 3, None),
        (1, "rude staff", 2, 4),
        (2, "app crash", None, 2),
    ]
    assert (back.new, back.gone, back.shared) == (4, 6, 2)
    assert found.as_dict()["new"] == 6


def test_runs_without_topics_and_a_run_with_itself(store_url: str) -> None:
    with open_store(store_url) as store:
        write(store, "a", results(5), None)
        found = store.compare("a", "a")
    assert (found.shared, found.new, found.gone, found.topics) == (5, 0, 0, ())


def test_what_cannot_be_compared_is_told(store_url: str) -> None:
    with open_store(store_url) as store:
        write(store, "a", results(2), None)
        write(store, "half", results(2), None, finish=False)
        with pytest.raises(ConfigError, match="No run 'ghost'"):
            store.compare("a", "ghost")
        with pytest.raises(FeedbackError, match="'half' is not finished"):
            store.compare("half", "a")


def dated(rows: int, first: int, days: list[int], sentiments: list[str]) -> pa.Table:
    table = results(rows, first=first)
    moments = [None if day == 0 else (20_000 + day) * 86_400_000_000 + 5_000_000 for day in days]
    at = table.column_names.index
    table = table.set_column(at("created_at"), "created_at", pa.array(moments, pa.timestamp("us", "UTC")))
    return table.set_column(at("sentiment"), "sentiment", pa.array(sentiments, pa.string()))


def test_late_arrivals_and_corrected_comments_count_once_on_their_own_day(store_url: str) -> None:
    with open_store(store_url) as store:
        assert store.by_day().num_rows == 0
        write(store, "a", dated(4, 0, [1, 1, 2, 2], ["positive", "positive", "negative", "negative"]), None)
        # The next night: c3 again and read otherwise, a comment of the day before that came late, one without a date.
        write(store, "b", dated(3, 3, [2, 1, 0], ["neutral", "positive", "mixed"]), None)
        write(store, "half", dated(1, 9, [1], ["positive"]), None, finish=False)
        found = store.by_day().to_pylist()
        langs = store.by_day("lang")
        with pytest.raises(ConfigError, match="one of lang, sentiment, root_cause, topic_id, not by 'text'"):
            store.by_day("text")
    assert [(str(row["day"]), row["value"], row["comments"]) for row in found] == [
        ("None", "mixed", 1),
        ("2024-10-05", "positive", 3),
        ("2024-10-06", "negative", 1),
        ("2024-10-06", "neutral", 1),
    ]
    assert sum(langs.column("comments").to_pylist()) == 6
