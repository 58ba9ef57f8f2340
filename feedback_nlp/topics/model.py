"""TopicModel: topics as a frozen value that assigns comments, saves itself as a model folder and tells about itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.errors import ModelError, StageContractError
from feedback_nlp.core.modelfolder import ModelFolder, open_model, write_model
from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import Assignment, Places, Trade
from feedback_nlp.topics.space import LanguageShift, Vectors
from feedback_nlp.topics.subtopics import Subtopics
from feedback_nlp.topics.table import topic_table
from feedback_nlp.topics.topic import Topic, as_plain, from_plain

KIND = "topics"
_TOPICS_FILE = "topics.json"
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class TopicModel:
    """Topics found in a sample of comments.

    :param topics: topics; the largest first, dormant ones last.
    :param themes: themes above them, whose ids are counted apart from the topics'.
    :param places: where topics lie, in the order of ``topics``.
    :param shift: what is taken off a vector by language before it is placed.
    :param trade: outliers and purity before and after the outlier target was met.
    :param comments: size of the discovery sample.
    :param next_id: smallest topic id never used.
    :param next_theme_id: smallest theme id never used.
    :param past: what is remembered of the comments last seen; None = nothing.
    :param age: runs since the topics were last discovered anew.
    :param subtopics: what topics that are big enough fall into.
    """

    topics: tuple[Topic, ...]
    themes: tuple[Topic, ...]
    places: Places
    shift: LanguageShift
    trade: Trade
    comments: int
    next_id: int
    next_theme_id: int
    past: Past | None = None
    age: int = 0
    subtopics: Subtopics = field(default_factory=lambda: Subtopics.nothing(0))

    def __len__(self) -> int:
        return len(self.topics)

    @property
    def outliers(self) -> float:
        """Share of the discovery sample without a topic."""
        return self.trade.outliers

    def assign(self, vectors: Vectors, langs: Sequence[str] | None = None) -> Assignment:
        """Assign comments to their nearest topic.

        A row's result does not depend on the rows beside it. The score estimates which share of the ten most similar
        comments stands in the same topic; it is 0 where there is no topic.

        :param vectors: float32 array of shape (rows, width) of the encoder that the topics were discovered with; a row
            of zeros has no topic.
        :param langs: each row's language; None takes the mean of all languages.
        :raises StageContractError: when the width differs from the model's.
        """
        self._check_width(vectors)
        ids, live = self._ids, self.live
        topic_id = np.empty(len(vectors), dtype=np.int32)
        score = np.empty(len(vectors), dtype=np.float32)
        for start in range(0, len(vectors), _BLOCK):
            part = slice(start, start + _BLOCK)
            own = None if langs is None else langs[part]
            place, score[part] = live.place(self.shift.apply(vectors[part], own))
            topic_id[part] = ids[place]
        return Assignment(topic_id, score)

    def assign_subtopics(
        self, vectors: Vectors, langs: Sequence[str] | None, topics: np.ndarray[Any, np.dtype[np.int32]]
    ) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Return each comment's sub-topic, the nearest of its topic's, -1 where that has none; int32 array (rows,).

        A row's result does not depend on the rows beside it.

        :param vectors: as for :meth:`assign`.
        :param topics: int32 array (rows,), the id of each comment's topic, -1 for none.
        """
        self._check_width(vectors)
        return self.subtopics.ids(self.subtopics.place(self.shift.apply(vectors, langs), topics))

    def rank(self, vectors: Vectors, langs: Sequence[str] | None = None, *, most: int = 3) -> Assignment:
        """Return each comment's nearest topics, for comments that speak of several things.

        Scores are read as in :meth:`assign`, whose topic stands first.

        :param most: topics a comment; at least 1.
        :returns: ids and scores, arrays of shape (rows, most); -1 and 0 past the topics that are near enough.
        :raises StageContractError: when the width differs from the model's.
        """
        self._check_width(vectors)
        places, scores = self.live.ranked(self.shift.apply(vectors, langs), most)
        return Assignment(self._ids[places], scores)

    def _check_width(self, vectors: Vectors) -> None:
        width = self.shift.means.shape[1]
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise StageContractError(f"topics: vectors of width {width} are needed, got shape {vectors.shape}.")

    @property
    def _ids(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Ids by position; the last entry, which position -1 reads, stands for none."""
        return np.array([topic.id for topic in self.topics] + [-1], dtype=np.int32)

    @property
    def live(self) -> Places:
        """The places of topics that are not dormant; those stand last."""
        live = sum(topic.status != "dormant" for topic in self.topics)
        return self.places.take(np.arange(live))

    @property
    def asleep(self) -> Places:
        """The places of dormant topics."""
        return self.places.take(np.arange(len(self.live), len(self)))

    def table(self) -> pa.Table:
        """Return one row a topic, in the columns of :func:`topics.table.topic_schema`; dormant ones too."""
        return topic_table(self)

    def save(self, path: str | Path, *, settings: Mapping[str, Any] | None = None) -> ModelFolder:
        """Write the model as a folder; the same model gives the same bytes.

        :param settings: settings it was found with, kept in the manifest.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "topics": [as_plain(topic) for topic in self.topics],
            "themes": [as_plain(theme) for theme in self.themes],
            "subtopics": [as_plain(entry) for entry in self.subtopics.entries],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
        (folder / _TOPICS_FILE).write_text(text, encoding="utf-8")
        details = {
            "languages": list(CODES),
            "shift_languages": list(self.shift.langs),
            "comments": self.comments,
            "next_id": self.next_id,
            "next_theme_id": self.next_theme_id,
            "next_subtopic_id": self.subtopics.next_id,
            "age": self.age,
            "trade": asdict(self.trade),
            "settings": dict(settings or {}),
        }
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "centroids": self.places.centroids,
            "radii": self.places.radii,
            "strict": self.places.strict.astype(np.uint8),
            "curve": self.places.curve,
            "means": self.shift.means,
            "subtopic_centroids": self.subtopics.centroids,
        }
        if self.shift.metric is not None:
            arrays["metric"] = self.shift.metric
        if self.past is not None:
            arrays |= {"past": self.past.vectors.astype(np.float16), "past_weights": self.past.weights}
        return write_model(
            folder, kind=KIND, name=folder.name, version="1", details=details, arrays=arrays, card=self._card()
        )

    def _card(self) -> str:
        lines = [
            f"# Topics\n\n{len(self.topics)} topics in {self.comments} comments, {self.outliers:.1%} without a topic.\n"
        ]
        lines += [f"- {topic.id} ({topic.size}): {topic.labels.get('en', '')}" for topic in self.topics]
        return "\n".join(lines) + "\n"

    @classmethod
    def open(cls, path: str | Path) -> "TopicModel":
        """Open a saved model and verify its files.

        :raises ModelError: when the folder is missing, damaged or of another kind.
        """
        folder = open_model(path).require(KIND)
        try:
            content = json.loads((folder.path / _TOPICS_FILE).read_text(encoding="utf-8"))
            arrays = folder.arrays()
            manifest = folder.manifest
            return cls(
                topics=tuple(from_plain(entry) for entry in content["topics"]),
                themes=tuple(from_plain(entry) for entry in content["themes"]),
                places=Places(arrays["centroids"], arrays["radii"], arrays["strict"].astype(bool), arrays["curve"]),
                shift=LanguageShift(tuple(manifest["shift_languages"]), arrays["means"], arrays.get("metric")),
                trade=Trade(**manifest["trade"]),
                comments=manifest["comments"],
                next_id=manifest["next_id"],
                next_theme_id=manifest["next_theme_id"],
                past=_past(arrays),
                age=manifest.get("age", 0),
                subtopics=_subtopics(content, arrays, manifest.get("next_subtopic_id", 0)),
            )
        except (KeyError, TypeError, FileNotFoundError) as error:
            raise ModelError(
                f"{folder.path}: the topics in it are incomplete ({error}). Bring the folder again."
            ) from error


def _subtopics(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]], next_id: int) -> Subtopics:
    """Return the sub-topics of a folder; none where it was written before there were any."""
    entries = tuple(from_plain(entry) for entry in content.get("subtopics", ()))
    return Subtopics(entries, arrays.get("subtopic_centroids", arrays["centroids"][:0]), next_id)


def _past(arrays: Mapping[str, np.ndarray[Any, Any]]) -> Past | None:
    return Past(arrays["past"].astype(np.float32), arrays["past_weights"]) if "past" in arrays else None
