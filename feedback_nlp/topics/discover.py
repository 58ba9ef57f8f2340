"""discover: from a sample of comments to a TopicModel."""

from dataclasses import replace

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.describing import describe
from feedback_nlp.topics.emerging import find_emerging
from feedback_nlp.topics.grouping import group
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import Places, Trade
from feedback_nlp.topics.sample import DiscoverySample, Draw, draw
from feedback_nlp.topics.seeding import label_numbers, labelled_space, seeded_places
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.settling import discovery_neighbours, fitted, settle
from feedback_nlp.topics.space import LanguageShift
from feedback_nlp.topics.subtopics import Subtopics
from feedback_nlp.topics.topic import unnamed_topic
from feedback_nlp.topics.wordspace import Encode


def discover(
    sample: DiscoverySample, settings: TopicSettings | None = None, *, seed: int = 17, encode: Encode | None = None
) -> TopicModel:
    """Find the topics of a sample and name them.

    The result depends on what the sample holds, not on the order it comes in nor on the number of threads. A sample
    without any usable comment gives a model without topics.

    Where comments carry labels, each label is a topic of that name, other comments go to the label they are nearest to
    in a space where comments of one label lie close, and only what no label reaches is grouped.

    :param seed: seed of the layout, or of the start of k-means.
    :param encode: an encoder of words, for naming topics by what fits their meaning and in languages that they
        lack; it need not be that of the sample's vectors. Without it, the lexicon alone translates.
    :raises ModelError: when the label lexicon is missing or damaged.
    """
    from threadpoolctl import threadpool_limits

    chosen = settings or TopicSettings()
    width = sample.vectors.shape[1]
    with threadpool_limits(limits=1):
        drawn = draw(sample, chosen.sample)
        langs = [sample.langs[row] for row in drawn.rows.tolist()]
        shift = LanguageShift.fit(sample.vectors[drawn.rows], langs)
        names, labels = label_numbers(sample)
        seeds = None
        if names:
            shift, labelled, own = labelled_space(sample, shift, labels)
            seeds = seeded_places(labelled, own, len(names))
        vectors = shift.apply(sample.vectors[drawn.rows], langs)
        places, trade = find_places(vectors, drawn, chosen, seed, seeds)
        topics = [unnamed_topic(at) for at in range(len(places))]
        named = [replace(topic, labels=dict.fromkeys(CODES, name)) for topic, name in zip(topics, names, strict=False)]
        bare = TopicModel(
            topics=(*named, *topics[len(named) :]),
            themes=(),
            places=places,
            shift=shift,
            trade=trade,
            comments=len(sample),
            next_id=len(places),
            next_theme_id=0,
            past=Past.remember(vectors, drawn.copies),
            subtopics=Subtopics.nothing(width),
        )
        found = describe(bare, sample, drawn, vectors, settings=chosen, encode=encode)
        ids = {topic.id: at for at, topic in enumerate(found.topics)}
        numbered = tuple(replace(topic, id=ids[topic.id]) for topic in found.topics)
        return replace(found, topics=numbered, subtopics=found.subtopics.renumbered(ids))


def find_places(
    vectors: Vectors, drawn: Draw, settings: TopicSettings, seed: int, seeds: Places | None = None
) -> tuple[Places, Trade]:
    """Group different comments and fit centres, radii and the score's curve.

    :param vectors: float32 array of shape (comments, width), shifted rows of unit length in canonical order.
    :param seeds: topics of labelled comments, which others are grouped beside; None = none.
    """
    near = discovery_neighbours(vectors, settings)
    if seeds is None:
        grouped = group(vectors, near, drawn.copies, settings, seed)
        return settle(vectors, drawn.copies, grouped, near, settings)
    outside = seeds.nearest(vectors).topic < 0
    if drawn.copies[outside].sum() > settings.max_outliers * drawn.copies.sum():
        past = Past.nothing(vectors.shape[1])
        found = find_emerging(vectors, drawn.copies, outside, past, seeds, settings=settings, seed=seed)
        seeds = seeds.joined(found.places)
    own = seeds.nearest(vectors).topic
    return fitted(vectors, drawn.copies, seeds, own, near, max_outliers=settings.max_outliers)
