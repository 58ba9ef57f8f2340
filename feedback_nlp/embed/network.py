"""The shipped transformer as plain functions over named tensors: a BERT trunk, layers that read, and pooling.

The trunk's names are those of Hugging Face's ``BertModel``, so its file opens there too. PyTorch is imported when a
function runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedback_nlp.core.reading import READING_LABELS, TOKEN_LABELS

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor"]

HEADS = 4
QUERIES = 4
READER = "reader.layer"
LOWER = "reader.lower"
WORDS, PLACES, JOIN = "reader.words.weight", "reader.places.weight", "reader.join"
TABLE = "head.table"
_OWN_HEAD = 32
_EPSILON = 1e-12
_NOWHERE = -20.0
_BLOCK = 8
_BLOCK_CELLS = 2**15
_INNER, _SPREAD, _STATIC_SHARE = 768, 0.5, 0.35
_TOKENS = len(TOKEN_LABELS)


@dataclass(frozen=True)
class Spans:
    """Stretches of the texts of a batch.

    :param owners: int64 tensor (spans,), the text each lies in.
    :param inside: bool tensor (spans, tokens), which tokens of its text it holds.
    """

    owners: "Tensor"
    inside: "Tensor"


def layers_of(weights: Weights) -> int:
    """Return how many layers the trunk has."""
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))


def own_layers(weights: Weights) -> list[str]:
    """Return the names of the layers that the reader has below its reading layer, lowest first."""
    return sorted({".".join(name.split(".")[:3]) for name in weights if name.startswith(f"{LOWER}.")})


def _linear(weights: Weights, name: str, given: "Tensor") -> "Tensor":
    import torch.nn.functional as fn

    weight = weights[f"{name}.weight"]
    rows = _filled(given.to(weight.dtype).flatten(0, -2))
    found = fn.linear(rows, weight, weights[f"{name}.bias"])
    return found[: given.shape[:-1].numel()].view(*given.shape[:-1], -1)


def _norm(weights: Weights, name: str, given: "Tensor") -> "Tensor":
    import torch.nn.functional as fn

    return fn.layer_norm(
        given.float(), given.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], eps=_EPSILON
    )


def layer(weights: Weights, name: str, hidden: "Tensor", seen: "Tensor", heads: int = HEADS) -> "Tensor":
    """Run one transformer layer.

    :param hidden: float32 tensor (texts, tokens, width).
    :param seen: bool tensor (texts, 1, 1, tokens), which tokens may be attended to.
    :param heads: attention heads; divides the width.
    """
    import torch.nn.functional as fn

    texts, tokens, width = hidden.shape
    shape = (texts, tokens, heads, width // heads)
    query, key, value = (
        _linear(weights, f"{name}.attention.self.{part}", hidden).view(shape).transpose(1, 2)
        for part in ("query", "key", "value")
    )
    mixed = fn.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    mixed = mixed.transpose(1, 2).reshape(texts, tokens, width)
    hidden = _norm(
        weights,
        f"{name}.attention.output.LayerNorm",
        hidden + _linear(weights, f"{name}.attention.output.dense", mixed),
    )
    inner = fn.gelu(_linear(weights, f"{name}.intermediate.dense", hidden))
    return _norm(weights, f"{name}.output.LayerNorm", hidden + _linear(weights, f"{name}.output.dense", inner))


def states(weights: Weights, ids: "Tensor", mask: "Tensor") -> "list[Tensor]":
    """Return the word vectors and what each layer of the trunk makes of them, float32 tensors (texts, tokens, width).

    :param ids: int64 tensor (texts, tokens).
    :param mask: bool tensor (texts, tokens); at least one token a text is True.
    """
    import torch.nn.functional as fn

    words = fn.embedding(ids, weights["embeddings.word_embeddings.weight"]).float()
    hidden = (
        words
        + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    hidden = _norm(weights, "embeddings.LayerNorm", hidden)
    seen = mask[:, None, None, :]
    found = [words]
    for number in range(layers_of(weights)):
        hidden = layer(weights, f"encoder.layer.{number}", hidden, seen)
        found.append(hidden)
    return found


def trunk(weights: Weights, ids: "Tensor", mask: "Tensor") -> "Tensor":
    """Return the last layer of the trunk; see :func:`states`."""
    return states(weights, ids, mask)[-1]


def features(weights: Weights, ids: "Tensor", found: "Sequence[Tensor]", mask: "Tensor") -> "Tensor":
    """Return what the head is given: the directions of the sums over a text's tokens, joined.

    :param found: see :func:`states`; the static encoder's token vectors are added, which are ``weights[TABLE]``.
    :returns: float32 tensor (texts, (layers + 2) * width).
    """
    import torch
    import torch.nn.functional as fn

    parts = [*found, fn.embedding(ids, weights[TABLE])]
    return torch.cat([fn.normalize((part * mask.unsqueeze(-1)).sum(1), dim=1) for part in parts], dim=1)


def head_sums(weights: Weights, given: "Tensor", *, drop: float = 0.0) -> "Tensor":
    """Return the sum (texts, width) of a linear map of features and of a small network beside it.

    :param drop: share of the small network's units left out by chance, while it is trained.
    """
    import torch.nn.functional as fn

    inner = fn.gelu(fn.linear(given, weights["head.inner.weight"], weights["head.inner.bias"]))
    inner = fn.dropout(inner, drop) if drop else inner
    return fn.linear(given, weights["head.skip.weight"]) + fn.linear(inner, weights["head.outer.weight"])


def head(weights: Weights, given: "Tensor", *, drop: float = 0.0) -> "Tensor":
    """Return unit vectors (texts, width) from features; see :func:`head_sums`."""
    import torch.nn.functional as fn

    return fn.normalize(head_sums(weights, given, drop=drop), dim=1)


def evened(weights: Weights, made: "Tensor") -> "Tensor":
    """Return unit vectors after the mean is taken off and strong directions are made weaker."""
    import torch.nn.functional as fn

    return fn.normalize(fn.linear(made - weights["head.mean"], weights["head.evening.weight"]), dim=1)


def vectors(weights: Weights, ids: "Tensor", found: "Sequence[Tensor]", mask: "Tensor") -> "Tensor":
    """Return the texts' unit vectors: the head's, or the mean of the last layer where there is no head."""
    if TABLE not in weights:
        return mean_vectors(found[-1], mask)
    given = features(weights, ids, found, mask)
    return evened(weights, head(weights, _filled(given)))[: len(given)]


def _filled(rows: "Tensor") -> "Tensor":
    """Add rows of zeros up to a number divisible by 8.

    A product in single precision gives a row the same bits among 8, 16, … rows, but not among any other number.
    """
    import torch

    left = -len(rows) % _BLOCK
    return torch.nn.functional.pad(rows, (0, 0, 0, left)) if left else rows


def new_head(width: int, parts: int, *, seed: int) -> "dict[str, Tensor]":
    """Return a head, untrained: the last layer with a share of the static vectors, nothing from the small network."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    skip = torch.zeros(width, parts * width)
    skip[:, -2 * width : -width] = torch.eye(width)
    skip[:, -width:] = torch.eye(width) * _STATIC_SHARE
    return {
        "head.skip.weight": skip,
        "head.inner.weight": torch.randn(_INNER, parts * width, generator=generator) * _SPREAD,
        "head.inner.bias": torch.zeros(_INNER),
        "head.outer.weight": torch.zeros(width, _INNER),
        "head.mean": torch.zeros(width),
        "head.evening.weight": torch.eye(width),
    }


def mean_vectors(hidden: "Tensor", mask: "Tensor") -> "Tensor":
    """Return unit vectors: the mean of the last layer over a text's tokens."""
    import torch.nn.functional as fn

    return fn.normalize((hidden * mask.unsqueeze(-1)).sum(1), dim=1)


def reading(
    weights: Weights,
    ids: "Tensor",
    below: "Tensor",
    mask: "Tensor",
    *,
    seen: "Tensor | None" = None,
    drop: float = 0.0,
) -> "Tensor":
    """Return the reading layer, float32 tensor (texts, tokens, width).

    It stands on the trunk's last layer, or on layers and word vectors of the reader's own, to which the trunk's last
    layer is added by a linear map.

    :param ids: int64 tensor (texts, tokens).
    :param below: the trunk's last layer; see :func:`states`.
    :param mask: bool tensor (texts, tokens).
    :param seen: like ``mask``, for training: which tokens may be attended to.
    :param drop: share of units left out by chance before each layer, for training.
    """
    import torch.nn.functional as fn

    def some(given: "Tensor") -> "Tensor":
        return fn.dropout(given, drop) if drop else given

    hidden, heads = below, HEADS
    if WORDS in weights:
        words = fn.embedding(ids, weights[WORDS]).float() + weights[PLACES][: ids.shape[1]]
        hidden = _norm(weights, "reader.norm", words) + _linear(weights, JOIN, some(below)).float()
        heads = hidden.shape[-1] // _OWN_HEAD
    attended = (mask if seen is None else seen)[:, None, None, :]
    for name in (*own_layers(weights), READER):
        hidden = layer(weights, name, some(hidden), attended, heads)
    return hidden


def token_scores(weights: Weights, hidden: "Tensor") -> "Tensor":
    """Return float32 tensor (texts, tokens, TOKEN_LABELS) from the reading layer."""
    return _linear(weights, "reader.token", hidden).float()


def read(weights: Weights, hidden: "Tensor", tokens: "Tensor", spans: Spans) -> "Tensor":
    """Score stretches of text.

    :param hidden: the reading layer, (texts, tokens, width).
    :param tokens: token scores, (texts, tokens, TOKEN_LABELS).
    :returns: float32 tensor (spans, READING_LABELS); drivers and causes very low where a span holds no token.
    """
    import torch

    texts, length, _ = hidden.shape
    asked = _filled(hidden.float().flatten(0, 1)) @ weights["reader.queries"].float().T
    attention = asked[: texts * length].view(texts, length, -1)
    nothing = torch.zeros(len(READING_LABELS), device=hidden.device)
    nothing[:_TOKENS] = _NOWHERE
    scores = nothing.repeat(len(spans.owners), 1)
    full = spans.inside.any(1).nonzero()[:, 0]
    # A block at a time: a long text has thousands of clauses, each as wide as the text is long.
    step = max(_BLOCK_CELLS // length, 1)
    for first in range(0, len(full), step):
        rows = full[first : first + step]
        block = Spans(spans.owners[rows], spans.inside[rows])
        scores[rows] = _read_block(weights, hidden, tokens, attention, block)
    return scores


def _read_block(weights: Weights, hidden: "Tensor", tokens: "Tensor", attention: "Tensor", spans: Spans) -> "Tensor":
    import torch

    owners, inside = spans.owners, spans.inside[:, :, None]
    found = tokens[owners].masked_fill(~inside, -torch.inf).logsumexp(1)
    shares = attention[owners].masked_fill(~inside, -torch.inf).softmax(1)
    pooled = torch.einsum("stq,stw->sqw", shares, hidden[owners].float()).flatten(1)
    return torch.cat([found, _linear(weights, "reader.comment", pooled)], dim=1)


def new_reader(width: int, *, seed: int) -> dict[str, "Tensor"]:
    """Return the reading layer and its heads, untrained."""
    import torch

    made: dict[str, Tensor] = {}
    generator = torch.Generator().manual_seed(seed)

    def dense(name: str, inner: int, outer: int, spread: float = 0.04) -> None:
        made[f"{name}.weight"] = torch.randn(outer, inner, generator=generator) * spread
        made[f"{name}.bias"] = torch.zeros(outer)

    def norm(name: str) -> None:
        made[f"{name}.weight"], made[f"{name}.bias"] = torch.ones(width), torch.zeros(width)

    for part in ("query", "key", "value"):
        dense(f"{READER}.attention.self.{part}", width, width)
    dense(f"{READER}.attention.output.dense", width, width, 0.0)
    norm(f"{READER}.attention.output.LayerNorm")
    dense(f"{READER}.intermediate.dense", width, 4 * width)
    dense(f"{READER}.output.dense", 4 * width, width, 0.0)
    norm(f"{READER}.output.LayerNorm")
    dense("reader.token", width, _TOKENS)
    made["reader.token.bias"] -= 5.0
    made["reader.queries"] = torch.randn(QUERIES, width, generator=generator) * 0.02
    dense("reader.comment", width * QUERIES, len(READING_LABELS) - _TOKENS, 0.01)
    return made
