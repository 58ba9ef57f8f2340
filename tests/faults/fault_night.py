"""The night that faults happen to: a small dump, a light configuration, what it must come to, a place for each case."""

import csv
import functools
import hashlib
import importlib
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from fault_child import Outcome, Points, in_child
from postgresql_cluster import Cluster

from feedback_nlp import nightly, outcome, pipeline
from feedback_nlp.config import Config, load_config
from feedback_nlp.core.stage import Stage
from feedback_nlp.store import Store, open_store
from feedback_nlp.store import database as store_database

ROOT = Path(__file__).resolve().parents[2]
LATER = 110
CHUNK = 16
# What each child would else import for itself.
_EARLY = (
    "alembic.command",
    "feedback_nlp.erasure",
    "feedback_nlp.operations.watch",
    "pandas",
    "psycopg",
    "pyarrow.csv",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "threadpoolctl",
)

_BUILD = pipeline.build_row_stages

Row = tuple[str, str, str, str]


def example_rows() -> list[Row]:
    """Return the shipped example comments: id, text, date, branch."""
    with (ROOT / "examples" / "comments.csv").open(encoding="utf-8", newline="") as stream:
        found = [(r["comment_id"], r["text"], r["created_at"], r["branch"]) for r in csv.DictReader(stream)]
    return found[:LATER]


def write_dump(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows in the format of the path's suffix."""
    names = ("comment_id", "text", "created_at", "branch")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow as pa

        pq.write_table(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), path)
    elif path.suffix == ".jsonl":
        import json

        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([names, *rows])
    return path


@functools.lru_cache(maxsize=4)
def _opened(stages: tuple[str, ...]) -> list[Stage]:
    return _BUILD(load_config(run__stages=list(stages)))


def build_kept(config: Config) -> list[Stage]:
    """Build stages as the pipeline does, but give those opened once where they are the light ones."""
    light = config.run.stages == ("langid",) and config.langid == Config().langid
    return _opened(("langid",)) if light else _BUILD(config)


def lighten(*, report: bool) -> None:
    """Open models once for all children; leave reports out where they are not the point."""
    for name in _EARLY:
        importlib.import_module(name)
    _opened(("langid",))
    pipeline.build_row_stages = build_kept
    store_database.BUSY_SECONDS = 3
    store_database.RECONNECT_SECONDS = (0.0, 0.1, 0.3, 1.0, 3.0)
    if not report:
        nightly.write_report = _short_report
        outcome.write_report = _short_report


def _short_report(result: nightly.RunResult) -> Path:
    result.report_path.write_text(f"run {result.run_id}", encoding="utf-8")
    return result.report_path


@dataclass
class Place:
    """A folder and an empty database of one case.

    :param database: ``sqlite`` or ``postgresql``.
    :param url: its address.
    """

    folder: Path
    database: str
    url: str
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        """Where runs go."""
        return self.folder / "out"

    def config(self) -> Config:
        """Return the configuration of the case."""
        base = {"run__threads": 1, "run__chunk_size": CHUNK, "run__stages": ["langid"], "store__url": self.url}
        return load_config(**(base | self.changes))

    def run(self, dump: Path) -> dict[str, Any]:
        """Run a night; what a child tells of it."""
        result = nightly.run([dump], self.config(), self.out)
        return {"run_id": result.run_id, "recomputed": result.recomputed, "counts": result.summary["counts"]}

    def night(self, dump: Path, points: Points | None = None, *, largest_file: int | None = None) -> Outcome:
        """Run a night in a child."""
        return in_child(functools.partial(self.run, dump), points, largest_file=largest_file)

    def store(self) -> Store:
        """Open the case's store."""
        return open_store(self.url)


@dataclass(frozen=True)
class Wanted:
    """What a night must come to.

    :param digest: sha256 of ``comments.parquet``.
    :param ids: the ids of its comments, sorted.
    :param points: points that the undisturbed run passes.
    """

    digest: str
    ids: tuple[str, ...]
    points: int


@dataclass(frozen=True)
class State:
    """What stands in a place, seen by a fresh reader.

    :param lost: comments that the published run lacks.
    :param doubled: comments that stand in it more than once.
    :param fault: what else is wrong, empty where nothing is.
    """

    lost: int
    doubled: int
    fault: str = ""


def digest(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wanted(place: Place, dump: Path) -> Wanted:
    """Run a night undisturbed and tell what it came to."""
    points = Points(place.folder)
    found = place.night(dump, points)
    if found.kind != "finished":
        raise RuntimeError(f"The undisturbed run failed: {found}")
    path = place.out / found.value["run_id"] / outcome.COMMENTS
    ids = pq.read_table(path, columns=["comment_id"]).column(0).to_pylist()
    return Wanted(digest(path), tuple(sorted(ids)), found.points)


def examine(place: Place, want: Wanted) -> State:
    """Look at what stands after the recovery, in a child: files, store, leftovers."""
    told = in_child(functools.partial(_examined, place, want))
    if told.kind != "finished":
        return State(len(want.ids), 0, f"cannot be read: {told.message}")
    return State(**told.value)


def _examined(place: Place, want: Wanted) -> dict[str, Any]:
    with place.store() as store:
        current = store.current_run()
        if current is None:
            return {"lost": len(want.ids), "doubled": 0, "fault": "nothing is published"}
        stored = store.comments(current, decided=False)
        drivers = store.root_causes(current)
        state = store.run(current).state
    path = place.out / current / outcome.COMMENTS
    counts = Counter(stored.column("comment_id").to_pylist())
    faults = []
    if digest(path) != want.digest:
        faults.append("comments.parquet differs from the undisturbed run's")
    if not pq.read_table(path).equals(stored):
        faults.append("the store differs from comments.parquet")
    if len(drivers) != sum(len(found or ()) for found in stored.column("drivers").to_pylist()):
        faults.append("the store's drivers differ from its comments'")
    if state != "finished":
        faults.append(f"the published run is {state}")
    left = [path.name for pattern in (".spool-*", "**/.*.part") for path in place.out.glob(pattern)]
    faults += [f"left behind: {', '.join(left)}"] if left else []
    lost = len(set(want.ids) - set(counts))
    doubled = sum(count - 1 for count in counts.values()) + len(set(counts) - set(want.ids))
    return {"lost": lost, "doubled": doubled, "fault": "; ".join(faults)}


class Bench:
    """Gives places to cases, on both databases.

    :param folder: where cases live.
    :param cluster: a PostgreSQL server, None where there is none.
    """

    def __init__(self, folder: Path, cluster: Cluster | None) -> None:
        self.folder = folder
        self.cluster = cluster
        self._cases = 0
        self._shared: str | None = None

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases to try."""
        return ("sqlite", "postgresql") if self.cluster else ("sqlite",)

    @contextmanager
    def place(self, database: str, **changes: Any) -> Iterator[Place]:
        """Give a fresh place for the length of a block."""
        self._cases += 1
        folder = self.folder / f"case-{self._cases}"
        (folder / "out").mkdir(parents=True)
        yield Place(folder, database, self._url(database, folder), changes)
        shutil.rmtree(folder, ignore_errors=True)

    def _url(self, database: str, folder: Path) -> str:
        if database == "sqlite":
            return f"sqlite:///{folder}/out/store.db"
        cluster = self.need_cluster()
        if self._shared is None:
            self._shared = cluster.new_database()
            in_child(lambda: open_store(cluster.url(str(self._shared))).close())
        cluster.empty(self._shared)
        return cluster.url(self._shared)

    def need_cluster(self) -> Cluster:
        """Return the server."""
        if self.cluster is None:
            raise RuntimeError("This case needs PostgreSQL.")
        return self.cluster


def small_disk(folder: Path, megabytes: int) -> bool:
    """Put a disk of its own, of a few megabytes, on a folder; False where this user may not."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "none", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def take_off(folder: Path) -> None:
    """Take such a disk off."""
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
