"""Comments written for training, each in three languages, with the words of their causes marked.

``written_comments.txt`` has a block of four lines a comment: sentiment and other causes, then the comment in English,
Arabic and Persian, for example ``en: They {P.returns-:refused to take it back}``. The codes are those of the annotation
guide. A language model wrote and marked them under that guide; none is taken from a data set.
"""

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

_MARK = re.compile(r"\{([PE]\.[a-z]+)([+-]):([^{}]+)\}")
_NONE = "-"
_LINES = 4

Three = dict[str, dict[str, Any]]


def read_written(text: str | None = None) -> Iterator[Three]:
    """Yield each written comment: by language a row as in ``rootcause/train.jsonl``.

    :param text: what to read in place of the shipped file.
    :raises ValueError: when a block is broken; the message shows where.
    """
    if text is None:
        text = resources.files("feedback_nlp.train").joinpath("written_comments.txt").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        if len(lines) != _LINES:
            raise ValueError(f"{lines[0]!r}: a written comment has {_LINES} lines, this one {len(lines)}.")
        sentiment, _, others = lines[0].partition("|")
        head = {"s": sentiment, "o": [] if others == _NONE else others.split(",")}
        yield {lang: {**head, **row} for lang, row in map(_row, lines[1:])}


def _row(line: str) -> tuple[str, dict[str, Any]]:
    lang, _, marked = line.partition(": ")
    drivers = [[code, sign, words] for code, sign, words in _MARK.findall(marked)]
    plain = _MARK.sub(r"\3", marked)
    if "{" in plain or "}" in plain:
        raise ValueError(f"{line!r}: braces hold a code, its sign and words, as in {{P.returns-:refused}}.")
    return lang, {"lang": lang, "text": plain, "d": drivers}
