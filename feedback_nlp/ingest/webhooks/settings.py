"""Settings of webhooks."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from feedback_nlp.core.settings import Settings


class _Signed(Settings):
    """A webhook whose sender signs what it posts."""

    secret_env: str | None = None
    """Environment variable that holds the secret shared with the sender."""
    secret_file: Path | None = None
    """File whose first line is that secret, readable by its owner alone."""

    @model_validator(mode="after")
    def _one_secret(self) -> "_Signed":
        if bool(self.secret_env) == bool(self.secret_file):
            raise ValueError("takes one of secret_env and secret_file")
        return self


class FormbricksHook(_Signed):
    """Answers of Formbricks surveys, signed as Standard Webhooks are (https://www.standardwebhooks.com)."""

    kind: Literal["formbricks"] = "formbricks"
    """Formbricks."""
    questions: tuple[str, ...] = ()
    """Ids of the questions whose answers are comments; empty = every answer that is text."""
    tolerance_seconds: int = Field(300, ge=1, le=86_400)
    """A message signed longer ago than this is refused, so that none can be played again; 1 to 86,400 seconds."""


class GenericHook(_Signed):
    """JSON of any sender, signed with HMAC-SHA256 over the body."""

    kind: Literal["generic"] = "generic"
    """Any sender."""
    header: str = Field("X-Signature-256", pattern=r"^[A-Za-z0-9-]{1,64}$")
    """Header of the signature in hexadecimal digits, with or without ``sha256=`` before it."""
    items: str | None = None
    """Path to the list of comments, keys joined by dots (``data.answers``); null = the body is one, or a list."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Our field or a name of yours by path in a comment: ``{text: answer.value, comment_id: id, branch: shop.name}``;
    empty = the comment's own keys."""


Hook = Annotated[FormbricksHook | GenericHook, Field(discriminator="kind")]


class WebhookSettings(Settings):
    """What ``feedback-nlp receive`` takes."""

    hooks: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")], Hook] = Field(default_factory=dict)
    """Webhooks by name; the sender posts to ``/hooks/<name>``."""
    max_body_bytes: int = Field(1_000_000, ge=1_000, le=100_000_000)
    """Largest message accepted, 1,000 to 100,000,000 bytes."""
    roll_seconds: float = Field(60.0, gt=0, le=86_400)
    """How long comments are gathered in one file before the next run may read it, up to 86,400 seconds."""
    roll_rows: int = Field(10_000, ge=1, le=1_000_000)
    """How many comments one file gathers at most, 1 to 1,000,000."""
