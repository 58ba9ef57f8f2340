"""The one place that knows databases apart: opening, transactions, bulk writing, and their errors in plain words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, insert, make_url, text
from sqlalchemy.engine import URL

from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store.location import prepare_file

BUSY_SECONDS = 60
_WRITING = "feedback_nlp_writing"
_DAMAGED = ("malformed", "not a database", "file is encrypted", "database corruption")
_FULL = ("disk is full", "no space left", "disk full")
_BUSY = ("database is locked", "database table is locked")
_READONLY = ("readonly", "unable to open", "permission denied")


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

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise self._explained(error) from error

    def _explained(self, error: exc.SQLAlchemyError) -> FeedbackError:
        # The driver's words alone: SQLAlchemy's own message quotes the parameters, which are customers' texts.
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip()
        words = cause.lower()
        if any(sign in words for sign in _DAMAGED):
            return FeedbackError(
                f"{self.name} is damaged ({cause}). Move it away, or bring a copy back, and run again."
            )
        if any(sign in words for sign in _FULL):
            return FeedbackError(f"{self.name}: the disk is full. Make room and run again; what was stored is safe.")
        if any(sign in words for sign in _BUSY):
            return FeedbackError(f"{self.name}: another program kept it locked for {BUSY_SECONDS} s. Try again later.")
        if any(sign in words for sign in _READONLY):
            return ConfigError(f"{self.name} cannot be opened for writing ({cause}). Check its folder's permissions.")
        return FeedbackError(f"{self.name}: {type(error).__name__}: {cause}")


def _on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's connection
    # The driver must not begin transactions by itself: it would leave DDL and SELECT outside.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that turns writer later can fail without waiting.
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


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
        engine = create_engine(parsed, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise ConfigError(f"store.url needs the package '{error.name}': pip install {error.name}") from error
    if sqlite:
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return Database(engine, str(parsed.database) if sqlite else parsed.render_as_string(hide_password=True))


def insert_rows(connection: Connection, table: Table, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> None:
    """Insert many rows given as columns.

    :param names: the columns' names.
    :param columns: their values, all of one length.
    """
    if not columns[0]:
        return
    compiled = insert(table).compile(dialect=connection.dialect, column_keys=list(names))
    order = compiled.positiontup
    if order is None:
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])
    else:
        # Straight to the driver, about twice as fast: our values need none of SQLAlchemy's conversions.
        arranged = [columns[names.index(name)] for name in order]
        connection.exec_driver_sql(str(compiled), list(zip(*arranged, strict=True)))


def take_turns(connection: Connection) -> None:
    """Let no other process pass this line until the transaction ends; SQLite's writers exclude each other anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(726173)"))
