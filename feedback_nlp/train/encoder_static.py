"""Distils the static encoder: one vector a word piece, so that a text's mean meets the teacher's vector."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.train.encoder_bags import Material

if TYPE_CHECKING:
    from torch import Tensor

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

_BATCH = 1_024
_TEMPERATURE = 0.05
_DISTANCE, _APART = 5.0, 1.0
_DROP = 0.1
_RATE = 1e-2


def _batches(count: int, epochs: int, rng: np.random.Generator) -> Iterator[tuple[float, Ints]]:
    steps = epochs * max(count // _BATCH, 1)
    done = 0
    for _ in range(epochs):
        order = rng.permutation(count).astype(np.int64)
        for first in range(0, count - count % _BATCH or count, _BATCH):
            yield done / steps, order[first : first + _BATCH]
            done += 1


def new_table(tokens: int, width: int, *, seed: int) -> Floats:
    """Return small random token vectors."""
    return np.random.default_rng(seed).normal(0, 0.02, (tokens, width)).astype(np.float32)


def fit_table(start: Floats, material: Material, *, epochs: int, seed: int) -> Floats:
    """Fit token vectors by cosine to the target and by telling it from the batch's other targets.

    :param start: float32 array of shape (tokens, width) to begin with; see :func:`new_table`.
    :returns: float32 array of shape (tokens, width).
    """
    import torch

    rng = np.random.default_rng(seed)
    bag = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(start.copy()), freeze=False, mode="sum")
    optimiser = torch.optim.Adam(bag.parameters(), lr=_RATE, betas=(0.9, 0.99))
    for done, rows in _batches(len(material.target_of), epochs, rng):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(done * 50, 1 - done) + _RATE / 1000
        flat, starts = material.bags.pick(rows, _DROP, rng)
        made = torch.nn.functional.normalize(bag(torch.from_numpy(flat), torch.from_numpy(starts)), dim=1)
        which, weights = material.target_of[rows], torch.from_numpy(material.weights[rows])
        goal = torch.from_numpy(material.targets[which])
        loss = distillation_loss(made, goal, torch.from_numpy(which), weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return np.asarray(bag.weight.detach().numpy(), dtype=np.float32)


def distillation_loss(made: "Tensor", goals: "Tensor", which: "Tensor", weights: "Tensor") -> "Tensor":
    """Return the loss of a batch: distance from the target, and cross-entropy over all targets at hand.

    :param made: tensor of unit vectors, shape (batch, width).
    :param goals: targets, shape (batch or more, width); the first are the batch's own, the others only tell apart.
    :param which: number of each target, so that equal ones do not count as wrong.
    :param weights: weight of each text.
    """
    import torch

    count = len(made)
    similar = made @ goals.T
    own = torch.arange(count)
    distance = 1 - similar[own, own]
    same = which[:count].unsqueeze(1) == which.unsqueeze(0)
    same[own, own] = False
    apart = torch.nn.functional.cross_entropy((similar / _TEMPERATURE).masked_fill(same, -1e4), own, reduction="none")
    return ((_DISTANCE * distance + _APART * apart) * weights).sum() / weights.sum()
