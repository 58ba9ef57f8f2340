"""Store: everything runs leave behind, in one SQL database."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, delete, insert, select, update

from feedback_nlp.core.columns import SENTIMENT
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store import comparison, erasing, runs
from feedback_nlp.store.bulk import insert_table
from feedback_nlp.store.database import Database, open_database
from feedback_nlp.store.decisions import DecisionLog
from feedback_nlp.store.decisions_view import Seen, topics_of
from feedback_nlp.store.lease import Lease
from feedback_nlp.store.migrate import bring_forward
from feedback_nlp.store.records import read_records, write_records
from feedback_nlp.store.results import as_results
from feedback_nlp.store.rows import FRAME_NAMES, as_frame, chosen_columns, comment_rows, decoded, driver_rows, placed
from feedback_nlp.store.runs import RunRecord, as_text, rfc3339
from feedback_nlp.store.schema import CHUNKS, COMMENTS, DRIVERS, REJECTS, RUNS, TOPICS
from feedback_nlp.store.users import UserBook

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_BLOCK = 8192


def open_store(url: str) -> "Store":
    """Open a store, making it or bringing its schema forward where needed.

    :param url: ``sqlite:///relative/store.db``, ``sqlite:////absolute/store.db`` or ``postgresql://user@host/name``.
    :raises ConfigError: for a wrong address, a network file system, a newer schema or another program's database.
    :raises FeedbackError: when the file is damaged.
    """
    database = open_database(url)
    try:
        bring_forward(database)
    except FeedbackError:
        database.close()
        raise
    return Store(database)


class Store(DecisionLog):
    """Runs, their results, topics and rejects; many may read while one writes.

    A reader is given the current run where it names none, and never a run that is not finished.

    :param database: an open database of the newest schema; :func:`open_store` opens one.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
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

    def user_book(self) -> UserBook:
        """Return who may use the review page."""
        return UserBook(self._database)

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
        return self._steadily(lambda connection: runs.begin(connection, values))

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
        comments, drivers = comment_rows(results), driver_rows(results)

        def write(connection: Connection) -> bool:
            run = runs.need_run(connection, run_id)
            stored = index in self._ledger(connection, run.run)
            if stored and run.state == "finished":
                return False
            if run.state != "running":
                raise FeedbackError(f"Run '{run_id}' is {run.state}; only a running one takes comments.")
            if stored:
                runs.forget_chunks(connection, run.run, index)
            insert_table(connection, COMMENTS, placed(comments, run.run, index))
            insert_table(connection, DRIVERS, placed(drivers, run.run, index))
            connection.execute(insert(CHUNKS).values(run=run.run, chunk=index, rows=results.num_rows))
            return True

        return self._steadily(write)

    def chunks_done(self, run_id: str) -> set[int]:
        """Return the numbers of the chunks whose comments are stored."""
        with self._database.reading() as connection:
            return self._ledger(connection, runs.need_run(connection, run_id).run)

    def write_topics(self, run_id: str, table: pa.Table) -> None:
        """Store a run's topics, one row a topic with any columns JSON can hold, in place of earlier ones."""
        self._steadily(lambda it: write_records(it, TOPICS, runs.need_run(it, run_id).run, table))

    def write_rejects(self, run_id: str, table: pa.Table) -> None:
        """Store a run's rejected rows with any columns JSON can hold, in place of earlier ones."""
        self._steadily(lambda it: write_records(it, REJECTS, runs.need_run(it, run_id).run, table))

    def finish_run(
        self, run_id: str, summary: Mapping[str, Any], finished_at: datetime, *, publish: bool = True
    ) -> None:
        """Mark a run finished and, in the same transaction, make it the one readers see.

        :param publish: False leaves readers with the run they have.
        """
        at = rfc3339(finished_at)
        values = {"state": "finished", "finished_at": at, "summary": as_text(summary), "error": None}

        def finish(connection: Connection) -> None:
            run = runs.need_run(connection, run_id).run
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(**values))
            if publish:
                runs.flip_current(connection, run, at)

        self._steadily(finish)

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

    def compare(self, first: str, second: str) -> comparison.Comparison:
        """Put two finished runs side by side.

        :raises ConfigError: when one does not exist.
        :raises FeedbackError: when one is not finished.
        """
        with self._database.reading() as connection:
            numbers = runs.readable_run(connection, first), runs.readable_run(connection, second)
            return comparison.compare(connection, (first, second), numbers)

    def by_day(self, column: str = SENTIMENT.name) -> pa.Table:
        """Return the comments of all finished runs by the day they were written: day, value and comments.

        Each counts once, as the newest run that holds it read it, and on its own day, however late it arrived.

        :param column: ``sentiment``, ``lang``, ``root_cause`` or ``topic_id``.
        :raises ConfigError: for another column.
        """
        with self._database.reading() as connection:
            return comparison.by_day(connection, column)

    def erase(self, comment_id: str, at: datetime) -> dict[str, int]:
        """Erase a comment from every run and from decisions, for good: no later run takes it in again.

        :returns: rows erased or rewritten, by table; empty where there were none.
        """
        found = self._steadily(lambda connection: erasing.erase(connection, comment_id, rfc3339(at)))
        self._database.tidy(erasing.TOUCHED)
        return found

    def erased(self) -> erasing.Erased:
        """Return the comments that were erased, as something that tells whether it contains an id."""
        with self._database.reading() as connection:
            return erasing.read_erased(connection)

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

    def records(self, limit: int | None = None) -> list[RunRecord]:
        """Return all runs with their summaries, the newest first, unfinished ones among them.

        :param limit: at most so many.
        """
        with self._database.reading() as connection:
            return runs.all_records(connection, unfinished=True, limit=limit)

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
        decided: bool = True,
    ) -> pa.Table:
        """Return comments in the order of the run, with the result columns' names, order and types.

        :param run_id: None takes the current run.
        :param columns: names of result columns, in the order wanted; None takes all.
        :param lang: only this language; likewise ``topic`` (an id), ``root_cause`` and ``sentiment``.
        :param unfinished: allow a run that is running or failed.
        :param decided: as analysts decided until now; False gives what the machine found.
        :raises ConfigError: when a column or the run does not exist.
        :raises FeedbackError: when the run is not finished.
        """
        chosen = chosen_columns(columns)
        filters = {"lang": lang, "topic_id": topic, "root_cause": root_cause, "sentiment": sentiment}
        with self._database.reading() as connection:
            run = runs.readable_run(connection, run_id, unfinished=unfinished)
            seen = Seen(connection, run, decided=decided)
            needed = seen.columns(chosen)
            query = select(*[COMMENTS.c[column.name] for column in needed]).where(COMMENTS.c.run == run)
            query = query.where(*[seen.where(name, value) for name, value in filters.items() if value is not None])
            query = query.order_by(COMMENTS.c.chunk, COMMENTS.c.row).limit(limit).offset(offset)
            blocks = connection.execute(query.execution_options(yield_per=_BLOCK)).partitions()
            schema = pa.schema([pa.field(column.name, column.dtype) for column in needed])
            found = pa.Table.from_batches([decoded(block, needed, schema) for block in blocks], schema)
            return seen.table(found).select([column.name for column in chosen])

    def topics(self, run_id: str | None = None, *, decided: bool = True) -> pa.Table:
        """Return a run's topics.

        :param run_id: None takes the current run.
        :param decided: as analysts decided until now (:mod:`feedback_nlp.core.decidedtopics`); False gives them as
            they were written.
        """
        with self._database.reading() as connection:
            run = runs.readable_run(connection, run_id)
            return topics_of(connection, run) if decided else read_records(connection, TOPICS, run)

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

    def check_lease(self) -> None:
        """Make sure that the lease this store holds, if any, was not taken over.

        :raises LeaseError: when it was.
        """
        with self._database.reading() as connection:
            if self._lease is not None:
                self._lease.check(connection)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            if self._lease is not None:
                self._lease.check(connection)
            yield connection

    def _steadily(self, act: Callable[[Connection], T]) -> T:
        """Write in one transaction that may be carried out twice, again where the server lets go of it."""

        def once() -> T:
            with self._write() as connection:
                return act(connection)

        return self._database.steadily(once)

    def _ledger(self, connection: Connection, run: int) -> set[int]:
        return set(connection.execute(select(CHUNKS.c.chunk).where(CHUNKS.c.run == run)).scalars())
