"""What the reader is asked for, one loss a kind of batch."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.reading import READ_CAUSES, READ_DRIVERS, READING_SLICES
from feedback_nlp.embed.arithmetic import fast_autocast
from feedback_nlp.embed.network import Spans, mean_vectors, read, reading, token_scores, trunk
from feedback_nlp.train.encoder_bags import Bags, Ints
from feedback_nlp.train.encoder_static import distillation_loss
from feedback_nlp.train.reader_data import MAX_TOKENS, Caused, Judged
from feedback_nlp.train.reader_pairs import UNTAUGHT, Paired

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor"]
# Returns the reading layer of a batch of rows, (rows, tokens, width), and its bool mask (rows, tokens).
Layer = Callable[[Ints], "tuple[Tensor, Tensor]"]

CARRIERS = 2
PAIR_TOKENS = 64
_NEGATIVES = 1_024
_TEMPERATURE = 0.05
_TRANSLATION = 1.0
_DROP, _UNKNOWN = 0.1, 1
OTHERS = 0.3
_EVIDENCE, _SPAN, _READINGS, _SENTIMENT = 0.5, 0.3, 0.3, 0.5
_NEGATIVE, _MIXED = 0, 3
# Parts whose labels stand alone; the labels of the others share a softmax.
ALONE = ("drivers", "causes", "others")
_DRIVER_OF = np.array([READ_DRIVERS.index(cause.split(".")[0] + cause[-1]) for cause in READ_CAUSES], dtype=np.int64)


def padded(bags: Bags, rows: Ints, limit: int) -> tuple["Tensor", "Tensor"]:
    """Return piece numbers and bool mask of shape (rows, longest) as tensors."""
    import torch

    sizes = np.minimum(bags.ends[rows + 1] - bags.ends[rows], limit)
    at = np.arange(int(sizes.max()))
    mask = at < sizes[:, None]
    ids = np.where(mask, bags.flat[np.minimum(bags.ends[rows][:, None] + at, len(bags.flat) - 1)], 0)
    return torch.from_numpy(ids), torch.from_numpy(mask)


def hidden_states(weights: Weights, ids: "Tensor", mask: "Tensor", *, with_reading: bool) -> "Tensor":
    """Run trunk, and reading layer where asked for; units are dropped by chance before the reading layer."""
    with fast_autocast():
        hidden = trunk(weights, ids, mask)
        if with_reading:
            hidden = reading(weights, ids, hidden, mask, drop=_DROP)
    return hidden.float()


def pair_loss(weights: Weights, paired: Paired, rows: Ints, rng: np.random.Generator) -> "Tensor":
    """Draw texts to the teacher's vector, and a text to its translation, away from the batch's other texts."""
    import torch

    alone = bool((paired.left[rows] == paired.right[rows]).all())
    sides = paired.left[rows] if alone else np.concatenate([paired.left[rows], paired.right[rows]])
    ids, mask = padded(paired.bags, sides, PAIR_TOKENS)
    made = mean_vectors(hidden_states(weights, ids, mask, with_reading=False), mask)
    target_of = paired.target_of[rows]
    own = target_of if alone else np.concatenate([target_of, target_of])
    taught = np.flatnonzero(own != UNTAUGHT)
    loss = made.sum() * 0
    if len(taught):
        which = np.concatenate([own[taught], rng.integers(0, len(paired.targets), _NEGATIVES)])
        goals = torch.from_numpy(paired.targets[which])
        goals = torch.nn.functional.normalize(goals[:, :-CARRIERS], dim=1)
        ones = torch.ones(len(taught))
        loss = loss + distillation_loss(made[taught][:, :-CARRIERS], goals, torch.from_numpy(which), ones)
    if not alone:
        same = np.where(target_of == UNTAUGHT, -2 - np.arange(len(rows)), target_of)
        loss = loss + _TRANSLATION * translation_loss(made[: len(rows)], made[len(rows) :], same)
    return loss


def translation_loss(left: "Tensor", right: "Tensor", same: Ints) -> "Tensor":
    """Return the cross-entropy of finding each text's partner among the batch's, mean of both directions.

    :param same: equal numbers mark texts that say the same, which do not count as wrong.
    """
    import torch

    alike = torch.from_numpy((same[:, None] == same[None, :]) & ~np.eye(len(same), dtype=bool))
    similar = (left @ right.T / _TEMPERATURE).masked_fill(alike, -1e4)
    own = torch.arange(len(left))
    cross = torch.nn.functional.cross_entropy
    return (cross(similar, own) + cross(similar.T, own)) / 2


def _with_gaps(ids: "Tensor", rng: np.random.Generator) -> "Tensor":
    """Make some pieces unknown by chance, so that no reading hangs on one word."""
    import torch

    gaps = torch.from_numpy(rng.random(tuple(ids.shape)) < _DROP)
    return ids.masked_fill(gaps, _UNKNOWN)


def layer_of(weights: Weights, bags: Bags, rng: np.random.Generator) -> Layer:
    """Return what runs trunk and reading layer over rows of texts, pieces made unknown by chance."""

    def run(rows: Ints) -> "tuple[Tensor, Tensor]":
        ids, mask = padded(bags, rows, MAX_TOKENS)
        return hidden_states(weights, _with_gaps(ids, rng), mask, with_reading=True), mask

    return run


def _scores(
    weights: Weights, run: Layer, rows: Ints, evidence: Ints | None = None
) -> tuple["Tensor", "Tensor", "Tensor"]:
    """Score whole comments, then stretches of them; return scores, token scores and mask."""
    import torch

    hidden, mask = run(rows)
    tokens = token_scores(weights, hidden)
    owners, inside = torch.arange(len(rows)), mask
    if evidence is not None and len(evidence):
        at = np.arange(mask.shape[1])
        spans = torch.from_numpy((at >= evidence[:, 2:3]) & (at < evidence[:, 3:4]))
        owners = torch.cat([owners, torch.from_numpy(evidence[:, 0])])
        inside = torch.cat([inside, spans])
    return read(weights, hidden, tokens, Spans(owners, inside)), tokens, mask


def _part(scores: "Tensor", name: str) -> "Tensor":
    return scores[:, READING_SLICES[name]]


def _polarity_loss(scores: "Tensor", labels: Ints, annotated: Any) -> "Tensor":  # noqa: ANN401 - bool array
    """Return the loss of three labels where one applies, and of four where ``mixed`` was a choice."""
    import torch

    cross = torch.nn.functional.cross_entropy
    sided, four = np.flatnonzero((labels >= 0) & (labels < _MIXED)), np.flatnonzero((labels >= 0) & annotated)
    loss = scores.sum() * 0
    if len(sided):
        loss = loss + cross(_part(scores, "polarity")[sided], torch.from_numpy(labels[sided]))
    if len(four):
        found = cross(_part(scores, "sentiment")[four], torch.from_numpy(labels[four]), reduction="sum")
        loss = loss + found / len(labels)
    return loss


def sentiment_loss(weights: Weights, judged: Judged, rows: Ints, run: Layer) -> "Tensor":
    """Return the loss of a batch of comments with a sentiment.

    :param run: see :func:`layer_of`.
    """
    scores, _, _ = _scores(weights, run, rows)
    return _polarity_loss(scores, judged.labels[rows], judged.annotated[rows])


def _evidence_of(caused: Caused, rows: Ints, longest: int) -> Ints:
    """Return the evidence of a batch, comments numbered as in the batch and those beyond its tokens left out."""
    lows = np.searchsorted(caused.evidence[:, 0], rows)
    highs = np.searchsorted(caused.evidence[:, 0], rows, side="right")
    parts = [caused.evidence[low:high] for low, high in zip(lows, highs, strict=True)]
    found = np.concatenate([np.zeros((0, 4), dtype=np.int64), *parts])
    found[:, 0] = np.repeat(np.arange(len(rows)), highs - lows)
    return np.asarray(found[found[:, 2] < longest], dtype=np.int64)


def cause_loss(weights: Weights, caused: Caused, rows: Ints, run: Layer, *, others: float = OTHERS) -> "Tensor":
    """Return the loss of a batch of comments with root causes, evidence and readings.

    :param run: see :func:`layer_of`.
    :param others: weight of other causes beside drivers.
    """
    import torch

    fn = torch.nn.functional
    sizes = np.minimum(caused.bags.ends[rows + 1] - caused.bags.ends[rows], MAX_TOKENS)
    evidence = _evidence_of(caused, rows, int(sizes.max()))
    every, tokens, mask = _scores(weights, run, rows, evidence)
    scores = every[: len(rows)]
    causes = torch.from_numpy(caused.causes[rows].astype(np.float32))
    drivers = torch.zeros(len(rows), len(READ_DRIVERS))
    drivers = drivers.index_add(1, torch.from_numpy(_DRIVER_OF), causes).clamp(max=1)
    elsewhere = torch.from_numpy(caused.others[rows].astype(np.float32))
    binary = fn.binary_cross_entropy_with_logits
    loss = binary(_part(scores, "drivers"), drivers, reduction="sum")
    loss = loss + binary(_part(scores, "causes"), causes, reduction="sum")
    loss = loss + others * binary(_part(scores, "others"), elsewhere, reduction="sum")
    loss = loss / len(rows)
    labels = caused.sentiment[rows]
    loss = loss + _SENTIMENT * _polarity_loss(scores, labels, np.ones(len(rows), dtype=bool))
    for name, values in caused.readings.items():
        known = np.flatnonzero(values[rows] >= 0)
        if len(known):
            found = fn.cross_entropy(_part(scores, name)[known], torch.from_numpy(values[rows][known]), reduction="sum")
            loss = loss + _READINGS * found / len(rows)
    if len(evidence):
        loss = loss + _evidence_loss(tokens, mask, evidence) * len(evidence) / len(rows)
        praise = torch.tensor([READ_CAUSES[label].endswith("+") for label in evidence[:, 1]])
        loss = loss + _SPAN * fn.cross_entropy(_part(every[len(rows) :], "polarity"), praise.long() * 2)
    return loss


def agreement_loss(weights: Weights, rows: Ints, run: Layer, *, others: float = OTHERS) -> "Tensor":
    """Return the loss of comments in several languages: each is drawn to what is read in all of them.

    :param rows: int array (languages, comments), the texts of each comment.
    :param others: weight of other causes beside drivers.
    """
    import torch

    fn = torch.nn.functional
    scores, _, _ = _scores(weights, run, rows.ravel())
    loss = scores.sum() * 0
    for name, part in READING_SLICES.items():
        found = scores[:, part]
        probs = found.detach().sigmoid() if name in ALONE else found.detach().softmax(1)
        wanted = probs.view(*rows.shape, -1).mean(0).repeat(len(rows), 1)
        if name in ALONE:
            lost = fn.binary_cross_entropy_with_logits(found, wanted, reduction="sum") / len(found)
            loss = loss + (others if name == "others" else 1.0) * lost
        else:
            loss = loss + _READINGS * fn.cross_entropy(found, wanted)
    return loss


def _evidence_loss(tokens: "Tensor", mask: "Tensor", evidence: Ints) -> "Tensor":
    """Ask a cause's token scores, and its driver's, to be above 0 within the evidence and below it elsewhere."""
    import torch

    at = torch.arange(tokens.shape[1])
    span = torch.from_numpy(evidence)
    inside = (at >= span[:, 2:3]) & (at < span[:, 3:4])
    outside = mask[span[:, 0]] & ~inside
    loss = tokens.sum() * 0
    for label in (len(READ_DRIVERS) + evidence[:, 1], _DRIVER_OF[evidence[:, 1]]):
        scores = tokens[span[:, 0], :, torch.from_numpy(label)]
        for where, sign in ((inside, -1), (outside, 1)):
            missed = torch.nn.functional.softplus(sign * scores) * where
            loss = loss + (missed.sum(1) / where.sum(1).clamp(min=1)).mean()
    return _EVIDENCE * loss / 2
