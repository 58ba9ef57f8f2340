"""Finds a text file's encoding: BOM, UTF-16 by its NUL bytes, UTF-8, then the legacy code pages of our languages.

The whole file is looked at, so that a legacy byte in the last line counts; only the choice between legacy code pages
rests on a sample. Nothing is ever read as a DOS code page.
"""

import codecs
from typing import BinaryIO

BLOCK = 1 << 20
_HEAD = 1 << 16
_SAMPLE = 1 << 17
_FEWEST_NULS = 4
_LEGACY = ("cp1256", "cp1252", "iso8859_6")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

UNDECODABLE = "\udcff"
MARK_ERRORS = "feedback_nlp.mark"


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Put a lone surrogate for bytes that are no text, so that their row can be rejected and the rest read."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error(MARK_ERRORS, _mark)


def _by_bom(head: bytes) -> str | None:
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def _by_nul_bytes(head: bytes) -> str | None:
    """Tell UTF-16 from the NUL halves of its ASCII characters, which stand all on odd or all on even places."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    units = len(head) // 2
    least = max(_FEWEST_NULS, 0.05 * units)
    if odd >= least and even < 0.01 * units:
        return "utf-16-le"
    if even >= least and odd < 0.01 * units:
        return "utf-16-be"
    return None


def _by_letters(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(_LEGACY)).best()
    if best is not None and best.encoding in _LEGACY:
        return best.encoding
    text = sample.decode("cp1256")
    letters = [char for char in text if char > "\x7f" and char.isalpha()]
    arabic = sum("\u0600" <= char <= "\u06ff" for char in letters)
    return "cp1256" if arabic * 2 > len(letters) else "cp1252"


def detect_encoding(stream: BinaryIO) -> str:
    """Find the encoding of a stream of text.

    :param stream: the file's bytes, from their start; read to the end unless a BOM or NUL bytes decide.
    :returns: a Python codec name: one of the UTF family, cp1256, cp1252 or iso8859_6.
    """
    block = stream.read(BLOCK)
    certain = _by_bom(block) or _by_nul_bytes(block[:_HEAD])
    if certain is not None:
        return certain
    decoder = codecs.getincrementaldecoder("utf-8")(errors=MARK_ERRORS)
    good = bad = 0
    sample = bytearray()
    while block:
        text = decoder.decode(block)
        if not text.isascii():
            wrong = text.count(UNDECODABLE)
            bad += wrong
            good += len(text) - len(text.encode("ascii", "ignore")) - wrong
            if len(sample) < _SAMPLE:
                sample += b"\n".join(line for line in block.split(b"\n") if not line.isascii())[:_SAMPLE]
        block = stream.read(BLOCK)
    bad += decoder.decode(b"", final=True).count(UNDECODABLE)
    return "utf-8" if bad == 0 or good > bad else _by_letters(bytes(sample))
