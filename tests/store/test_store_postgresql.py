"""What only PostgreSQL does: lost connections, refusals, its own words for the same faults."""

import threading
from datetime import UTC, datetime

import pytest
from postgresql_cluster import Cluster
from sqlalchemy import exc
from store_tables import results

from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.store import open_store
from feedback_nlp.store.bulk import insert_table
from feedback_nlp.store.database import ConnectionLostError, Database, open_database
from feedback_nlp.store.rows import comment_rows
from feedback_nlp.store.schema import COMMENTS

NIGHT = datetime(2026, 11, 28, tzinfo=UTC)
END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def begin(store: object, run_id: str = "r") -> None:
    prints = {"fingerprint": "f", "input_fingerprint": "i", "code_version": ""}
    store.begin_run(run_id, **prints, config={}, models={}, inputs=[], started_at=NIGHT)  # type: ignore[attr-defined]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback_nlp.store.database.RECONNECT_SECONDS", (0.0, 0.1, 0.3, 1.0, 3.0))


@pytest.mark.usefixtures("quick")
def test_a_connection_dropped_in_the_middle_of_a_chunk_costs_nothing(
    cluster: Cluster, shared_database: str, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drops = []

    def insert_and_drop(*arguments: object) -> None:
        insert_table(*arguments)  # type: ignore[arg-type]
        if len(drops) < 2:
            drops.append(cluster.sql(END_ALL, shared_database))

    monkeypatch.setattr("feedback_nlp.store.store.insert_table", insert_and_drop)
    with open_store(postgresql_url) as store, store.lease():
        begin(store)
        for index in range(3):
            assert store.write_chunk("r", index, results(40, first=40 * index))
        store.finish_run("r", {}, NIGHT)
        assert store.comments().column("comment_id").to_pylist() == [f"c{i:08d}" for i in range(120)]
    assert len(drops) == 2


@pytest.mark.usefixtures("quick")
def test_a_server_that_restarts_meanwhile_is_waited_for(cluster: Cluster, postgresql_url: str) -> None:
    with open_store(postgresql_url) as store:
        begin(store)
        store.write_chunk("r", 0, results(10))
        cluster.stop()
        starter = threading.Timer(0.05, cluster.start)
        starter.start()
        try:
            store.write_chunk("r", 1, results(10, first=10))
        finally:
            starter.join()
        assert store.chunks_done("r") == {0, 1}


def test_a_server_that_stays_away_is_told(
    cluster: Cluster, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback_nlp.store.database.RECONNECT_SECONDS", (0.0, 0.05))
    with open_store(postgresql_url) as store:
        begin(store)
        cluster.stop("fast")
        try:
            with pytest.raises(ConnectionLostError, match=r"does not answer .*what was stored is safe") as caught:
                store.write_chunk("r", 0, results(10))
            assert caught.value.exit_code == 1
            with pytest.raises(ConnectionLostError):
                store.runs()
        finally:
            cluster.start()
        assert store.chunks_done("r") == set()


def test_a_dead_connection_in_the_pool_is_replaced(cluster: Cluster, shared_database: str, postgresql_url: str) -> None:
    with open_store(postgresql_url) as store:
        begin(store)
        cluster.sql(END_ALL, shared_database)
        assert store.runs(unfinished=True)["run_id"].tolist() == ["r"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('could not extend file "base/1/2": No space left on device\nHINT: Check space.', "the disk is full"),
        ("invalid page in block 3 of relation base/1/2", "is damaged"),
        ("permission denied for table runs", "cannot be opened for writing"),
        ("new row violates check\nDETAIL: Failing row contains (a comment).", "violates check$"),
    ],
)
def test_its_errors_become_plain_words(postgresql_url: str, words: str, told: str) -> None:
    database = open_database(postgresql_url)
    with pytest.raises(FeedbackError, match=told) as caught, database.writing():
        raise exc.OperationalError("COPY", None, RuntimeError(words))
    assert "a comment" not in str(caught.value)
    database.close()


def test_a_value_the_copy_cannot_take_leaves_nothing_and_is_told(postgresql_url: str) -> None:
    with open_store(postgresql_url) as store:
        begin(store)
        database: Database = store._database
        rows = comment_rows(results(3))
        strange = rows.set_column(0, "row", [["a comment"] * 3])
        with pytest.raises(FeedbackError, match=r"invalid input|column"), database.writing() as connection:
            insert_table(connection, COMMENTS, strange)
        with database.writing() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM comments").scalar_one() == 0
