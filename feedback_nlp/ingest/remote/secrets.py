"""Reads secrets from the environment or from files; they stand nowhere else."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.ingest.remote.settings import ConnectSettings


def from_environment(variable: str, needed_by: str) -> str:
    """Return an environment variable's value.

    :param needed_by: the setting that names it, for the message.
    :raises ConfigError: when it is not set or empty.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigError(
            f"{needed_by} names the environment variable {variable}, which is not set. Set it and run again."
        )
    return value


def from_file(path: Path, needed_by: str) -> str:
    """Return the first line of a file that its owner alone can read.

    :param needed_by: the setting that names it, for the message.
    :raises ConfigError: when it cannot be read, is empty, or others may read it.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            if stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
                raise ConfigError(f"{needed_by}: {path} can be read by other users. Run: chmod 600 {path}")
            value = stream.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"{needed_by}: {path} cannot be read: {reason}.") from error
    if not value:
        raise ConfigError(f"{needed_by}: the first line of {path} is empty.")
    return value


def check_secrets(settings: ConnectSettings) -> int:
    """Read every secret the settings name and forget it again.

    :returns: how many there are.
    :raises ConfigError: for the first that cannot be read.
    """
    count = 0
    for where, value in _named(settings.model_dump(), "connect"):
        if where.rpartition(".")[2].endswith("_file"):
            from_file(Path(value), where)
        else:
            from_environment(value, where)
        count += 1
    return count


def _named(value: Any, where: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain values of settings
    """Yield every setting that names a variable or file of a secret, with its place."""
    for name, inner in value.items() if isinstance(value, Mapping) else ():
        place = f"{where}.{name}"
        if name in ("password_env", "password_file", "secret_env", "secret_file"):
            if inner is not None:
                yield place, str(inner)
        elif name == "options_env":
            yield from ((f"{place}.{key}", variable) for key, variable in inner.items())
        else:
            yield from _named(inner, place)
