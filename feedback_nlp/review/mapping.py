"""The map's data: places of a run's comments, packed for the browser, and where each topic's name stands.

A run without a map (made before there were maps, or whose files are gone) is laid out by its topics instead.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import LANGS, ROOT_CAUSES, SENTIMENTS
from feedback_nlp.review.corpus import Bools, Corpus
from feedback_nlp.review.snapshot import NO_TOPIC, Snapshot

Places = np.ndarray[Any, np.dtype[np.float32]]

MAP = "map.parquet"
_STEPS = 65_535
_GOLDEN = np.pi * (3 - np.sqrt(5.0))
# Steps of a sequence that fills the square evenly (Roberts 2018), so that no two comments of a topic coincide.
_SPREAD = (0.7548776662466927, 0.5698402909980532)
_RUN_ID = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@dataclass(frozen=True, eq=False)
class CommentMap:
    """Where a run's comments lie.

    :param places: float32 array (comments, 2) within 0 to 1; NaN = not on the map.
    :param drawn: whether places tell likeness of meaning; False where they only tell the topic.
    """

    places: Places
    drawn: bool


def open_map(folder: Path, snapshot: Snapshot) -> CommentMap:
    """Open a run's map.

    :param folder: folder of the runs' files.
    """
    run_id = snapshot.corpus.run_id
    file = folder / run_id / MAP
    if set(run_id) <= _RUN_ID and file.is_file():
        return CommentMap(_stored(file, snapshot.corpus), drawn=True)
    return CommentMap(_by_topic(snapshot), drawn=False)


def _stored(file: Path, corpus: Corpus) -> Places:
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    places = np.full((len(corpus), 2), np.nan, dtype=np.float32)
    rows = np.array([corpus.rows.get(each, -1) for each in table.column("comment_id").to_pylist()], dtype=np.int64)
    known = rows >= 0
    for at, name in enumerate(("x", "y")):
        places[rows[known], at] = table.column(name).to_numpy()[known]
    inside = ~np.isnan(places[:, 0])
    if inside.any():
        low, high = places[inside].min(axis=0), places[inside].max(axis=0)
        places = (places - low) / np.maximum(high - low, 1e-6)
    return places.astype(np.float32)


def _by_topic(snapshot: Snapshot) -> Places:
    """Lay topics out on a sunflower's spiral, the largest in the middle, and their comments around them."""
    ids, place, sizes = np.unique(snapshot.topic, return_inverse=True, return_counts=True)
    rank = np.empty(len(ids), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(ids))
    reach = np.sqrt(rank + 0.5) / np.sqrt(len(ids))
    centres = np.stack([reach * np.cos(rank * _GOLDEN), reach * np.sin(rank * _GOLDEN)], axis=1)
    within = np.arange(len(place), dtype=np.float64)
    step = 0.75 / np.sqrt(len(ids)) * np.sqrt((within * _SPREAD[0]) % 1)
    angle = 2 * np.pi * ((within * _SPREAD[1]) % 1)
    around = np.stack([step * np.cos(angle), step * np.sin(angle)], axis=1)
    return np.asarray((centres[place] + around) * 0.42 + 0.5, dtype=np.float32)


def topic_places(snapshot: Snapshot, places: Places, lang: str) -> list[dict[str, Any]]:
    """Return where each topic's name stands: id, name, comments, x and y, the largest first."""
    found = []
    order = np.argsort(snapshot.topic, kind="stable")
    ids, starts = np.unique(snapshot.topic[order], return_index=True)
    for topic_id, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        topic = snapshot.topics.get(topic_id)
        own = places[rows]
        own = own[~np.isnan(own[:, 0])]
        if topic_id == NO_TOPIC or topic is None or topic.get("hidden") or not len(own):
            continue
        x, y = np.median(own, axis=0)
        name = str(topic.get(f"label_{lang}") or topic_id)
        found.append({"id": topic_id, "name": name, "n": len(rows), "x": round(float(x), 4), "y": round(float(y), 4)})
    return sorted(found, key=lambda each: (-each["n"], each["id"]))


def packed(snapshot: Snapshot, given: CommentMap, kept: Bools | None, lang: str) -> bytes:
    """Pack points for the browser.

    :param kept: which comments are drawn; None draws all.
    :returns: four bytes with the length of the header, the header as JSON padded to four bytes, then little-endian
        arrays of one value a point: x and y (uint16), row (uint32), topic (int32), day (int32), sentiment, language
        and root cause (int8, places in the header's lists, -1 = none).
    """
    shown = ~np.isnan(given.places[:, 0])
    rows = np.flatnonzero(shown if kept is None else shown & kept)
    there = set(snapshot.topic[rows].tolist())
    header = {
        "run": snapshot.corpus.run_id,
        "version": snapshot.version,
        "points": len(rows),
        "drawn": given.drawn,
        "topics": [{**each, "here": each["id"] in there} for each in topic_places(snapshot, given.places, lang)],
        "sentiments": SENTIMENTS,
        "langs": LANGS,
        "roots": ROOT_CAUSES,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 4)
    places = np.round(np.clip(given.places[rows], 0, 1) * _STEPS).astype("<u2")
    arrays = (
        places,
        rows.astype("<u4"),
        snapshot.topic[rows].astype("<i4"),
        snapshot.corpus.days[rows].astype("<i4"),
        snapshot.sentiment[rows].astype("i1"),
        snapshot.corpus.lang[rows].astype("i1"),
        snapshot.root[rows].astype("i1"),
    )
    return struct.pack("<I", len(text)) + text + b"".join(array.tobytes() for array in arrays)
