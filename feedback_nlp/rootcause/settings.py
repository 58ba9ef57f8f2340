"""What can be set about root causes."""

from typing import Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings


class LinearRootCause(Settings):
    """The shipped linear model over hashed n-grams."""

    kind: Literal["linear"] = "linear"
    """Backend: linear heads over hashed n-grams."""
    model: str = "rootcause"
    """Name or folder of a model of kind ``rootcause-linear``."""
    vectors: bool = True
    """Whether the comment's vector is used, too; it must come from the encoder that the model was fitted to."""


class RootCauseSettings(Settings):
    """How drivers, causes and the other readings are judged."""

    backend: LinearRootCause = LinearRootCause()
    """What judges; ``kind`` names the backend."""
    taxonomy: str | None = None
    """Path of a taxonomy in YAML; None takes the shipped ``configs/taxonomy.yaml``."""
    min_score: float = Field(0.0, ge=0, le=1)
    """Causes that score below this are left out, on top of the model's own threshold of each cause."""
    evidence_words: int = Field(12, ge=1, le=40)
    """The longest evidence, in words."""
