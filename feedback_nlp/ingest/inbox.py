"""An inbox: a folder whose files are read once and then moved to an archive."""

import errno
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feedback_nlp.core.errors import FeedbackError, MissingInputError
from feedback_nlp.ingest.inputs import find_inputs, is_readable_name


@dataclass(frozen=True)
class Waiting:
    """A file of the inbox as it was when the run began.

    :param size: in bytes.
    :param changed: time of its last change, nanoseconds since 1970.
    """

    path: Path
    size: int
    changed: int

    def unchanged(self) -> bool:
        """Tell whether the file is still what was read."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size, self.changed)


def waiting_files(inputs: Sequence[str | Path], settle_seconds: float) -> list[Waiting]:
    """Return the files to read now; those still being written wait for the next run.

    :param inputs: files, globs and folders; an empty folder is no error here.
    :param settle_seconds: a file changed more recently than this is taken to be still written.
    :raises MissingInputError: when a path does not exist.
    """
    given = [one for one in inputs if not _is_empty_folder(Path(one))]
    if not given:
        return []
    latest = time.time() - settle_seconds
    found = []
    for file in (path for one in given for path in _files(one)):
        state = file.stat()
        if state.st_mtime <= latest:
            found.append(Waiting(file, state.st_size, state.st_mtime_ns))
    return list({one.path: one for one in found}.values())


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(child.is_file() and is_readable_name(child.name) for child in path.iterdir())


def _files(given: str | Path) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        return sorted(child for child in path.iterdir() if child.is_file() and is_readable_name(child.name))
    return [file.path for file in find_inputs([given])]


def archive_files(files: Sequence[Waiting], archive: Path, run_id: str) -> list[Path]:
    """Move files that were read into ``archive/<run id>/``; one that has changed since stays where it is.

    :returns: where they stand now.
    :raises FeedbackError: when a file cannot be moved; those moved before stay moved, and the rest are read again by
        the next run, which recognises them.
    """
    folder = archive / run_id
    moved = []
    for file in files:
        if not file.unchanged():
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            moved.append(_move(file.path, _free_name(folder, file.path)))
        except OSError as error:
            raise FeedbackError(
                f"{file.path.name} was read, but cannot be moved to {folder}: {error.strerror}. "
                "The results stand; mend the folder and run again."
            ) from error
    return moved


def _free_name(folder: Path, path: Path) -> Path:
    target, again = folder / path.name, 2
    while target.exists():
        target = folder / f"{path.stem}-{again}{path.suffix}"
        again += 1
    return target


def _move(path: Path, target: Path) -> Path:
    """Move a file; from one file system to another it is copied whole before the original goes."""
    try:
        return path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    half = target.with_name(f".{target.name}.part")
    shutil.copy2(path, half)
    with half.open("rb") as stream:
        os.fsync(stream.fileno())
    half.replace(target)
    path.unlink()
    return target


def need_local(inputs: Sequence[str | Path]) -> None:
    """Refuse an inbox that is not on this machine.

    :raises MissingInputError: for an address or the name of a source.
    """
    for one in inputs:
        if "://" in str(one) or str(one).startswith("@"):
            raise MissingInputError(
                f"--archive moves files of this machine only; {one} is none. Run it without --archive."
            )
