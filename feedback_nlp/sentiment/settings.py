"""What can be set about sentiment."""

from typing import Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings


class LinearSentiment(Settings):
    """The shipped linear model over hashed n-grams."""

    kind: Literal["linear"] = "linear"
    """Backend: linear heads over hashed n-grams."""
    model: str = "sentiment"
    """Name or folder of a model of kind ``sentiment-linear``."""
    vectors: bool = True
    """Whether the comment's vector is used, too; it must come from the encoder that the model was fitted to."""


class SentimentSettings(Settings):
    """How sentiment is judged."""

    backend: LinearSentiment = LinearSentiment()
    """What judges; ``kind`` names the backend."""
    min_score: float = Field(0.5, ge=0, le=1)
    """A comment whose label scores below this is marked as abstained; the label is still given."""
    clauses: bool = True
    """Whether each clause is judged on its own, too; otherwise ``clauses`` stays empty."""
