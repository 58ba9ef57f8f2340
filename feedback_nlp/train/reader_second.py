"""Trains a second reading layer on the shipped trunk, whose weights stand still.

It learns the annotated comments as the first one did, and from comments in three languages that nobody annotated: there
it is taught what the first layer says of all three languages together. Both layers' scores are averaged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feedback_nlp.core.modelfolder import ModelFolder, open_model
from feedback_nlp.core.reading import READING_SLICES
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import KIND, READER_FILE, load_weights
from feedback_nlp.embed.network import READER, READERS, Spans, layer, new_reader, read, token_scores, trunk
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.train.encoder_bags import Bags, Ints
from feedback_nlp.train.encoder_write import described_again
from feedback_nlp.train.reader import round_of_batches
from feedback_nlp.train.reader_data import MAX_TOKENS, Caused, read_caused
from feedback_nlp.train.reader_losses import ALONE, Layer, cause_loss, padded, taught_loss
from feedback_nlp.train.rootcause_data import LANGS, read_triples

if TYPE_CHECKING:
    from torch import Tensor

_EPOCHS, _TAUGHT_EPOCHS = 14, 12
_TAUGHT_WEIGHT = 2.0
_RATE, _WARM_STEPS, _LAST_RATE = 1e-3, 100, 0.02
_DROP = 0.1
_ROWS = 64

_NOTE = (
    "- A second reading layer on the same trunk, which stood still: 14 rounds of the annotated comments and 12 of\n"
    "  comments in three languages that nobody annotated; each is taught what the first layer says of all three.\n"
    "  Drivers, causes and the other readings are the mean of both; polarity and sentiment are the first layer's.\n"
)

Weights = Mapping[str, "Tensor"]


@dataclass(frozen=True)
class Frozen:
    """What the trunk makes of texts.

    :param states: bf16 tensor (tokens, width), text after text.
    :param ends: int64 array (n + 1,), where each text begins and ends.
    """

    states: "Tensor"
    ends: Ints

    @property
    def sizes(self) -> Ints:
        """Return how many tokens each text has."""
        return np.diff(self.ends)

    def padded(self, rows: Ints) -> "tuple[Tensor, Tensor]":
        """Return float32 tensor (rows, longest, width) and bool mask (rows, longest)."""
        import torch

        sizes = self.sizes[rows]
        at = np.arange(int(sizes.max()))
        mask = torch.from_numpy(at < sizes[:, None])
        places = np.minimum(self.ends[rows][:, None] + at, len(self.states) - 1)
        return self.states[torch.from_numpy(places)].float() * mask[:, :, None], mask


def freeze(weights: Weights, bags: Bags) -> Frozen:
    """Run the trunk over texts, each of which has a token.

    :param weights: see :func:`feedback_nlp.embed.backends.reader.load_weights`.
    """
    import torch

    sizes = np.minimum(np.diff(bags.ends), MAX_TOKENS)
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    states = torch.zeros(int(ends[-1]), width, dtype=torch.bfloat16)
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    with torch.inference_mode():
        for first in range(0, len(order), _ROWS):
            rows = order[first : first + _ROWS]
            ids, mask = padded(bags, rows, MAX_TOKENS)
            places = np.concatenate([np.arange(ends[row], ends[row + 1]) for row in rows])
            states[torch.from_numpy(places)] = trunk(weights, ids, mask)[mask].to(torch.bfloat16)
    return Frozen(states, ends)


def read_three(data: Path, tokenizer: Path) -> Bags:
    """Read comments in three languages to learn from, language by language in the same order."""
    rows = read_triples(data)
    texts = [normalise(str(row[lang]), lang).clean for lang in LANGS for row in rows]
    return Bags.of(static.tokenize(static.open_tokenizer(tokenizer), texts))


def together(weights: Weights, frozen: Frozen) -> "Tensor":
    """Return what a reading layer says of each comment's languages together, as targets of each of them.

    :returns: float32 tensor (n, READING_LABELS); see :func:`feedback_nlp.train.reader_losses.taught_loss`.
    """
    import torch

    scores = torch.zeros(len(frozen.sizes), READING_SLICES["pyramid"].stop)
    order = np.argsort(frozen.sizes, kind="stable")
    order = order[frozen.sizes[order] > 0]
    with torch.inference_mode():
        for first in range(0, len(order), _ROWS):
            rows = order[first : first + _ROWS]
            states, mask = frozen.padded(rows)
            hidden = layer(weights, READER, states, mask[:, None, None, :])
            spans = Spans(torch.arange(len(rows)), mask)
            scores[torch.from_numpy(rows)] = read(weights, hidden, token_scores(weights, hidden), spans)
    mean = scores.view(len(LANGS), -1, scores.shape[1]).mean(0)
    for name, part in READING_SLICES.items():
        mean[:, part] = mean[:, part].sigmoid() if name in ALONE else mean[:, part].softmax(1)
    return mean.repeat(len(LANGS), 1)


def _layer_of(weights: Weights, frozen: Frozen, rng: np.random.Generator) -> Layer:
    """Return what runs a reading layer over rows; tokens are hidden and units dropped by chance."""
    import torch

    def run(rows: Ints) -> "tuple[Tensor, Tensor]":
        states, mask = frozen.padded(rows)
        seen = mask & torch.from_numpy(rng.random(tuple(mask.shape)) >= _DROP)
        seen = torch.where(seen.any(1, keepdim=True), seen, mask)
        with torch.autocast("cpu", torch.bfloat16):
            dropped = torch.nn.functional.dropout(states, _DROP)
            hidden = layer(weights, READER, dropped, seen[:, None, None, :])
        return hidden.float(), seen

    return run


def fit_second(
    caused: Caused,
    states: Frozen,
    taught: Frozen,
    targets: "Tensor",
    *,
    seed: int,
    report: Callable[[float, str, float], None] | None = None,
) -> "dict[str, Tensor]":
    """Train a reading layer with its heads, named as the first one.

    :param states: of the annotated comments.
    :param taught: of the comments in three languages.
    :param targets: what these are taught.
    :param report: told how far it is, the kind and the loss of every step.
    """
    import torch

    torch.manual_seed(seed)
    weights = new_reader(states.states.shape[1], seed=seed)
    for value in weights.values():
        value.requires_grad_()
    groups = [
        {"params": [one for one in weights.values() if (one.ndim > 1) == wide], "weight_decay": 0.01 if wide else 0.0}
        for wide in (True, False)
    ]
    optimiser = torch.optim.AdamW(groups, lr=_RATE, betas=(0.9, 0.98), fused=True)
    steps = _steps(caused, states, taught, seed)
    for number, (kind, rows) in enumerate(steps):
        done = number / len(steps)
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min((number + 1) / _WARM_STEPS, max(1 - done, _LAST_RATE))
        rng = np.random.default_rng([seed, number])
        if kind == "causes":
            loss = cause_loss(weights, caused, rows, _layer_of(weights, states, rng))
        else:
            loss = _TAUGHT_WEIGHT * taught_loss(weights, targets, rows, _layer_of(weights, taught, rng))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        optimiser.step()
        if report is not None:
            report(done, kind, loss.item())
    return {name: value.detach() for name, value in weights.items()}


def _steps(caused: Caused, states: Frozen, taught: Frozen, seed: int) -> list[tuple[str, Ints]]:
    """Return the batches of all rounds, both kinds mixed."""
    found: list[tuple[str, Ints]] = []
    ones = np.ones(len(taught.sizes), dtype=np.float32)
    for kind, epochs, sizes, weights in (
        ("causes", _EPOCHS, states.sizes, caused.weights),
        ("taught", _TAUGHT_EPOCHS, taught.sizes, ones),
    ):
        for epoch in range(epochs):
            rng = np.random.default_rng([seed, epoch])
            found += [(kind, rows) for rows in round_of_batches(sizes, weights, rng)]
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[place] for place in order.tolist()]


def add_second(data: Path, folder: Path, work: Path, *, unseen: bool, seed: int) -> ModelFolder:
    """Train a second reading layer for a transformer's folder and put it beside the first; the rest stays as it is.

    :param work: folder where the layer is kept; one that stands there is taken.
    :param unseen: whether labels of ``reader_data.UNSEEN`` are read, too.
    :param seed: draws the comments whose sentiment is kept for judging; the layer's own is one more.
    """
    from safetensors.torch import load_file, save_file

    opened = open_model(folder).require(KIND)
    kept = work / f"second-{'last' if unseen else 'first'}.safetensors"
    if not kept.exists():
        weights, tokenizer = load_weights(folder), folder / static.TOKENIZER
        caused = read_caused(data, static.open_tokenizer(tokenizer), seed=seed, unseen=unseen)
        taught = freeze(weights, read_three(data, tokenizer))
        targets = together(weights, taught)
        save_file(fit_second(caused, freeze(weights, caused.bags), taught, targets, seed=seed + 1), kept)
    first, second = READERS
    found = {name: value for name, value in load_file(folder / READER_FILE).items() if not name.startswith(second)}
    found |= {name.replace(first, second, 1): value.half() for name, value in load_file(kept).items()}
    save_file(found, folder / READER_FILE, metadata={"format": "pt"})
    (folder / READER_FILE).chmod(0o644)
    return described_again(opened, _NOTE)
