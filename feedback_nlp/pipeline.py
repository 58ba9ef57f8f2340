"""The only module that knows every stage: builds them from a Config and carries a run from dumps to stored results.

A run goes twice over the comments. The row-wise stages run chunk by chunk in worker processes, each finished chunk a
part file; then topics are discovered on a sample and every part gets its topics on its way into the result.
"""

import functools
import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feedback_nlp.config import Config
from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.chat import ChatSettings
from feedback_nlp.core.columns import (
    CLEAN,
    CLEAN_ENDS,
    CLEAN_STARTS,
    COMMENT_ID,
    CREATED_AT,
    LANG,
    PROBLEMS,
    REDACTIONS,
    SOURCE,
    VECTOR,
)
from feedback_nlp.core.decisions import Decided
from feedback_nlp.core.errors import BadDataError, ConfigError
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.core.settings import Settings
from feedback_nlp.core.stage import Stage, check_plan, run_stages
from feedback_nlp.core.version import __version__
from feedback_nlp.execute import run_chunks, run_on_ray
from feedback_nlp.ingest import Spool
from feedback_nlp.reuse import EarlierRows, Split
from feedback_nlp.store import parts_done, read_parts, write_part

if TYPE_CHECKING:
    from feedback_nlp.topics import DiscoverySample, TopicModel
    from feedback_nlp.topics.decisions import DecidedTopics

TOPICS = "topics"
NO_FOLDERS = ("transformers", "sentence-transformers", "zero-shot")


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

        stage = open_rootcause(config.rootcause, functools.partial(_open_encode, config.rootcause.own.model))
    else:
        raise ConfigError(f"Stage '{name}' is no row-wise stage.")
    return stage


def _open_encode(model: str) -> Callable[[Sequence[str]], np.ndarray[Any, np.dtype[np.float32]]]:
    """Open a static encoder by its model's name or folder."""
    from feedback_nlp.embed import open_encoder
    from feedback_nlp.embed.settings import StaticBackend

    return open_encoder(StaticBackend(model=model)).encode


def build_row_stages(config: Config) -> list[Stage]:
    """Open the configured row-wise stages in order and check that each stage's needs are met.

    :raises ConfigError: when a stage stands before what it needs.
    """
    stages = [build_stage(name, config) for name in config.run.stages if name != TOPICS]
    check_plan(stages)
    return stages


def model_names(settings: Settings) -> Iterator[str]:
    """Yield the name of every model folder that the settings name in a ``model`` field, in order.

    Hugging Face models and those behind an endpoint have no manifest; their name and pinned revision are part of the
    configuration's fingerprint.
    """
    own = getattr(settings, "kind", "") not in NO_FOLDERS
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Settings) and not isinstance(value, ChatSettings):
            yield from model_names(value)
        elif name == "model" and own and isinstance(value, str):
            yield value


def open_models(config: Config) -> list[ModelFolder]:
    """Open and verify every model folder that the configured stages name, each once.

    :raises ModelError: when one is missing or damaged.
    """
    names = dict.fromkeys(name for stage in config.run.stages for name in model_names(getattr(config, stage)))
    return [open_model(resolve_model(name)) for name in names]


def _identity(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _files_read(config: Config, *further: str | None) -> list[str]:
    """Return the sha256 of every file that the settings name by path and that can change a result."""
    named = (config.rootcause.taxonomy, config.rootcause.own.file, *further)
    return [hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in named if name and Path(name).is_file()]


def run_id_of(input_fingerprint: str, config: Config, models: Sequence[ModelFolder], decided: str = "") -> str:
    """Return the run's identity: 16 hexadecimal digits of input, configuration, models, code version and decisions.

    :param decided: fingerprint of what analysts decided, empty where they decided nothing.
    """
    prints = [model.fingerprint for model in models]
    files = _files_read(config, config.topics.seeds)
    last = [decided] if decided else []
    return _identity(input_fingerprint, config.fingerprint(), *prints, __version__, *files, *last)


def rows_fingerprint(config: Config, models: Sequence[ModelFolder]) -> str:
    """Return the identity of what the row-wise stages compute: 16 hexadecimal digits.

    Where it is the same, an unchanged comment's row is the same to the last bit.
    """
    stages = [name for name in config.run.stages if name != TOPICS]
    settings = {name: getattr(config, name).model_dump(mode="json") for name in stages}
    content = json.dumps([stages, settings, config.run.seed], sort_keys=True)
    return _identity(content, *[model.fingerprint for model in models], __version__, *_files_read(config))


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


def analyse_rows(
    spooled: Spool, config: Config, parts: Path, *, earlier: Path | None = None, clock: Clock, progress: Progress
) -> int:
    """Run the row-wise stages over every chunk that has no part file yet.

    :param parts: folder of part files; a finished part is never computed again.
    :param earlier: folder of an earlier run's part files of the same :func:`rows_fingerprint`; what it found for
        comments that have not changed is taken over.
    :returns: comments analysed now.
    """
    done = parts_done(parts)
    rows = EarlierRows(earlier)
    waiting: deque[tuple[int, Split]] = deque()
    progress.begin("reading comments", spooled.rows)

    def to_analyse() -> Iterator[CommentBatch]:
        for index, batch in enumerate(spooled.chunks(config.run.chunk_size)):
            if index not in done:
                split = rows.split(batch)
                if len(split.fresh):
                    waiting.append((index, split))
                    yield with_problems(split.to_analyse())
                    continue
                write_part(parts, index, split.joined(None))
            progress.advance(len(batch))

    left = len(chunk_sizes(spooled.rows, config.run.chunk_size)) - len(done)
    build = functools.partial(build_row_stages, config)
    analysed = 0
    workers = min(config.run.threads, max(left, 1))
    if config.run.executor == "ray":
        results = run_on_ray(to_analyse(), build, workers=workers, address=config.run.ray_address)
    else:
        results = run_chunks(to_analyse(), build, workers=workers)
    for result in results:
        index, split = waiting.popleft()
        whole = split.joined(result.batch)
        write_part(parts, index, whole)
        clock.add(result.seconds)
        progress.advance(len(whole))
        analysed += len(result.batch)
    progress.end()
    return analysed


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

    Keeps ids, days, languages, clean texts and vectors of all comments in memory, nothing else.

    :raises MissingInputError: when the configured file of labelled comments does not exist.
    :raises BadDataError: when it is not what it claims to be.
    """
    from feedback_nlp.topics import discover as discover_topics

    encode = _open_encode(config.topics.labels.encoder.model)
    return discover_topics(_topic_sample(batches, config), config.topics, seed=seed, encode=encode)


def _topic_sample(batches: Iterable[CommentBatch], config: Config) -> "DiscoverySample":
    from feedback_nlp.embed import open_encoder
    from feedback_nlp.topics import DiscoverySample
    from feedback_nlp.topics.seeding import read_seeds

    seeds = read_seeds(config.topics.seeds) if config.topics.seeds else {}
    ids: list[str] = []
    cleans: list[str | None] = []
    langs: list[str] = []
    strata: list[str] = []
    days: list[str | None] = []
    vectors = []
    for batch in batches:
        ids += batch.values(COMMENT_ID)
        cleans += _without_personal_data(batch)
        langs += batch.values(LANG)
        strata += batch.values(SOURCE)
        days += pc.strftime(batch[CREATED_AT], format="%Y-%m-%d").to_pylist()
        vectors.append(batch.vectors())
    # Vectors of no comments have the encoder's width, too: the next night is held against it.
    joined = np.concatenate(vectors) if vectors else open_encoder(config.embed.backend).encode([])
    labels = [seeds.get(each) for each in ids] if seeds else None
    return DiscoverySample(ids, cleans, langs, joined, strata, days, labels)


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
    from feedback_nlp.topics import TopicModel, renew

    columns = (COMMENT_ID, CREATED_AT, CLEAN, CLEAN_STARTS, CLEAN_ENDS, REDACTIONS, LANG, SOURCE, VECTOR)
    batches = (batch for _, batch in read_parts(parts, columns))
    if standing is None:
        return discover(batches, config, seed=config.run.seed)
    encode = _open_encode(config.topics.labels.encoder.model)
    sample = _topic_sample(batches, config)
    return renew(sample, TopicModel.open(standing), config.topics, seed=config.run.seed, encode=encode)


def decide_topics(
    model: "TopicModel",
    parts: Path,
    config: Config,
    *,
    standing: Path | None,
    decided: Decided,
    texts: Callable[[Sequence[str]], Mapping[str, tuple[str, str]]],
    first: int | None = None,
) -> "DecidedTopics":
    """Bring topics in line with what analysts decided.

    :param standing: folder of the standing topic model, or None.
    :param texts: gives clean text and language of comments by id, for those that the parts lack.
    :param first: number that topics begin with where none stand, so that no number means two topics.
    """
    from feedback_nlp.embed import open_encoder
    from feedback_nlp.topics.decisions import DecidedTopics, decide, renumbered
    from feedback_nlp.topics.rulings import Exemplars

    def lookup(ids: Sequence[str]) -> Exemplars:
        found = texts(ids)
        vectors = open_encoder(config.embed.backend).encode([clean for clean, _ in found.values()])
        return Exemplars(tuple(found), tuple(lang for _, lang in found.values()), vectors)

    earlier = None if standing is None else DecidedTopics.open(standing)
    batches = (batch for _, batch in read_parts(parts, (COMMENT_ID, LANG, VECTOR)))
    return decide(model if first is None else renumbered(model, first), earlier, decided, batches, lookup)


def open_topic_stage(topics: "DecidedTopics", decided: Decided, config: Config) -> Stage:
    """Return the stage that assigns comments to topics as a run stores them: moves and merges are laid over later."""
    from feedback_nlp.embed import open_encoder
    from feedback_nlp.topics.decisions import DecidedTopicStage, decided_ids

    least = config.topics.also_score
    encode = open_encoder(config.embed.backend).encode if least < 1 else None
    return DecidedTopicStage(topics, decided_ids(decided), merged=False, encode=encode, also_score=least)


def measure_rate(spooled: Spool, config: Config, comments: int = 500) -> tuple[float, int]:
    """Run the row-wise stages over the first comments.

    :returns: seconds of CPU, and how many comments that was.
    """
    stages = build_row_stages(config)
    for batch in spooled.chunks(comments):
        _, seconds = run_stages(stages, with_problems(batch))
        return sum(seconds.values()), len(batch)
    return 0.0, 0
