"""Settings of the store."""

from pydantic import Field

from feedback_nlp.core.settings import Settings


class StoreSettings(Settings):
    """Where runs are kept and for how long."""

    url: str | None = None
    """Database as ``sqlite:///path/store.db`` or ``postgresql://…``; None keeps ``store.db`` in the output folder."""
    keep: int | None = Field(None, ge=1, le=100_000)
    """Finished runs kept when a new one is published, the current one always among them; None keeps all."""
