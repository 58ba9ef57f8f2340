"""Root causes: company policy or employee behaviour, with sign and evidence, and the other readings of a comment."""

from feedback_nlp.rootcause.settings import RootCauseSettings
from feedback_nlp.rootcause.stage import RootCauseStage, open_stage
from feedback_nlp.rootcause.taxonomy import Cause, Entry, Taxonomy, open_taxonomy

__all__ = ["Cause", "Entry", "RootCauseSettings", "RootCauseStage", "Taxonomy", "open_stage", "open_taxonomy"]
