"""discover: from a sample of comments to a TopicModel."""

from dataclasses import replace
from typing import Any

import numpy as np

from feedback_nlp.core.errors import StageContractError
from feedback_nlp.topics.describing import describe
from feedback_nlp.topics.grouping import Grouping, group
from feedback_nlp.topics.model import TopicModel, unnamed_topic
from feedback_nlp.topics.neighbours import Neighbours, Vectors, exact_neighbours
from feedback_nlp.topics.past import Past
from feedback_nlp.topics.placing import Places, Trade, core_radii, fit_curve, neighbour_agreement, widened
from feedback_nlp.topics.sample import DiscoverySample, Draw, draw
from feedback_nlp.topics.settings import TopicSettings, UmapHdbscanSettings
from feedback_nlp.topics.space import LanguageShift
from feedback_nlp.topics.translating import Encode

Ints = np.ndarray[Any, np.dtype[np.int64]]

_NEIGHBOURS = 15


def discover(
    sample: DiscoverySample, settings: TopicSettings | None = None, *, seed: int = 17, encode: Encode | None = None
) -> TopicModel:
    """Find the topics of a sample and name them.

    The result depends on what the sample holds, not on the order it comes in nor on the number of threads. A sample
    without any usable comment gives a model without topics.

    :param seed: seed of the layout, or of the start of k-means.
    :param encode: the encoder of the sample's vectors, for naming topics in languages that their comments lack; without
        it, the lexicon alone translates.
    :raises ModelError: when the label lexicon is missing or damaged.
    :raises StageContractError: when ``encode`` makes vectors of another width than the sample's.
    """
    from threadpoolctl import threadpool_limits

    chosen = settings or TopicSettings()
    width = sample.vectors.shape[1]
    if encode is not None and len(sample) and (found := encode(["a"]).shape[1]) != width:
        raise StageContractError(f"topics: the encoder makes vectors of width {found}, the sample has width {width}.")
    with threadpool_limits(limits=1):
        drawn = draw(sample, chosen.sample)
        langs = [sample.langs[row] for row in drawn.rows.tolist()]
        shift = LanguageShift.fit(sample.vectors[drawn.rows], langs)
        vectors = shift.apply(sample.vectors[drawn.rows], langs)
        places, trade = find_places(vectors, drawn, chosen, seed)
        bare = TopicModel(
            topics=tuple(unnamed_topic(at) for at in range(len(places))),
            themes=(),
            places=places,
            shift=shift,
            trade=trade,
            comments=len(sample),
            next_id=len(places),
            next_theme_id=0,
            past=Past.remember(vectors, drawn.copies),
        )
        found = describe(bare, sample, drawn, vectors, settings=chosen, encode=encode)
        return replace(found, topics=tuple(replace(topic, id=at) for at, topic in enumerate(found.topics)))


def find_places(vectors: Vectors, drawn: Draw, settings: TopicSettings, seed: int) -> tuple[Places, Trade]:
    """Group different comments and fit centres, radii and the score's curve.

    :param vectors: float32 array of shape (comments, width), shifted rows of unit length in canonical order.
    """
    near = discovery_neighbours(vectors, settings)
    grouped = group(vectors, near, drawn.copies, settings, seed)
    return settle(vectors, drawn.copies, grouped, near, settings)


def settle(
    vectors: Vectors, copies: Ints, grouped: Grouping, near: Neighbours, settings: TopicSettings
) -> tuple[Places, Trade]:
    """Fit radii and the score's curve of settled topics.

    :param copies: int64 array (rows,), how many comments each row stands for.
    """
    core, none = grouped.labels, np.zeros(3, dtype=np.float32)
    bare = Places(grouped.centroids, np.full(len(grouped.strict), -2, dtype=np.float32), grouped.strict, none)
    if not len(bare):
        left_out = float(len(vectors) > 0)
        return bare, Trade(left_out, left_out, 0.0, 0.0)
    cores = core_radii(vectors, core, bare)
    places = widened(cores, vectors, copies, settings.max_outliers)
    found = places.nearest(vectors)
    labels = found.topic
    agreement = neighbour_agreement(labels, near)
    inside = labels >= 0
    curve = fit_curve(found.cosine[inside], found.lead[inside], agreement[inside])
    whole = max(int(copies.sum()), 1)
    trade = Trade(
        outliers_before=float(copies[core < 0].sum() / whole),
        outliers=float(copies[~inside].sum() / whole),
        agreement_before=_mean(neighbour_agreement(core, near)[core >= 0]),
        agreement=_mean(agreement[inside]),
        slack=float((cores.radii - places.radii).max()),
        loose=float(copies[cores.nearest(vectors).topic < 0].sum() / whole),
    )
    return replace(places, curve=curve), trade


def discovery_neighbours(vectors: Vectors, settings: TopicSettings) -> Neighbours:
    """Find as many nearest rows of each row as the backend wants."""
    wanted = settings.backend.neighbours if isinstance(settings.backend, UmapHdbscanSettings) else _NEIGHBOURS
    if not len(vectors):
        return Neighbours(np.empty((0, 0), dtype=np.int32), np.empty((0, 0), dtype=np.float32))
    return exact_neighbours(vectors, min(wanted, len(vectors)))


def _mean(values: np.ndarray[Any, Any]) -> float:
    return float(values.mean()) if len(values) else 0.0
