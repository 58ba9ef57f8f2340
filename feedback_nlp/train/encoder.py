"""Trains the shipped encoders and writes their model folders."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError, ModelError
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import KIND, ReaderEncoder, load_weights
from feedback_nlp.embed.network import TABLE
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.encoder_bags import Material
from feedback_nlp.train.encoder_head import fit_head
from feedback_nlp.train.encoder_material import taught_material, widened_material
from feedback_nlp.train.encoder_prose import draw_to_prose, note_of
from feedback_nlp.train.encoder_static import fit_table, new_table
from feedback_nlp.train.encoder_transformer import CARRIERS, CHECKPOINT, fit_network, new_network
from feedback_nlp.train.encoder_write import (
    STATIC,
    Making,
    card_notes,
    finish,
    without_note,
    write_head,
    write_static,
    write_transformer,
    write_weights,
)
from feedback_nlp.train.prose import read_prose
from feedback_nlp.train.reader import fit_reader, starting_weights
from feedback_nlp.train.reader_data import UNSEEN, read_caused, read_judged
from feedback_nlp.train.reader_pairs import Paired, read_paired
from feedback_nlp.train.reader_tuning import tune_reading

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("static", "transformer", "reader", "reading", "further", "head", "prose")
WIDTH = 256
PROSE = "vectors, alone"
FIRST_ROUND = "encoder-phase1"
_FIRST_EPOCHS, _SECOND_EPOCHS = 3, 2
_MINUTES = 60.0
_FIRST_SHARE = 0.85
_FIRST_RATES = 5e-4, 1e-3
_LAST_RATES = 1e-4, 2e-4

Floats = np.ndarray[Any, np.dtype[np.float32]]


def train_encoder(
    data: Path,
    out: Path,
    *,
    kind: str = "static",
    seed: int = 17,
    minutes: float | None = None,
    work: Path | None = None,
    static_model: str = STATIC,
    created_at: str = "2026-11-28",
) -> ModelFolder:
    """Distil an encoder from the English teacher and write its model folder.

    :param kind: ``static``; ``transformer``, which starts from the static one; ``reader``, which starts from the
        transformer, learns sentiment and root causes beside its vectors and gets a head at the end; ``reading``, which
        tunes what reads in the reader in ``out`` and in that of the first round in ``work``; ``further``, which tunes
        both on, twice at most; ``head``, which fits the head of the reader in ``out`` again; or ``prose``, which draws
        that head to English prose. These four leave the rest as it is.
    :param minutes: how long this kind trains, in minutes of wall time; 60 when None. A transformer or static encoder
        that is still missing in ``work`` is made first, the transformer in as long again. The static encoder takes as
        long as it takes and is the same on every run.
    :param work: folder of the teacher's vectors, tokenizer and checkpoints, beside ``out`` when None; the same command
        goes on from what stands there.
    :param static_model: name or folder of a static encoder of the same tokenizer, whose vectors the head is given.
    :raises ConfigError: for a kind that is not known, a head that was drawn to prose before, or a reader that has
        had all further rounds.
    """
    if kind not in KINDS:
        raise ConfigError(f"No encoder kind '{kind}'. There are: {', '.join(KINDS)}.")
    work = work or out.with_name(f"{out.name}.work")
    minutes = _MINUTES if minutes is None else minutes
    if kind in ("head", "prose"):
        again = _train_head if kind == "head" else _draw_head_to_prose
        return again(data, out, static_model, seed=seed, work=work, created_at=created_at)
    if kind in ("reading", "further"):
        return _tune_reading(data, out, seed=seed, work=work, further=kind == "further")
    if kind == "reader" and (work / CHECKPOINT).exists():
        return _train_reader(data, out, static_model, minutes=minutes, seed=seed, work=work, created_at=created_at)
    taught = taught_material(data, work, width=WIDTH, seed=seed)
    table, widened = fitted_table(taught, data, work, seed=seed)
    making = Making(kind, data, widened.tokenizer, {"vectors": widened.rows}, seed, created_at)
    if kind == "static":
        return write_static(out, table, making)
    network = fit_network(new_network(table[:, :-CARRIERS], seed=seed), widened, minutes=minutes, seed=seed, work=work)
    if kind == "transformer":
        return write_transformer(out, network.state_dict(), making)
    return _train_reader(data, out, static_model, minutes=minutes, seed=seed, work=work, created_at=created_at)


def _train_reader(
    data: Path, out: Path, static_model: str, *, minutes: float, seed: int, work: Path, created_at: str
) -> ModelFolder:
    """Train the reader in two rounds: without the labels of unseen sources, then briefly with them.

    What the first round gives is kept in ``work`` as a model folder: only it can be judged on unseen sources.
    """
    paired = read_paired(data, work, width=WIDTH, seed=seed)
    weights = starting_weights(work / CHECKPOINT, seed=seed)
    weights = _round(data, paired, weights, minutes=minutes * _FIRST_SHARE, seed=seed, work=work, last=False)[0]
    write_weights(work / FIRST_ROUND, weights, work / static.TOKENIZER)
    left = minutes * (1 - _FIRST_SHARE)
    weights, rows = _round(data, paired, weights, minutes=left, seed=seed, work=work, last=True)
    making = Making(
        "reader",
        data,
        work / static.TOKENIZER,
        {"vectors": paired.rows, **rows},
        seed,
        created_at,
        f"- Trained in two rounds. Labels of {', '.join(UNSEEN)} were read in the short second one only: figures on "
        "unseen sources are those of the first.\n",
    )
    write_weights(out, weights, work / static.TOKENIZER)
    found = _head_of(out, static_model, paired, data, seed=seed)
    return write_transformer(out, weights | found, making, static_model)


def _tune_reading(data: Path, out: Path, *, seed: int, work: Path, further: bool) -> ModelFolder:
    """Tune what reads, in the encoder of the first round as well, on which blends are fitted."""
    if (work / FIRST_ROUND).is_dir():
        tune_reading(data, work / FIRST_ROUND, work, unseen=False, seed=seed, further=further)
    return tune_reading(data, out, work, unseen=True, seed=seed, further=further)


def _train_head(data: Path, out: Path, static_model: str, *, seed: int, work: Path, created_at: str) -> ModelFolder:
    """Fit the head of a reader's folder again; rows and notes of its card stay, but for what is said of prose."""
    rows = {use: counted for use, counted in _rows_of(out).items() if use != PROSE}
    paired = read_paired(data, work, width=WIDTH, seed=seed)
    making = Making("reader", data, work / static.TOKENIZER, rows, seed, created_at, without_note(out, note_of({})))
    write_head(out, _head_of(out, static_model, paired, data, seed=seed), static_model)
    return finish(out, KIND, ReaderEncoder.open(ShippedBackend(model=str(out))), making)


def _draw_head_to_prose(
    data: Path, out: Path, static_model: str, *, seed: int, work: Path, created_at: str
) -> ModelFolder:
    """Draw the head of a reader's folder to English prose, once."""
    rows = _rows_of(out)
    if PROSE in rows:
        raise ConfigError(f"The head of {out} was drawn to prose before. Fit it again first, with --kind head.")
    prose = read_prose(data)
    counts = {source: len(texts) for source, texts in prose.items()}
    texts = [text for source in prose.values() for text in source]
    paired = read_paired(data, work, width=WIDTH, seed=seed, prose=texts)
    weights = _with_table(out, static_model)
    found = draw_to_prose(weights, paired, counts, data, work / static.TOKENIZER, seed=seed)
    rows[PROSE] = counts
    notes = card_notes(out) + note_of(counts)
    write_head(out, found, static_model)
    making = Making("reader", data, work / static.TOKENIZER, rows, seed, created_at, notes)
    return finish(out, KIND, ReaderEncoder.open(ShippedBackend(model=str(out))), making)


def _rows_of(folder: Path) -> dict[str, dict[str, int]]:
    """Return the rows that a reader's folder was made from, by use and data set name.

    :raises ModelError: when its manifest does not tell, as after a training that was stopped while it judged.
    """
    rows: dict[str, dict[str, int]] = {}
    told = open_model(folder).require(KIND).manifest.get("training_data")
    if told is None:
        raise ModelError(
            f"{folder}: its manifest names no training data; a training was stopped. Bring the folder anew."
        )
    for used in told:
        rows.setdefault(used["use"], {})[used["name"]] = used["rows"]
    return rows


def _head_of(folder: Path, static_model: str, paired: Paired, data: Path, *, seed: int) -> "dict[str, Tensor]":
    """Fit a head to the transformer in a folder and to a static encoder."""
    return fit_head(_with_table(folder, static_model), paired, data, folder / static.TOKENIZER, seed=seed)


def _with_table(folder: Path, static_model: str) -> "dict[str, Tensor]":
    """Return a transformer's weights, with a static encoder's token vectors as the head is given them."""
    import torch

    table = static.unpack_table(open_model(resolve_model(static_model)).require(static.KIND).arrays())
    return load_weights(folder) | {TABLE: torch.from_numpy(table)}


def _round(
    data: Path,
    paired: Paired,
    weights: "dict[str, Tensor]",
    *,
    minutes: float,
    seed: int,
    work: Path,
    last: bool,
) -> tuple["dict[str, Tensor]", dict[str, dict[str, int]]]:
    """Train one round; return the weights and the rows used."""
    tokenizer = static.open_tokenizer(work / static.TOKENIZER)
    judged = read_judged(data, tokenizer, seed=seed, unseen=last)
    caused = read_caused(data, tokenizer, seed=seed, unseen=last)
    rate, reader_rate = _LAST_RATES if last else _FIRST_RATES
    weights = fit_reader(
        weights,
        paired,
        judged,
        caused,
        minutes=minutes,
        seed=seed,
        work=work / ("round-2" if last else "round-1"),
        rate=rate,
        reader_rate=reader_rate,
    )
    return weights, {"sentiment": judged.rows, "root causes": caused.rows}


def fitted_table(taught: Material, data: Path, work: Path, *, seed: int) -> tuple[Floats, Material]:
    """Fit the token vectors: first on the teacher's texts alone, then with dialect and romanised ones.

    :returns: float32 array of shape (tokens, WIDTH), kept in ``work``, and the material of the second round.
    """
    tokens = len(static.open_tokenizer(taught.tokenizer))
    first, second = work / "table-1.npy", work / "table-2.npy"
    if not first.exists():
        start = new_table(tokens, WIDTH, seed=seed)
        np.save(first, fit_table(start, taught, epochs=_FIRST_EPOCHS, seed=seed))
    table = np.load(first, allow_pickle=False)
    widened = widened_material(taught, data, table)
    if not second.exists():
        np.save(second, fit_table(table, widened, epochs=_SECOND_EPOCHS, seed=seed + 1))
    return np.load(second, allow_pickle=False), widened
