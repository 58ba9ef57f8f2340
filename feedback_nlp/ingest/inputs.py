"""Finds the input files behind paths, globs and folders, and what format each has."""

import glob
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from feedback_nlp.core.errors import BadDataError, MissingInputError

DELIMITED = "delimited"
JSON = "json"
PARQUET = "parquet"
WORKBOOK = "workbook"
FORMATS = {
    ".csv": DELIMITED, ".tsv": DELIMITED, ".tab": DELIMITED, ".txt": DELIMITED,
    ".jsonl": JSON, ".ndjson": JSON, ".json": JSON,
    ".parquet": PARQUET, ".pq": PARQUET,
    ".xlsx": WORKBOOK, ".xlsm": WORKBOOK,
}  # fmt: skip
_KNOWN = "CSV, TSV, TXT, JSONL, NDJSON, JSON (each also as .gz), Parquet and XLSX"
_ADVICE = {".xls": "save it as .xlsx", ".xlsb": "save it as .xlsx", ".ods": "save it as .xlsx or .csv"}
_GZIP = b"\x1f\x8b"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class InputFile:
    """One file to read.

    :param source: its name in results and messages, unique among the inputs.
    :param format: one of the values of ``FORMATS``.
    :param gzipped: whether the bytes are gzip-compressed.
    """

    path: Path
    source: str
    format: str
    gzipped: bool

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file's bytes, decompressed.

        :raises BadDataError: while reading, when compressed bytes are damaged or cut off.
        """
        with self.path.open("rb") as raw:
            if not self.gzipped:
                yield raw
                return
            with gzip.open(raw) as stream:
                try:
                    yield stream  # type: ignore[misc]
                except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                    raise BadDataError(
                        f"{self.source} is a damaged or cut-off gzip file; copy or export it again."
                    ) from error


def _suffixes(path: Path) -> tuple[str, bool]:
    suffix = path.suffix.lower()
    return (Path(path.stem).suffix.lower(), True) if suffix == ".gz" else (suffix, False)


def is_readable_name(name: str) -> bool:
    """Tell whether a file found in a folder is read: one of a known format that is neither hidden nor a lock file."""
    return not name.startswith((".", "_", "~$")) and _suffixes(Path(name))[0] in FORMATS


def _readable(path: Path) -> bool:
    return path.is_file() and is_readable_name(path.name)


def _expand(given: str | Path) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        found = [child for child in path.iterdir() if _readable(child)]
        if not found:
            raise MissingInputError(f"Folder {path} has no readable file. Read are {_KNOWN}.")
        return found
    if path.exists():
        if not path.is_file():
            raise MissingInputError(f"{path} is no regular file; write the input to a file first.")
        return [path]
    if glob.has_magic(str(given)):
        found = [match for name in glob.glob(str(given), recursive=True) if _readable(match := Path(name))]
        if not found:
            raise MissingInputError(f"No readable file matches {given}. Read are {_KNOWN}.")
        return found
    raise MissingInputError(f"{path} does not exist.")


def _sources(paths: Sequence[Path]) -> list[str]:
    """Name each file by the shortest end of its path that no other file shares."""
    names = []
    for path in paths:
        parts = path.parts
        for depth in range(1, len(parts) + 1):
            if sum(other.parts[-depth:] == parts[-depth:] for other in paths) == 1:
                break
        names.append("/".join(parts[-depth:]).encode("utf-8", "replace").decode("utf-8"))
    return names


def _opened(path: Path, source: str) -> InputFile:
    suffix, gzipped = _suffixes(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise MissingInputError(f"{source} cannot be read: {error.strerror}.") from error
    if not head:
        raise BadDataError(f"{source} is empty (0 bytes); export it again or leave it out.")
    gzipped = gzipped or head.startswith(_GZIP)
    kind = FORMATS.get(suffix)
    if kind is None:
        advice = f" To read it, {_ADVICE[suffix]}." if suffix in _ADVICE else ""
        raise BadDataError(f"{source} has no known format. Read are {_KNOWN}.{advice}")
    if gzipped and kind in (PARQUET, WORKBOOK):
        raise BadDataError(f"{source} is compressed with gzip; decompress it first (gunzip).")
    magic = PARQUET if head.startswith(b"PAR1") else WORKBOOK if head.startswith(b"PK\x03\x04") else None
    if head.startswith(_OLE):
        raise BadDataError(f"{source} is an old Excel file or has a password; save it as .xlsx without one.")
    if kind in (PARQUET, WORKBOOK) and magic is None:
        raise BadDataError(f"{source} is no {suffix[1:]} file inside; give it the suffix of its true format.")
    return InputFile(path, source, magic or kind, gzipped)


def find_inputs(inputs: Sequence[str | Path]) -> list[InputFile]:
    """Find the files to read, sorted by name, each once.

    :param inputs: files, globs (``**`` too) and folders; a folder gives its readable files, not its subfolders'.
    :raises MissingInputError: when a path does not exist, matches nothing or cannot be opened.
    :raises BadDataError: when a file is empty, or of no known format.
    """
    if not inputs:
        raise MissingInputError("No input given.")
    try:
        found = sorted(Path(os.path.abspath(path)) for given in inputs for path in _expand(given))
    except PermissionError as error:
        raise MissingInputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    # A link to a file that is given too is the same file; its own name counts otherwise.
    paths = list({path.resolve(): path for path in reversed(found)}.values())
    files = [_opened(path, source) for path, source in zip(paths, _sources(paths), strict=True)]
    return sorted(files, key=lambda file: file.source)
