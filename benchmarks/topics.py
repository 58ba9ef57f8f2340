"""CPU time and memory of topic discovery: ours, UMAP with HDBSCAN on every comment, and BERTopic where installed.

    python benchmarks/topics.py comments.csv --column text --rows 10000 50000

Each way runs in a process of its own, cold, on ready vectors of the shipped encoder, with one thread.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

WAYS = ("ours", "umap-hdbscan", "bertopic")


def load(path: Path, column: str, rows: int) -> list[str]:
    import pandas as pd

    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame[column].dropna().astype(str).head(rows).tolist()


def ours(texts: list[str]) -> tuple[int, float, float]:
    from feedback_nlp import pipeline
    from feedback_nlp.config import Config
    from feedback_nlp.core.batch import CommentBatch

    ready = pipeline.with_vectors(CommentBatch.from_texts(texts), Config())
    began = time.process_time()
    model = pipeline.discover([ready], Config(), seed=17)
    return len(model), model.outliers, time.process_time() - began


def umap_hdbscan(texts: list[str]) -> tuple[int, float, float]:
    from feedback_nlp.embed import open_encoder

    vectors = open_encoder().encode(texts)
    began = time.process_time()
    import hdbscan
    import umap

    points = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=17).fit_transform(
        vectors
    )
    labels = hdbscan.HDBSCAN(min_cluster_size=15).fit(points).labels_
    return int(labels.max()) + 1, float((labels < 0).mean()), time.process_time() - began


def bertopic(texts: list[str]) -> tuple[int, float, float]:
    from feedback_nlp.embed import open_encoder

    vectors = open_encoder().encode(texts)
    began = time.process_time()
    from bertopic import BERTopic

    topics, _ = BERTopic(language="multilingual", min_topic_size=15).fit_transform(texts, embeddings=vectors)
    outliers = sum(topic < 0 for topic in topics) / max(len(topics), 1)
    return len(set(topics)) - (outliers > 0), outliers, time.process_time() - began


def run_one(way: str, path: Path, column: str, rows: int) -> None:
    texts = load(path, column, rows)
    topics, outliers, seconds = {"ours": ours, "umap-hdbscan": umap_hdbscan, "bertopic": bertopic}[way](texts)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {len(texts):,} | {way} | {topics} | {outliers:.2f} | {seconds:.1f} | {memory:,.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comments", type=Path, help="CSV or Parquet file of comments")
    parser.add_argument("--column", default="text")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000])
    parser.add_argument("--way", choices=WAYS, help="run this way only, in this process")
    chosen = parser.parse_args()
    if chosen.way:
        run_one(chosen.way, chosen.comments, chosen.column, chosen.rows[0])
        return
    print(
        "| comments | way | topics | outliers | CPU s, cold | peak MiB |\n| --- | --- | --- | --- | --- | --- |",
        flush=True,
    )
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    for rows in chosen.rows:
        for way in WAYS:
            command = [sys.executable, __file__, str(chosen.comments), "--column", chosen.column, "--rows", str(rows)]
            done = subprocess.run(
                [*command, "--way", way], env={**os.environ, **threads}, check=False, capture_output=True, text=True
            )
            print(
                done.stdout.strip() or f"| {rows:,} | {way} | not run: {done.stderr.strip().splitlines()[-1]} | | | |",
                flush=True,
            )


if __name__ == "__main__":
    main()
