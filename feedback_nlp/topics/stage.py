"""TopicStage: gives every comment its topic."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import LANG, TOPIC_ID, TOPIC_SCORE, VECTOR, Column
from feedback_nlp.topics.model import TopicModel


class TopicStage:
    """Assigns comments to the topics of a model; a comment without a vector gets none.

    :param model: the topics.
    """

    name: ClassVar[str] = "topics"
    requires: ClassVar[tuple[Column, ...]] = (LANG, VECTOR)
    provides: ClassVar[tuple[Column, ...]] = (TOPIC_ID, TOPIC_SCORE)

    def __init__(self, model: TopicModel) -> None:
        self._model = model

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Return topic and score of each comment; -1 and 0 where none is near enough."""
        if not len(batch):
            return {TOPIC_ID: pa.array([], pa.int32()), TOPIC_SCORE: pa.array([], pa.float32())}
        found = self._model.assign(batch.vectors(), batch.values(LANG))
        return {
            TOPIC_ID: pa.array(found.topic_id, pa.int32()),
            TOPIC_SCORE: pa.array(np.ascontiguousarray(found.topic_score), pa.float32()),
        }
