"""Clean text with offset maps, clauses, and personal data."""

from feedback_nlp.core.redaction import redact
from feedback_nlp.normalise.normaliser import Normalised, Span, normalise
from feedback_nlp.normalise.personal import Redaction, find_personal_data
from feedback_nlp.normalise.settings import NormaliseSettings
from feedback_nlp.normalise.stage import NormaliseStage, open_stage

__all__ = [
    "NormaliseSettings",
    "NormaliseStage",
    "Normalised",
    "Redaction",
    "Span",
    "find_personal_data",
    "normalise",
    "open_stage",
    "redact",
]
