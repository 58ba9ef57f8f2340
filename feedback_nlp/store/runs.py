"""Runs: their identity, state and chunk ledger, and which of them readers see."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store.schema import CHUNKS, COMMENTS, CURRENT_RUN, DRIVERS, RUNS

State = Literal["running", "failed", "finished"]


@dataclass(frozen=True)
class RunRecord:
    """One run as the store knows it.

    :param state: ``running`` also where it was killed; ``finished`` once every row is stored.
    :param current: whether it is the run that readers see.
    :param comments: comments stored so far.
    :param started_at: RFC 3339 in UTC, as are all times.
    :param summary: what the run told at its end, None before.
    :param error: why it failed, None otherwise.
    """

    run_id: str
    state: State
    current: bool
    comments: int
    fingerprint: str
    input_fingerprint: str
    code_version: str
    config: Mapping[str, Any]
    models: Mapping[str, Any]
    inputs: Sequence[Any]
    started_at: str
    finished_at: str | None
    summary: Mapping[str, Any] | None
    error: str | None


def rfc3339(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, to the second.

    :raises ConfigError: when it has no time zone.
    """
    if moment.tzinfo is None:
        raise ConfigError("A time without a time zone cannot be stored; give datetime.now(UTC).")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text(value: object) -> str:
    """Write a value as JSON, keys in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def find_run(connection: Connection, run_id: str) -> Row[Any] | None:
    """Return a run's row, None where there is none."""
    return connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).one_or_none()


def need_run(connection: Connection, run_id: str) -> Row[Any]:
    """Return a run's row.

    :raises ConfigError: when there is no such run.
    """
    row = find_run(connection, run_id)
    if row is None:
        told = f"No run '{run_id}' in the store. `feedback-nlp runs list` shows them."
        raise ConfigError(told, fault="run_unknown", run=run_id)
    return row


def current_number(connection: Connection) -> int | None:
    """Return the number of the run that readers see."""
    return connection.execute(select(CURRENT_RUN.c.run)).scalar_one_or_none()


def readable_run(connection: Connection, run_id: str | None, *, unfinished: bool = False) -> int:
    """Return the number of a run that may be read.

    :param run_id: None takes the current one.
    :param unfinished: allow one that is running or failed.
    :raises ConfigError: when there is no such run.
    :raises FeedbackError: when no run is published yet, or this one is not finished.
    """
    if run_id is None:
        number = current_number(connection)
        if number is None:
            raise FeedbackError("The store has no published run yet. Start one: feedback-nlp run INPUT", fault="no_run")
        return number
    row = need_run(connection, run_id)
    if row.state != "finished" and not unfinished:
        told = f"Run '{run_id}' is not finished ({row.state}). Run it again to take it up."
        raise FeedbackError(told, fault="run_unfinished", run=run_id)
    return int(row.run)


def as_record(connection: Connection, row: Row[Any]) -> RunRecord:
    """Return a run's row as a record."""
    values = dict(row._mapping)
    number = values.pop("run")
    try:
        for name in ("config", "models", "inputs", "summary"):
            values[name] = None if values[name] is None else json.loads(values[name])
    except ValueError as error:
        raise FeedbackError(f"The store is damaged: run {number} has no readable {name}. Bring a copy back.") from error
    rows = connection.execute(select(func.sum(CHUNKS.c.rows)).where(CHUNKS.c.run == number)).scalar_one()
    return RunRecord(**values, comments=int(rows or 0), current=number == current_number(connection))


def all_records(connection: Connection, *, unfinished: bool, limit: int | None = None) -> list[RunRecord]:
    """Return the runs, the newest first: as they were begun, whatever the clock said then."""
    query = select(RUNS).order_by(RUNS.c.run.desc()).limit(limit)
    if not unfinished:
        query = query.where(RUNS.c.state == "finished")
    return [as_record(connection, row) for row in connection.execute(query).all()]


def begin(connection: Connection, values: Mapping[str, str]) -> RunRecord:
    """Add a run, or take up the one of the same id.

    :raises ConfigError: when a run of this id has other fingerprints.
    """
    row = find_run(connection, values["run_id"])
    if row is None:
        connection.execute(insert(RUNS).values(**values, state="running"))
    else:
        for name in ("fingerprint", "input_fingerprint"):
            if row._mapping[name] != values[name]:
                raise ConfigError(f"Run '{row.run_id}' is stored with another {name}; give this run an id of its own.")
        if row.state != "finished":
            if row.config != values["config"]:
                forget_chunks(connection, row.run)
            reset = {"state": "running", "error": None, "finished_at": None, "config": values["config"]}
            connection.execute(update(RUNS).where(RUNS.c.run == row.run).values(**reset))
    return as_record(connection, need_run(connection, values["run_id"]))


def flip_current(connection: Connection, number: int, at: str) -> None:
    """Let readers see this run from the end of the transaction on."""
    connection.execute(delete(CURRENT_RUN))
    connection.execute(insert(CURRENT_RUN).values(slot=1, run=number, published_at=at))


def forget_chunks(connection: Connection, number: int, index: int | None = None) -> None:
    """Delete the comments, drivers and ledger marks of a run's chunk, or of all its chunks."""
    for table in (DRIVERS, COMMENTS, CHUNKS):
        old = delete(table).where(table.c.run == number)
        connection.execute(old if index is None else old.where(table.c.chunk == index))
