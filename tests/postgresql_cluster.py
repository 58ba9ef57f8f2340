"""A PostgreSQL server of our own on loopback, for tests, benchmarks and faults; it vanishes with its folder.

Debian keeps the programs under ``/usr/lib/postgresql``; PostgreSQL refuses to be run by root, so root hands it to
the user ``postgres`` (or ``nobody``).
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

_PLACES = "/usr/lib/postgresql/*/bin/pg_ctl"
# A test's server need not survive a power cut, but it must survive a killed client.
_OPTIONS = {"fsync": "off", "full_page_writes": "off", "max_connections": "60", "shared_buffers": "64MB"}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}


def find_programs() -> Path | None:
    """Return the folder of the server's programs, the newest version's; None where it is not installed."""
    found = sorted(Path("/").glob(_PLACES.lstrip("/")), key=lambda path: int(path.parts[-3].split(".")[0]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _who() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeError("No unprivileged user to run PostgreSQL as.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A running server.

    :param folder: its folder, which it may write to.
    :param durable: whether commits wait for the disk, as they do in earnest.
    """

    def __init__(self, programs: Path, folder: Path, *, durable: bool = False) -> None:
        self._programs = programs
        self.folder = folder
        self.port = _free_port()
        self.name = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._who = _who()
        self._options = {**_OPTIONS, **(_DURABLE if durable else {})}
        self._databases = 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **self._who)  # noqa: PLW1510
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()[-500:]}")

    def make(self) -> None:
        """Make its files."""
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", self.name, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self._options.items())
        sockets = f"-k {self.folder} -h 127.0.0.1 -p {self.port}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", f"{sockets} {options}", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``fast`` or ``immediate``, the latter as a crash would."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://{self.name}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement outside a transaction; its rows, if any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def new_database(self, tablespace: str = "pg_default") -> str:
        """Make an empty database; its name."""
        self._databases += 1
        name = f"feedback_{self._databases}"
        self.sql(f"CREATE DATABASE {name} TABLESPACE {tablespace}")
        return name

    def empty(self, database: str) -> None:
        """Empty every table of a store but for its schema's version; quicker than a new database."""
        names = [name for (name,) in self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database)]
        tables = ", ".join(name for name in names if not name.endswith("_version"))
        self.sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE", database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected."""
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Make and start a server for the length of a block.

    :param durable: whether commits wait for the disk.
    :raises RuntimeError: when PostgreSQL is not installed, or will not start.
    """
    programs = find_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL's server is not installed (Debian: apt install postgresql).")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    who = _who()
    if who:
        os.chown(folder, who["user"], who["group"])
    cluster = Cluster(programs, folder, durable=durable)
    try:
        cluster.make()
        cluster.start()
        yield cluster
    finally:
        with suppress(RuntimeError):
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
