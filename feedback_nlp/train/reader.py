"""Trains the reader: one transformer for vectors, sentiment and root causes, by alternating batches."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feedback_nlp.embed.network import new_reader
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints
from feedback_nlp.train.reader_data import MAX_TOKENS, Caused, Judged
from feedback_nlp.train.reader_losses import PAIR_TOKENS, cause_loss, layer_of, pair_loss, sentiment_loss
from feedback_nlp.train.reader_pairs import Paired

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

FROZEN = "embeddings.word_embeddings.weight"
CHECKPOINT = "reader-checkpoint.safetensors"
_BATCH_TOKENS = 4_096
_SAVE_SECONDS = 150
_WARM_STEPS = 100
_LAST_RATE = 0.05
_SENTIMENT_DRAWN = 60_000
_SHARES: Mapping[str, float] = {"pairs": 0.40, "alone": 0.08, "sentiment": 0.27, "causes": 0.25}

Loss = Callable[[Ints, np.random.Generator], "Tensor"]


@dataclass
class Stream:
    """Where one kind of batches stands.

    :param sizes: tokens that each row costs, 0 for a row that is never drawn.
    :param weights: how often each row is drawn in a round, on average.
    :param loss: the loss of a batch of rows.
    """

    sizes: Ints
    weights: Floats
    loss: Loss
    epoch: int = 0
    batch: int = 0
    batches: list[Ints] = field(default_factory=list)

    def next(self, seed: int) -> Ints:
        """Return the next batch of rows; rounds are drawn anew, the same on every run."""
        if not self.batches:
            self.batches = round_of_batches(self.sizes, self.weights, np.random.default_rng([seed, self.epoch]))
        found = self.batches[self.batch]
        self.batch += 1
        if self.batch == len(self.batches):
            self.epoch, self.batch, self.batches = self.epoch + 1, 0, []
        return found


def round_of_batches(sizes: Ints, weights: Floats, rng: np.random.Generator) -> list[Ints]:
    """Return batches of rows of about equal length, in random order; a row as often as its weight says, on average."""
    times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
    rows = np.repeat(np.arange(len(weights), dtype=np.int64), times)
    rows = rows[sizes[rows] > 0]
    costs = sizes[rows]
    order = np.argsort(costs + rng.random(len(costs)), kind="stable")
    rows, costs = rows[order], costs[order]
    batches, first = [], 0
    while first < len(rows):
        last = min(first + max(_BATCH_TOKENS // int(costs[first]), 1), len(rows))
        while (last - first) * int(costs[last - 1]) > _BATCH_TOKENS and last - first > 1:
            last -= 1
        batches.append(rows[first:last])
        first = last
    return [batches[i] for i in rng.permutation(len(batches))]


def _sizes(bags: Bags, limit: int) -> Ints:
    return np.minimum(np.diff(bags.ends), limit)


def streams(weights: Mapping[str, "Tensor"], paired: Paired, judged: Judged, caused: Caused) -> dict[str, Stream]:
    """Return the kinds of batches."""
    tokens = _sizes(paired.bags, PAIR_TOKENS)
    left, right = tokens[paired.left], tokens[paired.right]
    alone = paired.left == paired.right
    both = np.where((left > 0) & (right > 0), 2 * np.maximum(left, right), 0)
    drawn = judged.weights * (_SENTIMENT_DRAWN / judged.weights.sum())

    def of_pairs(rows: Ints, rng: np.random.Generator) -> "Tensor":
        return pair_loss(weights, paired, rows, rng)

    return {
        "pairs": Stream(np.where(alone, 0, both), paired.weights, of_pairs),
        "alone": Stream(np.where(alone, left, 0), paired.weights, of_pairs),
        "sentiment": Stream(
            _sizes(judged.bags, MAX_TOKENS),
            drawn.astype(np.float32),
            lambda rows, rng: sentiment_loss(weights, judged, rows, layer_of(weights, judged.bags, rng)),
        ),
        "causes": Stream(
            _sizes(caused.bags, MAX_TOKENS),
            caused.weights,
            lambda rows, rng: cause_loss(weights, caused, rows, layer_of(weights, caused.bags, rng)),
        ),
    }


def starting_weights(file: Path, *, seed: int) -> dict[str, "Tensor"]:
    """Return the weights of a transformer's checkpoint or file, with a new reading layer where it has none."""
    from safetensors.torch import load_file

    loaded = {name.removeprefix("network."): value.float() for name, value in load_file(file).items()}
    weights = {name: value for name, value in loaded.items() if not name.startswith("adam.")}
    return new_reader(weights[FROZEN].shape[1], seed=seed) | weights


@dataclass
class Progress:
    """How far a run is."""

    seconds: float = 0.0
    steps: int = 0


def _save(
    weights: Mapping[str, "Tensor"], optimiser: "Optimizer", progress: Progress, kinds: Mapping[str, Stream], work: Path
) -> None:
    from safetensors.torch import save_file

    work.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().clone() for name, value in weights.items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": value.clone() for name, value in state.items()}
    where = {name: [stream.epoch, stream.batch] for name, stream in kinds.items()}
    metadata = {"progress": json.dumps(vars(progress)), "streams": json.dumps(where)}
    part = work / f"{CHECKPOINT}.part"
    save_file(tensors, part, metadata=metadata)
    part.replace(work / CHECKPOINT)


def _resume(
    weights: Mapping[str, "Tensor"], optimiser: "Optimizer", kinds: Mapping[str, Stream], work: Path
) -> Progress:
    import torch
    from safetensors import safe_open

    file = work / CHECKPOINT
    if not file.exists():
        return Progress()
    with safe_open(file, framework="pt") as stored:
        metadata = stored.metadata()
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    state: dict[int, dict[str, Tensor]] = {}
    with torch.no_grad():
        for name, value in tensors.items():
            if name.startswith("adam."):
                _, number, part = name.split(".")
                state.setdefault(int(number), {})[part] = value
            else:
                weights[name].copy_(value)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    for name, (epoch, batch) in json.loads(metadata["streams"]).items():
        kinds[name].epoch, kinds[name].batch = epoch, batch
    return Progress(**json.loads(metadata["progress"]))


def _optimiser(weights: Mapping[str, "Tensor"], rate: float, reader_rate: float) -> "Optimizer":
    import torch

    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, value in weights.items():
        if name != FROZEN:
            value.requires_grad_()
            groups.setdefault((name.startswith("reader."), value.ndim > 1), []).append(value)
    described = [
        {"params": found, "top": reader_rate if reader else rate, "weight_decay": 0.01 if decayed else 0.0}
        for (reader, decayed), found in sorted(groups.items(), key=lambda item: item[0])
    ]
    return torch.optim.AdamW(described, lr=rate, betas=(0.9, 0.98), fused=True)


def _chosen(kinds: Mapping[str, Stream], step: int, seed: int) -> Iterator[tuple[str, np.random.Generator]]:
    shares = np.array([_SHARES[name] for name in kinds])
    while True:
        rng = np.random.default_rng([seed, step])
        yield list(kinds)[int(rng.choice(len(shares), p=shares / shares.sum()))], rng
        step += 1


def fit_reader(
    weights: dict[str, "Tensor"],
    paired: Paired,
    judged: Judged,
    caused: Caused,
    *,
    minutes: float,
    seed: int,
    work: Path,
    rate: float = 5e-4,
    reader_rate: float = 1e-3,
    report: Callable[[Progress, str, float], None] | None = None,
) -> dict[str, "Tensor"]:
    """Train for so many minutes of wall time, those before a stop included; a checkpoint is kept in ``work``.

    :param weights: changed in place, word vectors excepted; see :func:`starting_weights`.
    :param rate: highest learning rate of the trunk.
    :param reader_rate: highest learning rate of the reading layer and its heads.
    :param report: told the kind and the loss of every step.
    """
    import torch

    torch.manual_seed(seed)
    optimiser = _optimiser(weights, rate, reader_rate)
    kinds = streams(weights, paired, judged, caused)
    progress = _resume(weights, optimiser, kinds, work)
    trained = [value for group in optimiser.param_groups for value in group["params"]]
    began = saved = time.monotonic()
    before = progress.seconds
    for kind, rng in _chosen(kinds, progress.steps, seed):
        progress.seconds = before + time.monotonic() - began
        done = progress.seconds / (minutes * 60)
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = group["top"] * min((progress.steps + 1) / _WARM_STEPS, max(1 - done, _LAST_RATE))
        loss = kinds[kind].loss(kinds[kind].next(seed), rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        progress.steps += 1
        if report is not None:
            report(progress, kind, loss.item())
        if time.monotonic() - saved > _SAVE_SECONDS:
            _save(weights, optimiser, progress, kinds, work)
            saved = time.monotonic()
    _save(weights, optimiser, progress, kinds, work)
    return {name: value.detach() for name, value in weights.items()}
