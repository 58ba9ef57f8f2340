"""Opens the shipped judge."""

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.langid.judge import Judge
from feedback_nlp.langid.model import open_lang_model
from feedback_nlp.langid.settings import ShippedBackend


def open_shipped(settings: ShippedBackend) -> Judge:
    """Open the model that the settings name.

    :raises ModelError: when it is missing, damaged or of another kind.
    """
    return open_lang_model(open_model(resolve_model(settings.model)))
