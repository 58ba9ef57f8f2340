"""Settings of language identification."""

from typing import Annotated, Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings


class ShippedBackend(Settings):
    """The model trained for this product: tells Arabizi and Finglish, and languages within a comment."""

    kind: Literal["shipped"] = "shipped"
    """Which backend this is."""
    model: str = "langid"
    """Shipped model's name, or the path of a model folder of kind ``langid``."""


class LinguaBackend(Settings):
    """The library lingua with Arabic, Persian and English, for comparison; needs the extra ``lingua``.

    It knows no other language and takes Arabizi and Finglish for English.
    """

    kind: Literal["lingua"] = "lingua"
    """Which backend this is."""


Backend = Annotated[ShippedBackend | LinguaBackend, Field(discriminator="kind")]


class LangPrior(Settings):
    """How much of a dump is expected in each language; only the ratios count, equal values change nothing."""

    ar: float = Field(1.0, gt=0, le=1e6)
    """Share of Arabic, Arabizi included. Above 0."""
    fa: float = Field(1.0, gt=0, le=1e6)
    """Share of Persian, Finglish included. Above 0."""
    en: float = Field(1.0, gt=0, le=1e6)
    """Share of English. Above 0."""
    other: float = Field(1.0, gt=0, le=1e6)
    """Share of all other languages together. Above 0."""


class LangidSettings(Settings):
    """How a comment's language is told."""

    backend: Backend = ShippedBackend()
    """What judges."""
    prior: LangPrior | None = None
    """What is known of the whole dump before a comment is read: settles words that two languages share (ممتاز, خدمات).

    A fixed value of the settings, never learned from the rows at hand, so that a comment's result does not depend on
    its neighbours. None: no language is favoured.
    """
    mixed_share: float = Field(0.2, ge=0, le=0.5)
    """Share of the words in the rarer script (Arabic or Latin letters) from which a comment's script is ``mixed``."""
