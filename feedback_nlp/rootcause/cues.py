"""Causes of the taxonomy that the model does not know, found by their cue phrases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_nlp.core.folding import codes_of, fold, fold_codes
from feedback_nlp.rootcause.backends import Found
from feedback_nlp.rootcause.taxonomy import Cause

SCORE = 0.5


@dataclass(frozen=True)
class CueFinder:
    """Finds causes by phrases, whole words only, whatever the spelling of letters.

    :param patterns: pattern over folded text of each cause and sign.
    """

    patterns: Sequence[tuple[str, str, re.Pattern[str]]]

    @classmethod
    def of(cls, causes: Sequence[Cause]) -> "CueFinder":
        """Make a finder of these causes."""
        found = []
        for cause in causes:
            for sign, cues in (("-", cause.cues), ("+", cause.praise_cues)):
                phrases = sorted(
                    {fold(cue) for phrases in cues.values() for cue in phrases}, key=lambda p: (-len(p), p)
                )
                if phrases:
                    choices = "|".join(map(re.escape, phrases))
                    found.append((cause.id, sign, re.compile(rf"(?<!\w)(?:{choices})(?!\w)")))
        return cls(tuple(found))

    def find(self, texts: Sequence[str]) -> list[Found]:
        """Find causes in normalised texts, each cause and sign once a text."""
        if not self.patterns:
            return []
        found = []
        for row, text in enumerate(texts):
            codes, places = fold_codes(codes_of(text))
            folded = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
            for cause, sign, pattern in self.patterns:
                match = pattern.search(folded)
                if match:
                    start, end = int(places[match.start()]), int(places[match.end() - 1]) + 1
                    found.append(Found(row, cause, sign, SCORE, start, end))
        return found
