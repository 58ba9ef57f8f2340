"""TorchEncoder: pooled transformers in Hugging Face format, offline, safetensors only, no code from a model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core import huggingface as core
from feedback_nlp.core.huggingface import Ints, load_network, missing_files
from feedback_nlp.embed.settings import SentenceTransformersBackend, TransformersBackend

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

_SETTING = "embed.backend"

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Tokenize = Callable[[Sequence[str]], list[list[int]]]
Pool = Callable[["Tensor", "Tensor"], "Tensor"]
HubBackend = TransformersBackend | SentenceTransformersBackend


def check_extra() -> None:
    """Check that PyTorch and transformers are installed.

    :raises ConfigError: naming the extra that brings them.
    """
    core.check_extra(_SETTING, "{kind: static}")


def find_folder(backend: HubBackend, missing: Callable[[Path], list[str]] = missing_files) -> Path:
    """Return the local folder of a Hugging Face model.

    :param missing: names the files that a folder lacks.
    :raises ConfigError: when a hub name has no pinned revision, or a folder has one.
    :raises ModelError: when the model or a file of it is not on this machine, saying how to bring it.
    """
    return core.find_folder(core.WantedModel(_SETTING, backend.model, backend.revision), missing)


def open_any(backend: TransformersBackend) -> "TorchEncoder":
    """Open any Hugging Face encoder that stands on this machine.

    :raises ConfigError: see :func:`check_extra` and :func:`find_folder`.
    :raises ModelError: see :func:`find_folder`; also when transformers does not know the architecture.
    """
    check_extra()
    folder = find_folder(backend)
    network = load_network(folder)
    pieces = load_tokenizer(folder, prefix=backend.prefix, max_tokens=backend.max_tokens)
    return TorchEncoder(network, pieces, backend)


def load_tokenizer(folder: Path, *, prefix: str, max_tokens: int, lower: bool = False) -> Tokenize:
    """Load a tokenizer; the function returned gives no tokens for an empty text.

    :param prefix: words put before every text.
    :param lower: whether texts are put into lower case first.
    :raises ModelError: when it cannot be loaded.
    """
    tokenizer = core.load_tokenizer(folder)

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        prefixed = [prefix + (text.lower() if lower else text) for text in texts]
        found: list[list[int]] = tokenizer(prefixed, truncation=True, max_length=max_tokens)["input_ids"]
        return [ids if text.strip() else [] for ids, text in zip(found, texts, strict=True)]

    return pieces


def mean_over_tokens(hidden: "Tensor", kept: "Tensor") -> "Tensor":
    """Return the sum over tokens (texts, width), which points where the mean does.

    :param hidden: tensor (texts, tokens, width).
    :param kept: int64 tensor (texts, tokens), 1 for a token of the text.
    """
    return (hidden * kept.unsqueeze(-1)).sum(1)


class TorchEncoder:
    """A vector pooled from a transformer's last layer over a text's tokens.

    :param network: a transformers model, in evaluation mode.
    :param pieces: cuts texts into token numbers, special tokens included; none for an empty text.
    :param backend: ``batch_tokens`` and ``threads`` are read.
    :param pool: makes one vector a text of the last layer.
    :param width: dimensions of these vectors; those of the network when None.
    """

    def __init__(
        self,
        network: "PreTrainedModel",
        pieces: Tokenize,
        backend: HubBackend,
        *,
        pool: Pool = mean_over_tokens,
        width: int | None = None,
    ) -> None:
        self._network = network
        self._pieces = pieces
        self._backend = backend
        self._pool = pool
        self._width = int(network.config.hidden_size) if width is None else width

    @property
    def width(self) -> int:
        """Return the number of dimensions."""
        return self._width

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 array of shape (n, width), rows of unit length; zeros for a text without a token."""
        ids = self._pieces(texts) if len(texts) else []
        out = np.zeros((len(ids), self.width), dtype=np.float32)
        with core.threads(self._backend.threads):
            for rows, numbers, mask in core.fixed_batches(ids, self._backend.batch_tokens):
                out[rows] = self._batch(numbers, mask)[: len(rows)]
        return out

    def _batch(self, numbers: Ints, mask: Ints) -> Vectors:
        import torch

        kept = torch.from_numpy(mask)
        with torch.inference_mode():
            hidden = self._network(input_ids=torch.from_numpy(numbers), attention_mask=kept).last_hidden_state
            vectors = torch.nn.functional.normalize(self._pool(hidden.float(), kept), dim=1).numpy()
        return np.asarray(vectors, dtype=np.float32)
