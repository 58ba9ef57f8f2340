"""What ``import feedback_nlp as fn`` offers."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from feedback_nlp import pipeline
from feedback_nlp.config import Config, load_config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import (
    COMMENT_ID,
    CREATED_AT,
    INPUT_COLUMNS,
    LANG,
    META,
    RESULT_COLUMNS,
    SOURCE,
    TEXT,
    TOPIC_ID,
    TOPIC_SCORE,
)
from feedback_nlp.core.errors import BadDataError
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.nightly import run
from feedback_nlp.outcome import RunResult
from feedback_nlp.store import open_store

if TYPE_CHECKING:
    import pandas as pd

    from feedback_nlp.topics import TopicModel as FoundTopics

__all__ = ["Classifier", "RunResult", "TopicModel", "classify", "discover_topics", "embed", "open_store", "run"]

Vectors = np.ndarray[Any, np.dtype[np.float32]]


def _as_config(config: Config | str | Path | None) -> Config:
    return config if isinstance(config, Config) else load_config(config)


def _from_frame(frame: "pd.DataFrame") -> CommentBatch:
    """Make a batch from a DataFrame with a ``text`` column; columns we do not know become ``meta``."""
    import pandas as pd

    if TEXT.name not in frame.columns:
        raise BadDataError(f"The DataFrame has no column 'text'. It has: {', '.join(map(str, frame.columns))}.")
    known = {column.name for column in INPUT_COLUMNS}
    rest = [name for name in frame.columns if name not in known]
    rows = len(frame)
    ids = frame[COMMENT_ID.name] if COMMENT_ID.name in frame.columns else range(rows)
    if CREATED_AT.name in frame.columns:
        created = pd.to_datetime(frame[CREATED_AT.name], utc=True, errors="coerce")
    else:
        created = pd.Series([None] * rows, dtype="datetime64[us, UTC]")
    meta = [
        json.dumps(row, ensure_ascii=False, sort_keys=True, default=str)
        for row in frame[rest].to_dict(orient="records")
    ]
    return CommentBatch.from_columns(
        {
            COMMENT_ID: pa.array([str(value) for value in ids], pa.string()),
            TEXT: pa.array(["" if pd.isna(value) else str(value) for value in frame[TEXT.name]], pa.string()),
            CREATED_AT: pa.Array.from_pandas(created).cast(CREATED_AT.dtype),
            SOURCE: pa.array(["memory"] * rows, pa.string()),
            META: pa.array(meta if rest else [None] * rows, pa.string()),
        },
        who="classify",
    )


def as_batch(texts: "Sequence[str] | pd.Series[str] | pd.DataFrame") -> CommentBatch:
    """Make a batch from strings, a Series or a DataFrame with a ``text`` column, in the same order.

    :raises BadDataError: when there is no text, or a value is no string.
    """
    if hasattr(texts, "columns"):
        return _from_frame(cast("pd.DataFrame", texts))
    if isinstance(texts, str):
        raise BadDataError("Give a list of comments, not one string: classify([text]).")
    values = list(texts)
    strange = next((i for i, value in enumerate(values) if not isinstance(value, str)), None)
    if strange is not None:
        raise BadDataError(f"Comment {strange} is {type(values[strange]).__name__}; every comment must be a string.")
    return CommentBatch.from_texts(values)


@dataclass(frozen=True)
class Classifier:
    """The stages of a configuration, opened once, for any number of texts.

    :param stages: row-wise stages and, where a topic model is configured, the topic stage.
    """

    stages: Sequence[Stage]

    def batch(self, batch: CommentBatch) -> pa.Table:
        """Run the stages.

        :returns: the result columns, one row a comment, in the batch's order; columns no stage made are left out.
        """
        done, _ = run_stages(self.stages, pipeline.with_problems(batch))
        if TOPIC_ID not in done:
            none = {
                TOPIC_ID: pa.array(np.full(len(done), -1, dtype=np.int32)),
                TOPIC_SCORE: pa.array(np.zeros(len(done), dtype=np.float32)),
            }
            done = done.adding(none, who="classify")
        return done.table.select([column.name for column in RESULT_COLUMNS if column in done])

    def texts(self, texts: Sequence[str]) -> pa.Table:
        """Classify comments; see :meth:`batch`."""
        return self.batch(as_batch(texts))

    def file(self, path: str) -> pa.Table:
        """Classify a dump's comments in the order of their ids; rejected rows are left out."""
        import tempfile

        from feedback_nlp.ingest import IngestSettings, spool

        with tempfile.TemporaryDirectory() as folder:
            spooled = spool([path], IngestSettings(), Path(folder))
            tables = [self.batch(batch) for batch in spooled.chunks(4096)]
        return pa.concat_tables(tables) if tables else self.texts([])


@functools.lru_cache(maxsize=4)
def _cached_classifier(content: str) -> Classifier:
    config = Config(**json.loads(content))
    stages = pipeline.build_row_stages(config)
    if config.run.topic_model is not None:
        from feedback_nlp.embed import open_encoder
        from feedback_nlp.topics.decisions import DecidedTopics, DecidedTopicStage

        least = config.topics.also_score
        encode = open_encoder(config.embed.backend).encode if least < 1 else None
        topics = DecidedTopics.open(config.run.topic_model)
        stages.append(DecidedTopicStage(topics, encode=encode, also_score=least))
    return Classifier(stages)


def open_classifier(config: Config | str | Path | None = None) -> Classifier:
    """Open the stages of a configuration; the last few are kept open.

    :param config: a Config, a YAML file or the name of a shipped one; None takes the defaults.
    """
    return _cached_classifier(_as_config(config).model_dump_json())


def classify(
    texts: "Sequence[str] | pd.Series[str] | pd.DataFrame", *, config: Config | str | Path | None = None
) -> "pd.DataFrame":
    """Classify comments.

    :param texts: strings, a Series, or a DataFrame with a ``text`` column (others become ``meta``).
    :returns: one row a comment in the same order, with the result columns.
    :raises BadDataError: when a comment is no string.
    """
    found: pd.DataFrame = open_classifier(config).batch(as_batch(texts)).to_pandas()
    return found


def embed(texts: "Sequence[str] | pd.Series[str]", *, config: Config | str | Path | None = None) -> Vectors:
    """Turn texts into vectors; texts of one meaning are near each other across languages.

    :returns: float32 array of shape (n, width), rows of unit length; zeros for a text with nothing to read.
    """
    return pipeline.with_vectors(as_batch(texts), _as_config(config)).vectors()


@dataclass(frozen=True)
class TopicModel:
    """Topics found by :func:`discover_topics`: a value that assigns further comments and can be saved.

    :param model: what the topics room found.
    :param config: the configuration that turns texts into vectors.
    """

    model: "FoundTopics"
    config: Config

    def assign(
        self, texts: "Sequence[str] | pd.Series[str] | pd.DataFrame", *, vectors: Vectors | None = None
    ) -> "pd.DataFrame":
        """Assign comments to topics.

        :param vectors: float32 array of shape (n, width) of the same encoder; made here where not given.
        :returns: one row a comment in the same order: topic_id (int32, -1 none), topic_score.
        """
        import pandas as pd

        ready = pipeline.with_vectors(as_batch(texts), self.config, vectors)
        found = self.model.assign(ready.vectors(), ready.values(LANG))
        return pd.DataFrame({TOPIC_ID.name: found.topic_id, TOPIC_SCORE.name: found.topic_score})

    def topics(self) -> "pd.DataFrame":
        """Return one row a topic: topic_id, size, parent_id, labels, keywords and shares per language."""
        frame: pd.DataFrame = self.model.table().to_pandas()
        return frame

    def save(self, path: str | Path) -> Path:
        """Write the model as a folder."""
        return self.model.save(path).path


def discover_topics(
    texts: "Sequence[str] | pd.Series[str] | pd.DataFrame",
    *,
    vectors: Vectors | None = None,
    seed: int = 17,
    settings: Mapping[str, Any] | None = None,
    config: Config | str | Path | None = None,
) -> TopicModel:
    """Find the topics of comments.

    :param vectors: float32 array of shape (n, width), one row a comment; made by the shipped encoder where not given.
    :param settings: topic settings by name; they win over the configuration.
    """
    chosen = _as_config(config)
    if settings is not None:
        chosen = load_config(topics=dict(settings))
    ready = pipeline.with_vectors(as_batch(texts), chosen, vectors)
    return TopicModel(pipeline.discover([ready], chosen, seed=seed), chosen)
