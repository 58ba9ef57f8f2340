"""How quickly the review page answers: many readers on the loopback, over a store of many comments.

    python benchmarks/review_load.py --comments 100000 --users 20 --seconds 30 [--think 1.0] [--writer]

Makes a store of its own in a temporary folder, serves it in a process of its own, lets readers who are logged in open
the pages one after the other, and prints the percentiles of each kind of page, the processor time a page cost, and the
server's memory. ``--writer`` writes a run to the same store meanwhile, as a night does; ``--publish`` makes it the one
that readers see, at the end. Ends with ``pass``, or with ``fail``, what failed and status 1: every kind of page must
answer within 300 ms in 95 of 100 cases, no answer may be an error, and the server may need 1 GB.
"""

import argparse
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pyarrow as pa

from feedback_nlp.core.columns import RESULT_COLUMNS
from feedback_nlp.review.passwords import hash_password
from feedback_nlp.store import Store, open_store

TOPICS = 200
SLOWEST_MS, MOST_MB = 300.0, 1024.0
PASSWORD = "load test password"
SAID = (
    "delivery late driver box app login price refund agent polite rude queue branch phone order food cold fresh "
    "تأخير توصيل سعر موظف فرع طلب بارد خدمة ممتاز سيئ ارسال قیمت پشتیبانی شعبه سفارش کیفیت بد عالی کالا برگشت"
)
WORDS = SAID.split()


def table(rows: int, seed: int) -> pa.Table:
    """Make plausible results: words, topics of very different sizes, drivers on half of the comments."""
    rng = np.random.default_rng(seed)
    topic = np.minimum(rng.zipf(1.3, rows) - 1, TOPICS) - 1
    lengths = rng.integers(5, 40, rows)
    picked = rng.integers(0, len(WORDS), int(lengths.sum()))
    words = iter(picked.tolist())
    texts = [" ".join(WORDS[next(words)] for _ in range(length)) for length in lengths.tolist()]
    moments = 1_790_000_000_000_000 + rng.integers(0, 30 * 86_400, rows) * 1_000_000
    driver = [{"driver": "policy", "cause": "process", "sign": "-", "score": 0.7, "start": 0, "end": 5}]
    made = {
        "comment_id": [f"c{seed}-{at:07d}" for at in range(rows)],
        "text": texts,
        "created_at": moments.tolist(),
        "source": ["load.csv"] * rows,
        "meta": [f'{{"branch":"B{at % 40}","product":"P{at % 7}","channel":"web"}}' for at in range(rows)],
        "lang": [("ar", "fa", "en")[at % 3] for at in range(rows)],
        "lang_script": ["native"] * rows,
        "lang_score": [0.9] * rows,
        "lang_spans": [[]] * rows,
        "clean": texts,
        "redactions": [[]] * rows,
        "sentiment": [("negative", "neutral", "positive", "mixed")[at % 4] for at in range(rows)],
        "sentiment_score": rng.random(rows).tolist(),
        "sentiment_abstained": [False] * rows,
        "clauses": [[]] * rows,
        "topic_id": topic.tolist(),
        "topic_score": rng.random(rows).tolist(),
        "drivers": [driver if at % 2 else [] for at in range(rows)],
        "root_cause": ["policy" if at % 2 else "none" for at in range(rows)],
        "other_causes": [[]] * rows,
        "problems": [[]] * rows,
    }
    schema = pa.schema([(column.name, column.dtype) for column in RESULT_COLUMNS])
    return pa.table({name: made.get(name, [None] * rows) for name in schema.names}, schema=schema)


def topics() -> pa.Table:
    """Make topics with names in three languages."""
    rows = [
        {
            "topic_id": at,
            "size": 1,
            "parent_id": at % 12,
            "status": "standing",
            **{f"label_{lang}": f"{WORDS[at % 17]}, {WORDS[17 + at % 20]} {at}" for lang in ("ar", "fa", "en")},
            **{f"keywords_{lang}": [WORDS[at % 37]] for lang in ("ar", "fa", "en")},
        }
        for at in range(TOPICS)
    ]
    return pa.Table.from_pylist(rows)


def write_run(store: Store, run_id: str, rows: int, *, pause: float = 0.0, publish: bool = True) -> None:
    """Write a run chunk by chunk."""
    now = datetime.now(UTC)
    named = {"fingerprint": run_id, "input_fingerprint": run_id, "config": {}, "models": {}, "inputs": ["load.csv"]}
    store.begin_run(run_id, code_version="0", started_at=now, **named)
    for index in range(-(-rows // 4096)):
        store.write_chunk(run_id, index, table(min(4096, rows - index * 4096), seed=index))
        time.sleep(pause)
    store.write_topics(run_id, topics())
    store.finish_run(run_id, {}, now, publish=publish)


def log_in(base: str) -> httpx2.Client:
    """Return a client that is logged in."""
    client = httpx2.Client(base_url=base, timeout=60)
    seal = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    client.post("/login", data={"name": "load", "password": PASSWORD, "csrf": seal[1] if seal else ""})
    return client


class Took:
    """What answers took, by kind of page, and what was no answer.

    :param readers: how many start together.
    """

    def __init__(self, readers: int) -> None:
        self.times: dict[str, list[float]] = {}
        self.errors: dict[str, int] = {}
        self.start = threading.Barrier(readers + 1)

    def ask(self, client: httpx2.Client, kind: str, path: str) -> None:
        """Open a page."""
        begun = time.monotonic()
        try:
            fault = "" if (status := client.get(path).status_code) == 200 else f"status {status}"
        except httpx2.HTTPError as error:
            fault = type(error).__name__
        if fault:
            self.errors[f"{kind}: {fault}"] = self.errors.get(f"{kind}: {fault}", 0) + 1
        self.times.setdefault(kind, []).append(time.monotonic() - begun)


def read(base: str, given: argparse.Namespace, seed: int, took: Took) -> None:
    """Open pages until the time is over."""
    rng = random.Random(seed)
    pages = {
        "table": lambda: (
            f"/?sort={rng.choice(('size', 'negative', 'policy', 'rising'))}&ui={rng.choice(('en', 'ar', 'fa'))}"
        ),
        "table filtered": lambda: f"/?lang={rng.choice(('ar', 'fa', 'en'))}&branch=B{rng.randrange(40)}",
        "table searched": lambda: f"/?q={rng.choice(WORDS)}",
        "topic": lambda: f"/topics/{int(min(rng.paretovariate(0.6), TOPICS - 1))}",
        "comments": lambda: f"/comments?q={rng.choice(WORDS)}&sentiment=negative",
        "map points": lambda: f"/map/points?lang={rng.choice(('ar', 'fa', 'en'))}&branch=B{rng.randrange(40)}",
        "queue": lambda: "/queue",
    }
    with contextlib.closing(log_in(base)) as client:
        took.start.wait()
        until = time.monotonic() + given.seconds
        time.sleep(rng.random() * given.think)
        while time.monotonic() < until:
            kind = rng.choices(list(pages), weights=(8, 4, 2, 10, 2, 1, 1))[0]
            took.ask(client, kind, pages[kind]())
            time.sleep(rng.expovariate(1 / given.think) if given.think else 0)


def verdict(pages: Mapping[str, Mapping[str, float]], errors: Mapping[str, int], memory_mb: float) -> list[str]:
    """Return what failed, one line each."""
    slow = [f"{kind}: p95 {each['p95_ms']} ms" for kind, each in pages.items() if each["p95_ms"] > SLOWEST_MS]
    wrong = [f"{kind}, {count} times" for kind, count in sorted(errors.items())]
    return [*slow, *wrong, *([f"memory {memory_mb:.0f} MB"] if memory_mb > MOST_MB else [])]


def cpu_of(pid: int) -> float:
    """Return the processor time of a process so far, seconds."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Return a process's highest resident memory, MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def write_night(folder: str, publish: bool) -> None:
    """Write tonight's run to a folder's store, at the pace of the models."""
    with open_store(f"sqlite:///{folder}/store.db") as store:
        write_run(store, "night", 40_000, pause=0.3, publish=publish)


@contextlib.contextmanager
def served(folder: str, port: int) -> Iterator[tuple[str, int]]:
    """Serve a folder's store in a process of its own: its address and the process."""
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "feedback_nlp", "review", "--out", folder, "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(httpx2.HTTPError), contextlib.closing(log_in(base)) as client:
                if client.get("/").status_code == 200:
                    break
            time.sleep(0.2)
        yield base, server.pid
    finally:
        server.terminate()
        server.wait(10)


def measure(given: argparse.Namespace, base: str, pid: int, night: BaseProcess | None) -> dict[str, Any]:
    """Let the readers read, and return the figures."""
    took = Took(given.users)
    readers = [threading.Thread(target=read, args=(base, given, seed, took)) for seed in range(given.users)]
    for reader in readers:
        reader.start()
    took.start.wait()
    spent = cpu_of(pid)
    if night is not None:
        night.start()
    for reader in readers:
        reader.join()
    asked = sum(map(len, took.times.values()))
    pages = {
        kind: {"n": len(times), **{f"p{p}_ms": round(1000 * float(np.percentile(times, p)), 1) for p in (50, 95, 99)}}
        for kind, times in sorted(took.times.items())
    }
    cost = {"cpu_ms_a_page": round(1000 * (cpu_of(pid) - spent) / max(asked, 1), 1), "memory_mb": round(memory_of(pid))}
    return {"pages": pages, "errors": took.errors, **cost}


def main() -> None:
    """Run the test and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comments", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument("--writer", action="store_true")
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/store.db") as store:
        write_run(store, "load", given.comments)
        store.user_book().add("load", "viewer", hash_password(PASSWORD), datetime.now(UTC))
        night = get_context("spawn").Process(target=write_night, args=(folder, given.publish), daemon=True)
        begun, busy = time.monotonic(), round(os.getloadavg()[0], 1)
        with served(folder, given.port) as (base, pid):
            ready = round(time.monotonic() - begun, 1)
            found = measure(given, base, pid, night if given.writer else None)
        if given.writer:
            night.join()
    # What other programs take of the processors counts against the figures: an honest one is taken on an idle machine.
    failed = verdict(found["pages"], found["errors"], found["memory_mb"])
    print(
        json.dumps(
            {"comments": given.comments, "users": given.users, "load_before": busy, "ready_s": ready, **found}, indent=1
        )
    )
    print("\n".join(["fail", *failed]) if failed else "pass")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
