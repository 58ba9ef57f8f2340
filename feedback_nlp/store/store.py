"""Store: everything runs leave behind, in one SQL database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from sqlalchemy import Connection, delete, insert, select, update

from feedback_nlp.core.columns import RESULT_COLUMNS, Column
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store import runs
from feedback_nlp.store.database import Database, insert_rows, open_database
from feedback_nlp.store.lease import Lease
from feedback_nlp.store.migrate import bring_forward
from feedback_nlp.store.records import read_records, write_records
from feedback_nlp.store.results import as_results
from feedback_nlp.store.rows import DRIVER_NAMES, FRAME_NAMES, as_frame, driver_rows, from_values, to_values
from feedback_nlp.store.runs import RunRecord, as_text, rfc3339
from feedback_nlp.store.schema import CHUNKS, COMMENTS, DRIVERS, REJECTS, RUNS, TOPICS

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 8192
_BY_NAME = {column.name: column for column in RESULT_COLUMNS}


def open_store(url: str) -> "Store":
    """Open a store, making it or bringing its schema forward where needed.

    :param url: ``sqlite:///relative/store.db``, ``sqlite:////absolute/store.db`` or ``postgresql://user@host/name``.
    :raises ConfigError: for a wrong address, a network file system, a newer schema or another program's database.
    :raises FeedbackError: when the file is damaged.
    """
    database = open_database(url)
    bring_forward(database)
    return Store(database)


class Store:
    """Runs, their results, topics and rejects; many may read while one writes.

    A reader is given the current run where it names none, and never a run that is not finished.

    :param database: an open database of the newest schema; :func:`open_store` opens one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lease: Lease | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Hold the right to write for the length of a ``with`` block; every write then checks that it is still held.

        :raises LeaseError: when another process holds it.
        """
        with Lease(self._database) as held:
            self._lease = held
            try:
                yield held
            finally:
                self._lease = None

    def begin_run(
        self,
        run_id: str,
        *,
        fingerprint: str,
        input_fingerprint: str,
        config: Mapping[str, Any],
        models: Mapping[str, Any],
        code_version: str,
        inputs: Sequence[Any],
        started_at: datetime,
    ) -> RunRecord:
        """Add a run, or take up the one of the same id: a failed or killed one runs again, a finished one stays so.

        One taken up with another configuration (a chunk size may differ) loses the chunks it had stored.

        :param fingerprint: of configuration, models and code.
        :param input_fingerprint: of what is read.
        :param started_at: with a time zone; a run taken up keeps its first.
        :raises ConfigError: when a run of this id has other fingerprints.
        """
        values = {
            "run_id": run_id,
            "fingerprint": fingerprint,
            "input_fingerprint": input_fingerprint,
            "config": as_text(config),
            "models": as_text(models),
            "code_version": code_version,
            "inputs": as_text(list(inputs)),
            "started_at": rfc3339(started_at),
        }
        with self._write() as connection:
            return runs.begin(connection, values)

    def write_chunk(self, run_id: str, index: int, table: pa.Table) -> bool:
        """Store a chunk's comments, drivers and ledger mark in one transaction.

        :param index: the chunk's number in the run.
        :param table: comments in order; see :func:`feedback_nlp.store.results.as_results` for the columns.
        :returns: whether it was written: a running run's earlier chunk of this number is replaced, a finished run's
            stays as it is.
        :raises FeedbackError: when the run is not running and lacks the chunk.
        :raises StageContractError: when a column is missing or breaks its declaration.
        """
        results = as_results(table)
        count = results.num_rows
        names = ["row", *_BY_NAME]
        values = [range(count), *[to_values(column.combine_chunks()) for column in results.columns]]
        drivers = driver_rows(results)
        with self._write() as connection:
            run = runs.need_run(connection, run_id)
            stored = index in self._ledger(connection, run.run)
            if stored and run.state == "finished":
                return False
            if run.state != "running":
                raise FeedbackError(f"Run '{run_id}' is {run.state}; only a running one takes comments.")
            if stored:
                runs.forget_chunks(connection, run.run, index)
            place = ("run", "chunk")
            insert_rows(connection, COMMENTS, (*place, *names), ([run.run] * count, [index] * count, *values))
            count = len(drivers[0])
            insert_rows(connection, DRIVERS, (*place, *DRIVER_NAMES), ([run.run] * count, [index] * count, *drivers))
            connection.execute(insert(CHUNKS).values(run=run.run, chunk=index, rows=results.num_rows))
        return True

    def chunks_done(self, run_id: str) -> set[int]:
        """Return the numbers of the chunks whose comments are stored."""
        with self._database.reading() as connection:
            return self._ledger(connection, runs.need_run(connection, run_id).run)

    def write_topics(self, run_id: str, table: pa.Table) -> None:
        """Store a run's topics, one row a topic with any columns JSON can hold, in place of earlier ones."""
        with self._write() as connection:
            write_records(connection, TOPICS, runs.need_run(connection, run_id).run, table)

    def write_rejects(self, run_id: str, table: pa.Table) -> None:
        """Store a run's rejected rows with any columns JSON can hold, in place of earlier ones."""
        with self._write() as connection:
            write_records(connection, REJECTS, runs.need_run(connection, run_id).run, table)

    def finish_run(
        self, run_id: str, summary: Mapping[str, Any], finished_at: datetime, *, publish: bool = True
    ) -> None:
        """Mark a run finished and, in the same transaction, make it the one readers see.

        :param publish: False leaves readers with the run they have.
        """
        at = rfc3339(finished_at)
        with self._write() as connection:
            run = runs.need_run(connection, run_id).run
            values = {"state": "finished", "finished_at": at, "summary": as_text(summary), "error": None}
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(**values))
            if publish:
                runs.flip_current(connection, run, at)

    def fail_run(self, run_id: str, error: str, finished_at: datetime) -> None:
        """Mark a run failed; it can be taken up again, and what it stored stays. A finished run stays finished.

        :param error: why, without customers' words.
        """
        values = {"state": "failed", "finished_at": rfc3339(finished_at), "error": error}
        with self._write() as connection:
            run = runs.need_run(connection, run_id).run
            connection.execute(update(RUNS).where(RUNS.c.run == run, RUNS.c.state == "running").values(**values))

    def publish(self, run_id: str, at: datetime) -> None:
        """Make a finished run the one readers see.

        :raises FeedbackError: when it is not finished.
        """
        with self._write() as connection:
            runs.flip_current(connection, runs.readable_run(connection, run_id), rfc3339(at))

    def drop_run(self, run_id: str) -> None:
        """Delete a run and all it stored.

        :raises FeedbackError: when it is the current one.
        """
        with self._write() as connection:
            run = runs.need_run(connection, run_id).run
            if run == runs.current_number(connection):
                raise FeedbackError(f"Run '{run_id}' is the one readers see. Publish another one first.")
            connection.execute(delete(RUNS).where(RUNS.c.run == run))

    def prune(self, keep: int) -> list[str]:
        """Delete old runs: finished ones but for the newest ``keep`` and the current one, and failed ones as old.

        :param keep: at least 1.
        :returns: the ids of the runs deleted, the newest first.
        """
        if keep < 1:
            raise ConfigError(f"keep must be at least 1, got {keep}.")
        with self._database.reading() as connection:
            records = runs.all_records(connection, unfinished=True)
        finished = [record.run_id for record in records if record.state == "finished"]
        if len(finished) <= keep:
            return []
        oldest_kept = [record.run_id for record in records].index(finished[keep - 1])
        old = [record for record in records[oldest_kept + 1 :] if record.state != "running" and not record.current]
        for record in old:
            self.drop_run(record.run_id)
        return [record.run_id for record in old]

    def current_run(self) -> str | None:
        """Return the id of the run that readers see, None before the first."""
        with self._database.reading() as connection:
            number = runs.current_number(connection)
            found = select(RUNS.c.run_id).where(RUNS.c.run == number)
            return None if number is None else connection.execute(found).scalar_one()

    def run(self, run_id: str) -> RunRecord:
        """Return what is known of a run, in whatever state.

        :raises ConfigError: when there is no such run.
        """
        with self._database.reading() as connection:
            return runs.as_record(connection, runs.need_run(connection, run_id))

    def runs(self, *, unfinished: bool = False) -> "pd.DataFrame":
        """Return the runs, the newest first: id, state, current, comments, times and error.

        :param unfinished: also those that are running, were killed or failed.
        """
        import pandas as pd

        names = ("run_id", "state", "current", "comments", "started_at", "finished_at", "error")
        with self._database.reading() as connection:
            records = runs.all_records(connection, unfinished=unfinished)
        return pd.DataFrame({name: [getattr(record, name) for record in records] for name in names})

    def comments(
        self,
        run_id: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        lang: str | None = None,
        topic: int | None = None,
        root_cause: str | None = None,
        sentiment: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        unfinished: bool = False,
    ) -> pa.Table:
        """Return comments in the order of the run, with the result columns' names, order and types.

        :param run_id: None takes the current run.
        :param columns: names of result columns, in the order wanted; None takes all.
        :param lang: only this language; likewise ``topic`` (an id), ``root_cause`` and ``sentiment``.
        :param unfinished: allow a run that is running or failed.
        :raises ConfigError: when a column or the run does not exist.
        :raises FeedbackError: when the run is not finished.
        """
        chosen = _chosen(columns)
        filters = {"lang": lang, "topic_id": topic, "root_cause": root_cause, "sentiment": sentiment}
        with self._database.reading() as connection:
            run = runs.readable_run(connection, run_id, unfinished=unfinished)
            query = select(*[COMMENTS.c[column.name] for column in chosen]).where(COMMENTS.c.run == run)
            for name, value in filters.items():
                query = query if value is None else query.where(COMMENTS.c[name] == value)
            query = query.order_by(COMMENTS.c.chunk, COMMENTS.c.row).limit(limit).offset(offset)
            blocks = connection.execute(query.execution_options(yield_per=_BLOCK)).partitions()
            schema = pa.schema([pa.field(column.name, column.dtype) for column in chosen])
            return pa.Table.from_batches([_decoded(block, chosen, schema) for block in blocks], schema)

    def topics(self, run_id: str | None = None) -> pa.Table:
        """Return a run's topics as they were written; None takes the current run."""
        with self._database.reading() as connection:
            return read_records(connection, TOPICS, runs.readable_run(connection, run_id))

    def rejects(self, run_id: str | None = None) -> pa.Table:
        """Return a run's rejected rows as they were written; None takes the current run."""
        with self._database.reading() as connection:
            return read_records(connection, REJECTS, runs.readable_run(connection, run_id))

    def root_causes(self, run_id: str | None = None) -> "pd.DataFrame":
        """Return one row a driver, in the order of the run: comment_id, driver, cause, sign, score, span and evidence.

        :param run_id: None takes the current run.
        """
        with self._database.reading() as connection:
            run = runs.readable_run(connection, run_id)
            query = select(*[DRIVERS.c[name] for name in FRAME_NAMES]).where(DRIVERS.c.run == run)
            order = (DRIVERS.c.chunk, DRIVERS.c.row, DRIVERS.c.position)
            rows = connection.execute(query.order_by(*order)).all()
        return as_frame(list(zip(*rows, strict=True)) if rows else [()] * len(FRAME_NAMES))

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            if self._lease is not None:
                self._lease.check(connection)
            yield connection

    def _ledger(self, connection: Connection, run: int) -> set[int]:
        return set(connection.execute(select(CHUNKS.c.chunk).where(CHUNKS.c.run == run)).scalars())


def _chosen(columns: Sequence[str] | None) -> list[Column]:
    names = list(_BY_NAME) if columns is None else list(columns)
    strangers = [name for name in names if name not in _BY_NAME]
    if strangers or not names:
        raise ConfigError(f"No result column '{', '.join(strangers)}'. There are: {', '.join(_BY_NAME)}.")
    return [_BY_NAME[name] for name in names]


def _decoded(block: Sequence[Any], columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    values = zip(*block, strict=True)
    arrays = [from_values(column, declared) for column, declared in zip(values, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
