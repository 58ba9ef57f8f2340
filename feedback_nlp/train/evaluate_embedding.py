"""Judges an encoder: translations found among others, topics found by clustering, and what of the language leaks."""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.embed.encoder import Encoder, open_encoder
from feedback_nlp.embed.settings import Backend, ShippedBackend, StaticBackend
from feedback_nlp.normalise.deromanise import WordModel
from feedback_nlp.normalise.normaliser import Span, normalise
from feedback_nlp.normalise.settings import DeromaniseModel
from feedback_nlp.train.data import read_jsonl, read_set
from feedback_nlp.train.figures import Figure, accuracy, bootstrap

_SUITE = "embedding"
_BITEXTS = (
    ("tatoeba_laser_en_ar", "en-ar", "first static prototype .72"),
    ("tatoeba_laser_en_fa", "en-fa", "first static prototype .79"),
    ("flores200_devtest_en_ar", "en-ar", "first static prototype .90"),
    ("flores200_devtest_en_fa", "en-fa", "first static prototype .95"),
    ("flores200_devtest_ar_fa", "ar-fa", "first static prototype .84; on NTREX: e5-small .910, MiniLM-L12 .882"),
)
_V_ANCHORS = {
    "en": "MiniLM-L12 multilingual .38, best of any size .659",
    "ar": "MiniLM-L12 multilingual .38, best on dialects .645",
    "fa": "MiniLM-L12 multilingual .43, best of any size .617",
    "all": "MiniLM-L12 multilingual .41",
}
# One k-means run differs from the next by a hundredth; of twenty the mean holds to a few thousandths.
_CLUSTER_RUNS = 20
SHIPPED: tuple[Backend, ...] = (StaticBackend(), ShippedBackend())

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, Any]


def nearest(left: Vectors, right: Vectors) -> Labels:
    """Return for each row of ``left`` the position of its nearest row of ``right`` by cosine."""
    return np.asarray((left @ right.T).argmax(axis=1))


def _retrieval(data: str, langs: str, left: Vectors, right: Vectors, anchor: str) -> Figure:
    truth = np.arange(len(left))
    both = np.concatenate([truth, truth])
    found = np.concatenate([nearest(left, right), nearest(right, left)])
    value, low, high = bootstrap(accuracy, both, found)
    metric = "top-1 retrieval, mean of both directions"
    return Figure(_SUITE, data, langs, metric, value, low, high, len(left), anchor)


def _bitexts(data: Path, encoder: Encoder) -> list[Figure]:
    figures = []
    for name, langs, anchor in _BITEXTS:
        frame = read_set(data, name, folder="eval")
        left, right = encoder.encode(list(frame["src"])), encoder.encode(list(frame["tgt"]))
        figures.append(_retrieval(name, langs, left, right, anchor))
    return figures


def _v_measure(truth: Labels, found: Labels) -> float:
    from sklearn.metrics import v_measure_score

    return float(v_measure_score(truth, found))


def _mean_v(truth: Labels, runs: Labels) -> float:
    return float(np.mean([_v_measure(truth, found) for found in runs.T]))


def cluster_labels(vectors: Vectors, clusters: int, seed: int) -> list[Labels]:
    """Return the labels of k-means, run with successive seeds."""
    from sklearn.cluster import KMeans

    return [
        KMeans(clusters, n_init=10, random_state=seed + run).fit_predict(vectors).astype(int)
        for run in range(_CLUSTER_RUNS)
    ]


def _clusters(lang: str, vectors: Vectors, topics: Labels, seed: int) -> tuple[Figure, list[Labels]]:
    runs = cluster_labels(vectors, len(set(topics)), seed)
    value, low, high = bootstrap(_mean_v, topics, np.stack(runs, axis=1), rounds=100)
    name = f"k-means V-measure, mean of {_CLUSTER_RUNS} runs"
    return Figure(_SUITE, "multi_sib200", lang, name, value, low, high, len(topics), _V_ANCHORS[lang]), runs


def _sib200(data: Path, encoder: Encoder, seed: int) -> list[Figure]:
    frame = read_set(data, "multi_sib200")
    langs, topics = frame["lang"].to_numpy(str), frame["topic"].to_numpy(str)
    vectors = encoder.encode(list(frame["text"]))
    figures = [_clusters(lang, vectors[langs == lang], topics[langs == lang], seed)[0] for lang in ("en", "ar", "fa")]
    pooled, runs = _clusters("all", vectors, topics, seed)
    leak = float(np.mean([_v_measure(langs, found) for found in runs]))
    metric = "language leak: NMI of cluster and language"
    return [*figures, pooled, Figure(_SUITE, "multi_sib200", "all", metric, leak, n=len(frame), anchor="0 is best")]


def _dialects(data: Path, encoder: Encoder, seed: int) -> Figure:
    """Cluster each Arabic dialect by itself and take the mean; a newcomer's dialect should not cost topics."""
    frame = read_set(data, "multi_sib200_dialects")
    frame = frame[frame["lang"] == "ar"]
    codes = frame["extra"].map(lambda extra: json.loads(extra)["code"])
    values = []
    for code in sorted(set(codes)):
        part = frame[codes == code]
        topics = part["topic"].to_numpy(str)
        runs = cluster_labels(encoder.encode(list(part["text"])), len(set(topics)), seed)
        values += [_v_measure(topics, found) for found in runs]
    metric = "k-means V-measure, mean over dialects"
    anchor = "best of any size .60-.645"
    return Figure(_SUITE, "multi_sib200_dialects", "ar", metric, float(np.mean(values)), n=len(frame), anchor=anchor)


def _native(texts: Sequence[str], lang: str) -> list[str]:
    """Put romanised comments into native letters, as the normalise stage does."""
    deromaniser = WordModel.from_folder(open_model(resolve_model(DeromaniseModel().model)))
    spans = [[Span(0, len(text), f"{lang}-Latn")] for text in texts]
    return [
        normalise(text, lang, spans=span, deromaniser=deromaniser).clean
        for text, span in zip(texts, spans, strict=True)
    ]


def _romanised(data: Path, encoder: Encoder) -> list[Figure]:
    figures = []
    for lang in ("ar", "fa"):
        rows = read_jsonl(data, f"romanised/{lang}_roman.jsonl")
        native = encoder.encode([normalise(row["text"], lang).clean for row in rows])
        typed = [row["roman"] for row in rows]
        for name, texts in (("romanised", typed), ("romanised, normalised", _native(typed, lang))):
            figures.append(_retrieval(name, f"{lang}-{lang}-Latn", native, encoder.encode(texts), ""))
    return figures


def judge(data: Path, encoder: Encoder, *, seed: int = 17) -> list[Figure]:
    """Judge an encoder on sentences that it was not trained on.

    :returns: retrieval of translations (Tatoeba, FLORES) and of romanised comments, as typed and normalised; V-measure
        of k-means on SIB-200 by language and pooled, and how far the pooled clusters follow the language.
    """
    return [
        *_bitexts(data, encoder),
        *_sib200(data, encoder, seed),
        _dialects(data, encoder, seed),
        *_romanised(data, encoder),
    ]


def evaluate(data: Path, *, backends: Sequence[Backend] = SHIPPED, seed: int = 17) -> list[Figure]:
    """Judge encoders side by side; the data's name is followed by the model's.

    :param backends: the encoders; those that need PyTorch are left out where it is not installed.
    """
    return [
        replace(figure, data=f"{figure.data}, {backend.model}")
        for backend in backends
        if isinstance(backend, StaticBackend) or find_spec("torch") is not None
        for figure in judge(data, open_encoder(backend), seed=seed)
    ]


def by_name(figures: Sequence[Figure]) -> dict[str, float]:
    """Return values by ``data lang metric`` in short, for a log."""
    return {f"{f.data} {f.lang}" + (" leak" if "leak" in f.metric else ""): round(f.value, 4) for f in figures}
