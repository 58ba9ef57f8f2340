"""Fetches the rows of a query into a JSON lines file, by a cursor on the server's side."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback_nlp.core.errors import BadDataError, ConfigError, MissingInputError
from feedback_nlp.ingest.remote.retry import retrying
from feedback_nlp.ingest.remote.secrets import from_environment, from_file
from feedback_nlp.ingest.remote.settings import ConnectSettings, SqlSource

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine


def fetch_rows(name: str, source: SqlSource, settings: ConnectSettings, folder: Path) -> Path:
    """Write the query's rows to ``folder``, one JSON object a line.

    :param name: the source's name, which names the file.
    :returns: the file, ``<name>.jsonl``.
    :raises ConfigError: for an address, secret or query that cannot be right.
    :raises MissingInputError: when the database stays out of reach, or the query gives no row.
    :raises BadDataError: when a column holds bytes.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

    where = f"connect.sources.{name}"
    try:
        engine = create_engine(_address(where, source))
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"{where}.url cannot be used: {_first_line(error)}.") from error
    file = folder / f"{name}.jsonl"
    try:
        rows = retrying(
            lambda: _write_rows(engine, source, file, where),
            name=where,
            passing=(OperationalError, InterfaceError),
            attempts=settings.attempts,
            wait_seconds=settings.wait_seconds,
        )
    except (OperationalError, InterfaceError) as error:
        raise MissingInputError(
            f"{where}: no answer from the database after {settings.attempts} attempt(s): {_first_line(error.orig)}."
        ) from error
    except DBAPIError as error:
        raise ConfigError(f"{where}.query is refused by the database: {_first_line(error.orig)}.") from error
    finally:
        engine.dispose()
    if not rows:
        raise MissingInputError(f"{where}.query gave no row.")
    return file


def _address(where: str, source: SqlSource) -> "URL":
    from sqlalchemy import make_url

    url = make_url(source.url)
    if source.password_env:
        return url.set(password=from_environment(source.password_env, f"{where}.password_env"))
    if source.password_file:
        return url.set(password=from_file(source.password_file, f"{where}.password_file"))
    return url


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _write_rows(engine: "Engine", source: SqlSource, file: Path, where: str) -> int:
    """Write all rows anew; the transaction is rolled back, whatever the query did."""
    from sqlalchemy import text

    count = 0
    with engine.connect() as connection, file.open("w", encoding="utf-8") as stream:
        result = connection.execution_options(stream_results=True, yield_per=source.batch_rows).execute(
            text(source.query)
        )
        for row in result.mappings():
            stream.write(json.dumps(_plain(dict(row), where), ensure_ascii=False) + "\n")
            count += 1
        connection.rollback()
    return count


def _plain(row: Mapping[Any, Any], where: str) -> dict[str, Any]:
    return {str(name): _value(value, f"{where}.query: column '{name}'") for name, value in row.items()}


def _value(value: Any, where: str) -> Any:  # noqa: ANN401 - whatever a database holds
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, bytes | bytearray | memoryview):
        raise BadDataError(f"{where} holds bytes; decode it to text in the query.")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
