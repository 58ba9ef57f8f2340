"""Writes the folders of trained encoders: weights, tokenizer, manifest, and a card with figures measured on them."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.modelfolder import CARD, ModelFolder, open_model, resolve_model, write_model
from feedback_nlp.core.reading import READING_LABELS
from feedback_nlp.embed.backends import reader, static
from feedback_nlp.embed.encoder import Encoder
from feedback_nlp.embed.network import TABLE, layers_of
from feedback_nlp.embed.settings import ShippedBackend, StaticBackend
from feedback_nlp.train.data import details_of, provenance
from feedback_nlp.train.encoder_teacher import TEACHER
from feedback_nlp.train.encoder_tokenizer import write_fast_tokenizer
from feedback_nlp.train.encoder_transformer import MAX_TOKENS, bert_config
from feedback_nlp.train.evaluate_embedding import judge
from feedback_nlp.train.figures import card_table

if TYPE_CHECKING:
    from torch import Tensor

STATIC = "encoder-static"
_VERSION = "1"

Floats = np.ndarray[Any, np.dtype[np.float32]]

_BERT = (
    "A BERT of 3 layers; a text's vector is the mean of the last layer over its word pieces. Hugging Face format: "
    "`AutoModel` and `AutoTokenizer` open it. Fold texts first and take the mean over the pieces; there are no special "
    "tokens."
)
_WHAT = {
    "static": "One vector a word piece; a text's vector is their mean. Needs numpy and SentencePiece only.",
    "transformer": f"{_BERT} It starts as the static encoder.",
    "reader": f"{_BERT} `head.safetensors` makes a better vector from the means of all layers and the static encoder's "
    "token vectors; it is fitted on the pairs that the vectors were trained on, in a fixed number of steps. The "
    "figures are those of the head's vectors. `reader.safetensors` holds a reader "
    "with heads, which read polarity, root causes with the tokens that show them, and the other readings; the scores "
    "are not calibrated, the models `sentiment` and `rootcause` are fitted on top of them.",
}
_WINDOWS = (
    f"{MAX_TOKENS} word pieces are read at once, longer texts in windows that know nothing of each other, eight unless "
    "configured otherwise; what follows is left out. "
)
_LIMITS = {
    "static": "Word order and negation do not count in a mean of word vectors. ",
    "transformer": _WINDOWS,
    "reader": _WINDOWS,
}
_CARD = """# {name}

{what}

- Languages: Arabic (standard and dialects), Persian, English. Texts are folded first (`feedback_nlp.core.folding`).
- Teacher: {teacher} (Apache-2.0), English.
  A text in any language is drawn to the teacher's vector of its English side, and told from other texts' vectors
  (Reimers & Gurevych 2020, https://arxiv.org/abs/2004.09813).
- Width {width}, {size:.1f} MB, seed {seed}.
{notes}
## Figures
None of these sentences were trained on: training texts that equal one after folding were left out.

{figures}
## Data
{data}

## Limits
{limits}Romanised texts should be put into native letters first, as the normalise stage does. Long comments
are one vector: their topics blend. In Arabic and Persian, news and encyclopaedia subjects are known from translated
sentences only.
"""


@dataclass(frozen=True)
class Making:
    """How an encoder was made.

    :param kind: ``static``, ``transformer`` or ``reader``.
    :param data: the data folder.
    :param tokenizer: SentencePiece model file.
    :param rows: rows used by data set name, by use: ``vectors``, ``sentiment``, ``root causes``.
    :param seed: of everything random.
    :param created_at: date in the manifest.
    :param notes: lines of Markdown for the card.
    """

    kind: str
    data: Path
    tokenizer: Path
    rows: Mapping[str, dict[str, int]]
    seed: int
    created_at: str
    notes: str = ""


def write_static(out: Path, table: Floats, making: Making) -> ModelFolder:
    """Write the static encoder's folder, with figures measured on what was written."""
    table = table.copy()
    table[static.silent_pieces(static.open_tokenizer(making.tokenizer))] = 0
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(making.tokenizer, out / static.TOKENIZER)
    write_model(out, kind=static.KIND, name=out.name, version=_VERSION, details={}, arrays=static.pack_table(table))
    encoder = static.StaticEncoder.open(StaticBackend(model=str(out)))
    return finish(out, static.KIND, encoder, making)


def write_weights(out: Path, weights: Mapping[str, "Tensor"], tokenizer: Path, fitted: str = STATIC) -> ModelFolder:
    """Write a transformer in Hugging Face format and half precision; reading layer and head in files of their own.

    :param fitted: name or folder of the static encoder on whose token vectors the head was fitted.
    """
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tokenizer, out / static.TOKENIZER)
    write_fast_tokenizer(tokenizer, out, max_tokens=MAX_TOKENS)
    halves = {name: value.detach().half().contiguous() for name, value in weights.items() if name != TABLE}
    reading = {name: value for name, value in halves.items() if name.startswith("reader.")}
    heading = {name: value for name, value in halves.items() if name.startswith("head.")}
    bare = {name: value for name, value in halves.items() if name not in reading | heading}
    config = bert_config(
        *bare["embeddings.word_embeddings.weight"].shape,
        layers=layers_of(bare),
        inner=len(bare["encoder.layer.0.intermediate.dense.bias"]),
        positions=len(bare["embeddings.position_embeddings.weight"]),
    )
    config.architectures, config.dtype = ["BertModel"], "float16"
    config.save_pretrained(out)
    for name, tensors in {reader.TRUNK_FILE: bare, reader.READER_FILE: reading}.items():
        (out / name).unlink(missing_ok=True)
        if tensors:
            save_file(tensors, out / name, metadata={"format": "pt"})
            (out / name).chmod(0o644)
    (out / reader.HEAD_FILE).unlink(missing_ok=True)
    return write_head(out, heading, fitted)


def write_head(out: Path, weights: Mapping[str, "Tensor"], fitted: str = STATIC) -> ModelFolder:
    """Write the head, where there is one, beside a transformer, whose other files stay.

    :param fitted: see :func:`write_weights`.
    """
    from safetensors.torch import save_file

    if weights:
        halves = {name: value.detach().half().contiguous() for name, value in weights.items()}
        save_file(halves, out / reader.HEAD_FILE, metadata={"format": "pt", **_described(fitted)})
        (out / reader.HEAD_FILE).chmod(0o644)
    return write_model(out, kind=reader.KIND, name=out.name, version=_VERSION, details={})


def _described(model: str) -> dict[str, str]:
    return {"static": model, "static_fingerprint": open_model(resolve_model(model)).fingerprint}


def write_transformer(out: Path, weights: Mapping[str, "Tensor"], making: Making, fitted: str = STATIC) -> ModelFolder:
    """Write the transformer's folder, with or without reading layer and head, with figures measured on it."""
    write_weights(out, weights, making.tokenizer, fitted)
    return finish(out, reader.KIND, reader.ReaderEncoder.open(ShippedBackend(model=str(out))), making)


def finish(out: Path, kind: str, encoder: Encoder, making: Making) -> ModelFolder:
    """Write manifest and card again, now with figures; the arrays stay."""
    figures = judge(making.data, encoder, seed=making.seed)
    used = [
        {**row, "use": use} for use, counted in making.rows.items() for row in provenance(making.data, dict(counted))
    ]
    details = {
        "languages": ["ar", "fa", "en"],
        "labels": list(READING_LABELS) if making.kind == "reader" else [],
        "width": encoder.width,
        "teacher": TEACHER,
        "training_data": used,
        "metrics": [figure.as_dict() for figure in figures],
        "calibration": None,
        "library_versions": {name: version(name) for name in ("numpy", "sentencepiece", "torch", "transformers")},
        "created_at": making.created_at,
        "seed": making.seed,
    }
    card = _CARD.format(
        name=out.name,
        what=_WHAT[making.kind],
        teacher=TEACHER,
        width=encoder.width,
        size=_megabytes(open_model(out)),
        seed=making.seed,
        notes=making.notes,
        figures=card_table(figures),
        data=_data_table(used),
        limits=_LIMITS[making.kind],
    )
    return write_model(out, kind=kind, name=out.name, version=_VERSION, details=details, card=card)


def described_again(
    folder: ModelFolder, note: str, data: Path, rows: Mapping[str, dict[str, int]], *, gone: Sequence[str] = ()
) -> ModelFolder:
    """Write the manifest of a folder whose weights have changed but not its vectors; its card gets a note.

    :param folder: as it was opened before.
    :param note: lines of Markdown, added once, in place of one with the same first line.
    :param data: the data folder.
    :param rows: rows used by data set name, by use; they take the place of those of the same use.
    :param gone: notes that no longer hold.
    """
    details = details_of(folder)
    used = [row for row in details.get("training_data", []) if row["use"] not in rows]
    used += [{**row, "use": use} for use, counted in rows.items() for row in provenance(data, dict(counted))]
    details["training_data"] = used
    head, mark, rest = (folder.path / CARD).read_text(encoding="utf-8").partition("\n## Figures")
    if mark:
        title, _, described = head.split("\n\n", 2)
        described = re.sub(r"(?<=, )[\d.]+(?= MB)", f"{_megabytes(folder):.1f}", described, count=1)
        for each in (note, *gone):
            described = _without(described, each)
        head = "\n\n".join([title, _WHAT["reader"], described + note])
        figures, _, limits = rest.partition("\n## Data\n")
        rest = f"{figures}\n## Data\n{_data_table(used)}\n\n## Limits{limits.partition('## Limits')[2]}"
    text = f"{head}{mark}{rest}"
    name, edition = str(folder.manifest["name"]), str(folder.manifest["version"])
    return write_model(folder.path, kind=folder.kind, name=name, version=edition, details=details, card=text)


def _megabytes(folder: ModelFolder) -> float:
    return float(sum((folder.path / name).stat().st_size for name in folder.manifest["files"])) / 1e6


def card_notes(folder: Path) -> str:
    """Return the notes of a folder's card, lines of Markdown."""
    described = (folder / CARD).read_text(encoding="utf-8").partition("## Figures")[0]
    return described.partition("\n- Width ")[2].partition("\n")[2].removesuffix("\n")


def without_note(folder: Path, note: str) -> str:
    """Return the notes of a folder's card without one that begins as ``note`` does."""
    return _without(card_notes(folder), note)


def _without(notes: str, note: str) -> str:
    begins = re.escape(note.partition("\n")[0])
    return re.sub(rf"^{begins}\n(?:  .*\n)*", "", notes, flags=re.MULTILINE)


def _data_table(used: Sequence[dict[str, Any]]) -> str:
    lines = [f"| {one['name']} | {one['use']} | {one['rows']:,} | {one['licence']} |" for one in used]
    return "\n".join(["| set | for | rows | licence as stated |", "|---|---|---|---|", *lines])
