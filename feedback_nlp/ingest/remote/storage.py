"""Copies files from an object store or server to this machine, by fsspec."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from feedback_nlp.core.errors import ConfigError, MissingInputError
from feedback_nlp.ingest.inputs import is_readable_name
from feedback_nlp.ingest.remote.retry import retrying
from feedback_nlp.ingest.remote.secrets import from_environment
from feedback_nlp.ingest.remote.settings import ConnectSettings, StorageSource

_FINAL = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)


def fetch_files(source: StorageSource, settings: ConnectSettings, folder: Path) -> list[Path]:
    """Copy every readable file of an address into ``folder``, under its own path.

    :returns: the local files, sorted.
    :raises ConfigError: when the protocol is not known, or its package is not installed.
    :raises MissingInputError: when nothing is there, access is denied, or the transfer fails for good.
    """
    fsspec = _fsspec()
    secret = {key: from_environment(name, f"options_env.{key}") for key, name in source.options_env.items()}

    def transfer() -> list[Path]:
        return _copy(fsspec, source.url, source.options | secret, folder)

    try:
        return retrying(
            transfer,
            name=source.url,
            passing=(_PassingError,),
            attempts=settings.attempts,
            wait_seconds=settings.wait_seconds,
        )
    except _PassingError as error:
        cause = error.__cause__
        raise MissingInputError(
            f"{source.url}: transfer failed after {settings.attempts} attempt(s): {type(cause).__name__}."
        ) from cause
    except _FINAL as error:
        raise MissingInputError(f"{source.url} cannot be read: {type(error).__name__}.") from error
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{source.url} cannot be opened: {error}") from error


class _PassingError(Exception):
    """A transfer failed for a reason that may pass."""


def _fsspec() -> Any:  # noqa: ANN401 - a module without types
    try:
        import fsspec
    except ImportError as error:
        raise ConfigError("Reading from object stores needs fsspec. Run: pip install 'feedback-nlp[remote]'") from error
    return fsspec


def _copy(fsspec: Any, url: str, options: Mapping[str, Any], folder: Path) -> list[Path]:  # noqa: ANN401
    try:
        system, path = fsspec.core.url_to_fs(url, **options)
        found = _find(system, path)
        if not found:
            raise MissingInputError(f"{url}: no readable file there.")
        return sorted(_get(system, name, folder) for name in found)
    except _FINAL:
        raise
    except OSError as error:
        raise _PassingError from error


def _find(system: Any, path: str) -> Sequence[str]:  # noqa: ANN401 - an fsspec file system
    if any(letter in path for letter in "*?["):
        names = [str(name) for name in system.glob(path)]
    elif system.isdir(path):
        names = [str(name) for name in system.ls(path, detail=False)]
    else:
        return [path]
    return [name for name in names if is_readable_name(PurePosixPath(name).name) and not system.isdir(name)]


def _get(system: Any, name: str, folder: Path) -> Path:  # noqa: ANN401 - an fsspec file system
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".") and not part.endswith(":")]
    local = folder.joinpath(*parts)
    local.parent.mkdir(parents=True, exist_ok=True)
    system.get_file(name, str(local))
    return local
