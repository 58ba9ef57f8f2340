"""A writer in a process of its own, which tests kill: ``python store_writer.py URL CHUNKS [hold]``."""

import sys
import time
from datetime import UTC, datetime

from store_tables import results

from feedback_nlp.store import open_store

ROWS = 300
NIGHT = datetime(2026, 11, 28, tzinfo=UTC)


def main(url: str, chunks: int, hold: bool) -> None:
    """Write what is missing of a run, telling each chunk on stdout."""
    with open_store(url) as store, store.lease():
        store.begin_run(
            "r",
            fingerprint="f",
            input_fingerprint="i",
            config={},
            models={},
            code_version="",
            inputs=[],
            started_at=NIGHT,
        )
        done = store.chunks_done("r")
        for index in range(chunks):
            if index not in done:
                store.write_chunk("r", index, results(ROWS, first=index * ROWS))
                sys.stdout.write(f"{index}\n")
                sys.stdout.flush()
        if hold:
            time.sleep(600)
        store.finish_run("r", {}, NIGHT)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), "hold" in sys.argv)
