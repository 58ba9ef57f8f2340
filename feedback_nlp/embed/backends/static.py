"""StaticEncoder: the mean of trained token vectors, by numpy and SentencePiece alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from feedback_nlp.core.folding import fold
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.embed.settings import StaticBackend

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

KIND = "encoder-static"
TOKENIZER = "tokenizer.model"
_CHUNK = 4_096

Vectors = np.ndarray[Any, np.dtype[np.float32]]


def pack_table(table: Vectors) -> dict[str, np.ndarray[Any, Any]]:
    """Return token vectors of shape (tokens, width) as int8 with one scale a token, for safetensors."""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    return {"table": np.rint(table / scale).astype(np.int8), "scale": scale.astype(np.float32)}


def unpack_table(arrays: dict[str, np.ndarray[Any, Any]]) -> Vectors:
    """Return the token vectors saved by :func:`pack_table` as float32."""
    return np.asarray(arrays["table"].astype(np.float32) * arrays["scale"], dtype=np.float32)


def open_tokenizer(file: Path) -> "SentencePieceProcessor":
    """Open a SentencePiece model."""
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_file=str(file))


def tokenize(tokenizer: "SentencePieceProcessor", texts: Sequence[str]) -> list[list[int]]:
    """Fold and cut texts into piece numbers, in one thread."""
    ids: list[list[int]] = tokenizer.encode([fold(text) for text in texts], out_type=int, num_threads=1)
    return ids


def silent_pieces(tokenizer: "SentencePieceProcessor") -> list[int]:
    """Return the pieces that say nothing: the reserved ones, the unknown one and a lone word boundary."""
    lone = tokenizer.piece_to_id("▁")
    return [i for i in range(len(tokenizer)) if i == lone or tokenizer.is_control(i) or tokenizer.is_unknown(i)]


class StaticEncoder:
    """Mean of token vectors; a token's length is its weight.

    :param table: float32 array of shape (tokens, width); silent ones are rows of zeros.
    :param tokenizer: SentencePiece processor with as many pieces.
    """

    def __init__(self, table: Vectors, tokenizer: "SentencePieceProcessor") -> None:
        self._table = table
        self._tokenizer = tokenizer

    @classmethod
    def open(cls, backend: StaticBackend) -> "StaticEncoder":
        """Open a model folder of kind ``encoder-static``.

        :raises ModelError: when it is missing, damaged or of another kind.
        """
        folder = open_model(resolve_model(backend.model)).require(KIND)
        return cls(unpack_table(folder.arrays()), open_tokenizer(folder.path / TOKENIZER))

    @property
    def width(self) -> int:
        """Return the number of dimensions."""
        return int(self._table.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 array of shape (n, width), rows of unit length; zeros for a text without a known token."""
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for first in range(0, len(texts), _CHUNK):
            out[first : first + _CHUNK] = self._sums(tokenize(self._tokenizer, texts[first : first + _CHUNK]))
        lengths = np.sqrt(np.square(out).sum(axis=1, keepdims=True))
        np.divide(out, lengths, out=out, where=lengths > 0)
        return out

    def _sums(self, ids: list[list[int]]) -> Vectors:
        ends = np.cumsum([0, *map(len, ids)], dtype=np.int64)
        flat = np.fromiter((i for row in ids for i in row), dtype=np.int64, count=int(ends[-1]))
        ones = np.ones(len(flat), dtype=np.float32)
        # scipy sums a row's tokens in their own order, so neighbours change no bit.
        counts = sp.csr_matrix((ones, flat, ends), shape=(len(ids), len(self._table)))
        return np.asarray(counts @ self._table, dtype=np.float32)
