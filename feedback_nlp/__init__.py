"""feedback_nlp: open-ended customer feedback in Arabic, Persian and English, read offline.

::

    import feedback_nlp as fn
    fn.classify(["الموظف كان وقحا", "great staff"])

The functions are loaded when first used, so that ``import feedback_nlp`` costs nothing.
"""

import logging
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from feedback_nlp.core.version import __version__ as __version__

if TYPE_CHECKING:
    from feedback_nlp.api import RunResult as RunResult
    from feedback_nlp.api import TopicModel as TopicModel
    from feedback_nlp.api import classify as classify
    from feedback_nlp.api import discover_topics as discover_topics
    from feedback_nlp.api import embed as embed
    from feedback_nlp.api import open_store as open_store
    from feedback_nlp.api import run as run

__all__ = ["RunResult", "TopicModel", "classify", "discover_topics", "embed", "open_store", "run"]


class _Package(ModuleType):
    """The package, whose ``embed`` is the function although a room has the same name."""

    @property
    def embed(self) -> Any:  # noqa: ANN401 - the function of feedback_nlp.api
        """The function that turns texts into vectors."""
        return import_module("feedback_nlp.api").embed

    @embed.setter
    def embed(self, room: ModuleType) -> None:
        """Ignore the room that the import system would put here."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - an attribute may be anything
        """Load a public name from ``feedback_nlp.api`` on first use."""
        if name not in __all__:
            raise AttributeError(f"module 'feedback_nlp' has no attribute '{name}'. It has: {', '.join(__all__)}.")
        return getattr(import_module("feedback_nlp.api"), name)


sys.modules[__name__].__class__ = _Package
# A library logs nowhere until its user says where; Python would else write warnings to stderr.
logging.getLogger(__name__).addHandler(logging.NullHandler())
