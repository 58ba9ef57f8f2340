"""Settings of the embed room."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings


class StaticBackend(Settings):
    """Mean of trained token vectors; needs no deep-learning library."""

    kind: Literal["static"] = "static"
    """Which backend this is."""
    model: str = "encoder-static"
    """Shipped model's name, or the path of a model folder of kind ``encoder-static``."""


class ShippedBackend(Settings):
    """The trilingual transformer trained for this product; it also reads sentiment and root causes."""

    kind: Literal["shipped"] = "shipped"
    """Which backend this is."""
    model: str = "encoder"
    """Model's name, or the path of a model folder of kind ``encoder``."""
    max_tokens: int = Field(128, ge=8, le=512)
    """Tokens read at once; a longer text is read in windows of so many. In 8..512."""
    max_windows: int = Field(8, ge=1, le=64)
    """Windows read of a text; the rest is left out. In 1..64."""
    batch_tokens: int = Field(2048, ge=512, le=1_048_576)
    """Tokens, padding included, that are computed together; the windows of one text always are. In 512..1,048,576."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of one worker. In 1..64."""


class TransformersBackend(Settings):
    """Any Hugging Face encoder with mean pooling; needs the extra ``transformers``."""

    kind: Literal["transformers"] = "transformers"
    """Which backend this is."""
    model: str
    """Local folder, or the name of a model on the Hugging Face hub that stands in the local cache."""
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    """Commit of the hub model, 40 hexadecimal digits; required for a hub name, refused for a folder."""
    prefix: str = ""
    """Words put before every text, for models that ask for them (``query: ``)."""
    max_tokens: int = Field(128, ge=8, le=8192)
    """Tokens read of a text; the rest is left out. In 8..8192."""
    batch_tokens: int = Field(2048, ge=512, le=1_048_576)
    """Tokens, padding included, that are computed together. In 512..1,048,576."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of one worker. In 1..64."""


class SentenceTransformersBackend(Settings):
    """Any model in the format of Sentence Transformers, pooled as its folder says; needs the extra ``transformers``."""

    kind: Literal["sentence-transformers"] = "sentence-transformers"
    """Which backend this is."""
    model: str
    """Local folder, or the name of a model on the Hugging Face hub that stands in the local cache."""
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    """Commit of the hub model, 40 hexadecimal digits; required for a hub name, refused for a folder."""
    prefix: str | None = None
    """Words put before every text; the model's own default when null."""
    max_tokens: int = Field(128, ge=8, le=8192)
    """Tokens read of a text, at most as many as the model allows; the rest is left out. In 8..8192."""
    batch_tokens: int = Field(2048, ge=512, le=1_048_576)
    """Tokens, padding included, that are computed together. In 512..1,048,576."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of one worker. In 1..64."""


Backend = Annotated[
    StaticBackend | ShippedBackend | TransformersBackend | SentenceTransformersBackend, Field(discriminator="kind")
]


class EmbedSettings(Settings):
    """How comments become vectors."""

    backend: Backend = ShippedBackend()
    """The encoder; profile ``accurate`` is the default, ``fast`` sets ``{kind: static}``."""


_HOW_MUCH = frozenset({"max_tokens", "max_windows", "batch_tokens", "threads"})


def space_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names the space of vectors in dumped :class:`EmbedSettings`: all but how much is read at once."""
    return {key: value for key, value in settings.get("backend", {}).items() if key not in _HOW_MUCH}
