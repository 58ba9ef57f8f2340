"""Arabizi and Finglish into native letters."""

from feedback_nlp.normalise.deromanise.model import WordModel

__all__ = ["WordModel"]
