"""Judges with the library lingua, restricted to Arabic, Persian and English; for comparison."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedback_nlp.core.columns import SPAN_LANGS
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.langid.judge import JUDGED, Judgement
from feedback_nlp.langid.tokens import tokenise


class LinguaJudge:
    """Gives each comment lingua's language, and every word in it the same.

    :param detector: a built ``lingua.LanguageDetector``.
    """

    def __init__(self, detector: Any) -> None:  # noqa: ANN401 - lingua ships no types
        self._detector = detector

    def judge(self, texts: Sequence[str]) -> Judgement:
        """Judge each text by itself; scores are lingua's own and not calibrated."""
        tokens = tokenise(texts)
        probabilities = np.zeros((len(texts), len(JUDGED)), dtype=np.float32)
        for row, text in enumerate(texts):
            for found in self._detector.compute_language_confidence_values(text):
                code = found.language.iso_code_639_1.name.lower()
                probabilities[row, JUDGED.index(code)] = found.value
        best = np.array([SPAN_LANGS.index(code) for code in JUDGED])[probabilities.argmax(axis=1)]
        return Judgement(tokens, probabilities, best[tokens.rows])


def open_lingua() -> LinguaJudge:
    """Build the detector.

    :raises ConfigError: when lingua is not installed.
    """
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ImportError as error:
        raise ConfigError(
            "langid.backend 'lingua' needs a package that is not installed. Run: pip install 'feedback-nlp[lingua]'"
        ) from error
    known = (Language.ARABIC, Language.PERSIAN, Language.ENGLISH)
    return LinguaJudge(LanguageDetectorBuilder.from_languages(*known).with_preloaded_language_models().build())
