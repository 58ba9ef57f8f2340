import os
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exc, inspect

from feedback_nlp import store as store_room
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.store import StoreSettings, open_store
from feedback_nlp.store.database import Database, open_database
from feedback_nlp.store.location import file_system, prepare_file
from feedback_nlp.store.migrate import HEAD, MIGRATIONS, VERSION_TABLE, schema_version, upgrade
from feedback_nlp.store.schema import metadata


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def pragma(database: Database, name: str) -> object:
    with database.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_new_store_is_made_with_its_folder_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "a b" / "ذخیره" / "store.db"
    for _ in range(2):
        with open_store(url(path)) as store:
            assert store.current_run() is None
    assert path.is_file()


def test_pragmas_hold_on_every_connection(tmp_path: Path) -> None:
    database = open_database(url(tmp_path / "s.db"))
    seen = []

    def look() -> None:
        names = ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        seen.append([pragma(database, name) for name in names])

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert seen == [["wal", 60_000, 1, 2]] * 3
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database without a table, on each of the databases in turn."""
    bare = request.param == "postgresql"
    return str(request.getfixturevalue("bare_postgresql_url")) if bare else url(tmp_path / "s.db")


def test_migrations_make_exactly_the_tables_of_the_code(bare_url: str) -> None:
    open_store(bare_url).close()
    database = open_database(bare_url)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert schema_version(connection) == HEAD
    database.close()


def test_a_store_of_the_first_schema_is_brought_forward_with_its_runs(bare_url: str) -> None:
    database = open_database(bare_url)
    with database.writing() as connection:
        upgrade(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO runs (run_id, state, fingerprint, input_fingerprint, code_version, config, models, inputs,"
            " started_at) VALUES ('old', 'finished', 'f', 'i', '0', '{}', '{}', '[]', '2026-11-01T00:00:00Z')"
        )
    with database.reading() as connection:
        assert schema_version(connection) == "0001"
    with open_store(bare_url) as store:
        assert store.run("old").state == "finished"
    with database.reading() as connection:
        assert schema_version(connection) == HEAD
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_head_is_the_last_migration_and_versions_are_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [HEAD]
    names = [revision.revision for revision in script.walk_revisions()]
    assert names == sorted(names, reverse=True)


def test_many_may_open_a_new_store_at_once(bare_url: str) -> None:
    faults: list[BaseException] = []
    barrier = threading.Barrier(6)

    def work() -> None:
        try:
            barrier.wait()
            open_store(bare_url).close()
        except FeedbackError as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    open_store(bare_url).close()


def execute(address: str, words: str) -> None:
    database = open_database(address)
    with database.writing() as connection:
        connection.exec_driver_sql(words)
    database.close()


def test_a_store_of_a_newer_program_is_refused(bare_url: str) -> None:
    open_store(bare_url).close()
    execute(bare_url, f"UPDATE {VERSION_TABLE} SET version_num = '0999'")
    with pytest.raises(ConfigError, match=r"newer feedback_nlp \(schema 0999, known \d+\). Update it"):
        open_store(bare_url)


def test_another_programs_database_is_refused_and_left_alone(bare_url: str) -> None:
    execute(bare_url, "CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(ConfigError, match=r"another program's tables \(invoices"):
        open_store(bare_url)
    database = open_database(bare_url)
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == ["invoices"]
    database.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(FeedbackError, match=r"s.db is damaged \(file is not a database\)"):
        open_store(url(tmp_path / "s.db"))


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    open_store(url(path)).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = os.urandom(3996)
    path.write_bytes(content)
    with pytest.raises(FeedbackError, match=r"s\.db is damaged"):
        open_store(url(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be made"):
        open_store(url(tmp_path / "x" / "s.db"))
    with pytest.raises(ConfigError, match="cannot be opened for writing"):
        open_store(url(tmp_path / "s.db"))
    tmp_path.chmod(0o700)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be made: "):
        open_store(url(tmp_path / "file" / "s.db"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"is a folder\. Give a file"):
        open_store(url(tmp_path / "folder"))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("no address", "no database address"),
        ("mysql://u:secret@h/d", "'mysql' is not supported"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_wrong_addresses_say_what_is_right(address: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install 'psycopg\[binary\]'"):
        open_store("postgresql://u@localhost/d")


MOUNTS = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
server:/export /mnt/net nfs4 rw 0 0
/dev/vdb /mnt/net/local xfs rw 0 0
//nas/share /media/my\\040share cifs rw 0 0
me@host: /home/me/far fuse.sshfs rw 0 0
tmpfs /over tmpfs rw 0 0
server:/x /over nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/s.db", "ext4"),
        ("/mnt/net/s.db", "nfs4"),
        ("/mnt/network/s.db", "ext4"),
        ("/mnt/net/local/deep/s.db", "xfs"),
        ("/media/my share/s.db", "cifs"),
        ("/home/me/far/s.db", "fuse.sshfs"),
        ("/over/s.db", "nfs"),
    ],
)
def test_the_file_system_of_a_path(tmp_path: Path, path: str, kind: str) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert file_system(Path(path), tmp_path / "mounts") == kind


def test_network_file_systems_are_refused_through_links_too(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "net")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path}/net nfs rw 0 0\n")
    with pytest.raises(ConfigError, match=r"network file system \(nfs\).*PostgreSQL"):
        prepare_file(tmp_path / "link" / "deep" / "s.db", mounts)
    assert not (tmp_path / "net" / "deep").exists()
    assert prepare_file(tmp_path / "s.db", mounts) == tmp_path / "s.db"


def test_a_system_without_a_list_of_mounts_is_believed(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "none") is None
    assert prepare_file(tmp_path / "s.db", tmp_path / "none") == tmp_path / "s.db"


def test_settings() -> None:
    assert StoreSettings().model_dump() == {"url": None, "keep": None}
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        StoreSettings(keep=0)


@pytest.mark.parametrize(
    ("driver", "kind", "words"),
    [
        ("attempt to write a readonly database", ConfigError, "cannot be opened for writing"),
        ("unable to open database file", ConfigError, "Check its folder's permissions"),
        ("No space left on device", FeedbackError, "the disk is full"),
        ("database disk image is malformed", FeedbackError, "is damaged"),
        ("Could not decode to UTF-8 column 'text' with text 'a comment'", FeedbackError, "is damaged"),
        ("something else", FeedbackError, "OperationalError: something else"),
    ],
)
def test_the_drivers_errors_become_plain_words(tmp_path: Path, driver: str, kind: type, words: str) -> None:
    database = open_database(url(tmp_path / "s.db"))
    for block in (database.reading, database.writing):
        with pytest.raises(kind, match=words) as caught, block():
            raise exc.OperationalError("INSERT", {"text": "a comment"}, sqlite3.OperationalError(driver))
        assert "a comment" not in str(caught.value)
    database.close()


def test_a_name_the_room_does_not_have_is_told() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'\. It has: FULL"):
        _ = store_room.nonsense
    assert sorted(store_room._HOMES) == sorted(set(store_room.__all__) - {"StoreSettings"})
    assert all(getattr(store_room, name) for name in store_room.__all__)
