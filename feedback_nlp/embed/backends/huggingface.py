"""TorchEncoder: mean-pooled transformers in Hugging Face format, offline, safetensors only, no code from a model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.embed.backends.static import TOKENIZER, open_tokenizer, silent_pieces, tokenize
from feedback_nlp.embed.settings import ShippedBackend, TransformersBackend

if TYPE_CHECKING:
    from transformers import PreTrainedModel

KIND = "encoder"
_STEP = 16
_WEIGHTS, _WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
_TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
)

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Tokenize = Callable[[Sequence[str]], list[list[int]]]


def check_extra() -> None:
    """Check that PyTorch and transformers are installed.

    :raises ConfigError: naming the extra that brings them.
    """
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"embed.backend needs {' and '.join(missing)}: pip install 'feedback-nlp[transformers]', "
            "or set embed.backend to {kind: static}."
        )


def _missing(folder: Path) -> list[str]:
    faults = [] if (folder / "config.json").is_file() else ["config.json"]
    if not (folder / _WEIGHTS).is_file() and not (folder / _WEIGHTS_INDEX).is_file():
        pickled = " (its pickled weights are never read)" if list(folder.glob("*.bin")) else ""
        faults.append(f"{_WEIGHTS}{pickled}")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        faults.append(f"a tokenizer ({', '.join(_TOKENIZERS)})")
    return faults


def _bring(backend: TransformersBackend) -> str:
    pinned = f" --revision {backend.revision}" if backend.revision else ""
    return (
        f"Nothing is fetched at run time: where there is a network, run `hf download {backend.model}{pinned} "
        "--local-dir FOLDER`, copy FOLDER here and set embed.backend.model to it."
    )


def find_folder(backend: TransformersBackend) -> Path:
    """Return the local folder of a Hugging Face model.

    :raises ConfigError: when a hub name has no pinned revision, or a folder has one.
    :raises ModelError: when the model or a file of it is not on this machine, saying how to bring it.
    """
    folder = Path(backend.model)
    if folder.is_dir():
        if backend.revision:
            raise ConfigError(f"embed.backend.revision pins a hub model; '{backend.model}' is a folder. Leave it out.")
    else:
        folder = _cached_snapshot(backend)
    faults = _missing(folder)
    if faults:
        raise ModelError(f"{folder}: missing {', '.join(faults)}. {_bring(backend)}")
    return folder


def _cached_snapshot(backend: TransformersBackend) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if backend.revision is None:
        raise ConfigError(
            f"embed.backend.model '{backend.model}' is no folder here; for a hub model pin embed.backend.revision "
            "to a commit (40 hexadecimal digits)."
        )
    try:
        return Path(snapshot_download(backend.model, revision=backend.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"No model '{backend.model}' at {backend.revision} on this machine. {_bring(backend)}"
        ) from error


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


def _load_network(folder: Path) -> "PreTrainedModel":
    import torch
    from transformers import AutoModel

    try:
        with _quiet():
            network: PreTrainedModel = AutoModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
            )
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: transformers cannot load it ({type(error).__name__}: {error}).") from error
    network.train(False)
    return network


def open_any(backend: TransformersBackend) -> "TorchEncoder":
    """Open any Hugging Face encoder that stands on this machine.

    :raises ConfigError: see :func:`check_extra` and :func:`find_folder`.
    :raises ModelError: see :func:`find_folder`; also when transformers does not know the architecture.
    """
    check_extra()
    folder = find_folder(backend)
    from transformers import AutoTokenizer

    network = _load_network(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: its tokenizer cannot be loaded ({type(error).__name__}: {error}).") from error

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        prefixed = [backend.prefix + text for text in texts]
        found: list[list[int]] = tokenizer(prefixed, truncation=True, max_length=backend.max_tokens)["input_ids"]
        return [ids if text.strip() else [] for ids, text in zip(found, texts, strict=True)]

    return TorchEncoder(network, pieces, backend)


def open_shipped(backend: ShippedBackend) -> "TorchEncoder":
    """Open the trilingual transformer.

    :raises ConfigError: when its extra is not installed.
    :raises ModelError: when its folder is missing, damaged or of another kind.
    """
    check_extra()
    folder = open_model(resolve_model(backend.model)).require(KIND)
    tokenizer = open_tokenizer(folder.path / TOKENIZER)

    silent = frozenset(silent_pieces(tokenizer))

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        return [[] if silent.issuperset(ids) else ids[: backend.max_tokens] for ids in tokenize(tokenizer, texts)]

    return TorchEncoder(_load_network(folder.path), pieces, backend)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class TorchEncoder:
    """Mean of a transformer's last layer over a text's tokens.

    :param network: a transformers model, in evaluation mode.
    :param pieces: cuts texts into token numbers, special tokens included; none for an empty text.
    :param backend: ``batch_tokens`` and ``threads`` are read.
    """

    def __init__(
        self, network: "PreTrainedModel", pieces: Tokenize, backend: ShippedBackend | TransformersBackend
    ) -> None:
        self._network = network
        self._pieces = pieces
        self._backend = backend

    @property
    def width(self) -> int:
        """Return the number of dimensions."""
        return int(self._network.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 array of shape (n, width), rows of unit length; zeros for a text without a token."""
        ids = self._pieces(texts) if len(texts) else []
        out = np.zeros((len(ids), self.width), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        for row, found in enumerate(ids):
            if found:
                by_length.setdefault(-(-len(found) // _STEP) * _STEP, []).append(row)
        with _threads(self._backend.threads):
            for length, rows in sorted(by_length.items()):
                height = max(self._backend.batch_tokens // length, 1)
                for first in range(0, len(rows), height):
                    part = rows[first : first + height]
                    out[part] = self._batch([ids[row] for row in part], height, length)[: len(part)]
        return out

    def _batch(self, ids: list[list[int]], height: int, length: int) -> Vectors:
        """Run one batch of a fixed shape: a row's bits must not hang on how many neighbours it has."""
        import torch

        numbers = np.zeros((height, length), dtype=np.int64)
        mask = np.zeros((height, length), dtype=np.int64)
        mask[:, 0] = 1
        for row, found in enumerate(ids):
            numbers[row, : len(found)] = found
            mask[row, : len(found)] = 1
        kept = torch.from_numpy(mask)
        with torch.inference_mode():
            hidden = self._network(input_ids=torch.from_numpy(numbers), attention_mask=kept).last_hidden_state
            summed = (hidden.float() * kept.unsqueeze(-1)).sum(1)
            vectors = torch.nn.functional.normalize(summed, dim=1).numpy()
        return np.asarray(vectors, dtype=np.float32)
