"""What can be set about sentiment."""

from typing import Annotated, Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings

Polarity = Literal["negative", "neutral", "positive", "mixed"]


class LinearSentiment(Settings):
    """The shipped linear model over hashed n-grams."""

    kind: Literal["linear"] = "linear"
    """Backend: linear heads over hashed n-grams."""
    model: str = "sentiment"
    """Name or folder of a model of kind ``sentiment-linear``."""
    vectors: bool = True
    """Whether the comment's vector is used, too; it must come from the encoder that the model was fitted to."""


class TransformersSentiment(Settings):
    """Any Hugging Face model for sequence classification; needs the extra ``transformers``."""

    kind: Literal["transformers"] = "transformers"
    """Backend: a sequence-classification model in Hugging Face format."""
    model: str
    """Local folder, or the name of a model on the Hugging Face hub that stands in the local cache."""
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    """Commit of the hub model, 40 hexadecimal digits; required for a hub name, refused for a folder."""
    labels: dict[str, Polarity] = Field(default_factory=dict)
    """What each of the model's labels means; empty: told from their names, numbered ones rising from bad to good."""
    dtype: Literal["float32", "bf16", "int8"] = "float32"
    """Number format it computes in; int8 quantises weights beforehand and activations token by token."""
    temperature: float = Field(1.0, gt=0, le=100)
    """Divisor of the model's scores, above 1 for a model that is too sure of itself. In 0..100."""
    mixed_from: float = Field(0.6, ge=0, le=1)
    """Praise and complaint in clauses both this likely make a comment mixed, unless the model has a label for it."""
    max_tokens: int = Field(128, ge=16, le=8192)
    """Tokens read of a text; the rest is left out. In 16..8192."""
    batch_tokens: int = Field(1024, ge=16, le=1_048_576)
    """Tokens, padding included, that are computed together. In 16..1,048,576."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of one worker; another number may change scores by less than 0.001. In 1..64."""


Backend = Annotated[LinearSentiment | TransformersSentiment, Field(discriminator="kind")]


class SentimentSettings(Settings):
    """How sentiment is judged."""

    backend: Backend = LinearSentiment()
    """What judges; ``kind`` names the backend."""
    min_score: float = Field(0.5, ge=0, le=1)
    """A comment whose label scores below this is marked as abstained; the label is still given."""
    clauses: bool = True
    """Whether each clause is judged on its own, too; otherwise ``clauses`` stays empty."""
