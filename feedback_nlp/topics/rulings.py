"""Rulings: what analysts decided, as far as it bears on which topic a comment is given."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.product import stable_product
from feedback_nlp.topics.space import Vectors

Ints = np.ndarray[Any, np.dtype[np.int32]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

WORDS_FILE, ARRAYS_FILE = "decisions.json", "decisions.safetensors"


@dataclass(frozen=True, eq=False)
class Followed:
    """Comments that were put elsewhere, and which others of their topic go along.

    A comment that the model gives ``source`` goes to ``target`` when it is nearer to the mean of those that were put
    there than to the mean of those that stayed, and not much farther from it than they are.

    :param source: topic that the model gives the comments that were put elsewhere.
    :param target: topic they were put into, -1 for none.
    :param mean: float32 array (width,), their shifted mean, of unit length.
    :param stayed: float32 array (width,), the mean of the topic's other comments, likewise.
    :param floor: smallest cosine to ``mean`` of a comment that goes along.
    """

    source: int
    target: int
    mean: Vectors
    stayed: Vectors
    floor: float


@dataclass(frozen=True, eq=False)
class Core:
    """The core of a locked topic: comments this near to its centre are its own, whatever topics stand beside it.

    :param topic: its id.
    :param centre: float32 array (width,), of unit length.
    :param cosine: smallest cosine of the core.
    """

    topic: int
    centre: Vectors
    cosine: float


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Comments that analysts put into topics, kept so that their like follow on nights that bring others only.

    :param ids: their comment ids, in order.
    :param langs: their languages.
    :param vectors: float32 array of shape (comments, width), as the encoder gave them.
    """

    ids: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Rulings:
    """Everything that analysts decided about where comments go.

    :param roots: final topic of topics that were merged away.
    :param followed: groups of comments that were put elsewhere.
    :param cores: cores of locked topics.
    :param exemplars: the comments behind ``followed``.
    """

    roots: Mapping[int, int] = field(default_factory=dict)
    followed: tuple[Followed, ...] = ()
    cores: tuple[Core, ...] = ()
    exemplars: Exemplars = field(default_factory=Exemplars)

    def __bool__(self) -> bool:
        return bool(self.roots or self.followed or self.cores or self.exemplars.ids)

    def apply(self, shifted: Vectors, topics: Ints) -> Ints:
        """Return the topics of comments after the rulings, merges not followed.

        A row's result does not depend on the rows beside it.

        :param shifted: float32 array of shape (rows, width), shifted rows of unit length; zeros stay as they are.
        :param topics: int32 array (rows,), as the model gave them; left as it is.
        """
        out = topics.copy()
        own = self._cores(shifted, out)
        best = np.zeros(len(out), dtype=np.float32)
        for group in self.followed:
            rows = np.flatnonzero((topics == group.source) & ~own)
            if not len(rows):
                continue
            near = stable_product(shifted[rows], np.stack([group.mean, group.stayed], axis=1))
            lead = near[:, 0] - near[:, 1]
            goes = (lead > best[rows]) & (near[:, 0] >= group.floor)
            out[rows[goes]], best[rows[goes]] = group.target, lead[goes]
        return out

    def _cores(self, shifted: Vectors, out: Ints) -> Bools:
        """Give comments in the core of a locked topic to it; return which they are."""
        own = np.zeros(len(out), dtype=bool)
        if self.cores:
            cosines = stable_product(shifted, np.stack([core.centre for core in self.cores], axis=1))
            reach = cosines - np.array([core.cosine for core in self.cores], dtype=np.float32)
            own = np.asarray(reach.max(axis=1) >= 0) & np.any(shifted, axis=1)
            nearest = np.where(reach >= 0, cosines, -2).argmax(axis=1)
            out[own] = np.array([core.topic for core in self.cores], dtype=np.int32)[nearest[own]]
        return own

    def final(self, topics: Ints) -> Ints:
        """Return the topics with merges followed."""
        out = topics.copy()
        for topic, root in self.roots.items():
            out[topics == topic] = root
        return out

    def save(self, folder: Path) -> None:
        """Write the rulings into a folder; without any, none of its files."""
        for name in (WORDS_FILE, ARRAYS_FILE):
            (folder / name).unlink(missing_ok=True)
        if not self:
            return
        from safetensors.numpy import save_file

        words = {
            "roots": [[topic, root] for topic, root in sorted(self.roots.items())],
            "followed": [[group.source, group.target, group.floor] for group in self.followed],
            "cores": [[core.topic, core.cosine] for core in self.cores],
            "exemplars": {"ids": self.exemplars.ids, "langs": self.exemplars.langs},
        }
        text = json.dumps(words, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
        (folder / WORDS_FILE).write_text(text, encoding="utf-8")
        arrays = {
            "means": _stacked([group.mean for group in self.followed]),
            "stayed": _stacked([group.stayed for group in self.followed]),
            "centres": _stacked([core.centre for core in self.cores]),
            "exemplars": np.ascontiguousarray(self.exemplars.vectors),
        }
        save_file(arrays, folder / ARRAYS_FILE)
        (folder / ARRAYS_FILE).chmod(0o644)

    @classmethod
    def open(cls, folder: Path) -> "Rulings":
        """Read the rulings of a folder whose files were verified; none where it has none.

        :raises ModelError: when they are incomplete.
        """
        if not (folder / WORDS_FILE).is_file():
            return cls()
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            words = json.loads((folder / WORDS_FILE).read_text(encoding="utf-8"))
            arrays = load_file(folder / ARRAYS_FILE)
            means, stayed, centres = arrays["means"], arrays["stayed"], arrays["centres"]
            told = words["exemplars"]
            return cls(
                roots=dict(words["roots"]),
                followed=tuple(
                    Followed(source, target, means[at], stayed[at], floor)
                    for at, (source, target, floor) in enumerate(words["followed"])
                ),
                cores=tuple(Core(topic, centres[at], cosine) for at, (topic, cosine) in enumerate(words["cores"])),
                exemplars=Exemplars(tuple(told["ids"]), tuple(told["langs"]), arrays["exemplars"]),
            )
        except (KeyError, IndexError, TypeError, ValueError, OSError, SafetensorError) as error:
            raise ModelError(
                f"{folder}: the decisions in it are incomplete ({error}). Bring the folder again."
            ) from error


def _stacked(rows: list[Vectors]) -> Vectors:
    return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)
