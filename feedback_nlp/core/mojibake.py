"""Finds text that was written in one encoding and read in another, where that is beyond doubt.

Three accidents are common in feedback dumps: UTF-8 read as Windows-1252 or Latin-1 (``Ø§Ù„``, ``â€™``), UTF-8 read as
Windows-1256 (``ط§ظ„``), and Windows-1256 read as Windows-1252 (``ÇáÎÏãÉ``). Each mended code point replaces the code
points that spelled its bytes.
"""

import re
from collections.abc import Sequence
from functools import cache

from feedback_nlp.core.offsets import OffsetMap

Edit = tuple[int, int, str]

_UTF8 = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LEAD = re.compile("[\xc2-\xf4]")
_FEWEST_ACCENTED = 5


@cache
def _byte_table(encoding: str) -> dict[int, str]:
    """Map the code points that an encoding gives to bytes 80-FF back to those bytes, as Latin-1 characters."""
    chars = {byte: bytes([byte]).decode(encoding, "ignore") for byte in range(0x80, 0x100)}
    return {ord(char): chr(byte) for byte, char in chars.items() if char}


@cache
def _run_1256() -> re.Pattern[str]:
    """Match three Arabic letters in a row whose UTF-8 was read as Windows-1256."""
    tails = bytes(range(0x80, 0xC0)).decode("cp1256") + "".join(map(chr, range(0x80, 0xC0)))
    return re.compile(f"(?:[طظعغ][{re.escape(tails)}]){{3}}")


def _is_arabic(text: str) -> bool:
    return all("\u0600" <= char <= "\u06ff" for char in text)


def _utf8_edits(text: str, encoding: str) -> list[Edit]:
    """Return edits that read what an encoding made of UTF-8 bytes as UTF-8."""
    as_bytes = text.translate(_byte_table(encoding))
    edits: list[Edit] = []
    for match in _UTF8.finditer(as_bytes):
        char = match.group().encode("latin-1").decode("utf-8", "ignore")
        if len(char) == 1:
            edits.append((match.start(), match.end(), char))
    if encoding == "cp1256":
        return edits
    arabic = sum(_is_arabic(new) for _, _, new in edits)
    return [edit for edit in edits if as_bytes[edit[0]] in "ÂÃâð" or (arabic > 1 and _is_arabic(edit[2])) or arabic > 3]


def _windows_edits(text: str) -> list[Edit]:
    """Return edits that read accented Latin letters as Windows-1256, where words are made of little else."""
    accented = sum("\xc0" <= char <= "\xff" for char in text)
    plain = sum(char.isalpha() for char in text) - accented
    if accented < _FEWEST_ACCENTED or plain * 4 > accented:
        return []
    table = _byte_table("cp1252")
    edits: list[Edit] = []
    for at, char in enumerate(text):
        byte = table.get(ord(char))
        if byte is not None:
            edits.append((at, at + 1, byte.encode("latin-1").decode("cp1256")))
    return edits if sum(map(_is_arabic, (new for _, _, new in edits))) * 10 >= 9 * len(edits) else []


def mojibake_edits(text: str) -> list[Edit]:
    """Return the edits ``(start, end, new text)`` that undo one such accident, in order; none where there was none."""
    if text.isascii():
        return []
    if _LEAD.search(text):
        return _utf8_edits(text, "cp1252") or _windows_edits(text)
    return _utf8_edits(text, "cp1256") if _run_1256().search(text) else []


def mended(text: str) -> tuple[str, OffsetMap] | None:
    """Mend a text, again and again where it was spoiled more than once.

    :returns: the mended text and where each of its code points came from; None where nothing was spoiled.
    """
    offsets = None
    while edits := mojibake_edits(text):
        text, step = _applied(text, edits)
        offsets = step if offsets is None else offsets.then(step)
    return None if offsets is None else (text, offsets)


def _applied(text: str, edits: Sequence[Edit]) -> tuple[str, OffsetMap]:
    parts: list[str] = []
    pieces: list[tuple[int, int, bool]] = []
    at = 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        pieces += ((start - at, start - at, True), (len(new), end - start, False))
        at = end
    rest = len(text) - at
    return "".join([*parts, text[at:]]), OffsetMap.from_pieces([*pieces, (rest, rest, True)])
