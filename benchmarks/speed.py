"""How many comments a CPU second each row-wise stage takes, in each profile, on comments of about 20 word pieces.

    python benchmarks/speed.py COMMENTS.csv [--column text] [--rows 6000] [--rounds 2]

Comments of 12 to 28 pieces are taken from the file, in its order; each stage runs once to warm up, then it is measured;
the profiles take turns. One process, one thread a library: set OMP_NUM_THREADS=1.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

from feedback_nlp import pipeline
from feedback_nlp.config import load_config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.modelfolder import resolve_model
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.embed.backends.static import TOKENIZER, open_tokenizer, tokenize

PROFILES = ("accurate", "fast")
SHORTEST, LONGEST = 12, 28


def usual(file: Path, column: str, rows: int) -> Iterator[str]:
    """Yield comments of the usual length."""
    tokenizer = open_tokenizer(resolve_model("encoder") / TOKENIZER)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            if rows and SHORTEST <= len(tokenize(tokenizer, [row[column]])[0]) <= LONGEST:
                rows -= 1
                yield row[column]


def rate(stages: list[Stage], batch: CommentBatch) -> tuple[float, CommentBatch]:
    """Return comments a CPU second, and the batch with the stages' columns."""
    began = time.process_time()
    made, _ = run_stages(stages, batch)
    return len(batch) / (time.process_time() - began), made


def measure(profile: str, texts: list[str]) -> dict[str, int]:
    """Return comments a CPU second by stage."""
    stages = {stage.name: stage for stage in pipeline.build_row_stages(load_config(profile))}
    found = {}
    batch = CommentBatch.from_texts(texts)
    for name, group in {
        "langid": ["langid"],
        "normalise": ["normalise"],
        "embed + sentiment": ["embed", "sentiment"],
        "rootcause": ["rootcause"],
    }.items():
        run_stages([stages[one] for one in group], batch)
        per_second, batch = rate([stages[one] for one in group], batch)
        found[name] = round(per_second)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comments", type=Path)
    parser.add_argument("--column", default="text")
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    texts = list(usual(given.comments, given.column, given.rows))
    for _ in range(given.rounds):
        for profile in PROFILES:
            print(json.dumps({"profile": profile, "comments": len(texts), **measure(profile, texts)}), flush=True)


if __name__ == "__main__":
    main()
