"""Brings a database's schema forward; ``migrations/versions`` holds one small file a change."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.store.database import Database, take_turns

HEAD = "0006"
VERSION_TABLE = "feedback_nlp_version"
MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def schema_version(connection: Connection) -> str | None:
    """Return the schema's version, None where there is no schema yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()
    return None if version is None else str(version)


def _check(connection: Connection, version: str | None, name: str) -> None:
    if version is None:
        strangers = sorted(set(inspect(connection).get_table_names()) - {VERSION_TABLE})
        if strangers:
            raise ConfigError(f"{name} holds another program's tables ({', '.join(strangers[:3])}…). Give a new one.")
    elif version > HEAD:
        raise ConfigError(f"{name} was written by a newer feedback_nlp (schema {version}, known {HEAD}). Update it.")


def upgrade(connection: Connection, version: str = HEAD) -> None:
    """Run all migrations that are missing up to a version, inside the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def bring_forward(database: Database) -> None:
    """Give a database the newest schema; one that has it is only read.

    :raises ConfigError: when its schema is newer than this program, or not ours.
    """
    with database.reading() as connection:
        version = schema_version(connection)
        _check(connection, version, database.name)
    if version == HEAD:
        return
    with database.writing() as connection:
        take_turns(connection)
        if schema_version(connection) != HEAD:
            upgrade(connection)
