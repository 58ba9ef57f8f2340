"""Vectors: texts of one meaning lie near each other, whatever their language."""

from feedback_nlp.embed.encoder import Encoder, open_encoder, prepare
from feedback_nlp.embed.settings import EmbedSettings
from feedback_nlp.embed.stage import EmbedStage, open_stage

__all__ = ["EmbedSettings", "EmbedStage", "Encoder", "open_encoder", "open_stage", "prepare"]
