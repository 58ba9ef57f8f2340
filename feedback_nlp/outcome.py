"""What a run leaves behind: the files of its folder, its summary, its report."""

import hashlib
import resource
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from feedback_nlp.config import Config
from feedback_nlp.core.errors import FeedbackError, RejectShareError
from feedback_nlp.ingest import REASONS
from feedback_nlp.store import FULL, Store, born, driver_frame, open_store
from feedback_nlp.store.decisions_acts import Said

if TYPE_CHECKING:
    import pandas as pd

COMMENTS, TOPICS, REJECTS, SUMMARY = "comments.parquet", "topics.parquet", "rejects.parquet", "run.json"
REPORT, WORKBOOK, CONFIG, TOPIC_MODEL, PARTS = "report.html", "report.xlsx", "config.yaml", "topic-model", "parts"
MAP = "map.parquet"
SPOOL = ".spool-"
SEALED = (COMMENTS, TOPICS, REJECTS)


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    :param run_id: the run's identity.
    :param folder: folder of its files.
    :param summary: counts, rejects, timings and versions, as in ``run.json``.
    :param recomputed: False when the same run stood in the store already.
    :param config: the configuration it ran with.
    """

    run_id: str
    folder: Path
    summary: dict[str, Any]
    recomputed: bool
    config: Config

    @property
    def report_path(self) -> Path:
        """Where the HTML report stands."""
        return self.folder / REPORT

    def comments(self) -> "pd.DataFrame":
        """Return one row a comment in the order of comment_id, with the result columns."""
        return self._frame(COMMENTS)

    def topics(self) -> "pd.DataFrame":
        """Return one row a topic."""
        return self._frame(TOPICS)

    def rejects(self) -> "pd.DataFrame":
        """Return one row a rejected row of the input, with file, row number and reason."""
        return self._frame(REJECTS)

    def _frame(self, name: str) -> "pd.DataFrame":
        frame: pd.DataFrame = pq.read_table(self.folder / name).to_pandas()
        return frame

    def root_causes(self) -> "pd.DataFrame":
        """Return one row a driver: comment_id, driver, cause, sign, score, start, end, evidence."""
        return driver_frame(pq.read_table(self.folder / COMMENTS))

    def raise_if_too_many_rejects(self) -> None:
        """Tell a nightly job that too much of the input was rejected; the results stand all the same.

        :raises RejectShareError: when the share is above ``ingest.max_reject_share``.
        """
        counts = self.summary["counts"]
        share = counts["rejected"] / max(counts["rows_in"], 1)
        allowed = self.config.ingest.max_reject_share
        if share > allowed:
            reasons = "; ".join(f"{count} x {REASONS[reason]}" for reason, count in self.summary["rejects"].items())
            raise RejectShareError(
                f"{counts['rejected']} of {counts['rows_in']} rows ({share:.1%}) were rejected, "
                f"allowed are {allowed:.1%} (ingest.max_reject_share): {reasons}. "
                f"They are listed in {self.folder / REJECTS}."
            )

    def as_text(self) -> str:
        """Return what a person wants to know at the end of a run."""
        counts = self.summary["counts"]
        lines = [
            f"run {self.run_id}{'' if self.recomputed else ' (the same run stood already; nothing recomputed)'}",
            f"read {counts['rows_in']:,} rows: {counts['comments']:,} comments, {counts['rejected']:,} rejected",
        ]
        lines += [f"  {count:,} x {reason}" for reason, count in sorted(self.summary["rejects"].items())]
        lines.append(f"found {counts['topics']:,} topics, {counts['without_topic']:,} comments without one")
        lines.append("seconds of CPU by step:")
        lines += [f"  {name:<12} {seconds:8.1f}" for name, seconds in self.summary["stages"].items()]
        lines.append(f"report: {self.report_path}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    :param summary: files, counts, stages and models.
    """

    summary: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return self.summary

    def as_text(self) -> str:
        """Return the plan for a person."""
        lines = [
            f"run {self.summary['run_id']}: {self.summary['comments']:,} comments, {self.summary['rejected']:,} rejects"
        ]
        for file in self.summary["files"]:
            lines.append(f"  {file['name']}: {file['format']}, {file['encoding']}, {file['accepted']:,} comments")
        lines.append(f"stages: {' -> '.join(self.summary['stages'])} in {self.summary['chunks']} chunk(s)")
        lines.append(f"models: {', '.join(self.summary['models'])}")
        lines.append(
            f"about {self.summary['estimated_seconds']:.0f} s without topics and "
            f"{self.summary['estimated_memory_mb']:,} MiB of memory, as measured on "
            f"{self.summary['measured_on']} comments"
        )
        return "\n".join(lines)


def memory_mb(comments: int, workers: int) -> int:
    """Return about how much memory all processes of a run need together, in MiB.

    A worker needs what this process took to read a few comments; a run's own process was measured at 550 MiB with 400
    comments and 1,300 MiB with 100,000.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    worker = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    return round(550 + 0.0075 * comments + worker * workers)


def write_report(result: RunResult, name: str = REPORT) -> Path:
    """Write the report of a run from its tables.

    :param name: ``REPORT`` for the page, ``WORKBOOK`` for its tables in Excel.
    """
    from feedback_nlp.report import ReportInput
    from feedback_nlp.report import write_report as write
    from feedback_nlp.rootcause.taxonomy import open_taxonomy

    content = ReportInput(
        comments=pq.read_table(result.folder / COMMENTS),
        run=result.summary,
        topics=pq.read_table(result.folder / TOPICS),
        rejects=pq.read_table(result.folder / REJECTS),
        taxonomy=open_taxonomy(result.config.rootcause.taxonomy, result.config.rootcause.own.file),
        topic_level=result.config.report.topic_level,
    )
    return write(content, result.folder / name, lang=result.config.report.language)


def store_url(config: Config, out: Path) -> str:
    """Return the store's URL: the configured one, or a database in the output folder."""
    return config.store.url or f"sqlite:///{(out / 'store.db').absolute()}"


def store_of(config: Config, out: Path) -> Store:
    """Open the store of an output folder, or the one the configuration names."""
    store = open_store(store_url(config, out))
    store.name_split = partial(_name_split, config)
    return store


def _name_split(
    config: Config, inside: Sequence[Said], outside: Sequence[Said], above: Mapping[str, str]
) -> dict[str, str]:
    from feedback_nlp.topics.splitnames import name_split

    return name_split(inside, outside, above, settings=config.topics.labels)


def parts_folder(folder: Path, fingerprint: str, chunk_size: int) -> Path:
    """Return where a run keeps its part files.

    :param fingerprint: of what the row-wise stages compute.
    """
    return folder / PARTS / f"{fingerprint}-{chunk_size}"


def earlier_parts(folder: Path, fingerprint: str) -> Path | None:
    """Return a run's part files of the same fingerprint, in chunks of whatever size; None where there are none."""
    found = sorted((folder / PARTS).glob(f"{fingerprint}-*"))
    return found[0] if found else None


def drop_parts(out: Path, keep: str | None) -> None:
    """Delete the part files of every run but one."""
    for parts in out.glob(f"*/{PARTS}"):
        if parts.parent.name != keep:
            shutil.rmtree(parts, ignore_errors=True)


def drop_folders(out: Path, run_ids: Sequence[str]) -> None:
    """Delete the folders of runs that the store holds no more."""
    for run_id in run_ids:
        shutil.rmtree(out / run_id, ignore_errors=True)


def clear_leftovers(out: Path) -> None:
    """Delete what killed runs left half done; no other run may be under way there."""
    for spool in out.glob(f"{SPOOL}*"):
        shutil.rmtree(spool, ignore_errors=True)
    for half in out.rglob(".*.part"):
        writer = half.name.split(".")[-2]
        if not writer.isdecimal() or born(int(writer)) is None:
            half.unlink(missing_ok=True)


@contextmanager
def full_disk_told(where: Path) -> Iterator[None]:
    """Turn the system's word that a disk is full into ours.

    :raises FeedbackError: when it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise FeedbackError(f"{where}: the disk is full. Make room and run again; what was done is safe.") from error


def seals(folder: Path, names: Sequence[str] = SEALED) -> dict[str, str]:
    """Return the sha256 of a run's tables by file name; a file that is missing is left out."""
    found = {}
    for name in names:
        if (folder / name).is_file():
            with (folder / name).open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found
