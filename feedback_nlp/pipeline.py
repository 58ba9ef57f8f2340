"""The only module that knows every stage: builds them from a Config and carries a run from dumps to stored results.

A run goes twice over the comments. The row-wise stages run chunk by chunk in worker processes, each finished chunk a
part file; then topics are discovered on a sample and every part gets its topics on its way into the result.
"""

import functools
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from feedback_nlp.config import Config
from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import (
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    COMMENT_ID,
    LANG,
    PROBLEMS,
    REDACTIONS,
    SOURCE,
    VECTOR,
)
from feedback_nlp.core.errors import BadDataError, ConfigError
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.core.settings import Settings
from feedback_nlp.core.stage import Stage, check_plan, run_stages
from feedback_nlp.core.version import __version__
from feedback_nlp.execute import run_chunks
from feedback_nlp.ingest import Spool
from feedback_nlp.store import parts_done, read_parts, write_part

if TYPE_CHECKING:
    from feedback_nlp.topics import TopicModel

TOPICS = "topics"
HUGGING_FACE = ("transformers", "sentence-transformers")


class Progress(Protocol):
    """Told how far a run is."""

    def begin(self, step: str, total: int | None) -> None:
        """Begin a step of ``total`` rows, where known."""

    def advance(self, rows: int) -> None:
        """Tell that ``rows`` more are done."""

    def end(self) -> None:
        """End the step."""


class SilentProgress:
    """Shows nothing."""

    def begin(self, step: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, rows: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


def build_stage(name: str, config: Config) -> Stage:
    """Open one row-wise stage with its model."""
    stage: Stage
    if name == "langid":
        from feedback_nlp.langid import open_stage as open_langid

        stage = open_langid(config.langid)
    elif name == "normalise":
        from feedback_nlp.normalise import open_stage as open_normalise

        stage = open_normalise(config.normalise)
    elif name == "embed":
        from feedback_nlp.embed import open_stage as open_embed

        stage = open_embed(config.embed)
    elif name == "sentiment":
        from feedback_nlp.sentiment import open_stage as open_sentiment

        stage = open_sentiment(config.sentiment)
    elif name == "rootcause":
        from feedback_nlp.rootcause import open_stage as open_rootcause

        stage = open_rootcause(config.rootcause)
    else:
        raise ConfigError(f"Stage '{name}' is no row-wise stage.")
    return stage


def build_row_stages(config: Config) -> list[Stage]:
    """Open the configured row-wise stages in order and check that each stage's needs are met.

    :raises ConfigError: when a stage stands before what it needs.
    """
    stages = [build_stage(name, config) for name in config.run.stages if name != TOPICS]
    check_plan(stages)
    return stages


def model_names(settings: Settings) -> Iterator[str]:
    """Yield the name of every model folder that the settings name in a ``model`` field, in order.

    Hugging Face models have no manifest; their name and pinned revision are part of the configuration's fingerprint.
    """
    if getattr(settings, "kind", "") in HUGGING_FACE:
        return
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            yield from model_names(value)
        elif name == "model" and isinstance(value, str):
            yield value


def open_models(config: Config) -> list[ModelFolder]:
    """Open and verify every model folder that the configured stages name, each once.

    :raises ModelError: when one is missing or damaged.
    """
    names = dict.fromkeys(name for stage in config.run.stages for name in model_names(getattr(config, stage)))
    return [open_model(resolve_model(name)) for name in names]


def run_id_of(input_fingerprint: str, config: Config, models: Sequence[ModelFolder]) -> str:
    """Return the run's identity: 16 hexadecimal digits of input, configuration, models and code version."""
    parts = [input_fingerprint, config.fingerprint(), *[model.fingerprint for model in models], __version__]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def with_problems(batch: CommentBatch) -> CommentBatch:
    """Return the batch with an empty list of problems for every comment, which stages may add to."""
    return batch.adding({PROBLEMS: pa.array([[]] * len(batch), PROBLEMS.dtype)}, who="pipeline")


@dataclass
class Clock:
    """Adds up seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add seconds by name."""
        for name, value in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + value

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block by the CPU of this process."""
        began = time.process_time()
        yield
        self.add({name: time.process_time() - began})


def analyse_rows(spooled: Spool, config: Config, parts: Path, *, clock: Clock, progress: Progress) -> None:
    """Run the row-wise stages over every chunk that has no part file yet.

    :param parts: folder of part files; a finished part is never computed again.
    """
    done = parts_done(parts)
    progress.begin("reading comments", spooled.rows)
    waiting = []
    for index, size in enumerate(chunk_sizes(spooled.rows, config.run.chunk_size)):
        if index in done:
            progress.advance(size)
        else:
            waiting.append(index)
    todo = (
        with_problems(batch) for index, batch in enumerate(spooled.chunks(config.run.chunk_size)) if index not in done
    )
    build = functools.partial(build_row_stages, config)
    results = run_chunks(todo, build, workers=min(config.run.threads, max(len(waiting), 1)))
    for index, result in zip(waiting, results, strict=True):
        write_part(parts, index, result.batch)
        clock.add(result.seconds)
        progress.advance(len(result.batch))
    progress.end()


def chunk_sizes(rows: int, size: int) -> list[int]:
    """Return the number of comments of each chunk."""
    return [min(size, rows - first) for first in range(0, rows, size)]


def with_vectors(
    batch: CommentBatch, config: Config, vectors: np.ndarray[Any, np.dtype[np.float32]] | None = None
) -> CommentBatch:
    """Return comments with language, clean text and vectors.

    :param vectors: float32 array of shape (n, width) to take in place of the encoder's.
    :raises BadDataError: when there is not one vector a comment.
    """
    names = ("langid", "normalise", "embed") if vectors is None else ("langid", "normalise")
    done, _ = run_stages([build_stage(name, config) for name in names], with_problems(batch))
    if vectors is None:
        return done
    if vectors.ndim != 2 or len(vectors) != len(batch):
        raise BadDataError(f"vectors must have shape ({len(batch)}, width), got {vectors.shape}.")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return done.adding({VECTOR: vector_array(unit, lengths[:, 0] > 0)}, who="vectors")


def discover(batches: Iterable[CommentBatch], config: Config, *, seed: int) -> "TopicModel":
    """Find topics in comments that have language, clean text and vectors.

    Keeps ids, languages, clean texts and vectors of all comments in memory, nothing else.
    """
    from feedback_nlp.embed import open_encoder
    from feedback_nlp.topics import DiscoverySample
    from feedback_nlp.topics import discover as discover_topics

    ids: list[str] = []
    cleans: list[str | None] = []
    langs: list[str] = []
    strata: list[str] = []
    vectors = []
    for batch in batches:
        ids += batch.values(COMMENT_ID)
        cleans += _without_personal_data(batch)
        langs += batch.values(LANG)
        strata += batch.values(SOURCE)
        vectors.append(batch.vectors())
    joined = np.concatenate(vectors) if vectors else np.zeros((0, 1), dtype=np.float32)
    sample = DiscoverySample(ids, cleans, langs, joined, strata)
    return discover_topics(sample, config.topics, seed=seed, encode=open_encoder(config.embed.backend).encode)


def _without_personal_data(batch: CommentBatch) -> list[str | None]:
    """Return the clean texts with personal data cut out, since topics keep words and comments of theirs."""
    cleans: list[str | None] = batch.values(CLEAN)
    redactions = batch.values(REDACTIONS)
    starts, ends = batch[CLEAN_STARTS], batch[CLEAN_ENDS]
    for row, found in enumerate(redactions):
        clean = cleans[row]
        if not found or clean is None:
            continue
        length = max(ends[row].as_py(), default=0)
        offsets = OffsetMap(np.array(starts[row].as_py()), np.array(ends[row].as_py()), length)
        for span in reversed(found):
            start, end = offsets.to_clean(span["start"], span["end"])
            clean = f"{clean[:start]} {clean[end:]}"
        cleans[row] = clean
    return cleans


def find_topics(parts: Path, config: Config, standing: Path | None) -> "TopicModel":
    """Find the topics of finished parts; where topics stand already, theirs carry on.

    :param standing: folder of the standing topic model, or None.
    """
    from feedback_nlp.topics import TopicModel, match

    columns = (COMMENT_ID, CLEAN, CLEAN_STARTS, CLEAN_ENDS, REDACTIONS, LANG, SOURCE, VECTOR)
    found = discover((batch for _, batch in read_parts(parts, columns)), config, seed=config.run.seed)
    return found if standing is None else match(found, TopicModel.open(standing))


def open_topic_stage(model: "TopicModel") -> Stage:
    """Return the stage that assigns comments to the topics of a model."""
    from feedback_nlp.topics import TopicStage

    return TopicStage(model)


def measure_rate(spooled: Spool, config: Config, comments: int = 500) -> tuple[float, int]:
    """Run the row-wise stages over the first comments.

    :returns: seconds of CPU, and how many comments that was.
    """
    stages = build_row_stages(config)
    for batch in spooled.chunks(comments):
        _, seconds = run_stages(stages, with_problems(batch))
        return sum(seconds.values()), len(batch)
    return 0.0, 0
