"""The Encoder protocol, how a text is prepared for one, and the opener of every backend."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from feedback_nlp.core.folding import fold
from feedback_nlp.embed.settings import (
    Backend,
    EmbedSettings,
    SentenceTransformersBackend,
    ShippedBackend,
    StaticBackend,
)

Vectors = np.ndarray[Any, np.dtype[np.float32]]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def width(self) -> int:
        """Return the number of dimensions."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 array of shape (n, width), rows of unit length; zeros for a text without a known token.

        A row does not depend on its neighbours.
        """


def prepare(text: str) -> str:
    """Fold a text as the trained encoders want it, the same at training and at use.

    ``clean`` and raw text give nearly the same vector, so nothing hangs on how a text was normalised before.
    """
    return fold(text)


def open_encoder(backend: Backend | None = None) -> Encoder:
    """Open an encoder; the default one when nothing is given.

    :raises ModelError: when its files are missing, damaged or of the wrong kind.
    :raises ConfigError: when its extra is not installed or its revision is not pinned.
    """
    backend = backend or EmbedSettings().backend
    if isinstance(backend, StaticBackend):
        from feedback_nlp.embed.backends.static import StaticEncoder

        return StaticEncoder.open(backend)
    if isinstance(backend, ShippedBackend):
        from feedback_nlp.embed.backends.reader import ReaderEncoder

        return ReaderEncoder.open(backend)
    from feedback_nlp.embed.backends import huggingface, sentences

    if isinstance(backend, SentenceTransformersBackend):
        return sentences.open_sentence_model(backend)
    return huggingface.open_any(backend)
