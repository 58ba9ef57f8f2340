"""What can be set about root causes."""

from typing import Annotated, Literal

from pydantic import Field

from feedback_nlp.core.chat import ChatSettings
from feedback_nlp.core.settings import Settings


class LinearRootCause(Settings):
    """The shipped linear model over hashed n-grams."""

    kind: Literal["linear"] = "linear"
    """Backend: linear heads over hashed n-grams."""
    model: str = "rootcause"
    """Name or folder of a model of kind ``rootcause-linear``."""
    vectors: bool = True
    """Whether the comment's vector is used, too; it must come from the encoder that the model was fitted to."""


class ZeroShotRootCause(Settings):
    """Any natural language inference model of Hugging Face: no training, every cause of the taxonomy, slow."""

    kind: Literal["zero-shot"] = "zero-shot"
    """Backend: each cause and sign is a hypothesis that the comment may entail."""
    model: str
    """Local folder, or name on the hub."""
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    """Commit of the hub model, 40 hexadecimal digits; left out for a folder."""
    threshold: float = Field(0.8, ge=0, le=1)
    """Least probability of a cause, 0 to 1."""
    batch_tokens: int = Field(4096, ge=64, le=1_000_000)
    """Word pieces of one batch, 64 to 1,000,000."""
    max_tokens: int = Field(256, ge=16, le=8192)
    """Word pieces of comment and hypothesis that are read, 16 to 8,192; a longer comment is cut."""
    threads: int = Field(1, ge=1, le=256)
    """Threads of one worker process."""
    base: LinearRootCause = LinearRootCause()
    """Judges the other readings."""

    @property
    def vectors(self) -> bool:
        """Whether the comment's vector is used, too."""
        return self.base.vectors


class LlmRootCause(Settings):
    """A language model behind an OpenAI-compatible endpoint. Comments leave this machine, personal data covered."""

    kind: Literal["llm"] = "llm"
    """Backend: one question a comment, answered as JSON."""
    endpoint: ChatSettings
    """Where to ask, which model, how often."""
    base: LinearRootCause = LinearRootCause()
    """Judges the other readings, and comments without an answer."""

    @property
    def vectors(self) -> bool:
        """Whether the comment's vector is used, too."""
        return self.base.vectors


Backend = Annotated[LinearRootCause | ZeroShotRootCause | LlmRootCause, Field(discriminator="kind")]


class OwnCauses(Settings):
    """Sub-causes of the user's own, told by a definition and a few examples."""

    file: str | None = None
    """Path of a YAML file with further causes; those that stand in ``taxonomy`` itself need none."""
    model: str = "encoder-static"
    """Name or folder of the static encoder in whose space examples and clauses are compared."""


class RootCauseSettings(Settings):
    """How drivers, causes and the other readings are judged."""

    backend: Backend = LinearRootCause()
    """What judges; ``kind`` names the backend."""
    taxonomy: str | None = None
    """Path of a taxonomy in YAML; None takes the shipped ``configs/taxonomy.yaml``."""
    own: OwnCauses = OwnCauses()
    """Sub-causes of the user's own beside the taxonomy's."""
    min_score: float = Field(0.0, ge=0, le=1)
    """Causes that score below this are left out, on top of the model's own threshold of each cause."""
    evidence_words: int = Field(12, ge=1, le=40)
    """The longest evidence, in words."""
