"""TopicStage: gives every comment its topic and sub-topic, and the further ones that its clauses speak of."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import LANG, SUBTOPIC_ID, TOPIC_ID, TOPIC_SCORE, TOPICS_ALSO, VECTOR, Column
from feedback_nlp.topics.also import CLAUSE_COLUMNS, further_topics
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.wordspace import Encode

ALSO_SCORE = 0.6


class TopicStage:
    """Assigns comments to the topics of a model; a comment without a vector gets none.

    :param model: the topics.
    :param encode: the encoder of the vectors, for the clauses; without it, or where a batch has no clauses, further
        topics are null.
    :param also_score: smallest score of a further topic.
    """

    name: ClassVar[str] = "topics"
    requires: ClassVar[tuple[Column, ...]] = (LANG, VECTOR)
    provides: ClassVar[tuple[Column, ...]] = (TOPIC_ID, TOPIC_SCORE, TOPICS_ALSO, SUBTOPIC_ID)

    def __init__(self, model: TopicModel, encode: Encode | None = None, also_score: float = ALSO_SCORE) -> None:
        self._model = model
        self._encode = encode
        self._also_score = also_score

    def compute(self, batch: CommentBatch) -> Mapping[Column, pa.Array]:
        """Return topic and score of each comment, -1 and 0 where none is near enough, its sub-topic, further topics."""
        if not len(batch):
            return {column: pa.array([], column.dtype) for column in self.provides}
        vectors, langs = batch.vectors(), batch.values(LANG)
        found = self._model.assign(vectors, langs)
        also = pa.nulls(len(batch), TOPICS_ALSO.dtype)
        if self._encode is not None and all(column in batch for column in CLAUSE_COLUMNS):
            also = further_topics(self._model, batch, found.topic_id, self._encode, self._also_score)
        return {
            TOPIC_ID: pa.array(found.topic_id, pa.int32()),
            TOPIC_SCORE: pa.array(np.ascontiguousarray(found.topic_score), pa.float32()),
            TOPICS_ALSO: also,
            SUBTOPIC_ID: subtopic_array(self._model.assign_subtopics(vectors, langs, found.topic_id)),
        }


def subtopic_array(ids: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Array:
    """Return ids of sub-topics as a column, null for -1."""
    return pa.array(ids, SUBTOPIC_ID.dtype, mask=ids < 0)
