"""What ``feedback-nlp doctor`` checks: each finding says what is, and how to mend what is wrong."""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.core.version import __version__

_PACKAGES = (
    "numpy",
    "pyarrow",
    "pandas",
    "scikit-learn",
    "sentencepiece",
    "sqlalchemy",
    "umap-learn",
    "hdbscan",
    "torch",
)
_OPTIONAL = ("transformers",)
_REMEDY = {"torch": "Run `make run` or `pip install torch`; the fast profile (--config fast) does without."}
_MIN_FREE_GB = 1.0
_SAMPLE = ("الموظف كان وقحا", "قوانین مرجوعی خیلی سخت‌گیرانه است", "great staff")
_SAMPLE_LANGS = ["ar", "fa", "en"]


@dataclass(frozen=True)
class Finding:
    """One thing checked.

    :param name: what was checked.
    :param ok: whether it is well.
    :param detail: what was found.
    :param remedy: what to do, where it is not well.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    detail = f"Python {platform.python_version()}, feedback_nlp {__version__}, {platform.machine()}"
    return Finding("python", good, detail, "" if good else "Install Python 3.11 or newer.")


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(f"package {name}", True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                f"package {name}",
                False,
                "not installed",
                _REMEDY.get(name, "Run `make run` or `pip install feedback-nlp`."),
            )
    missing = [name for name in _OPTIONAL if not list(importlib.metadata.distributions(name=name))]
    detail = f"not installed: {', '.join(missing)}; only bigger models need them" if missing else "installed"
    yield Finding("optional packages", True, detail)


def _processor() -> Finding:
    if find_spec("torch") is None:
        return Finding("processor", True, "the transformer needs torch; the fast profile does without")
    from feedback_nlp.embed.arithmetic import fast_dtype

    arithmetic = str(fast_dtype()).removeprefix("torch.")
    detail = f"the transformer computes in {arithmetic}"
    if arithmetic == "float32":
        detail += ", several times slower than with bf16 instructions, which are missing; --config fast does without it"
    return Finding("processor", True, detail)


def _models(config: str | None) -> Finding:
    from feedback_nlp.config import load_config
    from feedback_nlp.pipeline import open_models

    models = open_models(load_config(config))
    names = ", ".join(f"{folder.manifest['name']} {folder.manifest['version']}" for folder in models)
    return Finding("models", True, f"{names}: every file as listed")


def _store(out: Path, config: str | None) -> Finding:
    from feedback_nlp.config import load_config
    from feedback_nlp.outcome import store_of, store_url

    settings = load_config(config)
    url = store_url(settings, out)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Finding("store", True, f"none yet under {out}; the first run makes it")
    with store_of(settings, out) as store:
        newest = store.records(limit=1)
        detail = f"{len(store.runs())} run(s), current: {store.current_run() or 'none'}"
    if newest and newest[0].state == "failed":
        return Finding("store", False, f"{detail}; the newest run failed: {newest[0].error}", "Mend it and run again.")
    if newest and newest[0].state == "running":
        detail += f"; {newest[0].run_id} is under way, or was killed and will be taken up by the same command"
    return Finding("store", True, detail)


def _secrets(config: str | None) -> Finding:
    from feedback_nlp.config import load_config
    from feedback_nlp.ingest.remote.secrets import check_secrets

    count = check_secrets(load_config(config).connect)
    return Finding("secrets", True, f"{count} named by the configuration, all there")


def _watching(config: str | None) -> Finding:
    from feedback_nlp.config import load_config

    chosen = load_config(config).operations
    files = [file for file in (chosen.log.file, chosen.metrics_file) if file is not None]
    for file in files:
        place = next(folder for folder in (file, *file.absolute().parents) if folder.exists())
        if not os.access(place, os.W_OK):
            return Finding(
                "logs and metrics", False, f"{place} cannot be written", f"Give the user the right to {file}."
            )
    detail = f"log: {chosen.log.format}; metrics: {chosen.metrics_file or 'none'}"
    return Finding("logs and metrics", True, detail)


def _disk(out: Path) -> Finding:
    place = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1e9
    good = free >= _MIN_FREE_GB
    remedy = "" if good else "Free some space, or give another folder with --out."
    return Finding("disk", good, f"{free:.1f} GB free at {place}", remedy)


def _sample(config: str | None) -> Finding:
    from feedback_nlp.api import classify

    found = classify(_SAMPLE, config=config)
    good = found["lang"].tolist() == _SAMPLE_LANGS
    detail = f"three comments read as {', '.join(found['lang'])}"
    return Finding("sample", good, detail, "" if good else "Run `feedback-nlp models verify`.")


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except FeedbackError as error:
        return Finding(name, False, str(error), "Mend what the message names.")


def checkup(out: Path, config: str | None = None) -> list[Finding]:
    """Check Python, packages, models, store, secrets, logs, disk and a sample classification.

    :param out: folder of runs and the store.
    :param config: configuration file or name of a shipped one.
    """
    return [
        _python(),
        *_packages(),
        _processor(),
        _guarded("models", lambda: _models(config)),
        _guarded("store", lambda: _store(out, config)),
        _guarded("secrets", lambda: _secrets(config)),
        _guarded("logs and metrics", lambda: _watching(config)),
        _disk(out),
        _guarded("sample", lambda: _sample(config)),
    ]
