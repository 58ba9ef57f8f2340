"""Mends text that was written in one encoding and read in another, where that is beyond doubt.

Three accidents are common in feedback dumps: UTF-8 read as Windows-1252 or Latin-1 (``Ø§Ù„``, ``â€™``), UTF-8 read as
Windows-1256 (``ط§ظ„``), and Windows-1256 read as Windows-1252 (``ÇáÎÏãÉ``). Each mended code point is aligned with the
code points that spelled its bytes.
"""

import re
from functools import cache

from feedback_nlp.normalise.aligned import AlignedText, Edit

_UTF8 = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LEAD = re.compile("[\xc2-\xf4]")
_LEAD_1256 = re.compile("[طظعغ]")
_RUN_1256 = re.compile("(?:[\xd8-\xdb][\x80-\xbf]){3}")
_FEWEST_ACCENTED = 5


@cache
def _byte_table(encoding: str) -> dict[int, str]:
    """Map the code points that an encoding gives to bytes 80-FF back to those bytes, as Latin-1 characters."""
    chars = {byte: bytes([byte]).decode(encoding, "ignore") for byte in range(0x80, 0x100)}
    return {ord(char): chr(byte) for byte, char in chars.items() if char}


def _is_arabic(text: str) -> bool:
    return all("\u0600" <= char <= "\u06ff" for char in text)


def _utf8_edits(text: str, encoding: str) -> list[Edit]:
    """Return edits that read what an encoding made of UTF-8 bytes as UTF-8."""
    as_bytes = text.translate(_byte_table(encoding))
    if encoding == "cp1256" and not _RUN_1256.search(as_bytes):
        return []
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


def mend(text: AlignedText) -> bool:
    """Mend a text in place, again and again where it was spoiled more than once.

    :returns: whether anything was mended.
    """
    mended = False
    while not text.text.isascii():
        edits: list[Edit] = []
        if _LEAD.search(text.text):
            edits = _utf8_edits(text.text, "cp1252") or _windows_edits(text.text)
        elif _LEAD_1256.search(text.text):
            edits = _utf8_edits(text.text, "cp1256")
        if not text.apply(edits):
            break
        mended = True
    return mended
