"""Models in Hugging Face format: found offline, checked file by file, loaded without code of their own, run in batches.

PyTorch and transformers are imported when a function runs.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_WEIGHTS, _WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
_TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
)
_STEP = 16

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class WantedModel:
    """A Hugging Face model that a setting names.

    :param setting: the setting as users write it, for example ``embed.backend``.
    :param model: local folder, or name on the hub.
    :param revision: commit of the hub model; None for a folder.
    """

    setting: str
    model: str
    revision: str | None

    @property
    def how_to_bring(self) -> str:
        """Return how to bring the model to a machine without a network."""
        pinned = f" --revision {self.revision}" if self.revision else ""
        return (
            f"Nothing is fetched at run time: where there is a network, run `hf download {self.model}{pinned} "
            f"--local-dir FOLDER`, copy FOLDER here and set {self.setting}.model to it."
        )


def check_extra(setting: str, instead: str) -> None:
    """Check that PyTorch and transformers are installed.

    :param setting: the setting that needs them.
    :param instead: what to set it to where they are not wanted.
    :raises ConfigError: naming the extra that brings them.
    """
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"{setting} needs {' and '.join(missing)}: pip install 'feedback-nlp[transformers]', "
            f"or set {setting} to {instead}."
        )


def missing_files(folder: Path) -> list[str]:
    """Name the files that a network with its tokenizer lacks."""
    faults = [] if (folder / "config.json").is_file() else ["config.json"]
    if (folder / _WEIGHTS_INDEX).is_file():
        faults += [name for name in _shards(folder / _WEIGHTS_INDEX) if not (folder / name).is_file()]
    elif not (folder / _WEIGHTS).is_file():
        pickled = " (its pickled weights are never read)" if list(folder.glob("*.bin")) else ""
        faults.append(f"{_WEIGHTS}{pickled}")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        faults.append(f"a tokenizer ({', '.join(_TOKENIZERS)})")
    return faults


def find_folder(wanted: WantedModel, missing: Callable[[Path], list[str]] = missing_files) -> Path:
    """Return the local folder of a Hugging Face model, with every file that is needed in it.

    :param missing: names the files that a folder lacks.
    :raises ConfigError: when a hub name has no pinned revision, or a folder has one.
    :raises ModelError: when the model or a file of it is not on this machine, saying how to bring it.
    """
    folder = Path(wanted.model)
    if folder.is_dir():
        if wanted.revision:
            raise ConfigError(
                f"{wanted.setting}.revision pins a hub model; '{wanted.model}' is a folder. Leave it out."
            )
    else:
        folder = _cached_snapshot(wanted)
    faults = missing(folder)
    if faults:
        raise ModelError(f"{folder}: missing {', '.join(faults)}. {wanted.how_to_bring}")
    return folder


def _cached_snapshot(wanted: WantedModel) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if wanted.revision is None:
        raise ConfigError(
            f"{wanted.setting}.model '{wanted.model}' is no folder here; for a hub model pin {wanted.setting}.revision "
            "to a commit (40 hexadecimal digits)."
        )
    try:
        return Path(snapshot_download(wanted.model, revision=wanted.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"No model '{wanted.model}' at {wanted.revision} on this machine. {wanted.how_to_bring}"
        ) from error


def _shards(index: Path) -> list[str]:
    try:
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index}: not readable as a list of weight files. Bring the folder again.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from writing bars and reports to the user's terminal while a model is loaded."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def load_network(folder: Path, *, classifier: bool = False) -> "PreTrainedModel":
    """Load a network in float32, in evaluation mode, from safetensors alone.

    :param classifier: whether it must have a head for sequence classification; otherwise the bare encoder is loaded.
    :raises ModelError: when transformers cannot load it, or the head's weights are not in the folder.
    """
    import torch
    from transformers import AutoModel, AutoModelForSequenceClassification

    opener = AutoModelForSequenceClassification if classifier else AutoModel
    try:
        with _quiet():
            network, loaded = opener.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: transformers cannot load it ({type(error).__name__}: {error}).") from error
    if classifier and loaded["missing_keys"]:
        names = ", ".join(sorted(loaded["missing_keys"])[:4])
        raise ModelError(f"{folder}: not trained for classification, its weights lack {names}.")
    found: PreTrainedModel = network
    found.train(False)
    return found


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """Load the tokenizer that stands beside a network.

    :raises ModelError: when transformers cannot load it.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: its tokenizer cannot be loaded ({type(error).__name__}: {error}).") from error
    return tokenizer


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let PyTorch use so many threads for a while."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fixed_batches(
    ids: Sequence[Sequence[int]], batch_tokens: int, *, pad: int = 0
) -> Iterator[tuple[list[int], Ints, Ints]]:
    """Yield texts of about equal length together, short ones first; texts without a token are left out.

    Batches of one length have one shape whatever stands in them, since the bits of a row of a matrix product hang on
    how many rows there are.

    :param ids: token numbers of each text.
    :param batch_tokens: tokens a batch, padding included.
    :param pad: token number that stands where a text has none.
    :returns: the texts' positions; their token numbers, int64 array (height, length), rows beyond the texts empty; and
        a mask of the same shape, 1 where a token stands and at the first place of each row.
    """
    by_length: dict[int, list[int]] = {}
    for row, found in enumerate(ids):
        if len(found):
            by_length.setdefault(-(-len(found) // _STEP) * _STEP, []).append(row)
    for length, rows in sorted(by_length.items()):
        height = max(batch_tokens // length, 1)
        for first in range(0, len(rows), height):
            part = rows[first : first + height]
            numbers = np.full((height, length), pad, dtype=np.int64)
            mask = np.zeros((height, length), dtype=np.int64)
            mask[:, 0] = 1
            for place, row in enumerate(part):
                numbers[place, : len(ids[row])] = ids[row]
                mask[place, : len(ids[row])] = 1
            yield part, numbers, mask
