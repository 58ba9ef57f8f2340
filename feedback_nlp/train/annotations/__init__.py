"""Comments annotated for root causes beyond the data folder's own: labels and places here, texts in the data folder.

Two tab-separated files a language, those annotated first and those annotated later, which take the place of the first
where both have a text: its hash, the data set it was drawn from, its sentiment, its drivers with the place of their
evidence, its other causes. No text stands here, so that no data set is copied; a line counts where the data folder has
the text. The guide is that of the data folder (``rootcause/GUIDE.md``); ``docs/root-causes.md`` says who annotated and
how well two readings agree.
"""

from collections.abc import Iterator
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from feedback_nlp.train.data import read_set

# What the guide's codes for sentiment mean.
SENTIMENT_CODES = {"neg": "negative", "neu": "neutral", "pos": "positive", "mix": "mixed"}
_LANGS = ("ar", "fa", "en")
_NONE = "-"
_TRANSLATED = "feedback_trilingual"


def annotation_key(text: str) -> str:
    """Return what a text is known by: the first 16 hexadecimal digits of its SHA-256, not a letter changed."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_annotations(data: Path) -> list[dict[str, Any]]:
    """Read the annotated comments whose text the data folder has.

    :returns: rows with ``id``, ``lang``, ``source``, ``text``, ``s``, ``d`` and ``o`` as in ``rootcause/train.jsonl``,
        and ``chosen``: a model had a say in which comments were annotated.
    """
    lines = [(lang, line.split("\t")) for lang in _LANGS for line in _lines(lang)]
    texts = _texts(data, frozenset(fields[1] for _, fields in lines), frozenset(fields[0] for _, fields in lines))
    return [_row(lang, fields, texts[fields[0]]) for lang, fields in lines if fields[0] in texts]


def _lines(lang: str) -> list[str]:
    """Return the lines about one language; one that was annotated later takes the place of an earlier one."""
    files = [resources.files(__name__).joinpath(f"{lang}{part}.tsv") for part in ("", "_later")]
    found = {line.split("\t")[0]: line for file in files for line in file.read_text(encoding="ascii").splitlines()}
    return [found[key] for key in sorted(found)]


def _texts(data: Path, sources: frozenset[str], keys: frozenset[str]) -> dict[str, str]:
    """Return the wanted texts of the sets they were drawn from, by key."""
    found = {}
    for text in _texts_of(data, sources):
        key = annotation_key(text)
        if key in keys:
            found[key] = text
    return found


def _texts_of(data: Path, sources: frozenset[str]) -> Iterator[str]:
    for name in sorted(sources):
        if (data / "feedback" / f"{name}.parquet").is_file():
            yield from read_set(data, name)["text"].astype(str)
    if (data / "parallel" / f"{_TRANSLATED}.parquet").is_file():
        frame = read_set(data, _TRANSLATED, folder="parallel")
        for lang in _LANGS:
            yield from frame[lang].astype(str)


def _row(lang: str, fields: list[str], text: str) -> dict[str, Any]:
    key, source, sentiment, drivers, others = fields
    parts = [] if drivers == _NONE else [one.split(":") for one in drivers.split(";")]
    return {
        "id": key,
        "lang": lang,
        "source": source,
        "text": text,
        "s": sentiment,
        "d": [[code[:-1], code[-1], text[int(start) : int(end)]] for code, start, end in parts],
        "chosen": True,
        "o": [] if others == _NONE else others.split(","),
    }
