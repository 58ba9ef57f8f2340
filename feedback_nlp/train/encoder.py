"""Trains the shipped encoders and writes their model folders."""

import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.modelfolder import ModelFolder, open_model, write_model
from feedback_nlp.embed.backends import huggingface, static
from feedback_nlp.embed.encoder import Encoder
from feedback_nlp.embed.settings import ShippedBackend, StaticBackend
from feedback_nlp.train.data import provenance
from feedback_nlp.train.encoder_bags import Material
from feedback_nlp.train.encoder_material import taught_material, widened_material
from feedback_nlp.train.encoder_static import fit_table, new_table
from feedback_nlp.train.encoder_teacher import TEACHER
from feedback_nlp.train.encoder_tokenizer import write_fast_tokenizer
from feedback_nlp.train.encoder_transformer import CARRIERS, MAX_TOKENS, fit_network, new_network
from feedback_nlp.train.evaluate_embedding import evaluate
from feedback_nlp.train.figures import card_table

if TYPE_CHECKING:
    from transformers import BertModel

KINDS = ("static", "transformer")
WIDTH = 256
_VERSION = "1"
_FIRST_EPOCHS, _SECOND_EPOCHS = 3, 2
_MINUTES = 60.0

Floats = np.ndarray[Any, np.dtype[np.float32]]

_WHAT = {
    static.KIND: "One vector a word piece; a text's vector is their mean. Needs numpy and SentencePiece only.",
    huggingface.KIND: "A BERT of 3 layers that starts as the static encoder; a text's vector is the mean of the last "
    "layer over its word pieces. Hugging Face format: `AutoModel` and `AutoTokenizer` open it. Fold texts "
    "first and take the mean over the pieces; there are no special tokens.",
}
_LIMITS = {
    static.KIND: "Word order and negation do not count in a mean of word vectors. ",
    huggingface.KIND: "Texts are read up to 128 word pieces. ",
}
_CARD = """# {name}

{what}

- Languages: Arabic (standard and dialects), Persian, English. Texts are folded first (`feedback_nlp.core.folding`).
- Teacher: {teacher} (Apache-2.0), English.
  A text in any language is drawn to the teacher's vector of its English side, and told from other texts' vectors
  (Reimers & Gurevych 2020, https://arxiv.org/abs/2004.09813).
- Width {width}, {size:.1f} MB, seed {seed}.

## Figures
None of these sentences were trained on: training texts that equal one after folding were left out.

{figures}
## Data
{data}

## Limits
{limits}Romanised texts should be put into native letters first, as the normalise stage does. Long comments
are one vector: their topics blend. News and encyclopaedia subjects are known from translated sentences only.
"""


def train_encoder(
    data: Path,
    out: Path,
    *,
    kind: str = "static",
    seed: int = 17,
    minutes: float | None = None,
    work: Path | None = None,
    created_at: str = "2026-11-28",
) -> ModelFolder:
    """Distil an encoder from the English teacher and write its model folder.

    :param kind: ``static``, or ``transformer``, which starts from the static one.
    :param minutes: how long the transformer trains, in minutes of wall time; 60 when None. The static encoder takes as
        long as it takes and is the same on every run.
    :param work: folder of the teacher's vectors, tokenizer and checkpoints, beside ``out`` when None; the same command
        goes on from what stands there.
    :raises ConfigError: for a kind that is not known.
    """
    if kind not in KINDS:
        raise ConfigError(f"No encoder kind '{kind}'. There are: {', '.join(KINDS)}.")
    work = work or out.with_name(f"{out.name}.work")
    taught = taught_material(data, work, width=WIDTH, seed=seed)
    table, widened = fitted_table(taught, data, work, seed=seed)
    if kind == "static":
        return write_static(out, table, widened, data=data, seed=seed, created_at=created_at)
    network = fit_network(
        new_network(table[:, :-CARRIERS], seed=seed),
        widened,
        minutes=_MINUTES if minutes is None else minutes,
        seed=seed,
        work=work,
    )
    return write_transformer(out, network, widened, data=data, seed=seed, created_at=created_at)


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


def write_static(
    out: Path, table: Floats, material: Material, *, data: Path, seed: int, created_at: str
) -> ModelFolder:
    """Write the static encoder's folder, with figures measured on what was written."""
    table = table.copy()
    table[static.silent_pieces(static.open_tokenizer(material.tokenizer))] = 0
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(material.tokenizer, out / static.TOKENIZER)
    write_model(out, kind=static.KIND, name=out.name, version=_VERSION, details={}, arrays=static.pack_table(table))
    encoder = static.StaticEncoder.open(StaticBackend(model=str(out)))
    return _finish(out, static.KIND, encoder, material, data=data, seed=seed, created_at=created_at)


def write_transformer(
    out: Path, network: "BertModel", material: Material, *, data: Path, seed: int, created_at: str
) -> ModelFolder:
    """Write the transformer's folder in Hugging Face format and half precision, with figures measured on it."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(material.tokenizer, out / static.TOKENIZER)
    write_fast_tokenizer(material.tokenizer, out, max_tokens=MAX_TOKENS)
    network.half().save_pretrained(out)  # type: ignore[no-untyped-call]
    write_model(out, kind=huggingface.KIND, name=out.name, version=_VERSION, details={})
    encoder = huggingface.open_shipped(ShippedBackend(model=str(out)))
    return _finish(out, huggingface.KIND, encoder, material, data=data, seed=seed, created_at=created_at)


def _finish(
    out: Path, kind: str, encoder: Encoder, material: Material, *, data: Path, seed: int, created_at: str
) -> ModelFolder:
    """Write manifest and card again, now with figures; the arrays stay."""
    figures = evaluate(data, encoder=encoder, seed=seed)
    used = provenance(data, material.rows)
    details = {
        "languages": ["ar", "fa", "en"],
        "labels": [],
        "width": WIDTH,
        "teacher": TEACHER,
        "training_data": list(used),
        "metrics": [figure.as_dict() for figure in figures],
        "calibration": None,
        "library_versions": {name: version(name) for name in ("numpy", "sentencepiece", "torch", "transformers")},
        "created_at": created_at,
        "seed": seed,
    }
    size = sum((out / name).stat().st_size for name in open_model(out).manifest["files"]) / 1e6
    card = _CARD.format(
        name=out.name,
        what=_WHAT[kind],
        teacher=TEACHER,
        width=WIDTH,
        size=size,
        seed=seed,
        figures=card_table(figures),
        data=_data_table(used),
        limits=_LIMITS[kind],
    )
    return write_model(out, kind=kind, name=out.name, version=_VERSION, details=details, card=card)


def _data_table(used: Sequence[dict[str, Any]]) -> str:
    lines = [f"| {one['name']} | {one['rows']:,} | {one['licence']} |" for one in used]
    return "\n".join(["| set | rows | licence as stated |", "|---|---|---|", *lines])
