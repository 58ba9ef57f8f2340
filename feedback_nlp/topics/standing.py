"""Standing topics over tonight's comments: their cores, dormant ones that wake, and what is told of them then."""

from dataclasses import replace

import numpy as np

from feedback_nlp.topics.describing import describe
from feedback_nlp.topics.matching import SAME
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import Places
from feedback_nlp.topics.sample import DiscoverySample, Draw
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.wordspace import Encode


def shifted(sample: DiscoverySample, drawn: Draw, model: TopicModel) -> Vectors:
    """Return the vectors of the drawn rows in the model's space."""
    return model.shift.apply(sample.vectors[drawn.rows], [sample.langs[row] for row in drawn.rows.tolist()])


def core_places(model: TopicModel) -> Places:
    """Return where a model's topics lie, dormant ones left out, with the radii of their cores."""
    live = model.live
    return replace(live, radii=live.radii + np.where(live.strict, 0, model.trade.slack).astype(np.float32))


def awake(model: TopicModel, vectors: Vectors) -> TopicModel:
    """Return the model with all live topics standing, and dormant ones too that have comments again.

    A dormant topic wakes when a comment lies in its core, unless a live topic has the same meaning by now.
    """
    live, asleep = model.live, model.asleep
    first = len(live)
    tight = asleep.radii + np.where(asleep.strict, 0, model.trade.slack)
    said = (vectors @ asleep.centroids.T >= tight).any(axis=0)
    taken = (asleep.centroids @ live.centroids.T).max(axis=1, initial=-1) >= SAME
    back = [first + at for at in np.flatnonzero(said & ~taken).tolist()]
    order = [*range(first), *back]
    rest = [at for at in range(first, len(model)) if at not in back]
    topics = [replace(model.topics[at], status="standing") for at in order]
    return replace(
        model,
        topics=(*topics, *(model.topics[at] for at in rest)),
        places=model.places.take(np.array([*order, *rest], dtype=np.int64)),
    )


def retold(
    model: TopicModel,
    sample: DiscoverySample,
    drawn: Draw,
    vectors: Vectors,
    *,
    settings: TopicSettings,
    encode: Encode | None,
) -> TopicModel:
    """Describe the live topics anew and remember the comments; dormant ones wait one run longer.

    :param vectors: vectors of the drawn rows in the model's space.
    """
    live = len(model.live)
    current = replace(
        model,
        topics=model.topics[:live],
        places=model.live,
        comments=len(sample),
        past=Past.remember(vectors, drawn.copies),
    )
    told = describe(current, sample, drawn, vectors, settings=settings, encode=encode)
    asleep = [replace(topic, idle=topic.idle + 1) for topic in model.topics[live:]]
    topics = (*told.topics, *asleep)
    subtopics = told.subtopics.only({topic.id for topic in topics})
    return replace(told, topics=topics, places=told.places.joined(model.asleep), subtopics=subtopics)
