"""Vectors of the shipped encoder as features of the linear heads."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.settings import StaticBackend

ENCODER = "encoder-static"
_AT_ONCE = 2_000


def encode(cleans: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the shipped encoder's vectors of normalised texts, float32 array (texts, width)."""
    encoder = open_encoder(StaticBackend(model=ENCODER))
    parts = [encoder.encode(cleans[first : first + _AT_ONCE]) for first in range(0, len(cleans), _AT_ONCE)]
    return np.concatenate([np.zeros((0, encoder.width), dtype=np.float32), *parts])


def encoder_fingerprint() -> str:
    """Return the fingerprint of the encoder that the heads are fitted to."""
    return open_model(resolve_model(ENCODER)).fingerprint
