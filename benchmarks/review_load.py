"""How quickly the review page answers: many readers on the loopback, over a store of many comments.

    python benchmarks/review_load.py --comments 100000 --users 20 --seconds 30 [--think 1.0] [--writer]

Makes a store of its own in a temporary folder, serves it in a process of its own, lets readers open the table and topic
pages one after the other, and prints the percentiles of each kind of page, the processor time a page cost, and the
server's memory. ``--writer`` writes a run to the same store meanwhile, as a night does.
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
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import numpy as np
import pyarrow as pa

from feedback_nlp.core.columns import RESULT_COLUMNS
from feedback_nlp.review.passwords import hash_password
from feedback_nlp.store import Store, open_store

TOPICS = 200
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


def write_run(store: Store, run_id: str, rows: int, *, pause: float = 0.0) -> None:
    """Write a run chunk by chunk; the first one is published."""
    now = datetime.now(UTC)
    named = {"fingerprint": run_id, "input_fingerprint": run_id, "config": {}, "models": {}, "inputs": ["load.csv"]}
    store.begin_run(run_id, code_version="0", started_at=now, **named)
    for index in range(-(-rows // 4096)):
        store.write_chunk(run_id, index, table(min(4096, rows - index * 4096), seed=index))
        time.sleep(pause)
    store.write_topics(run_id, topics())
    store.finish_run(run_id, {}, now, publish=pause == 0)


def log_in(base: str) -> httpx2.Client:
    """Return a client that is logged in."""
    client = httpx2.Client(base_url=base, timeout=60)
    seal = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    client.post("/login", data={"name": "load", "password": PASSWORD, "csrf": seal[1] if seal else ""})
    return client


def read(base: str, until: float, think: float, seed: int, took: dict[str, list[float]]) -> None:
    """Open pages until the time is over."""
    rng = random.Random(seed)
    pages = {
        "table": lambda: (
            f"/?sort={rng.choice(('size', 'negative', 'policy', 'rising'))}&ui={rng.choice(('en', 'ar', 'fa'))}"
        ),
        "table filtered": lambda: f"/?lang={rng.choice(('ar', 'fa', 'en'))}&branch=B{rng.randrange(40)}",
        "table searched": lambda: f"/?q={rng.choice(WORDS)}",
        "topic": lambda: f"/topics/{int(min(rng.paretovariate(0.6), TOPICS - 1))}",
    }
    with contextlib.closing(log_in(base)) as client:
        while time.monotonic() < until:
            name = rng.choices(list(pages), weights=(4, 2, 1, 5))[0]
            begun = time.monotonic()
            answer = client.get(pages[name]())
            took.setdefault(name, []).append(time.monotonic() - begun)
            if answer.status_code != 200:
                took.setdefault(f"status {answer.status_code}", []).append(0.0)
            time.sleep(rng.expovariate(1 / think) if think else 0)


def cpu_of(pid: int) -> float:
    """Return the processor time of a process so far, seconds."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Return a process's highest resident memory, MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def main() -> None:
    """Run the test and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comments", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument("--writer", action="store_true")
    given = parser.parse_args()
    base = f"http://127.0.0.1:{given.port}"
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/store.db") as store:
        write_run(store, "load", given.comments)
        store.user_book().add("load", "viewer", hash_password(PASSWORD), datetime.now(UTC))
        command = [sys.executable, "-m", "feedback_nlp", "review", "--out", folder, "--port", str(given.port)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            ready = time.monotonic()
            while True:
                with contextlib.suppress(httpx2.HTTPError), contextlib.closing(log_in(base)) as client:
                    if client.get("/").status_code == 200:
                        break
                time.sleep(0.2)
            ready = time.monotonic() - ready
            took: dict[str, list[float]] = {}
            spent = cpu_of(server.pid)
            until = time.monotonic() + given.seconds
            readers = [
                threading.Thread(target=read, args=(base, until, given.think, seed, took))
                for seed in range(given.users)
            ]
            if given.writer:
                other = threading.Thread(
                    target=write_run, args=(store, "night", 40_000), kwargs={"pause": 0.05}, daemon=True
                )
                other.start()
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            figures = {
                name: {
                    "n": len(times),
                    **{f"p{p}_ms": round(1000 * float(np.percentile(times, p)), 1) for p in (50, 95, 99)},
                }
                for name, times in sorted(took.items())
            }
            spent = 1000 * (cpu_of(server.pid) - spent) / max(sum(map(len, took.values())), 1)
            told = {
                "comments": given.comments,
                "users": given.users,
                "ready_s": round(ready, 1),
                "pages": figures,
                "cpu_ms_a_page": round(spent, 1),
            }
            print(json.dumps({**told, "memory_mb": round(memory_of(server.pid))}, indent=1))
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()
