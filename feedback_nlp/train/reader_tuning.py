"""Tunes what reads on top of the trunk, whose weights stand still, so that no vector changes.

The reader gets copies of the trunk's last layers for itself. They and the reading layer go on learning together: from
the annotated comments, from comments with a sentiment, and from comments in three languages, each of which is drawn to
what is read in all three. This is done more than once from the same start, and the weights that come of it are
averaged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feedback_nlp.core.errors import ModelError
from feedback_nlp.core.modelfolder import ModelFolder, open_model
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import KIND, READER_FILE, load_weights
from feedback_nlp.embed.network import LOWER, READER, layer, layers_of, own_layers, states
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.train import written
from feedback_nlp.train.encoder_bags import Bags, Ints
from feedback_nlp.train.encoder_write import described_again
from feedback_nlp.train.reader import round_of_batches
from feedback_nlp.train.reader_data import MAX_TOKENS, Caused, Judged, read_caused, read_judged
from feedback_nlp.train.reader_losses import Layer, agreement_loss, cause_loss, padded, sentiment_loss
from feedback_nlp.train.rootcause_data import LANGS, read_triples

if TYPE_CHECKING:
    from torch import Tensor

OWN_LAYERS = 2
_SENTIMENT_DRAWN = 240_000
_AGREED_WEIGHT, _SENTIMENT_WEIGHT = 2.0, 2.0
_RATE, _WARM_STEPS, _LAST_RATE = 3e-4, 100, 0.02
_DROP = 0.1
_ROWS = 64

_NOTE = (
    "- The reader has copies of the trunk's last {own} layers to itself. They and the reading layer were tuned last,\n"
    "  the trunk standing still, {times} times from the same start, and the weights that this made were averaged\n"
    "  (Wortsman et al. 2022, https://arxiv.org/abs/2203.05482):\n  {tunings}.\n"
    "  Each also learnt from {drawn:,} comments with a sentiment, drawn by weight.\n"
)
_TUNING = "{epochs} rounds of annotated comments{which}, {agreed} of comments in three languages"

Weights = Mapping[str, "Tensor"]


@dataclass(frozen=True)
class Tuning:
    """One of the tunings whose weights are averaged.

    :param later: whether comments that were annotated later, or written in three languages, are learnt from, too.
    :param epochs: rounds of annotated comments.
    :param agreed: rounds of comments in three languages, each drawn to what is read in all three.
    """

    later: bool
    epochs: int
    agreed: int

    def __str__(self) -> str:
        which = "" if self.later else " (those annotated first)"
        return _TUNING.format(epochs=self.epochs, which=which, agreed=self.agreed)


_TUNINGS = (Tuning(later=False, epochs=5, agreed=8), Tuning(later=True, epochs=4, agreed=6))


@dataclass(frozen=True)
class Frozen:
    """What a layer of the trunk makes of texts.

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


@dataclass(frozen=True)
class Lessons:
    """What there is to learn, each with the states below the reader's own layers.

    :param caused: annotated comments.
    :param judged: comments with a sentiment.
    :param states: of ``causes``, ``sentiment`` and ``agreed``: comments in three languages, one language after another.
    """

    caused: Caused
    judged: Judged
    states: Mapping[str, Frozen]

    def loss(self, weights: Weights, kind: str, rows: Ints, rng: np.random.Generator) -> "Tensor":
        """Return the weighted loss of a batch of one kind."""
        run = _layer_of(weights, self.states[kind], rng)
        if kind == "causes":
            return cause_loss(weights, self.caused, rows, run)
        if kind == "sentiment":
            return _SENTIMENT_WEIGHT * sentiment_loss(weights, self.judged, rows, run)
        every = np.arange(len(LANGS))[:, None] * len(self._sizes(kind)) + rows
        return _AGREED_WEIGHT * agreement_loss(weights, every, run)

    def _sizes(self, kind: str) -> Ints:
        """Return the tokens of each text, or of a comment's in all languages; 0 where one of these has none."""
        sizes = self.states[kind].sizes
        if kind != "agreed":
            return sizes
        every = sizes.reshape(len(LANGS), -1)
        return np.where(every.min(axis=0) > 0, every.max(axis=0) * len(LANGS), 0)

    def steps(self, tuning: Tuning, seed: int) -> Sequence[tuple[str, Ints]]:
        """Return the batches of all rounds, the kinds mixed."""
        drawn = self.judged.weights * (_SENTIMENT_DRAWN / max(float(self.judged.weights.sum()), 1e-9))
        ones = np.ones(len(self._sizes("agreed")), dtype=np.float32)
        found: list[tuple[str, Ints]] = []
        for kind, epochs, weights in (
            ("causes", tuning.epochs, self.caused.weights),
            ("agreed", tuning.agreed, ones),
            ("sentiment", 1, drawn.astype(np.float32)),
        ):
            for epoch in range(epochs):
                rng = np.random.default_rng([seed, epoch])
                found += [(kind, rows) for rows in round_of_batches(self._sizes(kind), weights, rng)]
        order = np.random.default_rng(seed).permutation(len(found))
        return [found[place] for place in order.tolist()]


def _batches(sizes: Ints) -> Iterator[Ints]:
    """Yield the texts that have a token, those of about equal length together."""
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    for first in range(0, len(order), _ROWS):
        yield order[first : first + _ROWS]


def freeze(weights: Weights, bags: Bags, depth: int) -> Frozen:
    """Run the trunk over texts.

    :param weights: see :func:`feedback_nlp.embed.backends.reader.load_weights`.
    :param depth: which of :func:`feedback_nlp.embed.network.states` is kept: -1 is the last layer.
    """
    import torch

    sizes = np.minimum(np.diff(bags.ends), MAX_TOKENS)
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    found = torch.zeros(int(ends[-1]), width, dtype=torch.bfloat16)
    with torch.inference_mode():
        for rows in _batches(sizes):
            ids, mask = padded(bags, rows, MAX_TOKENS)
            places = np.concatenate([np.arange(ends[row], ends[row + 1]) for row in rows])
            found[torch.from_numpy(places)] = states(weights, ids, mask)[depth][mask].to(torch.bfloat16)
    return Frozen(found, ends)


def read_three(data: Path, tokenizer: Path, *, later: bool) -> Bags:
    """Read comments in three languages to learn from, language by language in the same order.

    :param later: whether written ones are read beside those that were translated.
    """
    rows = [{lang: str(row[lang]) for lang in LANGS} for row in read_triples(data)]
    if later:
        rows += [{lang: str(three[lang]["text"]) for lang in LANGS} for three in written.read_written()]
    texts = [normalise(row[lang], lang).clean for lang in LANGS for row in rows]
    return Bags.of(static.tokenize(static.open_tokenizer(tokenizer), texts))


def _layer_of(weights: Weights, frozen: Frozen, rng: np.random.Generator) -> Layer:
    """Return what runs the reader's layers over rows; tokens are hidden and units dropped by chance."""
    import torch

    drop = torch.nn.functional.dropout

    def run(rows: Ints) -> "tuple[Tensor, Tensor]":
        hidden, mask = frozen.padded(rows)
        seen = mask & torch.from_numpy(rng.random(tuple(mask.shape)) >= _DROP)
        seen = torch.where(seen.any(1, keepdim=True), seen, mask)
        with torch.autocast("cpu", torch.bfloat16):
            for name in (*own_layers(weights), READER):
                hidden = layer(weights, name, drop(hidden, _DROP), seen[:, None, None, :])
        return hidden.float(), seen

    return run


def start_of(weights: Weights) -> "dict[str, Tensor]":
    """Return what is tuned, to start from: copies of the trunk's last layers, the reading layer and its heads."""
    found = {name: value for name, value in weights.items() if name.startswith("reader.")}
    for number in range(OWN_LAYERS):
        copied = f"encoder.layer.{layers_of(weights) - OWN_LAYERS + number}."
        for name, value in weights.items():
            if name.startswith(copied):
                found[name.replace(copied, f"{LOWER}.{number}.", 1)] = value
    return {name: value.float().clone() for name, value in found.items()}


def fit_reading(
    weights: "dict[str, Tensor]",
    lessons: Lessons,
    tuning: Tuning,
    *,
    seed: int,
    report: Callable[[float, str, float], None] | None = None,
) -> "dict[str, Tensor]":
    """Tune the reader's layers.

    :param weights: see :func:`start_of`; changed in place.
    :param report: told how far it is, the kind and the loss of every step.
    """
    import torch

    torch.manual_seed(seed)
    for value in weights.values():
        value.requires_grad_()
    groups = [
        {"params": [one for one in weights.values() if (one.ndim > 1) == wide], "weight_decay": 0.01 if wide else 0.0}
        for wide in (True, False)
    ]
    optimiser = torch.optim.AdamW(groups, lr=_RATE, betas=(0.9, 0.98), fused=True)
    steps = lessons.steps(tuning, seed)
    for number, (kind, rows) in enumerate(steps):
        done = number / len(steps)
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min((number + 1) / _WARM_STEPS, max(1 - done, _LAST_RATE))
        loss = lessons.loss(weights, kind, rows, np.random.default_rng([seed, number]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        optimiser.step()
        if report is not None:
            report(done, kind, loss.item())
    return {name: value.detach() for name, value in weights.items()}


def tune_reading(data: Path, folder: Path, work: Path, *, unseen: bool, seed: int) -> ModelFolder:
    """Tune the reader of a transformer's folder, once for each of ``_TUNINGS``, and average the weights.

    Trunk and head stay as they are.

    :param work: folder where the reader is kept as it was before, to start from again, and what each tuning made; one
        that stands there is taken.
    :param unseen: whether labels of ``reader_data.UNSEEN`` are read, too.
    :param seed: draws the comments whose sentiment is kept for judging; the training's own is one more.
    :raises ModelError: when the folder's reader is tuned and the one that it came from is not in ``work``.
    """
    import torch
    from safetensors.torch import load_file, save_file

    opened = open_model(folder).require(KIND)
    name = "last" if unseen else "first"
    weights = {key: value for key, value in load_weights(folder).items() if not key.startswith("reader.")}
    weights |= _reader_before(folder, work / f"reader-{name}.safetensors")
    tokenizer = folder / static.TOKENIZER
    pieces = static.open_tokenizer(tokenizer)
    made, rows = [], {}
    for number, tuning in enumerate(_TUNINGS, start=1):
        caused = read_caused(data, pieces, seed=seed, unseen=unseen, later=tuning.later)
        judged = read_judged(data, pieces, seed=seed, unseen=unseen, later=tuning.later)
        tuned = work / f"reading-{name}-{number}.safetensors"
        if not tuned.exists():
            lessons = _lessons(weights, caused, judged, read_three(data, tokenizer, later=tuning.later))
            save_file(fit_reading(start_of(weights), lessons, tuning, seed=seed + 1), tuned)
        made.append(load_file(tuned))
        rows = {"sentiment": judged.rows, "root causes": caused.rows}
    found = {key: torch.stack([one[key] for one in made]).mean(0).half() for key in made[0]}
    save_file(found, folder / READER_FILE, metadata={"format": "pt"})
    (folder / READER_FILE).chmod(0o644)
    told = ";\n  ".join(map(str, _TUNINGS))
    note = _NOTE.format(own=OWN_LAYERS, times=len(_TUNINGS), tunings=told, drawn=_SENTIMENT_DRAWN)
    return described_again(opened, note, data, rows)


def _reader_before(folder: Path, kept: Path) -> "dict[str, Tensor]":
    """Return the reader as it was before it was tuned, and keep it in a file; one that stands there is taken."""
    from safetensors.torch import load_file, save_file

    if not kept.exists():
        reader = load_file(folder / READER_FILE)
        if any(key.startswith(LOWER) for key in reader):
            raise ModelError(f"{folder}: its reader is tuned, and {kept} with the one before is missing.")
        save_file(reader, kept)
    return {key: value.float() for key, value in load_file(kept).items()}


def _lessons(weights: Weights, caused: Caused, judged: Judged, three: Bags) -> Lessons:
    bags = {"causes": caused.bags, "sentiment": judged.bags, "agreed": three}
    return Lessons(
        caused,
        judged,
        {kind: freeze(weights, found, -1 - OWN_LAYERS) for kind, found in bags.items()},
    )
