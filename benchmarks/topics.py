"""CPU time and memory of finding topics: ours, UMAP with HDBSCAN on every comment, and BERTopic where installed.

    python benchmarks/topics.py comments.csv --column text --rows 10000 100000

Each way runs in a process of its own, cold, with one thread, on the same ready vectors of the default encoder, which
are made beforehand and not counted. What each does in the time that is counted:

ours          draws a sample, groups it, finds themes and sub-topics, names all of them in three languages, chooses
              typical comments, gives every comment its topic, score and sub-topic. Loading the encoder of words, which
              names need, counts.
umap-hdbscan  lays all comments out with UMAP (15 neighbours, 5 dimensions) and clusters them with HDBSCAN: a number or
              "noise" for every comment. No names, no themes.
bertopic      the same layout and clustering, keywords in one list for all languages, typical comments, a probability.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WAYS = ("ours", "umap-hdbscan", "bertopic")


def load(path: Path, column: str, rows: int) -> list[str]:
    import pandas as pd

    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame[column].dropna().astype(str).head(rows).tolist()


def make_vectors(texts: list[str], to: Path) -> None:
    from feedback_nlp import pipeline
    from feedback_nlp.config import Config
    from feedback_nlp.core.batch import CommentBatch

    blocks = [texts[start : start + 4096] for start in range(0, len(texts), 4096)]
    made = [pipeline.with_vectors(CommentBatch.from_texts(block), Config()).vectors() for block in blocks]
    np.save(to, np.concatenate(made))


def ours(texts: list[str], vectors: np.ndarray) -> tuple[int, float, float]:
    from feedback_nlp import pipeline
    from feedback_nlp.config import Config
    from feedback_nlp.core.batch import CommentBatch
    from feedback_nlp.core.columns import LANG

    ready = pipeline.with_vectors(CommentBatch.from_texts(texts), Config(), vectors)
    began = time.process_time()
    model = pipeline.discover([ready], Config(), seed=17)
    found = model.assign(ready.vectors(), ready.values(LANG))
    model.assign_subtopics(ready.vectors(), ready.values(LANG), found.topic_id)
    return len(model), float((found.topic_id < 0).mean()), time.process_time() - began


def umap_hdbscan(_: list[str], vectors: np.ndarray) -> tuple[int, float, float]:
    began = time.process_time()
    import hdbscan
    import umap

    points = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=17).fit_transform(
        vectors
    )
    labels = hdbscan.HDBSCAN(min_cluster_size=15).fit(points).labels_
    return int(labels.max()) + 1, float((labels < 0).mean()), time.process_time() - began


def bertopic(texts: list[str], vectors: np.ndarray) -> tuple[int, float, float]:
    began = time.process_time()
    from bertopic import BERTopic

    topics, _ = BERTopic(language="multilingual", min_topic_size=15).fit_transform(texts, embeddings=vectors)
    outliers = sum(topic < 0 for topic in topics) / max(len(topics), 1)
    return len(set(topics)) - (outliers > 0), outliers, time.process_time() - began


def run_one(way: str, texts: list[str], vectors: Path) -> None:
    if way == "vectors":
        make_vectors(texts, vectors)
        return
    known = {"ours": ours, "umap-hdbscan": umap_hdbscan, "bertopic": bertopic}
    topics, outliers, seconds = known[way](texts, np.load(vectors))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {len(texts):,} | {way} | {topics} | {outliers:.2f} | {seconds:.1f} | {memory:,.0f} |", flush=True)


def compare(chosen: argparse.Namespace, rows: int, vectors: Path) -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    common = [str(chosen.comments), "--column", chosen.column, "--rows", str(rows), "--vectors", str(vectors)]
    for way in ("vectors", *chosen.ways):
        done = subprocess.run(
            [sys.executable, __file__, *common, "--way", way],
            env={**os.environ, **threads},
            check=way == "vectors",
            stdout=subprocess.PIPE,
            stderr=None if way == "vectors" else subprocess.PIPE,
            text=True,
        )
        if way != "vectors":
            why = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
            print(done.stdout.strip() or f"| {rows:,} | {way} | not run: {why} | | | |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comments", type=Path, help="CSV or Parquet file of comments")
    parser.add_argument("--column", default="text")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000])
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=WAYS, help="ways to compare")
    parser.add_argument("--way", choices=(*WAYS, "vectors"), help="run this way only, in this process")
    parser.add_argument("--vectors", type=Path, help="file of ready vectors, for --way")
    chosen = parser.parse_args()
    if chosen.way:
        run_one(chosen.way, load(chosen.comments, chosen.column, chosen.rows[0]), chosen.vectors)
        return
    print("| comments | way | topics | outliers | CPU s, cold | peak MiB |\n| --- | --- | --- | --- | --- | --- |")
    for rows in chosen.rows:
        with tempfile.TemporaryDirectory() as folder:
            compare(chosen, rows, Path(folder) / "vectors.npy")


if __name__ == "__main__":
    main()
