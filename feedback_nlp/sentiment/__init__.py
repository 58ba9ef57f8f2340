"""Sentiment of whole comments and of their clauses: calibrated, and able to abstain."""

from feedback_nlp.sentiment.settings import SentimentSettings
from feedback_nlp.sentiment.stage import SentimentStage, open_stage

__all__ = ["SentimentSettings", "SentimentStage", "open_stage"]
