"""From one run to the next: standing topics stay, what fits none of them is searched for new ones."""

from dataclasses import replace

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics.discover import discover
from feedback_nlp.topics.emerging import Emerging, find_emerging, loose_rows
from feedback_nlp.topics.matching import match
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import widened
from feedback_nlp.topics.refitting import refit
from feedback_nlp.topics.sample import DiscoverySample, Draw, draw
from feedback_nlp.topics.seeding import label_numbers
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.standing import awake, core_places, retold, shifted
from feedback_nlp.topics.topic import unnamed_topic
from feedback_nlp.topics.wordspace import Encode

_WEEK = 7


def renew(
    sample: DiscoverySample,
    standing: TopicModel,
    settings: TopicSettings | None = None,
    *,
    seed: int = 17,
    encode: Encode | None = None,
) -> TopicModel:
    """Return the topics of a new run, with the standing ones carried on.

    As ``settings.refit`` has it, the standing topics are kept in their places and only new ones are looked for
    (:func:`carry_on`), or topics are discovered anew with the standing ones to begin with
    (:func:`feedback_nlp.topics.refitting.refit`). A label that no standing topic is called after brings a discovery by
    labels, whose topics take the numbers of standing ones that hold the same comments. Standing topics that remember
    nothing of their comments are always discovered anew, since it cannot be told what is new.

    :raises ModelError: when the label lexicon is missing or damaged.
    :raises StageContractError: when the sample's vectors have another width than the standing topics'.
    """
    from threadpoolctl import threadpool_limits

    chosen = settings or TopicSettings()
    width = standing.shift.means.shape[1]
    if len(sample) and sample.vectors.shape[1] != width:
        raise StageContractError(f"topics: vectors of width {width} are needed, got {sample.vectors.shape[1]}.")
    names, _ = label_numbers(sample)
    known = {label for topic in standing.topics for label in topic.labels.values()}
    if not len(standing) or not known.issuperset(names):
        found = discover(sample, chosen, seed=seed, encode=encode)
        return match(found, standing, vectors=sample.vectors, langs=sample.langs) if names else match(found, standing)
    with threadpool_limits(limits=1):
        drawn = draw(sample, chosen.sample)
        if not refit_due(standing, chosen):
            carried = carry_on(sample, drawn, standing, chosen, seed=seed)
            vectors = shifted(sample, drawn, standing)
            if chosen.refit != "drift" or drift(carried, vectors, drawn) <= chosen.drift:
                return retold(carried, sample, drawn, vectors, settings=chosen, encode=encode)
        return refit(sample, drawn, standing, chosen, seed=seed, encode=encode)


def refit_due(standing: TopicModel, settings: TopicSettings) -> bool:
    """Tell whether topics are to be discovered anew whatever the comments are."""
    return standing.past is None or (settings.refit == "weekly" and standing.age + 1 >= _WEEK)


def drift(model: TopicModel, vectors: Vectors, drawn: Draw) -> float:
    """Return by how much the share of comments that no topic holds in its core has grown since topics were discovered.

    :param model: tonight's topics, those that emerged included.
    """
    loose = drawn.copies[core_places(model).nearest(vectors).topic < 0].sum() / max(int(drawn.copies.sum()), 1)
    return float(loose) - model.trade.loose


def carry_on(
    sample: DiscoverySample, drawn: Draw, standing: TopicModel, settings: TopicSettings, *, seed: int
) -> TopicModel:
    """Keep the standing topics in their places under their names, and add those that emerged, yet without a name.

    :param drawn: the comments of the sample that new topics are looked for among.
    """
    vectors = shifted(sample, drawn, standing)
    model = awake(standing, vectors)
    cores = core_places(model)
    loose = loose_rows(cores, vectors, drawn.copies)
    past = standing.past or Past.nothing(vectors.shape[1])
    new = find_emerging(vectors, drawn.copies, loose, past, cores, settings=settings, seed=seed)
    model = _with_new(model, new, sample, drawn, vectors)
    live = widened(model.live, vectors, drawn.copies, settings.max_outliers)
    outside = drawn.copies[live.nearest(vectors).topic < 0].sum()
    trade = replace(
        model.trade,
        outliers=float(outside / max(int(drawn.copies.sum()), 1)),
        slack=model.trade.slack + float((model.live.radii - live.radii).max(initial=0)),
    )
    return replace(model, places=live.joined(model.asleep), trade=trade, age=model.age + 1)


def _with_new(model: TopicModel, found: Emerging, sample: DiscoverySample, drawn: Draw, vectors: Vectors) -> TopicModel:
    """Add emerging topics behind the live ones."""
    places = found.places
    inside = vectors @ places.centroids.T >= places.radii
    new = [
        replace(
            unnamed_topic(model.next_id + at),
            status="emerging",
            growth=round(float(found.growth[at]), 3),
            first_seen=sample.first_day(drawn.rows[inside[:, at]].tolist()),
        )
        for at in range(len(places))
    ]
    live = len(model.live)
    return replace(
        model,
        topics=(*model.topics[:live], *new, *model.topics[live:]),
        places=model.live.joined(places).joined(model.asleep),
        next_id=model.next_id + len(new),
    )
