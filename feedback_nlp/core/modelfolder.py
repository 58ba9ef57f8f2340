"""Model folders: a manifest, plain arrays and a card; every file's sha256 is verified when a folder is opened.

Nothing is ever unpickled: arrays are safetensors, tables JSON, tokenizers their own files.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.errors import ModelError

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
ARRAYS = "model.safetensors"
CARD = "README.md"

Arrays = Mapping[str, np.ndarray[Any, Any]]


class Parts(dict[str, Any]):
    """Entries of a file of a model folder, which name themselves where they are missing.

    :raises ModelError: on reading an entry that is not there: the folder was made for another version.
    """

    def __init__(self, file: Path, entries: Mapping[str, Any]) -> None:
        super().__init__(entries)
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Parts, (self.file, dict(self))

    def __missing__(self, key: str) -> Any:  # noqa: ANN401 - never returns
        raise ModelError(
            f"{self.file}: lacks '{key}', so it was made for another version of feedback_nlp. Train the model again, "
            f"or bring a folder made for this version; `feedback-nlp models list` shows those at hand."
        )


@dataclass(frozen=True)
class ModelFolder:
    """An opened, verified model folder.

    :param path: the folder.
    :param manifest: the parsed manifest.
    :param fingerprint: sha256 over the manifest's list of file hashes; part of a run's identity.
    """

    path: Path
    manifest: Mapping[str, Any]
    fingerprint: str

    @property
    def kind(self) -> str:
        """What the folder holds, for example ``sentiment-linear``."""
        return str(self.manifest["kind"])

    def summary(self) -> dict[str, Any]:
        """Return name, kind, version, languages, size in megabytes and path."""
        size = sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        return {
            "name": self.manifest["name"],
            "kind": self.kind,
            "version": self.manifest["version"],
            "languages": list(self.manifest.get("languages", [])),
            "megabytes": round(size / 1e6, 2),
            "path": str(self.path),
        }

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Load all arrays by name; see :class:`Parts` for one that is missing."""
        from safetensors.numpy import load_file

        return Parts(self.path / ARRAYS, load_file(self.path / ARRAYS))

    def require(self, kind: str) -> "ModelFolder":
        """Return self when of this kind.

        :raises ModelError: otherwise.
        """
        if self.kind != kind:
            raise ModelError(f"{self.path}: holds a '{self.kind}' model, '{kind}' is needed.")
        return self


def shipped_root(folder: str) -> Path:
    """Return where ``models`` or ``configs`` stand: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_shipped" / folder
    return installed if installed.is_dir() else package.parent / folder


def resolve_model(name: str | Path) -> Path:
    """Return the folder of a model given by path or by the name of a shipped or added one.

    Looked for in order: the path itself, the folders of ``FEEDBACK_NLP_MODELS`` (separated like PATH), the shipped.

    :raises ModelError: when there is none, naming every place that was looked at.
    """
    given = Path(name)
    added = [Path(part) / given for part in os.environ.get("FEEDBACK_NLP_MODELS", "").split(os.pathsep) if part]
    places = [given, *added, shipped_root("models") / given]
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise ModelError(f"No model '{name}'. Looked in: {', '.join(map(str, places))}. See `feedback-nlp models list`.")


def list_models() -> list[ModelFolder]:
    """Open every model folder, added ones first, then shipped ones, each group by name.

    :raises ModelError: when one is damaged.
    """
    roots = [Path(part) for part in os.environ.get("FEEDBACK_NLP_MODELS", "").split(os.pathsep) if part]
    roots.append(shipped_root("models"))
    return [open_model(file.parent) for root in roots for file in sorted(root.glob(f"*/{MANIFEST}"))]


def copy_model(folder: Path, into: Path) -> Path:
    """Verify a model folder, copy it under its own name, and return the copy's path.

    :raises ModelError: when it is damaged, or a folder of that name stands there already.
    """
    found = open_model(folder)
    target = into / str(found.manifest["name"])
    if target.exists():
        raise ModelError(f"{target} exists already. Remove it first, or give the model another name.")
    shutil.copytree(found.path, target)
    return open_model(target).path


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_model(path: str | Path) -> ModelFolder:
    """Open a model folder and verify every file it lists.

    :raises ModelError: when the folder, its manifest or a file is missing, damaged or of a newer format.
    """
    folder = Path(path)
    manifest_path = folder / MANIFEST
    if not manifest_path.is_file():
        raise ModelError(f"{folder}: no {MANIFEST} there. Give a model folder; `feedback-nlp models list` shows them.")
    try:
        manifest = json.loads(
            manifest_path.read_text(encoding="utf-8"), object_hook=lambda entries: Parts(manifest_path, entries)
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{manifest_path}: not readable as JSON ({error}). Bring the folder again.") from error
    missing = [key for key in ("kind", "name", "version", "format_version", "files") if key not in manifest]
    if missing:
        raise ModelError(f"{manifest_path}: lacks {', '.join(missing)}.")
    if manifest["format_version"] > FORMAT_VERSION:
        raise ModelError(
            f"{manifest_path}: format {manifest['format_version']} is newer than {FORMAT_VERSION}. Update feedback_nlp."
        )
    faults = []
    for name, expected in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            faults.append(f"{name} is missing")
        elif sha256_of(file) != expected:
            faults.append(f"{name} is damaged (sha256 differs)")
    if faults:
        raise ModelError(f"{folder}: {'; '.join(faults)}. Bring the folder again.")
    listed = json.dumps(manifest["files"], sort_keys=True)
    return ModelFolder(folder, manifest, hashlib.sha256(f"{manifest['kind']}{listed}".encode()).hexdigest())


def write_model(
    path: str | Path,
    *,
    kind: str,
    name: str,
    version: str,
    details: Mapping[str, Any],
    arrays: Arrays | None = None,
    card: str = "",
) -> ModelFolder:
    """Write a model folder and open it again.

    Files that stand in the folder already (a tokenizer, say) are listed in the manifest too.

    :param details: further manifest keys: languages, labels in order, training data, metrics, calibration, settings.
    :param arrays: named arrays, saved as safetensors.
    :param card: the model card in Markdown; the card and figures may change without changing the fingerprint.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    if arrays is not None:
        from safetensors.numpy import save_file

        save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, folder / ARRAYS)
        (folder / ARRAYS).chmod(0o644)
    files = {
        file.relative_to(folder).as_posix(): sha256_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in (MANIFEST, CARD)
    }
    manifest = {"kind": kind, "format_version": FORMAT_VERSION, "name": name, "version": version, **details}
    manifest["files"] = files
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")
    return open_model(folder)
