"""ReaderEncoder: the shipped transformer, which gives vectors and reads sentiment and root causes in the same pass."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.core.reading import READING_LABELS, TOKEN_LABELS
from feedback_nlp.embed.arithmetic import fast_dtype
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.static import TOKENIZER, open_tokenizer, silent_pieces
from feedback_nlp.embed.network import (
    HEADS,
    JOIN,
    LOWER,
    READER,
    TABLE,
    WORDS,
    Spans,
    Weights,
    read,
    reading,
    states,
    token_scores,
    vectors,
)
from feedback_nlp.embed.pieces import Ints, PieceCutter
from feedback_nlp.embed.quantised import unpack
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.embed.windows import windows_of

if TYPE_CHECKING:
    from torch import Tensor

KIND = "encoder"
TRUNK_FILE, READER_FILE, HEAD_FILE, CONFIG_FILE = (
    "model.safetensors",
    "reader.safetensors",
    "head.safetensors",
    "config.json",
)
_STEPS = {"torch.bfloat16": 8, "torch.float32": 2}
_SHAPE = {"model_type": "bert", "num_attention_heads": HEADS, "hidden_act": "gelu", "layer_norm_eps": 1e-12}

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Readings:
    """What was read in texts.

    :param vectors: float32 array (n, width), unit length; zeros for a text without a known token.
    :param scores: float32 array (n, READING_LABELS).
    :param clause_scores: float32 array (clauses, READING_LABELS).
    :param token_owners: int64 array (tokens,), the text of each token read, rising.
    :param token_bounds: int64 array (tokens, 2), start and end in the text.
    :param token_scores: float32 array (tokens, TOKEN_LABELS).
    """

    vectors: Floats
    scores: Floats
    clause_scores: Floats
    token_owners: Ints
    token_bounds: Ints
    token_scores: Floats


@dataclass(frozen=True)
class _Cut:
    """A text as it is read.

    :param windows: piece numbers of each window.
    :param bounds: int64 array (pieces, 2), where each piece of all windows starts and ends in the text.
    """

    windows: list[list[int]]
    bounds: Ints


@dataclass(frozen=True)
class _Batch:
    """What goes through the layers together: texts that fit into a window, or the windows of one that does not.

    :param rows: the texts.
    :param ids: int64 tensor (windows, tokens).
    :param mask: bool tensor (windows, tokens), where a window has a token.
    """

    rows: list[int]
    ids: "Tensor"
    mask: "Tensor"

    @classmethod
    def of(cls, rows: list[int], windows: Sequence[list[int]], step: int) -> "_Batch":
        """Fill windows up to a length divisible by ``step``."""
        import torch

        length = -(-max(map(len, windows)) // step) * step
        numbers = np.zeros((len(windows), length), dtype=np.int64)
        mask = np.zeros((len(windows), length), dtype=bool)
        for place, ids in enumerate(windows):
            numbers[place, : len(ids)] = ids
            mask[place, : len(ids)] = True
        return cls(rows, torch.from_numpy(numbers), torch.from_numpy(mask))

    def whole(self, values: "Tensor") -> "Tensor":
        """Return values (texts, tokens, …) from values (windows, tokens, …)."""
        return values if len(self.rows) == len(self.ids) else values[self.mask][None]


def load_weights(folder: Path) -> dict[str, "Tensor"]:
    """Load trunk and reader: matrices of linear maps in the processor's arithmetic, the rest in float32.

    The reader's word vectors stay in half precision, as they are stored.

    :raises ModelError: when a file is missing, or the network is not of the kind that is computed here.
    """
    import torch
    from safetensors.torch import load_file

    for name in (TRUNK_FILE, CONFIG_FILE):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: missing {name}. Bring the folder again.")
    config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    for key, value in _SHAPE.items():
        if config.get(key) != value:
            raise ModelError(f"{folder}: its {key} is {config.get(key)}, {value} is needed. Use kind: transformers.")
    found = load_file(folder / TRUNK_FILE)
    if (folder / READER_FILE).is_file():
        found |= unpack(load_file(folder / READER_FILE))
    if (folder / HEAD_FILE).is_file():
        found |= load_file(folder / HEAD_FILE) | {TABLE: _static_table(folder / HEAD_FILE)}
    linear = [name.removesuffix(".weight") for name, value in found.items() if _is_linear(name, value)]
    halves = {f"{name}.{part}" for name in linear for part in ("weight", "bias")}
    kinds = {WORDS: torch.float16} | dict.fromkeys(halves, fast_dtype())
    return {name: value.to(kinds.get(name, torch.float32)) for name, value in found.items()}


def _static_table(file: Path) -> "Tensor":
    """Load the static encoder's token vectors, which the head was fitted on.

    :raises ModelError: when the file names none, or another static encoder stands in its place.
    """
    import torch
    from safetensors import safe_open

    with safe_open(file, framework="pt") as stored:
        needed = stored.metadata() or {}
    if not {"static", "static_fingerprint"} <= needed.keys():
        raise ModelError(f"{file}: does not say which static encoder it was fitted on. Bring the folder again.")
    folder = open_model(resolve_model(needed["static"])).require(static.KIND)
    if folder.fingerprint != needed["static_fingerprint"]:
        raise ModelError(
            f"{file}: was fitted on {needed['static']} {needed['static_fingerprint'][:12]}, {folder.path} is "
            f"{folder.fingerprint[:12]}. Bring both folders of one version."
        )
    return torch.from_numpy(static.unpack_table(folder.arrays()))


def _is_linear(name: str, value: "Tensor") -> bool:
    inside = name.startswith(("encoder.layer.", f"{READER}.", f"{LOWER}.", f"{JOIN}."))
    return inside and value.ndim == 2 and name.endswith(".weight")


def check_torch() -> None:
    """Check that PyTorch is installed.

    :raises ConfigError: naming what brings it and what does without.
    """
    if find_spec("torch") is None:
        raise ConfigError(
            "embed.backend {kind: shipped} needs torch: pip install torch, or take the fast profile: --config fast."
        )


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let PyTorch use so many threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class ReaderEncoder:
    """The trilingual transformer: a head makes the vector from the means of its layers, layers on top read.

    A folder without a head gives the mean of the last layer.

    Texts are computed together with others of their length, so that no bit of a row's result hangs on its neighbours,
    nor on how many there are. They are filled to a length divisible by 8 in bf16, by 2 in float32. A text longer than
    ``max_tokens`` goes through the layers window by window, and is pooled over the tokens of all its windows.

    :param weights: see :func:`load_weights`.
    :param cutter: cuts texts into word pieces.
    :param silent: pieces that say nothing; a text of these alone is not read.
    :param backend: ``max_tokens``, ``max_windows``, ``batch_tokens`` and ``threads`` are read.
    """

    def __init__(self, weights: Weights, cutter: PieceCutter, silent: Sequence[int], backend: ShippedBackend) -> None:
        self._weights = weights
        self._cutter = cutter
        self._silent = frozenset(silent)
        self._backend = backend
        self._longest = min(backend.max_tokens, len(weights["embeddings.position_embeddings.weight"]))

    @classmethod
    def open(cls, backend: ShippedBackend) -> "ReaderEncoder":
        """Open a model folder of kind ``encoder``.

        :raises ConfigError: when PyTorch is not installed.
        :raises ModelError: when the folder is missing, damaged or of another kind.
        """
        check_torch()
        folder = open_model(resolve_model(backend.model)).require(KIND).path
        tokenizer = open_tokenizer(folder / TOKENIZER)
        return cls(load_weights(folder), PieceCutter(tokenizer), silent_pieces(tokenizer), backend)

    @property
    def width(self) -> int:
        """Return the number of dimensions."""
        return int(self._weights["embeddings.word_embeddings.weight"].shape[1])

    @property
    def reads(self) -> bool:
        """Tell whether the model has a reading layer."""
        return f"{READER}.output.dense.weight" in self._weights

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return float32 array (n, width), rows of unit length; zeros for a text without a known token."""
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        with _inference(self._backend.threads):
            for batch in self._batches(self._cut(texts)):
                found = states(self._weights, batch.ids, batch.mask)
                out[batch.rows] = self._vectors(batch, found)
        return out

    def read(self, texts: Sequence[str], clauses: Ints) -> Readings:
        """Return vectors and readings.

        :param clauses: int64 array (m, 3) of text, start, end in the texts.
        """
        cut = self._cut(texts)
        firsts = np.concatenate([[0], np.cumsum([len(one.bounds) for one in cut], dtype=np.int64)])
        out = Readings(
            np.zeros((len(cut), self.width), dtype=np.float32),
            np.zeros((len(cut), len(READING_LABELS)), dtype=np.float32),
            np.zeros((len(clauses), len(READING_LABELS)), dtype=np.float32),
            np.repeat(np.arange(len(cut), dtype=np.int64), np.diff(firsts)),
            np.concatenate([np.zeros((0, 2), dtype=np.int64), *(one.bounds for one in cut)]),
            np.zeros((int(firsts[-1]), len(TOKEN_LABELS)), dtype=np.float32),
        )
        with _inference(self._backend.threads):
            for batch in self._batches(cut):
                found = states(self._weights, batch.ids, batch.mask)
                out.vectors[batch.rows] = self._vectors(batch, found)
                hidden = reading(self._weights, batch.ids, found[-1], batch.mask)
                where = (batch.rows, firsts, clauses)
                self._read_batch(out, where, batch.whole(hidden), batch.whole(batch.mask))
        return out

    def _vectors(self, batch: _Batch, found: Sequence["Tensor"]) -> Floats:
        layers = [batch.whole(part) for part in found]
        return vectors(self._weights, batch.whole(batch.ids), layers, batch.whole(batch.mask)).numpy()

    def _cut(self, texts: Sequence[str]) -> list[_Cut]:
        found = []
        for text, (ids, bounds) in zip(texts, self._cutter.cut(texts), strict=True):
            known = not self._silent.issuperset(ids)
            windows = windows_of(text, bounds, self._longest, self._backend.max_windows) if known else []
            end = windows[-1][1] if windows else 0
            found.append(_Cut([ids[first:last] for first, last in windows], bounds[:end]))
        return found

    def _batches(self, cut: Sequence[_Cut]) -> Iterator[_Batch]:
        """Yield texts of one length together, those of several windows alone."""
        step = _STEPS[str(fast_dtype())]
        by_length: dict[int, list[int]] = {}
        for row, one in enumerate(cut):
            if len(one.windows) == 1:
                by_length.setdefault(-(-len(one.bounds) // step) * step, []).append(row)
        for length, rows in sorted(by_length.items()):
            height = max(self._backend.batch_tokens // length, 1)
            for first in range(0, len(rows), height):
                part = rows[first : first + height]
                yield _Batch.of(part, [cut[row].windows[0] for row in part], step)
        for row, one in enumerate(cut):
            if len(one.windows) > 1:
                yield _Batch.of([row], one.windows, step)

    def _read_batch(self, out: Readings, where: tuple[list[int], Ints, Ints], hidden: "Tensor", mask: "Tensor") -> None:
        """Put a batch's scores in their places.

        :param where: the rows of the batch, the first token of each text, all clauses.
        :param hidden: the reading layer of these rows.
        """
        import torch

        rows, firsts, clauses = where
        kept, owners, inside = _clauses_of(rows, mask.shape, out.token_bounds, firsts, clauses)
        spans = Spans(
            torch.cat([torch.arange(len(rows)), torch.from_numpy(owners)]), torch.cat([mask, torch.from_numpy(inside)])
        )
        tokens = token_scores(self._weights, hidden)
        scores = read(self._weights, hidden, tokens, spans).numpy()
        out.scores[rows] = scores[: len(rows)]
        out.clause_scores[kept] = scores[len(rows) :]
        sizes = np.diff(firsts)[rows]
        places = np.concatenate([np.arange(firsts[row], firsts[row + 1]) for row in rows])
        out.token_scores[places] = tokens.numpy()[np.arange(mask.shape[1]) < sizes[:, None]]


def _clauses_of(
    rows: list[int], shape: Sequence[int], bounds: Ints, firsts: Ints, clauses: Ints
) -> tuple[Ints, Ints, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return the clauses of some texts, the place of each one's text in the batch, and the tokens that it holds."""
    places = np.full(len(firsts) - 1, -1)
    places[rows] = np.arange(len(rows))
    kept = np.flatnonzero(places[clauses[:, 0]] >= 0) if len(clauses) else np.zeros(0, dtype=np.int64)
    owners = places[clauses[kept, 0]]
    at = np.arange(shape[1])
    first = firsts[clauses[kept, 0]][:, None]
    there = at < firsts[clauses[kept, 0] + 1][:, None] - first
    spots = np.where(there, first + at, 0)
    starts, ends = bounds[spots, 0], bounds[spots, 1]
    lows, highs = clauses[kept, 1:2], clauses[kept, 2:3]
    # A lone word boundary covers nothing; it belongs where it stands.
    inside = there & (starts < highs) & ((ends > lows) | (starts >= lows))
    return kept, owners.astype(np.int64), inside


@contextmanager
def _inference(count: int) -> Iterator[None]:
    import torch

    with threads(count), torch.inference_mode():
        yield
