"""Decodes bytes and cuts them into physical lines, in memory that does not grow with a line's length."""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from feedback_nlp.ingest.encoding import MARK_ERRORS

_BLOCK = 1 << 18
_SHOWN = 500


class Oversize(str):
    """The first characters of a line that was longer than allowed; the rest is passed over."""

    __slots__ = ()


def decoded_blocks(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Decode a stream block by block; bytes that are no text become a lone surrogate."""
    decoder = codecs.getincrementaldecoder(encoding)(errors=MARK_ERRORS)
    start = True
    while block := stream.read(_BLOCK):
        text = decoder.decode(block)
        yield text.removeprefix("\ufeff") if start else text
        start = False
    yield decoder.decode(b"", final=True)


def _line_end(block: str) -> str:
    return "\r" if "\r" in block and "\n" not in block else "\n"


def split_lines(blocks: Iterable[str], limit: int) -> Iterator[str]:
    """Cut text at line feeds (at carriage returns where the text has nothing else); lines keep their ends.

    :param limit: longest line, in characters; a longer one comes as :class:`Oversize`.
    """
    end = ""
    rest = ""
    skipping = False
    for block in blocks:
        end = end or (_line_end(block) if block else "")
        parts = (rest + block).split(end) if end else [rest]
        rest = parts.pop()
        for part in parts:
            if skipping:
                skipping = False
            else:
                yield part + end if len(part) <= limit else Oversize(part[:_SHOWN])
        if skipping:
            rest = ""
        elif len(rest) > limit:
            yield Oversize(rest[:_SHOWN])
            rest, skipping = "", True
    if rest:
        yield rest
