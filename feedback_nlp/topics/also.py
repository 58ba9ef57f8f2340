"""Further topics of a comment: those that its clauses, read one by one, speak of."""

from typing import Any

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import CLAUSE_SPANS, CLEAN, CLEAN_ENDS, CLEAN_STARTS, LANG, TOPICS_ALSO, Column
from feedback_nlp.core.offsets import OffsetMap
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.wordspace import Encode

Ints = np.ndarray[Any, np.dtype[np.int32]]

CLAUSE_COLUMNS: tuple[Column, ...] = (CLEAN, CLEAN_STARTS, CLEAN_ENDS, CLAUSE_SPANS)
_SHORTEST = 12
_MOST_CLAUSES = 12


def further_topics(model: TopicModel, batch: CommentBatch, first: Ints, encode: Encode, least: float) -> pa.Array:
    """Return each comment's further topics, the likeliest first; an empty list for a comment of one clause.

    :param batch: comments with the columns of ``CLAUSE_COLUMNS`` and their language.
    :param first: int32 array (rows,), the topic of each comment as a whole, which is left out.
    :param encode: the encoder of the vectors that the topics were discovered with.
    :param least: smallest score of a clause's topic.
    :returns: array of ``TOPICS_ALSO``.
    """
    rows, texts = clause_texts(batch)
    found: list[dict[int, float]] = [{} for _ in range(len(batch))]
    if texts:
        langs = batch.values(LANG)
        placed = model.assign(encode(texts), [langs[row] for row in rows])
        for row, topic, score in zip(rows, placed.topic_id.tolist(), placed.topic_score.tolist(), strict=True):
            if topic not in (-1, int(first[row])) and score >= least:
                found[row][topic] = max(score, found[row].get(topic, 0.0))
    ordered = [sorted(each, key=lambda topic: (-each[topic], topic)) for each in found]
    return pa.array(ordered, TOPICS_ALSO.dtype)


def clause_texts(batch: CommentBatch) -> tuple[list[int], list[str]]:
    """Return row and clean text of each clause of the comments that have several, fragments left out."""
    cleans, spans = batch.values(CLEAN), batch.values(CLAUSE_SPANS)
    starts, ends = batch[CLEAN_STARTS], batch[CLEAN_ENDS]
    rows: list[int] = []
    texts: list[str] = []
    for row, (clean, clauses) in enumerate(zip(cleans, spans, strict=True)):
        if clean is None or len(clauses) < 2:
            continue
        own_ends = np.array(ends[row].as_py())
        offsets = OffsetMap(np.array(starts[row].as_py()), own_ends, int(own_ends.max(initial=0)))
        places = [offsets.to_clean(clause["start"], clause["end"]) for clause in clauses[:_MOST_CLAUSES]]
        long = [part for start, end in places if len(part := clean[start:end].strip()) >= _SHORTEST]
        if len(long) > 1:
            rows += [row] * len(long)
            texts += long
    return rows, texts
