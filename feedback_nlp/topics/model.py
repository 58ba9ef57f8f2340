"""TopicModel: topics as a frozen value that assigns comments, saves itself as a model folder and tells about itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from feedback_nlp.core.errors import ModelError, StageContractError
from feedback_nlp.core.modelfolder import ModelFolder, open_model, write_model
from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import Assignment, Places, Trade
from feedback_nlp.topics.representatives import Representative
from feedback_nlp.topics.space import LanguageShift, Vectors

KIND = "topics"
_TOPICS_FILE = "topics.json"
_BLOCK = 8192

Status = Literal["emerging", "standing", "dormant"]
Change = Literal["split_from", "split_into", "merged_from", "merged_into"]


@dataclass(frozen=True)
class Event:
    """Something that discovering anew found about two topics.

    :param change: what happened to the topic.
    :param topic_id: the other topic.
    :param day: latest day of the comments that showed it, ISO 8601, or None where they had none.
    """

    change: Change
    topic_id: int
    day: str | None


@dataclass(frozen=True)
class Topic:
    """One topic, or one theme that gathers topics.

    :param id: stable number, from 0.
    :param size: comments of the discovery sample assigned to it.
    :param parent_id: id of its theme, or None.
    :param labels: a label of two to four words by language.
    :param keywords: keywords by language, most telling first.
    :param representatives: typical comments by language.
    :param shares: share of its comments by language; sums to 1.
    :param status: ``standing``; ``emerging`` = new since the model it was matched with;
        ``dormant`` = known, no comments now.
    :param idle: runs since it last had comments.
    :param first_seen: earliest day of its comments when it emerged, ISO 8601; None where comments had no day, or for a
        topic of the first discovery.
    :param growth: how many times its share of the comments before it emerged, where one comment less counts as one;
        None for a topic of the first discovery.
    :param lineage: what it was split from or merged with, the latest last.
    """

    id: int
    size: int
    parent_id: int | None
    labels: Mapping[str, str]
    keywords: Mapping[str, tuple[str, ...]]
    representatives: Mapping[str, tuple[Representative, ...]]
    shares: Mapping[str, float]
    status: Status = "standing"
    idle: int = 0
    first_seen: str | None = None
    growth: float | None = None
    lineage: tuple[Event, ...] = ()


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
        """Return one row a topic, in the columns of :func:`topic_schema`; dormant ones too."""
        themes = {theme.id: theme for theme in self.themes}
        rows = [
            self._row(topic, float(radius), themes)
            for topic, radius in zip(self.topics, self.places.radii, strict=True)
        ]
        return pa.Table.from_pylist(rows, schema=topic_schema())

    def _row(self, topic: Topic, radius: float, themes: Mapping[int, Topic]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "topic_id": topic.id,
            "size": topic.size,
            "share": topic.size / self.comments if self.comments else 0.0,
            "parent_id": topic.parent_id,
            "status": topic.status,
            "radius": radius,
            "first_seen": topic.first_seen,
            "growth": topic.growth,
            "lineage": [asdict(event) for event in topic.lineage],
        }
        parent = themes.get(-1 if topic.parent_id is None else topic.parent_id)
        for lang in CODES:
            row[f"label_{lang}"] = topic.labels.get(lang, "")
            row[f"parent_label_{lang}"] = None if parent is None else parent.labels.get(lang, "")
            row[f"keywords_{lang}"] = list(topic.keywords.get(lang, ()))
            row[f"share_{lang}"] = topic.shares.get(lang, 0.0)
            row[f"representatives_{lang}"] = [asdict(one) for one in topic.representatives.get(lang, ())]
        return row

    def save(self, path: str | Path, *, settings: Mapping[str, Any] | None = None) -> ModelFolder:
        """Write the model as a folder; the same model gives the same bytes.

        :param settings: settings it was found with, kept in the manifest.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "topics": [_plain(topic) for topic in self.topics],
            "themes": [_plain(theme) for theme in self.themes],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
        (folder / _TOPICS_FILE).write_text(text, encoding="utf-8")
        details = {
            "languages": list(CODES),
            "shift_languages": list(self.shift.langs),
            "comments": self.comments,
            "next_id": self.next_id,
            "next_theme_id": self.next_theme_id,
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
                topics=tuple(_topic(entry) for entry in content["topics"]),
                themes=tuple(_topic(entry) for entry in content["themes"]),
                places=Places(arrays["centroids"], arrays["radii"], arrays["strict"].astype(bool), arrays["curve"]),
                shift=LanguageShift(tuple(manifest["shift_languages"]), arrays["means"], arrays.get("metric")),
                trade=Trade(**manifest["trade"]),
                comments=manifest["comments"],
                next_id=manifest["next_id"],
                next_theme_id=manifest["next_theme_id"],
                past=_past(arrays),
                age=manifest.get("age", 0),
            )
        except (KeyError, TypeError, FileNotFoundError) as error:
            raise ModelError(
                f"{folder.path}: the topics in it are incomplete ({error}). Bring the folder again."
            ) from error


def unnamed_topic(number: int) -> Topic:
    """Return a topic that nothing is known of but its number."""
    return Topic(number, 0, None, {}, {}, {}, {})


def topic_schema() -> pa.Schema:
    """Return the columns of ``topics.parquet``."""
    comment = pa.struct([("comment_id", pa.string()), ("text", pa.string())])
    event = pa.struct([("change", pa.string()), ("topic_id", pa.int32()), ("day", pa.string())])
    fields = [
        pa.field("topic_id", pa.int32(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
        pa.field("parent_id", pa.int32()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("radius", pa.float32(), nullable=False),
        pa.field("first_seen", pa.string()),
        pa.field("growth", pa.float32()),
        pa.field("lineage", pa.list_(event)),
    ]
    fields += [pa.field(f"label_{lang}", pa.string(), nullable=False) for lang in CODES]
    fields += [pa.field(f"keywords_{lang}", pa.list_(pa.string())) for lang in CODES]
    fields += [pa.field(f"share_{lang}", pa.float32(), nullable=False) for lang in CODES]
    fields += [pa.field(f"representatives_{lang}", pa.list_(comment)) for lang in CODES]
    fields += [pa.field(f"parent_label_{lang}", pa.string()) for lang in CODES]
    return pa.schema(fields)


def _past(arrays: Mapping[str, np.ndarray[Any, Any]]) -> Past | None:
    return Past(arrays["past"].astype(np.float32), arrays["past_weights"]) if "past" in arrays else None


def _plain(topic: Topic) -> dict[str, Any]:
    return asdict(topic)


def _topic(entry: dict[str, Any]) -> Topic:
    return Topic(
        **{
            **entry,
            "keywords": {lang: tuple(words) for lang, words in entry["keywords"].items()},
            "representatives": {
                lang: tuple(Representative(**one) for one in chosen)
                for lang, chosen in entry["representatives"].items()
            },
            "lineage": tuple(Event(**event) for event in entry.get("lineage", ())),
        }
    )
