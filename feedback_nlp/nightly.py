"""A whole run, from dumps to a published result and its report; what ``feedback-nlp run`` calls."""

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from feedback_nlp import pipeline
from feedback_nlp.comment_map import write_map
from feedback_nlp.config import Config, load_config, render_config
from feedback_nlp.core.columns import TOPIC_ID
from feedback_nlp.core.decidedtopics import TopicCounts, decided_topics, recounted
from feedback_nlp.core.decisions import Decided, honoured
from feedback_nlp.core.errors import ConfigError, FeedbackError, MissingInputError
from feedback_nlp.core.modelfolder import ModelFolder
from feedback_nlp.core.stage import run_stages
from feedback_nlp.core.version import __version__
from feedback_nlp.embed.settings import space_of
from feedback_nlp.ingest import Spool, spool
from feedback_nlp.ingest.remote import fetch
from feedback_nlp.ingest.withhold import withhold
from feedback_nlp.operations import read_mix_columns, watch, write_metrics
from feedback_nlp.outcome import (
    COMMENTS,
    CONFIG,
    MAP,
    REJECTS,
    REPORT,
    SPOOL,
    SUMMARY,
    TOPIC_MODEL,
    TOPICS,
    WORKBOOK,
    Plan,
    RunResult,
    clear_leftovers,
    drop_folders,
    drop_parts,
    earlier_parts,
    full_disk_told,
    memory_mb,
    parts_folder,
    seals,
    write_report,
)
from feedback_nlp.outcome import store_of as store_of  # noqa: PLC0414 - commands reach the store through here
from feedback_nlp.pipeline import Clock, Progress, SilentProgress
from feedback_nlp.store import (
    RunRecord,
    Store,
    open_results,
    read_parts,
    rfc3339,
    whole_file,
)

if TYPE_CHECKING:
    from feedback_nlp.topics.decisions import DecidedTopics

log = logging.getLogger(__name__)

Inputs = str | Path | Sequence[str | Path]

DEFAULT_OUT = Path("feedback-nlp-out")


def run(
    inputs: Inputs,
    config: Config | str | Path | None = None,
    out: str | Path | None = None,
    *,
    resume: bool = True,
    limit: int | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Analyse dumps: read, run every stage, store and publish the run, write the report.

    The same run twice (input, configuration, models and code alike) is recognised and not computed again; an
    interrupted one is taken up after its last finished chunk. Comments that have not changed since the published run
    of the same settings and models are not analysed again; the result is the same to the last bit.

    :param inputs: files, globs or folders; ``@name`` of a configured source; addresses such as ``s3://…``.
    :param config: a Config, a YAML file or the name of a shipped one; None takes the defaults.
    :param out: folder for the run's files and, by default, the store.
    :param resume: False computes everything again.
    :param limit: read at most this many comments.
    :param progress: told how far the run is.
    :raises MissingInputError: when an input does not exist.
    :raises BadDataError: when a file is not what it claims to be.
    :raises LeaseError: when another run is writing to the same store.
    """
    chosen = config if isinstance(config, Config) else load_config(config)
    folder = Path(out) if out is not None else DEFAULT_OUT
    folder.mkdir(parents=True, exist_ok=True)
    models = pipeline.open_models(chosen)
    with ExitStack() as stack:
        store = stack.enter_context(store_of(chosen, folder))
        stack.enter_context(store.lease())
        stack.enter_context(_taking_over_told(store))
        stack.enter_context(full_disk_told(folder))
        clear_leftovers(folder)
        spooling = tempfile.TemporaryDirectory(prefix=SPOOL, dir=folder, ignore_cleanup_errors=True)
        spool_folder = stack.enter_context(spooling)
        job = _Job(chosen, folder, models, store, progress or SilentProgress(), Clock(), resume, store.decided())
        with job.clock.step("ingest"):
            local = fetch(_as_inputs(inputs), chosen.connect, Path(spool_folder) / "remote")
            read = spool(local, chosen.ingest, Path(spool_folder), limit=limit)
            spooled, withheld = withhold(read, store.erased())
        if withheld:
            log.info("erased_comments_left_out", extra={"rows": withheld})
        run_id = pipeline.run_id_of(spooled.fingerprint, chosen, models, job.decided.fingerprint())
        if resume and (stood := _standing(store, run_id, folder, chosen)) is not None:
            return stood
        if not resume and _record(store, run_id) is not None:
            run_id = _next_id(store, run_id)
        return job.carry_out(run_id, spooled)


@contextmanager
def _taking_over_told(store: Store) -> Iterator[None]:
    """Tell a run whose files vanish because another one took over the truth.

    :raises LeaseError: when that happened.
    """
    try:
        yield
    except OSError:
        store.check_lease()
        raise


@dataclass(frozen=True)
class _Job:
    """One run under way."""

    config: Config
    out: Path
    models: Sequence[ModelFolder]
    store: Store
    progress: Progress
    clock: Clock
    take_over: bool
    decided: Decided

    def carry_out(self, run_id: str, spooled: Spool) -> RunResult:
        """Run every stage, store and publish, write the report."""
        folder = self.out / run_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / WORKBOOK).unlink(missing_ok=True)
        started = datetime.now(UTC)
        self.store.begin_run(
            run_id,
            fingerprint=run_id,
            input_fingerprint=spooled.fingerprint,
            config=self.config.model_dump(mode="json"),
            models={str(model.manifest["name"]): model.fingerprint for model in self.models},
            code_version=__version__,
            inputs=[file.name for file in spooled.files],
            started_at=started,
        )
        rows = {"run_id": run_id, "rows_in": spooled.rows_in, "rejected": spooled.rejected}
        log.info("run_begins", extra=rows | {"files": len(spooled.files)})
        try:
            with full_disk_told(folder):
                summary = self._analyse(run_id, folder, spooled)
        except FeedbackError as error:
            # Where the store itself is what failed, the first error says more than one on its way here.
            with suppress(FeedbackError):
                self.store.fail_run(run_id, str(error), datetime.now(UTC))
            fault = {"error_type": type(error).__name__, "exit_code": error.exit_code}
            log.error("run_failed", extra=rows | fault)  # noqa: TRY400 - a traceback could quote a comment
            self._tell_metrics()
            raise
        nights = self.store.records(limit=self.config.operations.drift_nights + 1)
        earlier = [one.summary for one in nights if one.summary and one.run_id != run_id]
        summary |= watch(summary, read_mix_columns(folder / COMMENTS), earlier)
        finished = datetime.now(UTC)
        summary["started_at"], summary["finished_at"] = rfc3339(started), rfc3339(finished)
        _write_text(folder / SUMMARY, json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
        self.store.finish_run(run_id, summary, finished)
        if self.config.store.keep is not None:
            drop_folders(self.out, self.store.prune(self.config.store.keep))
        result = RunResult(run_id, folder, summary, recomputed=True, config=self.config)
        write_report(result)
        drop_parts(self.out, run_id if self.config.run.take_over else None)
        seconds = {"seconds": round((finished - started).total_seconds(), 1), "cpu_seconds": summary["stages"]}
        log.info("run_finished", extra=rows | summary["counts"] | seconds | {"warnings": len(summary["warnings"])})
        self._tell_metrics()
        return result

    def _tell_metrics(self) -> None:
        """Write the metrics file; a run never fails for it."""
        path = self.config.operations.metrics_file
        if path is not None:
            try:
                write_metrics(self.store.records(limit=50), path)
            except OSError as error:
                log.warning("metrics_not_written", extra={"reason": error.strerror})

    def _analyse(self, run_id: str, folder: Path, spooled: Spool) -> dict[str, Any]:
        fingerprint = pipeline.rows_fingerprint(self.config, self.models)
        parts = parts_folder(folder, fingerprint, self.config.run.chunk_size)
        earlier = self._earlier_parts(fingerprint)
        analysed = pipeline.analyse_rows(
            spooled, self.config, parts, earlier=earlier, clock=self.clock, progress=self.progress
        )
        model = None
        if pipeline.TOPICS in self.config.run.stages:
            with self.clock.step("topics"):
                self.progress.begin("finding topics", None)
                model = self._find_topics(parts)
                model.save(folder / TOPIC_MODEL)
                self.progress.end()
            with self.clock.step("map"):
                write_map(parts, folder / MAP, seed=self.config.run.seed)
        counts = self._write(run_id, folder, parts, model, spooled)
        shutil.copyfile(spooled.rejects_path, folder / REJECTS)
        self.store.write_rejects(run_id, pq.read_table(folder / REJECTS))
        _write_text(folder / CONFIG, render_config(self.config))
        return {
            "run_id": run_id,
            "version": __version__,
            "config_fingerprint": self.config.fingerprint(),
            "input_fingerprint": spooled.fingerprint,
            "files": [file.__dict__ for file in spooled.files],
            "counts": {"rows_in": spooled.rows_in, "rejected": spooled.rejected, "analysed": analysed, **counts},
            "rejects": spooled.reject_reasons,
            "sha256": seals(folder),
            "models": [model.summary() | {"fingerprint": model.fingerprint} for model in self.models],
            "stages": {name: round(seconds, 2) for name, seconds in self.clock.seconds.items()},
            "config": self.config.model_dump(mode="json"),
        }

    def _earlier_parts(self, fingerprint: str) -> Path | None:
        """Return the part files of the published run where its rows may be taken over."""
        current = self.store.current_run() if self.take_over and self.config.run.take_over else None
        return None if current is None else earlier_parts(self.out / current, fingerprint)

    def _find_topics(self, parts: Path) -> "DecidedTopics":
        """Find tonight's topics and bring them in line with what stood decided when the run began."""
        standing = self._standing_topics()
        found = pipeline.find_topics(parts, self.config, standing)
        first = self.store.first_free_topic() if standing is None else None
        return pipeline.decide_topics(
            found, parts, self.config, standing=standing, decided=self.decided, texts=self.store.texts_of, first=first
        )

    def _standing_topics(self) -> Path | None:
        """Return the topic model of the published run, whose ids tonight's topics carry on, or None.

        Vectors of another encoder cannot be compared, so topics found with one are not carried on.
        """
        current = self.store.current_run()
        if current is None or not (self.out / current / TOPIC_MODEL).is_dir():
            return None
        record = self.store.run(current)
        encoders = {
            str(model.manifest["name"]): model.fingerprint for model in self.models if model.kind.startswith("encoder")
        }
        before, now = record.config.get("embed") or {}, self.config.embed.model_dump(mode="json")
        same = space_of(before) == space_of(now)
        same = same and all(record.models.get(name) == fingerprint for name, fingerprint in encoders.items())
        return self.out / current / TOPIC_MODEL if same else None

    def _write(
        self, run_id: str, folder: Path, parts: Path, model: "DecidedTopics | None", spooled: Spool
    ) -> dict[str, int]:
        """Give every part its topics on its way into the result file and the store; return the counts.

        The store keeps what was found and lays over it what stands decided whenever it is read; the files hold what
        stood decided when the run began.
        """
        topic_stages = [] if model is None else [pipeline.open_topic_stage(model, self.decided, self.config)]
        counted, as_found = TopicCounts(), TopicCounts()
        self.progress.begin("writing results", spooled.rows)
        with open_results(folder / COMMENTS) as results:
            for index, part in read_parts(parts):
                batch, seconds = run_stages(topic_stages, part)
                self.clock.add(seconds)
                with self.clock.step("store"):
                    table = honoured(batch.table, self.decided)
                    results.write(table)
                    self.store.write_chunk(run_id, index, batch.table)
                    counted.add(table)
                    as_found.add(batch.table)
                self.progress.advance(len(batch))
        self.progress.end()
        found = model.table() if model is not None else pa.table({TOPIC_ID.name: pa.array([], TOPIC_ID.dtype)})
        found = recounted(found, as_found) if self.decided else found
        topics = decided_topics(found, self.decided, counted.by_topic, counted.by_language, counted.by_subtopic)
        with whole_file(folder / TOPICS) as half:
            pq.write_table(topics, half, compression="zstd")
        self.store.write_topics(run_id, found)
        return {"comments": spooled.rows, "topics": topics.num_rows, "without_topic": counted.without}


def report(run_id: str | None, config: Config, out: Path, name: str = REPORT) -> Path:
    """Write a stored run's report again.

    :param run_id: the run; None takes the current one.
    :param name: ``REPORT`` for the page, ``WORKBOOK`` for its tables in Excel.
    :raises MissingInputError: when there is no such run, or its files are gone.
    """
    with store_of(config, out) as store:
        chosen = run_id or store.current_run()
        if chosen is None:
            raise MissingInputError(f"No run has been published under {out}. Make one with `feedback-nlp run`.")
        store.run(chosen)
    folder = out / chosen
    if not (folder / SUMMARY).is_file() or not (folder / COMMENTS).is_file():
        raise MissingInputError(f"Run {chosen} has no results under {folder}. Run it again with --no-resume.")
    return write_report(RunResult(chosen, folder, _summary(folder), recomputed=False, config=config), name)


def _summary(folder: Path) -> dict[str, Any]:
    try:
        summary: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except ValueError as error:
        raise FeedbackError(f"{folder / SUMMARY} is damaged. Run again with --no-resume.") from error
    return summary


def plan(inputs: Inputs, config: Config, *, limit: int | None = None) -> Plan:
    """Read the inputs and tell what a run would do, with time and memory by what a few comments took."""
    models = pipeline.open_models(config)
    with tempfile.TemporaryDirectory() as folder:
        local = fetch(_as_inputs(inputs), config.connect, Path(folder) / "remote")
        spooled = spool(local, config.ingest, Path(folder), limit=limit)
        seconds, measured = pipeline.measure_rate(spooled, config)
    per_comment = seconds / max(measured, 1)
    return Plan(
        {
            "run_id": pipeline.run_id_of(spooled.fingerprint, config, models),
            "files": [file.__dict__ for file in spooled.files],
            "comments": spooled.rows,
            "rejected": spooled.rejected,
            "rejects": spooled.reject_reasons,
            "stages": list(config.run.stages),
            "chunks": len(pipeline.chunk_sizes(spooled.rows, config.run.chunk_size)),
            "models": [f"{model.manifest['name']} {model.manifest['version']}" for model in models],
            "estimated_seconds": round(per_comment * spooled.rows / config.run.threads, 1),
            "estimated_memory_mb": memory_mb(spooled.rows, config.run.threads),
            "measured_on": measured,
        }
    )


def _standing(store: Store, run_id: str, out: Path, config: Config) -> RunResult | None:
    """Return the same run where it was finished before and its files stand; its report is written again if missing.

    :raises FeedbackError: when one of its tables is no longer what was written.
    """
    record = _record(store, run_id)
    folder = out / run_id
    if record is None or record.state != "finished" or not (folder / SUMMARY).is_file():
        return None
    summary = _summary(folder)
    found = seals(folder)
    damaged = [name for name, seal in summary.get("sha256", {}).items() if found.get(name) != seal]
    if damaged:
        raise FeedbackError(
            f"{folder / damaged[0]} is damaged or gone. Bring a copy back, or run again with --no-resume."
        )
    result = RunResult(run_id, folder, summary, recomputed=False, config=config)
    if not result.report_path.is_file():
        write_report(result)
    return result


def _record(store: Store, run_id: str) -> RunRecord | None:
    try:
        return store.run(run_id)
    except ConfigError:
        return None


def _next_id(store: Store, run_id: str) -> str:
    """Return an id under which a run that stands already can be computed again beside it."""
    again = 2
    while _record(store, f"{run_id}-{again}") is not None:
        again += 1
    return f"{run_id}-{again}"


def _as_inputs(inputs: Inputs) -> list[str | Path]:
    return [inputs] if isinstance(inputs, str | Path) else list(inputs)


def _write_text(path: Path, text: str) -> None:
    with whole_file(path) as half:
        half.write_text(text, encoding="utf-8")
