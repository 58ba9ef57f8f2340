import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from store_tables import results

from feedback_nlp.core.errors import FeedbackError, LeaseError
from feedback_nlp.store import Lease, open_store
from feedback_nlp.store.database import open_database
from feedback_nlp.store.lease import STALE_SECONDS, born

HERE = Path(__file__).resolve().parent
NIGHT = datetime(2026, 11, 28, tzinfo=UTC)
ROWS = 300


def start_writer(url: str, chunks: int, *, hold: bool = False) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])}
    command = [sys.executable, str(HERE / "store_writer.py"), url, str(chunks), *(["hold"] if hold else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def begin(store: object, run_id: str) -> None:
    prints = {"fingerprint": "f", "input_fingerprint": "i", "code_version": ""}
    store.begin_run(run_id, **prints, config={}, models={}, inputs=[], started_at=NIGHT)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_killed_writer_resumes_without_loss_or_doubles(store_url: str) -> None:
    kills = 0
    for after in (1, 3, 2, 4, 1):
        with start_writer(store_url, 40) as writer:
            assert writer.stdout is not None
            for _ in range(after):
                writer.stdout.readline()
            # Somewhere inside the next chunk: values being made, rows being inserted, or the commit itself.
            time.sleep(0.004 * after)
            writer.kill()
            kills += writer.wait() == -signal.SIGKILL
        with open_store(store_url) as store:
            done = store.chunks_done("r")
            kept = store.comments("r", unfinished=True)
            assert kept.num_rows == len(done) * ROWS
            assert done == set(range(len(done)))
            assert store.current_run() is None
    assert kills == 5
    with start_writer(store_url, 40) as writer:
        writer.communicate()
        assert writer.returncode == 0
    with open_store(store_url) as store:
        whole = pa.concat_tables([results(ROWS, first=index * ROWS) for index in range(40)])
        assert store.comments().equals(whole)
        assert store.chunks_done("r") == set(range(40))
        assert len(store.root_causes()) == sum(map(len, whole.column("drivers").to_pylist()))
    if store_url.startswith("sqlite"):
        plain = sqlite3.connect(store_url.removeprefix("sqlite:///"))
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        plain.close()


def test_a_killed_writers_lease_is_free_at_once_and_a_living_ones_is_not(store_url: str) -> None:
    with start_writer(store_url, 1, hold=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "0\n"
        with open_store(store_url) as store:
            with pytest.raises(LeaseError, match=f"Process {writer.pid} on .* is writing") as caught, store.lease():
                pass
            assert caught.value.exit_code == 75
            writer.kill()
            writer.wait()
            with store.lease():
                begin(store, "r")
            with store.lease():
                pass


@pytest.mark.slow
def test_ten_readers_and_a_writer_disturb_each_other_never(store_url: str) -> None:
    faults: list[str] = []
    seen: set[int] = set()
    stop = threading.Event()
    with open_store(store_url) as writer, open_store(store_url) as shared:

        def read(own: bool) -> None:
            store = open_store(store_url) if own else shared
            try:
                while not stop.is_set():
                    ids = store.comments(columns=["comment_id"]).column(0).to_pylist()
                    seen.add(len(ids))
                    store.runs()
                    store.comments(lang="fa", limit=20, columns=["text", "drivers"])
            except FeedbackError as error:
                faults.append(str(error))
            finally:
                if own:
                    store.close()

        for run in range(4):
            begin(writer, f"r{run}")
            for index in range(4):
                writer.write_chunk(f"r{run}", index, results(100 + run, first=run * 100_000 + index * 1000))
            writer.finish_run(f"r{run}", {}, NIGHT)
            if run == 0:
                threads = [threading.Thread(target=read, args=(number % 2 == 0,)) for number in range(10)]
                for thread in threads:
                    thread.start()
        stop.set()
        for thread in threads:
            thread.join()
    assert not faults
    # A reader saw one whole run, never a part of one.
    assert seen <= {4 * (100 + run) for run in range(4)}


def test_a_reader_in_the_middle_does_not_hold_up_the_writer(store_url: str) -> None:
    with open_store(store_url) as store:
        begin(store, "r")
        store.write_chunk("r", 0, results(50))
        with store._database.reading() as connection:
            cursor = connection.exec_driver_sql("SELECT text FROM comments")
            cursor.fetchone()
            began = time.monotonic()
            store.write_chunk("r", 1, results(50, first=50))
            assert time.monotonic() - began < 5
            assert len(cursor.fetchall()) == 49


def test_the_lease_of_another_machine_is_stale_after_its_last_beat(store_url: str) -> None:
    now = [1_000_000.0]
    database = open_database(store_url)
    with open_store(store_url):
        pass
    with Lease(database, clock=lambda: now[0]) as far:
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE lease SET host = 'elsewhere'")
        now[0] += STALE_SECONDS - 1
        with pytest.raises(LeaseError, match="on elsewhere is writing"), Lease(database, clock=lambda: now[0]):
            pass
        far.beat()
        now[0] += 2
        with pytest.raises(LeaseError), Lease(database, clock=lambda: now[0]):
            pass
        now[0] += STALE_SECONDS
        with Lease(database, clock=lambda: now[0]) as near:
            with database.writing() as connection:
                near.check(connection)
            with pytest.raises(LeaseError, match="took over"), database.writing() as connection:
                far.check(connection)
            far.beat()
    database.close()


def test_a_writer_that_lost_its_lease_writes_no_more(store_url: str) -> None:
    with open_store(store_url) as store, store.lease():
        begin(store, "r")
        store.write_chunk("r", 0, results(3))
        with store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE lease SET token = 'another'")
        for act in (
            lambda: store.write_chunk("r", 1, results(3)),
            lambda: store.finish_run("r", {}, NIGHT),
            lambda: store.publish("r", NIGHT),
        ):
            with pytest.raises(LeaseError, match="took over"):
                act()
        assert store.chunks_done("r") == {0}
        assert store.run("r").state == "running"


def test_a_process_that_reuses_the_number_of_a_dead_one_does_not_hold_its_lease(store_url: str) -> None:
    with open_store(store_url) as store:
        with store.lease(), store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE lease SET born = born - 1")
            connection.exec_driver_sql("UPDATE lease SET token = 'dead'")
        with store.lease():
            pass


def test_a_clock_put_back_frees_the_lease_of_another_machine_and_its_holder_writes_no_more(store_url: str) -> None:
    now = [2_000_000.0]
    database = open_database(store_url)
    with open_store(store_url):
        pass
    with Lease(database, clock=lambda: now[0]) as far:
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE lease SET host = 'elsewhere'")
        now[0] -= 86_400
        with Lease(database, clock=lambda: now[0]), pytest.raises(LeaseError, match="took over"):  # noqa: SIM117
            with database.writing() as connection:
                far.check(connection)
    database.close()


def test_on_a_server_the_servers_clock_counts(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 5.0)
    with open_store(postgresql_url) as store, store.lease(), store._database.reading() as connection:
        ahead = connection.exec_driver_sql("SELECT extract(epoch FROM now()) - beat FROM lease").scalar_one()
        assert abs(ahead) < 60


def test_the_lease_beats_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback_nlp.store.lease.BEAT_SECONDS", 0.01)
    open_store(f"sqlite:///{tmp_path}/s.db").close()
    database = open_database(f"sqlite:///{tmp_path}/s.db")
    ticks = iter(range(1000, 100_000))
    with Lease(database, clock=lambda: next(ticks)):
        end = time.monotonic() + 10
        beat = 0
        while beat < 1003 and time.monotonic() < end:
            with database.reading() as connection:
                beat = connection.exec_driver_sql("SELECT beat FROM lease").scalar_one()
        assert beat >= 1003
    database.close()


def test_born_tells_the_living_from_the_dead() -> None:
    mine = born(os.getpid())
    assert mine is not None
    assert born(os.getpid()) == mine
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert born(process.pid) is None
    nothing = Path("/proc/no/such/folder")
    assert (born(os.getpid(), nothing), born(process.pid, nothing)) == (0, None)


def test_a_busy_database_is_told_after_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback_nlp.store.database.BUSY_SECONDS", 0)
    with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(FeedbackError, match="another program kept it locked"):
            begin(store, "r")
        other.close()
        begin(store, "r")
