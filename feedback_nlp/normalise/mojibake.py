"""Mends, in place, text that was written in one encoding and read in another; see core/mojibake.py."""

from feedback_nlp.core.mojibake import mojibake_edits
from feedback_nlp.normalise.aligned import AlignedText


def mend(text: AlignedText) -> bool:
    """Mend a text in place, again and again where it was spoiled more than once.

    :returns: whether anything was mended.
    """
    mended = False
    while text.apply(mojibake_edits(text.text)):
        mended = True
    return mended
