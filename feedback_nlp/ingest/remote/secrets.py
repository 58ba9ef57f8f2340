"""Reads secrets from the environment or from files; they stand nowhere else."""

import os
import stat
from pathlib import Path

from feedback_nlp.core.errors import ConfigError


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
