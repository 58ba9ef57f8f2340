"""Opening a database, its transactions, and its errors in plain words."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.engine import URL

from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store.location import prepare_file

BUSY_SECONDS = 60
BUSY_STEP = 0.004
RECONNECT_SECONDS = (0.2, 1.0, 3.0, 10.0, 30.0)
_WRITING = "feedback_nlp_writing"
_BUSY = ("database is locked", "database table is locked")
T = TypeVar("T")


class ConnectionLostError(FeedbackError):
    """The database server went away or let the connection go; the transaction under way left nothing behind."""


# What drivers say, in lower case, and what we say in its place; the first that fits counts.
_FAULTS: tuple[tuple[tuple[str, ...], type[FeedbackError], str], ...] = (
    (
        (
            "terminating connection",
            "connection is closed",
            "connection is lost",
            "connection refused",
            "connection to server",
            "connection timeout",
            "consuming input failed",
            "sending copy data failed",
            "server closed the connection",
            "ssl connection has been closed",
            "the database system is",
        ),
        ConnectionLostError,
        ": the database server does not answer ({cause}). Run again when it is back; what was stored is safe.",
    ),
    (
        (
            "malformed",
            "not a database",
            "file is encrypted",
            "database corruption",
            "could not decode to utf-8",
            "invalid page",
            "unsupported file format",
        ),
        FeedbackError,
        " is damaged ({cause}). Move it away, or bring a copy back, and run again.",
    ),
    (
        ("disk is full", "no space left", "disk full", "could not extend file", "file too large"),
        FeedbackError,
        ": the disk is full. Make room and run again; what was stored is safe.",
    ),
    (
        ("disk i/o error",),
        FeedbackError,
        ": the disk is full or failing ({cause}). Make room or mend it, and run again; what was stored is safe.",
    ),
    (
        _BUSY,
        FeedbackError,
        ": another program kept it locked for {seconds} s. Try again later.",
    ),
    (
        ("readonly", "unable to open", "permission denied"),
        ConfigError,
        " cannot be opened for writing ({cause}). Check its folder's permissions.",
    ),
)


class Database:
    """An open database. Every error that leaves it is one of ours.

    :param engine: SQLAlchemy's engine.
    :param name: the address without its password, for messages.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self._writing = engine.execution_options(**{_WRITING: True})
        # SQLite's transactions see one state anyway; PostgreSQL's must be told to.
        one_state = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
        self._reading = engine.execution_options(**one_state)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging state; it never waits for a writer."""
        with self._told(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that commits at the end of the block, or leaves nothing behind.

        :raises FeedbackError: when another writer holds the database for over a minute, the disk is full, …
        """
        with self._told(), self._writing.begin() as connection:
            yield connection

    def tidy(self, tables: Sequence[str]) -> None:
        """Overwrite what deleted rows left in the files, as far as no reader still needs it."""
        with self._told(), closing(self.engine.raw_connection()) as raw:
            if self.engine.dialect.name == "postgresql":
                driver: Any = raw.driver_connection
                driver.autocommit = True
                driver.execute(f"VACUUM {', '.join(tables)}")
                driver.autocommit = False
            else:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def steadily(self, act: Callable[[], T]) -> T:
        """Carry out an act that may be done twice without harm, again when the connection is lost meanwhile.

        :param act: one transaction that leaves the same behind however often it is carried out.
        :raises ConnectionLostError: when the server stays away.
        """
        for seconds in RECONNECT_SECONDS:
            try:
                return act()
            except ConnectionLostError:
                self.engine.dispose()
                time.sleep(seconds)
        return act()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        driver = self.engine.dialect.loaded_dbapi.Error
        try:
            yield
        except (exc.SQLAlchemyError, driver) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> FeedbackError:
        # The driver's words alone: SQLAlchemy's own message quotes the parameters, which are customers' texts; so does
        # what stands after PostgreSQL's first line, and what SQLite tells of a text it cannot decode.
        cause = (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
        cause = cause.partition(" with text ")[0]
        if isinstance(error, exc.SQLAlchemyError) and getattr(error, "orig", None) is None:
            cause = type(error).__name__
        words = cause.lower()
        for signs, kind, told in _FAULTS:
            if any(sign in words for sign in signs):
                return kind(f"{self.name}{told.format(cause=cause, seconds=BUSY_SECONDS)}")
        return FeedbackError(f"{self.name}: {type(error).__name__}: {cause}")


def _on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's connection
    # The driver must not begin transactions by itself: it would leave DDL and SELECT outside.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten: a comment that was erased does not linger in the file.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITING, False):
        _begin_writing(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the writer's lock at once: a reader that turns writer later can fail without waiting.

    SQLite's own waiting looks again only every 100 ms, and would miss the gaps between a night's chunks.
    """
    end = time.monotonic() + BUSY_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except exc.OperationalError as error:
                if not any(sign in str(error.orig) for sign in _BUSY) or time.monotonic() >= end:
                    raise
                time.sleep(BUSY_STEP)
            else:
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError(
            "store.url is no database address. Use sqlite:///path/store.db or postgresql://user@host/name."
        ) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigError(f"store.url: '{parsed.get_backend_name()}' is not supported; use sqlite or postgresql.")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigError("store.url must name a file: sqlite:///path/store.db")
    return parsed


def open_database(url: str) -> Database:
    """Open a database; a SQLite file and its folder are made where missing.

    :raises ConfigError: when the address is wrong, its driver is missing, or the file may not stand there.
    """
    parsed = _parse(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite:
        parsed = parsed.set(database=str(prepare_file(Path(str(parsed.database)))))
    elif parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=not sqlite)
    except ImportError as error:
        raise ConfigError(
            "store.url needs PostgreSQL's driver, which is missing or lacks its library: pip install 'psycopg[binary]'"
        ) from error
    if sqlite:
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return Database(engine, str(parsed.database) if sqlite else parsed.render_as_string(hide_password=True))


def take_turns(connection: Connection) -> None:
    """Let no other process pass this line until the transaction ends; SQLite's writers exclude each other anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(726173)"))
