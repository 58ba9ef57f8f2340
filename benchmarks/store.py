"""How fast results are written, beside a plain ``executemany`` of the same rows, and how long an analyst's edit waits.

Run: ``python benchmarks/store.py [--rows 100000] [--chunk 4096]``; PostgreSQL is measured where its server is
installed. Rows a second are given by the clock and by CPU time (ours and the server's), which a busy machine does not
change as much.
"""

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "store")]

from postgresql_cluster import Cluster, find_programs, running_cluster  # noqa: E402
from store_tables import results  # noqa: E402

from feedback_nlp.store import Store, open_store  # noqa: E402
from feedback_nlp.store.rows import comment_rows  # noqa: E402

NIGHT = datetime(2026, 11, 28, tzinfo=UTC)


def begin(store: Store, run_id: str) -> None:
    prints = {"fingerprint": "f", "input_fingerprint": "i", "code_version": ""}
    store.begin_run(run_id, **prints, config={}, models={}, inputs=[], started_at=NIGHT)


def tables(rows: int, chunk: int) -> list[pa.Table]:
    return [results(min(chunk, rows - first), first=first) for first in range(0, rows, chunk)]


Cpu = Callable[[], float]


def cpu_with(cluster: Cluster | None) -> Cpu:
    """Return a clock of CPU seconds of this process and of a server's."""

    def seconds() -> float:
        total = time.process_time()
        if cluster is not None:
            server = int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
            for stat in Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = stat.read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[1]) == server:
                    total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total

    return seconds


def write(store: Store, run_id: str, chunks: list[pa.Table], cpu: Cpu) -> tuple[float, float]:
    """Write a run; seconds by the clock, and of CPU."""
    begin(store, run_id)
    began, used = time.perf_counter(), cpu()
    for index, table in enumerate(chunks):
        store.write_chunk(run_id, index, table)
    store.finish_run(run_id, {}, NIGHT)
    return time.perf_counter() - began, cpu() - used


def plain(url: str, chunks: list[pa.Table], cpu: Cpu) -> tuple[float, float]:
    """Write ready-made rows, without drivers, indexes or ledger, by the driver's executemany, one commit a chunk."""
    ready = [[tuple(row.values()) for row in comment_rows(table).to_pylist()] for table in chunks]
    names = [name if name != "row" else '"row"' for name in comment_rows(chunks[0]).column_names]
    sqlite = url.startswith("sqlite")
    mark = "?" if sqlite else "%s"
    kinds = {"sentiment_abstained": "boolean"}
    declared = ", ".join(f"{name} {kinds.get(name, 'text')}" for name in names)
    if not sqlite:
        ready = [
            [tuple(v if v is None or isinstance(v, bool) else str(v) for v in row) for row in rows] for rows in ready
        ]
    insert = f"INSERT INTO plain ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
    if sqlite:
        connection = sqlite3.connect(url.removeprefix("sqlite:///") + ".plain")
        connection.execute("PRAGMA journal_mode = WAL")
    else:
        import psycopg

        connection = psycopg.connect(url)
    with closing(connection):
        connection.execute(f"CREATE TABLE plain ({declared})")
        connection.commit()
        began, used = time.perf_counter(), cpu()
        for rows in ready:
            connection.cursor().executemany(insert, rows)
            connection.commit()
        return time.perf_counter() - began, cpu() - used


def edit(store: Store, number: int) -> None:
    """Make the smallest edit an analyst can make."""
    store.decide("note", author="benchmark", comment_id=f"c{number:08d}", after={"text": str(number)})


def waits(store: Store, other: Store, run_id: str, chunks: list[pa.Table], cpu: Cpu) -> tuple[list[float], float]:
    """Write a run while somebody edits now and then; the seconds that each edit took, and that the writing took."""
    taken: list[float] = []
    done = threading.Event()

    def work() -> None:
        number = 0
        while not done.wait(0.02):
            began = time.perf_counter()
            edit(other, number)
            taken.append(time.perf_counter() - began)
            number += 1

    thread = threading.Thread(target=work)
    thread.start()
    seconds, _ = write(store, run_id, chunks, cpu)
    done.set()
    thread.join()
    return taken, seconds


def measure(name: str, url: str, chunks: list[pa.Table], cpu: Cpu) -> None:
    rows = sum(table.num_rows for table in chunks)
    with open_store(url) as store, open_store(url) as other:
        clock, used = write(store, "bulk", chunks, cpu)
        taken, beside = waits(store, other, "edited", chunks, cpu)
    plain_clock, plain_used = plain(url, chunks, cpu)
    p95 = statistics.quantiles(taken, n=20)[18]
    print(f"{name}: {rows / clock:,.0f} rows/s, {rows / used:,.0f} a CPU second")
    print(
        "  executemany of ready-made rows, without drivers, indexes and ledger: "
        f"{rows / plain_clock:,.0f} rows/s, {rows / plain_used:,.0f} a CPU second"
    )
    print(
        f"  {len(taken)} edits meanwhile: median {statistics.median(taken) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
        f"longest {max(taken) * 1000:.0f} ms; writing beside them {rows / beside:,.0f} rows/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--chunk", type=int, default=4096)
    options = parser.parse_args()
    chunks = tables(options.rows, options.chunk)
    drivers = sum(sum(map(len, table.column("drivers").to_pylist())) for table in chunks)
    print(
        f"{options.rows:,} comments with {drivers:,} drivers, {options.chunk} a transaction; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        measure("sqlite", f"sqlite:///{folder}/store.db", chunks, cpu_with(None))
    if find_programs() is not None:
        with running_cluster(durable=True) as cluster:
            measure("postgresql", cluster.url(cluster.new_database()), chunks, cpu_with(cluster))


if __name__ == "__main__":
    main()
