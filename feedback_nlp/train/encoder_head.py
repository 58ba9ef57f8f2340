"""Fits the transformer's head: one vector from all its layers and the static encoder's; the trunk stays as it is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import threads
from feedback_nlp.embed.network import TABLE, features, head, layers_of, new_head, states
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints
from feedback_nlp.train.encoder_pairs import feedback_texts
from feedback_nlp.train.encoder_static import distillation_loss
from feedback_nlp.train.reader_losses import PAIR_TOKENS, padded, translation_loss
from feedback_nlp.train.reader_pairs import UNTAUGHT, Paired

if TYPE_CHECKING:
    from torch import Tensor

_EPOCHS = 2
_BATCH, _NEGATIVES = 1_024, 2_048
_RATE, _WARM_STEPS, _LAST_RATE = 1e-3, 50, 0.02
_ALONE = 0.5
_DROP = 0.1
_FEATURE_TOKENS = 6_000
_EVENING = "head.evening.weight"
_EVEN_POWER, _USUAL = 0.25, 0.5
_EVEN_PER_SET, EVEN_PAIRED = 150, 18_000

Halves = np.ndarray[Any, np.dtype[np.float16]]


def features_of(weights: "Mapping[str, Tensor]", bags: Bags, limit: int = PAIR_TOKENS) -> Halves:
    """Return the head's features of texts, float16 array (n, features); zeros for a text without a piece."""
    import torch

    width = weights[TABLE].shape[1]
    out = np.zeros((len(bags.ends) - 1, (layers_of(weights) + 2) * width), dtype=np.float16)
    sizes = np.minimum(np.diff(bags.ends), limit)
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    first = 0
    with torch.inference_mode():
        while first < len(order):
            rows = order[first : first + max(_FEATURE_TOKENS // int(sizes[order[first]]), 1)]
            first += len(rows)
            ids, mask = padded(bags, rows, limit)
            out[rows] = features(weights, ids, states(weights, ids, mask), mask).numpy()
    return out


def _paired_loss(weights: "Mapping[str, Tensor]", paired: Paired, given: Halves, rng: np.random.Generator) -> "Tensor":
    """Draw a batch of pairs; draw them to the teacher's vectors and to their translations."""
    import torch

    rows = _drawn(paired, rng)
    lone = paired.left[rows] == paired.right[rows]
    target_of = paired.target_of[rows]
    made = _made(weights, given[np.concatenate([paired.left[rows], paired.right[rows][~lone]])], _DROP)
    own = np.concatenate([target_of, target_of[~lone]])
    taught = np.flatnonzero(own != UNTAUGHT)
    which = np.concatenate([own[taught], rng.integers(0, len(paired.targets), _NEGATIVES)])
    goals = torch.from_numpy(paired.targets[which])
    loss = distillation_loss(made[taught], goals, torch.from_numpy(which), torch.ones(len(taught)))
    same = np.where(target_of == UNTAUGHT, -2 - np.arange(len(rows)), target_of)[~lone]
    return loss + translation_loss(made[: len(rows)][torch.from_numpy(~lone)], made[len(rows) :], same)


def _drawn(paired: Paired, rng: np.random.Generator) -> Ints:
    weights = np.where(paired.left == paired.right, _ALONE, 1.0) * paired.weights
    bounds = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(bounds, rng.random(_BATCH)), len(bounds) - 1)


def _made(weights: "Mapping[str, Tensor]", given: Halves, drop: float = 0.0) -> "Tensor":
    import torch

    return head(weights, torch.from_numpy(given.astype(np.float32)), drop=drop)


def fit_head(
    trunk: "Mapping[str, Tensor]",
    paired: Paired,
    data: Path,
    tokenizer: Path,
    *,
    seed: int,
    report: Callable[[int, int, float], None] | None = None,
) -> "dict[str, Tensor]":
    """Fit a head to a trained transformer, in a fixed number of steps.

    :param trunk: the transformer's weights with the static encoder's token vectors as ``TABLE``.
    :param tokenizer: SentencePiece model file.
    :param report: told the step, their number and the loss.
    :returns: the head's weights by name.
    """
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    cutter = static.open_tokenizer(tokenizer)
    # One thread: sums over threads would give other bits from run to run.
    with threads(1):
        given = features_of(trunk, paired.bags)
        weights = _trained(new_head(trunk[TABLE].shape[1], layers_of(trunk) + 2, seed=seed), paired, given, rng, report)
        usual = paired.left[paired.weights >= _USUAL]
        sample = given[np.sort(rng.choice(usual, min(len(usual), EVEN_PAIRED), replace=False))]
        return weights | evening(weights, np.concatenate([sample, comments_of(trunk, data, cutter)]))


def _trained(
    weights: "dict[str, Tensor]",
    paired: Paired,
    given: Halves,
    rng: np.random.Generator,
    report: Callable[[int, int, float], None] | None,
) -> "dict[str, Tensor]":
    import torch

    learnt = [value.requires_grad_() for name, value in weights.items() if name not in ("head.mean", _EVENING)]
    optimiser = torch.optim.Adam(learnt, lr=_RATE)
    steps = _EPOCHS * len(paired.left) // _BATCH
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min((step + 1) / _WARM_STEPS, max(1 - step / steps, _LAST_RATE))
        loss = _paired_loss(weights, paired, given, rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if report is not None:
            report(step, steps, loss.item())
    return {name: value.detach() for name, value in weights.items()}


def comments_of(trunk: "Mapping[str, Tensor]", data: Path, cutter: Any) -> Halves:  # noqa: ANN401 - SentencePieceProcessor
    """Return features of some comments in three languages."""
    texts = [
        text for lang in ("ar", "fa", "en") for _, text in feedback_texts(data, lang, seed=17, per_set=_EVEN_PER_SET)
    ]
    return features_of(trunk, Bags.of(static.tokenize(cutter, texts)))


def evening(weights: "Mapping[str, Tensor]", given: Halves, power: float = _EVEN_POWER) -> "dict[str, Tensor]":
    """Return the mean to take off, and the map that weakens strong directions of the vectors of some texts.

    :param power: a direction of variance ``v`` is scaled by ``v ** -(power / 2)``: 0 would only centre, 1 would whiten
        (Su et al. 2021, https://arxiv.org/abs/2103.15316).
    """
    import torch

    with torch.inference_mode():
        made: Floats = _made(weights, given[np.any(given, axis=1)]).numpy()
    mean = made.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov((made - mean).T.astype(np.float64)))
    turned = axes * np.maximum(variances, 1e-9) ** (-power / 2)
    return {
        "head.mean": torch.from_numpy(mean),
        _EVENING: torch.from_numpy((turned / turned.std()).T.astype(np.float32).copy()),
    }
