"""Settings of the store."""

import re

from pydantic import Field, field_validator

from feedback_nlp.core.settings import Settings


class StoreSettings(Settings):
    """Where runs are kept and for how long."""

    url: str | None = None
    """Database as ``sqlite:///path/store.db`` or ``postgresql://user@host/name``, without a password (PGPASSWORD or
    ~/.pgpass holds it); None keeps ``store.db`` in the output folder."""
    keep: int | None = Field(None, ge=1, le=100_000)
    """Finished runs kept when a new one is published, the current one always among them; None keeps all."""

    @field_validator("url")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        """Refuse a password: the configuration is written beside every run."""
        if value is not None and re.match(r"[^/]*://[^/@]*:[^/]*@|.*[?&]password=", value):
            raise ValueError("must hold no password; put it in the variable PGPASSWORD or the file ~/.pgpass")
        return value
