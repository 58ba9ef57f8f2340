"""Settings of the normalise stage."""

from typing import Annotated, Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings


class DeromaniseModel(Settings):
    """Write Arabizi and Finglish in native letters with a model."""

    kind: Literal["model"] = "model"
    """Backend: a lexicon of feedback words and a channel of spelling."""
    model: str = "deromanise"
    """Model folder of kind ``deromanise``: a path, or the name of a shipped or added one."""


class KeepRomanised(Settings):
    """Leave Arabizi and Finglish in Latin letters."""

    kind: Literal["none"] = "none"
    """Backend: none."""


class NormaliseSettings(Settings):
    """What the normalise stage does beyond cleaning."""

    backend: Annotated[DeromaniseModel | KeepRomanised, Field(discriminator="kind")] = DeromaniseModel()
    """How comments typed in Latin letters get native ones."""
    personal_data: bool = True
    """Whether personal data is looked for."""
    names: bool = False
    """Whether names after titles (Mr, السيد, آقای) count as personal data."""
