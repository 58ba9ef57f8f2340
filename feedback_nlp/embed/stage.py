"""EmbedStage: the vector of each comment."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import CLEAN, VECTOR, Column
from feedback_nlp.embed.encoder import Encoder, open_encoder
from feedback_nlp.embed.settings import EmbedSettings


class EmbedStage:
    """Gives each comment its vector; null where ``clean`` is null or has no known token.

    :param encoder: any encoder.
    """

    name: ClassVar[str] = "embed"
    requires: ClassVar[tuple[Column, ...]] = (CLEAN,)
    provides: ClassVar[tuple[Column, ...]] = (VECTOR,)

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Return ``vector``."""
        vectors = self._encoder.encode([text or "" for text in batch.values(CLEAN)])
        return {VECTOR: vector_array(vectors, np.asarray(vectors.any(axis=1)))}


def open_stage(settings: EmbedSettings) -> EmbedStage:
    """Open the encoder that the settings name.

    :raises ModelError: when its files are missing, damaged or of the wrong kind.
    """
    return EmbedStage(open_encoder(settings.backend))
