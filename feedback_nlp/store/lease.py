"""The lease: one writer at a time, and a dead writer's lease is free at once or soon."""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Row, delete, insert, select, text, update

from feedback_nlp.core.errors import FeedbackError, LeaseError
from feedback_nlp.store.database import Database, take_turns
from feedback_nlp.store.schema import LEASE

BEAT_SECONDS = 20
STALE_SECONDS = 180


def born(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Return when a process began, in clock ticks since boot; 0 where nothing tells, None when it is gone."""
    if (proc / "self" / "stat").exists():
        try:
            return int((proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[19])
        except (FileNotFoundError, ProcessLookupError):
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0
    return 0


class Lease:
    """The right to write, held inside a ``with`` block and renewed by a thread until its end.

    :param clock: seconds since 1970; None takes the database server's clock, which all writers share, or this machine's
        where the database is a file.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self._database = database
        self._clock = clock
        self._token = os.urandom(16).hex()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="store lease", daemon=True)

    def __enter__(self) -> Self:
        """Take the lease.

        :raises LeaseError: when a living writer holds it.
        """
        with self._database.writing() as connection:
            take_turns(connection)
            holder = connection.execute(select(LEASE)).one_or_none()
            now = self._now(connection)
            if holder is not None and _alive(holder, now):
                raise LeaseError(
                    f"Process {holder.pid} on {holder.host} is writing to {self._database.name}. "
                    "Wait for it to end, or end it; a dead one's lease is free by itself."
                )
            connection.execute(delete(LEASE))
            mine = {"token": self._token, "host": socket.gethostname(), "pid": os.getpid()}
            times = {"born": born(os.getpid()) or 0, "beat": int(now)}
            connection.execute(insert(LEASE).values(slot=1, **mine, **times))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        # Where this fails, the lease is free as soon as this process ends; an error on its way here matters more.
        with suppress(FeedbackError), self._database.writing() as connection:
            connection.execute(delete(LEASE).where(LEASE.c.token == self._token))

    def check(self, connection: Connection) -> None:
        """Make sure, inside a writer's transaction, that the lease is still held.

        :raises LeaseError: when another writer took it over.
        """
        if connection.execute(select(LEASE.c.token)).scalar_one_or_none() != self._token:
            raise LeaseError(f"Another run took over {self._database.name} while this one stood still. Run it again.")

    def beat(self) -> None:
        """Tell that the holder lives."""
        with self._database.writing() as connection:
            mine = update(LEASE).where(LEASE.c.token == self._token)
            connection.execute(mine.values(beat=int(self._now(connection))))

    def _now(self, connection: Connection) -> float:
        if self._clock is not None:
            return self._clock()
        if connection.dialect.name == "postgresql":
            return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        return time.time()

    def _keep(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            # Where the database is busy, the next beat comes before the lease is stale.
            with suppress(FeedbackError):
                self.beat()


def _alive(holder: Row[Any], now: float) -> bool:
    """Tell whether the lease's holder lives: by its process on this machine, by its last beat on another.

    A beat far in the future was set before a clock was put back, and tells nothing; a holder that lives all the same
    finds its lease taken and writes no more.
    """
    if holder.host == socket.gethostname():
        return bool(born(holder.pid) == holder.born)
    return abs(now - float(holder.beat)) < STALE_SECONDS
