"""Distils the compact transformer, which starts as the static encoder and learns what word order adds."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.embed.arithmetic import fast_autocast
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints, Material, unit
from feedback_nlp.train.encoder_static import distillation_loss

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import BertConfig, BertModel

LAYERS, WIDTH, HEADS, INNER = 3, 256, 4, 1024
MAX_TOKENS = 128
CARRIERS = 2
CHECKPOINT = "checkpoint.safetensors"
_TRAIN_TOKENS = 64
_BATCH_TOKENS = 4_096
_NEGATIVES = 1_024
_RATE = 1e-3
_SAVE_SECONDS = 180


def bert_config(pieces: int, width: int, *, layers: int, inner: int, positions: int) -> "BertConfig":
    """Return the configuration of a BERT without dropout, segments or pooler."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=pieces,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.04,
        pad_token_id=0,
    )


def new_network(table: Floats, *, seed: int, layers: int = LAYERS) -> "BertModel":
    """Make a BERT whose mean-pooled output is near the static encoder's vector, before any training.

    Layer norm would make all tokens equally long, but a token's length is its weight in the mean. So two dimensions
    carry a large constant and its negative: they dominate the norm, and what stands in the others passes nearly
    unchanged. The last layer norm drops them. Every sub-layer's output starts at zero.

    :param table: token vectors of shape (tokens, WIDTH - CARRIERS).
    """
    import torch
    from transformers import BertModel

    torch.manual_seed(seed)
    config = bert_config(len(table), WIDTH, layers=layers, inner=INNER, positions=MAX_TOKENS)
    network = BertModel(config, add_pooling_layer=False)
    carried = (WIDTH / 2 / CARRIERS) ** 0.5
    used = np.linalg.norm(table, axis=1)
    scaled = table * (WIDTH / 2) ** 0.5 / max(float(used[used > 0].mean()), 1e-6)
    start = np.concatenate([scaled, np.tile([carried, -carried], (len(table), 1))], axis=1)
    with torch.no_grad():
        network.embeddings.word_embeddings.weight.copy_(torch.from_numpy(start.astype(np.float32)))
        network.embeddings.position_embeddings.weight.zero_()
        network.embeddings.token_type_embeddings.weight.zero_()
        blocks: Any = network.encoder.layer
        for layer in blocks:
            layer.attention.output.dense.weight.zero_()
            layer.output.dense.weight.zero_()
        blocks[-1].output.LayerNorm.weight[-CARRIERS:] = 0
    return network


def pooled(network: "BertModel", ids: "Tensor", mask: "Tensor") -> "Tensor":
    """Return unit vectors: the mean of the last layer over the tokens."""
    import torch

    with fast_autocast():
        hidden = network(input_ids=ids, attention_mask=mask).last_hidden_state
    kept = mask.unsqueeze(-1).float()
    return torch.nn.functional.normalize((hidden.float() * kept).sum(1), dim=1)


def _drawn(weights: Floats, rng: np.random.Generator) -> Ints:
    """Return text numbers, each as often as its weight says, on average."""
    times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
    return np.repeat(np.arange(len(weights), dtype=np.int64), times)


def epoch_batches(bags: Bags, weights: Floats, rng: np.random.Generator) -> list[Ints]:
    """Return batches of text numbers of about equal length, in random order."""
    rows = _drawn(weights, rng)
    sizes = np.minimum(bags.ends[rows + 1] - bags.ends[rows], _TRAIN_TOKENS)
    rows, sizes = rows[sizes > 0], sizes[sizes > 0]
    order = np.argsort(sizes + rng.random(len(sizes)), kind="stable")
    rows, sizes = rows[order], sizes[order]
    batches, first = [], 0
    while first < len(rows):
        last = min(first + max(_BATCH_TOKENS // int(sizes[first]), 1), len(rows))
        while (last - first) * int(sizes[last - 1]) > _BATCH_TOKENS and last - first > 1:
            last -= 1
        batches.append(rows[first:last])
        first = last
    return [batches[i] for i in rng.permutation(len(batches))]


def padded(bags: Bags, rows: Ints) -> tuple["Tensor", "Tensor"]:
    """Return piece numbers and mask of shape (rows, longest) as tensors."""
    import torch

    sizes = np.minimum(bags.ends[rows + 1] - bags.ends[rows], _TRAIN_TOKENS)
    at = np.arange(int(sizes.max()))
    mask = at < sizes[:, None]
    ids = np.where(mask, bags.flat[np.minimum(bags.ends[rows][:, None] + at, len(bags.flat) - 1)], 0)
    return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))


@dataclass
class Progress:
    """Where a training run stands."""

    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    steps: int = 0


def _save(network: "BertModel", optimiser: "Optimizer", progress: Progress, work: Path) -> None:
    from safetensors.torch import save_file

    work.mkdir(parents=True, exist_ok=True)
    tensors = {f"network.{name}": value.detach().clone() for name, value in network.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": value for name, value in state.items()}
    save_file(tensors, work / "checkpoint.part", metadata={"progress": json.dumps(vars(progress))})
    (work / "checkpoint.part").replace(work / CHECKPOINT)


def _resume(network: "BertModel", optimiser: "Optimizer", work: Path) -> Progress:
    from safetensors import safe_open

    file = work / CHECKPOINT
    if not file.exists():
        return Progress()
    with safe_open(file, framework="pt") as stored:
        progress = Progress(**json.loads(stored.metadata()["progress"]))
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    network.load_state_dict({n.removeprefix("network."): v for n, v in tensors.items() if n.startswith("network.")})
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, number, field = name.split(".")
            state.setdefault(int(number), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return progress


def _steps(bags: Bags, weights: Floats, progress: Progress, seed: int) -> Iterator[Ints]:
    while True:
        batches = epoch_batches(bags, weights, np.random.default_rng([seed, progress.epoch]))
        for number in range(progress.batch, len(batches)):
            progress.batch = number + 1
            yield batches[number]
        progress.epoch, progress.batch = progress.epoch + 1, 0


def fit_network(network: "BertModel", material: Material, *, minutes: float, seed: int, work: Path) -> "BertModel":
    """Train for so many minutes of wall time, those before a stop included; a checkpoint is kept in ``work``.

    A text is taken as often in a round as its weight says, on average.
    """
    import torch

    goals = unit(material.targets[:, : WIDTH - CARRIERS])
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    progress = _resume(network, optimiser, work)
    network.train()
    began, saved, before = time.monotonic(), time.monotonic(), progress.seconds
    for rows in _steps(material.bags, material.weights, progress, seed):
        progress.seconds = before + time.monotonic() - began
        if progress.seconds >= minutes * 60:
            break
        done = progress.seconds / (minutes * 60)
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min((progress.steps + 1) / 200, 1 - done)
        rng = np.random.default_rng([seed, progress.epoch, progress.batch])
        loss = _loss(pooled(network, *padded(material.bags, rows)), goals, material.target_of[rows], rng)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        progress.steps += 1
        if time.monotonic() - saved > _SAVE_SECONDS:
            _save(network, optimiser, progress, work)
            saved = time.monotonic()
    _save(network, optimiser, progress, work)
    network.train(False)
    return network


def _loss(made: "Tensor", goals: Floats, own: Ints, rng: np.random.Generator) -> "Tensor":
    import torch

    which = np.concatenate([own, rng.integers(0, len(goals), _NEGATIVES)])
    near = torch.from_numpy(goals[which])
    return distillation_loss(made[:, : near.shape[1]], near, torch.from_numpy(which), torch.ones(len(made)))
