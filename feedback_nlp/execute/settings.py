"""Settings of execution."""

from typing import Literal

from pydantic import Field

from feedback_nlp.core.settings import Settings


class ExecuteSettings(Settings):
    """How chunks are run. A further engine becomes a settings class of its own ``kind`` beside this one."""

    kind: Literal["local"] = "local"
    """Engine: processes on this machine."""
    workers: int | None = Field(None, ge=1, le=256)
    """Worker processes; None takes ``run.threads``."""
