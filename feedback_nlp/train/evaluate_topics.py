"""Judges topics: agreement with categories, outliers, languages, stability, a planted theme, ids and scores."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from feedback_nlp.core.errors import MissingInputError
from feedback_nlp.embed import open_encoder
from feedback_nlp.embed.settings import StaticBackend
from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics import DiscoverySample, TopicModel, TopicSettings, discover, renew
from feedback_nlp.topics.neighbours import exact_neighbours
from feedback_nlp.topics.placing import neighbour_agreement
from feedback_nlp.topics.sample import same_text_key
from feedback_nlp.train.coherence import TOP, coherence, diversity
from feedback_nlp.train.data import read_set
from feedback_nlp.train.figures import Figure, expected_calibration_error
from feedback_nlp.train.topic_languages import PRESENT, Spread, share_of_several, spreads

_SUITE = "topics"
_NIGHTS = ("night_1", "night_2")
_PLANTED_COPIES = 5
_SEEDS = 3
_LARGE = 30
_HALVES = 40
_LABELLED = 0.1
_FEW_TOPICS = 25

Labels = np.ndarray[Any, Any]
Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Judged:
    """A sample with people's categories.

    :param truth: category of each comment.
    """

    name: str
    sample: DiscoverySample
    truth: Labels


def evaluate(data: Path, *, seed: int = 17) -> list[Figure]:
    """Measure discovery and assignment with the shipped encoder and the default settings.

    :param data: the data folder.
    :param seed: seed of every discovery but those that measure the effect of the seed.
    :raises MissingInputError: when a data set is missing.
    """
    encode = open_encoder().encode
    words = open_encoder(StaticBackend(model=TopicSettings().labels.encoder.model)).encode
    nights = {name: read_night(data, name) for name in _NIGHTS}
    models = {name: discover(night, seed=seed, encode=words) for name, night in nights.items()}
    banking, broad = (read_judged(data, name, encode) for name in ("en_banking77", "multi_sib200"))
    carried = renew(nights["night_2"], models["night_1"], seed=seed, encode=words)
    anew = renew(nights["night_2"], replace(models["night_1"], past=None), seed=seed, encode=words)
    return [
        *_categories(banking, seed),
        *_few_labels(banking, seed),
        *_levels(banking, seed),
        *_categories(broad, seed),
        *_broad_categories(broad, seed),
        *[figure for name in _NIGHTS for figure in _shape(name, nights[name], models[name])],
        *_stability("night_1", nights["night_1"], models["night_1"], seed),
        *_words("night_1", nights["night_1"], models["night_1"]),
        *_planted(nights, carried),
        *_kept_ids(nights, models["night_1"], carried, "carried on"),
        *_kept_ids(nights, models["night_1"], anew, "discovered anew from the standing topics"),
        _after_new_comments(nights["night_1"], seed),
        _calibration("night_1 → night_2", models["night_1"], nights["night_2"]),
    ]


def read_judged(data: Path, name: str, encode: Callable[[Sequence[str]], Vectors]) -> Judged:
    """Read a set with the publisher's categories."""
    frame = read_set(data, name)
    frame = frame[frame.split.isin(("train", "dev"))].reset_index(drop=True)
    texts = frame.text.astype(str).tolist()
    ids = [f"{name}-{at}" for at in range(len(texts))]
    return Judged(name, DiscoverySample(ids, texts, frame.lang.tolist(), encode(texts)), frame.topic.to_numpy())


def read_night(data: Path, name: str) -> DiscoverySample:
    """Read a dump through the language, normalising and embedding stages.

    :raises MissingInputError: when it is not there.
    """
    from feedback_nlp import pipeline
    from feedback_nlp.config import Config
    from feedback_nlp.core.batch import CommentBatch
    from feedback_nlp.core.columns import CLEAN, COMMENT_ID, LANG

    path = data / "dumps" / f"{name}.csv"
    if not path.exists():
        raise MissingInputError(f"{path} does not exist. Give the evaluation data's folder with --data.")
    texts = pd.read_csv(path, usecols=["text"]).text.fillna("").astype(str).tolist()
    batch = pipeline.with_vectors(CommentBatch.from_texts(texts), Config())
    return DiscoverySample(batch.values(COMMENT_ID), batch.values(CLEAN), batch.values(LANG), batch.vectors())


def _agreement(score: str, truth: Labels, found: Labels) -> float:
    from sklearn import metrics

    return float(getattr(metrics, score)(truth, found))


def _with_interval(
    score: Callable[[Labels, Labels], float], truth: Labels, found: Labels, *, seed: int = 17
) -> tuple[float, float, float]:
    """Return a score with a 95 % interval from halves of the rows; drawing rows twice would raise information scores.

    :returns: value, low, high.
    """
    rng = np.random.default_rng(seed)
    halves = [rng.permutation(len(truth))[: len(truth) // 2] for _ in range(_HALVES)]
    value, spread = score(truth, found), float(np.std([score(truth[half], found[half]) for half in halves]))
    return value, max(value - 1.96 * spread, 0.0), value + 1.96 * spread


_SCORES = {
    "NMI": partial(_agreement, "normalized_mutual_info_score"),
    "ARI": partial(_agreement, "adjusted_rand_score"),
    "V-measure": partial(_agreement, "v_measure_score"),
}
_ANCHORS = {
    ("en_banking77", "NMI"): "goal .72; published unsupervised discovery .753",
    ("en_banking77", "ARI"): "goal .38; published unsupervised discovery .433",
    ("multi_sib200", "V-measure"): "goal .40; k-means with the true 7 on multilingual MiniLM-L12 .41",
}


def _categories(judged: Judged, seed: int) -> list[Figure]:
    """Compare topics with categories, once with every comment placed and once with the usual share of outliers."""
    langs = sorted(set(judged.sample.langs))
    lang = langs[0] if len(langs) == 1 else "all"
    scores = ("V-measure",) if lang == "all" else ("NMI", "ARI")
    figures = []
    for outliers, words in ((0.0, "every comment placed"), (TopicSettings().max_outliers, "comments with a topic")):
        model = discover(judged.sample, TopicSettings(max_outliers=outliers), seed=seed)
        found = model.assign(judged.sample.vectors, judged.sample.langs).topic_id
        inside = found >= 0
        for score in scores:
            value = _with_interval(_SCORES[score], judged.truth[inside], found[inside])
            anchor = "" if outliers else _ANCHORS.get((judged.name, score), "")
            metric = f"{score}, {words}, {len(model)} topics"
            figures.append(Figure(_SUITE, judged.name, lang, metric, *value, n=int(inside.sum()), anchor=anchor))
        if lang == "all":
            leak = _with_interval(_SCORES["NMI"], np.asarray(judged.sample.langs)[inside], found[inside])
            metric = f"language leak (NMI of topic and language), {words}"
            figures.append(
                Figure(_SUITE, judged.name, lang, metric, *leak, n=int(inside.sum()), anchor="goal .02 at most")
            )
    return figures


def _broad_categories(judged: Judged, seed: int) -> list[Figure]:
    """Compare few broad categories with themes, and with as many topics as there are categories, over three seeds."""
    sample, count = judged.sample, len(set(judged.truth.tolist()))
    whole = TopicSettings(max_outliers=0.0)
    few = whole.model_copy(update={"max_topics": count})
    values: dict[str, list[float]] = {}
    for number in range(seed, seed + _SEEDS):
        for settings, words in ((few, f"at most {count} topics asked for"), (whole, "themes")):
            model = discover(sample, settings, seed=number)
            found = model.assign(sample.vectors, sample.langs).topic_id
            if words == "themes":
                # A topic that stands in no theme is one by itself.
                parents = [
                    -1 - at if topic.parent_id is None else topic.parent_id for at, topic in enumerate(model.topics)
                ]
                found = np.array([*parents, -1 - len(parents)])[found]
            values.setdefault(words, []).append(_SCORES["V-measure"](judged.truth, found))
    return [
        _figure(
            judged.name, f"V-measure, every comment placed, {words}, mean of {_SEEDS} seeds", _mean(each), len(sample)
        )
        for words, each in values.items()
    ]


def _shape(name: str, night: DiscoverySample, model: TopicModel) -> list[Figure]:
    rows = len(night)
    large = spreads(night, model, _LARGE)
    trade = model.trade
    named = [all(topic.labels.values()) for topic in model.topics]
    return [
        Figure(_SUITE, name, "all", "topics", len(model), n=rows),
        Figure(_SUITE, name, "all", "outliers", trade.outliers, n=rows, anchor="goal .10 at most"),
        Figure(
            _SUITE,
            name,
            "all",
            "outliers before reassignment",
            trade.outliers_before,
            n=rows,
            anchor="BERTopic users report .3-.5",
        ),
        Figure(_SUITE, name, "all", "neighbours in the same topic", trade.agreement, n=rows),
        Figure(_SUITE, name, "all", "neighbours in the same topic before reassignment", trade.agreement_before, n=rows),
        *_languages(name, large),
        Figure(_SUITE, name, "all", "topics named in all three languages", _mean(named), n=len(named)),
        Figure(_SUITE, name, "all", "sub-topics", len(model.subtopics), n=rows),
    ]


def _languages(name: str, large: list[Spread]) -> list[Figure]:
    """Tell how many of the larger topics hold several languages: of all, and of those whose theme exists in several."""
    several = f"topics over {_LARGE} comments in more than one language"
    words = [replace(spread, near=frozenset()) for spread in large]
    return [
        _figure(name, several, _mean([spread.several for spread in large]), len(large)),
        _figure(
            name,
            f"{several}, where the theme exists in several by words or place",
            *share_of_several(large),
            "goal .90",
        ),
        _figure(name, f"{several}, where the theme exists in several by words", *share_of_several(words)),
    ]


def _rows(sample: DiscoverySample, rows: Labels) -> DiscoverySample:
    picked = rows.tolist()
    return DiscoverySample(
        [sample.ids[row] for row in picked],
        [sample.cleans[row] for row in picked],
        [sample.langs[row] for row in picked],
        sample.vectors[rows],
    )


def _stability(name: str, night: DiscoverySample, model: TopicModel, seed: int) -> list[Figure]:
    """Compare a model's topics with those found from shuffled rows, by other seeds, and on 95 % of the rows."""
    rng = np.random.default_rng(seed)
    own = model.assign(night.vectors, night.langs).topic_id
    every = np.arange(len(night))
    again = {
        "shuffled rows": [(_rows(night, rng.permutation(every)), seed)],
        "other seeds": [(night, seed + at) for at in (1, 2)],
        "95 % of the rows": [(_rows(night, every[rng.random(len(every)) < 0.95]), seed) for _ in range(2)],
    }
    figures = []
    for how, tries in again.items():
        values = []
        for sample, number in tries:
            found = discover(sample, seed=number).assign(night.vectors, night.langs).topic_id
            values.append(_SCORES["ARI"](own, found))
        figures.append(Figure(_SUITE, name, "all", f"ARI with topics of {how}", _mean(values), n=len(night)))
    return figures


def planted_rows(first: DiscoverySample, second: DiscoverySample) -> Labels:
    """Tell which comments of the second night repeat a text, unknown to the first night, at least five times."""
    known = {same_text_key(clean or "", "") for clean in first.cleans}
    keys = [same_text_key(clean or "", "") for clean in second.cleans]
    counts = Counter(keys)
    return np.array([counts[key] >= _PLANTED_COPIES and key not in known for key in keys], dtype=bool)


def _planted(nights: dict[str, DiscoverySample], model: TopicModel) -> list[Figure]:
    night = nights["night_2"]
    planted = planted_rows(nights["night_1"], night)
    found = model.assign(night.vectors, night.langs).topic_id
    best = int(np.bincount(found[planted] + 1).argmax()) - 1
    recall, precision = _mean(found[planted] == best), _mean(planted[found == best])
    count = int(planted.sum())
    return [
        Figure(_SUITE, "night_2", "all", "planted theme: recall of its best topic", recall, n=count, anchor="goal .80"),
        _figure("night_2", "planted theme: precision of its best topic", precision, count, "goal .90"),
    ]


def _kept_ids(nights: dict[str, DiscoverySample], first: TopicModel, second: TopicModel, how: str) -> list[Figure]:
    """Measure how many comments of the second night keep the topic that the night before would have given them."""
    night = nights["night_2"]
    now, before = (each.assign(night.vectors, night.langs).topic_id for each in (second, first))
    live = {topic.id for topic in second.topics if topic.status != "dormant"}
    fresh = [topic.id for topic in second.topics if topic.status == "emerging"]
    planted = planted_rows(nights["night_1"], night)
    lives = np.isin(before, sorted(live)) & ~planted
    standing = [topic for topic in second.topics if topic.id < first.next_id]
    events = sum(len(topic.lineage) for topic in standing)
    name, count = "night_1 → night_2", int(lives.sum())
    kept = _mean(now[lives] == before[lives])
    emerging = _mean(np.isin(now[planted], fresh))
    return [
        _figure(name, f"comments under the same id, topics {how}", kept, count, "goal .95"),
        _figure(name, f"ARI with the night before, topics {how}", _SCORES["ARI"](before[lives], now[lives]), count),
        _figure(name, f"topics that still live, {how}", len(live - set(fresh)) / max(len(first), 1), len(first)),
        _figure(name, f"emerging topics, {how}", float(len(fresh)), len(live), "1 was planted"),
        _figure(name, f"splits and merges, {how}", float(events), len(standing)),
        _figure(name, f"planted theme in emerging topics, {how}", emerging, int(planted.sum())),
        _kept_parts(night, (first, second), (before, now), how),
    ]


def _kept_parts(night: DiscoverySample, models: Sequence[TopicModel], found: Sequence[Labels], how: str) -> Figure:
    """Measure how many comments that keep their topic keep its sub-topic too."""
    before, now = (
        model.assign_subtopics(night.vectors, night.langs, topics) for model, topics in zip(models, found, strict=True)
    )
    stayed = (before >= 0) & (found[0] == found[1])
    kept = _mean(before[stayed] == now[stayed])
    return _figure("night_1 → night_2", f"comments under the same sub-topic, topics {how}", kept, int(stayed.sum()))


def _after_new_comments(night: DiscoverySample, seed: int) -> Figure:
    """Carry the topics of 95 % of a night on to all of it, and compare them on the comments that were there before."""
    rng = np.random.default_rng(seed)
    old = _rows(night, np.flatnonzero(rng.random(len(night)) < 0.95))
    first = discover(old, seed=seed)
    found = [each.assign(old.vectors, old.langs).topic_id for each in (first, renew(night, first, seed=seed))]
    return _figure("night_1", "ARI after 5 % new comments", _SCORES["ARI"](*found), len(old), "goal .90")


def _levels(judged: Judged, seed: int) -> list[Figure]:
    """Find few topics, so that one holds several categories, and compare topics and sub-topics with the categories."""
    model = discover(judged.sample, TopicSettings(max_outliers=0.0, max_topics=_FEW_TOPICS), seed=seed)
    sample = judged.sample
    topics = model.assign(sample.vectors, sample.langs).topic_id
    parts = model.assign_subtopics(sample.vectors, sample.langs, topics)
    both = np.unique(np.stack([topics, parts]), axis=1, return_inverse=True)[1].ravel()
    figures = []
    for found, words in ((topics, f"{len(model)} topics"), (both, f"their {int(both.max()) + 1} sub-topics")):
        for score in ("NMI", "ARI"):
            value = _with_interval(_SCORES[score], judged.truth, found)
            metric = f"{score}, at most {_FEW_TOPICS} topics: {words}"
            figures.append(Figure(_SUITE, judged.name, "en", metric, *value, n=len(found)))
    return figures


def _few_labels(judged: Judged, seed: int) -> list[Figure]:
    """Give one comment in ten its category, as an analyst would, and judge the others."""
    known = np.random.default_rng(seed).random(len(judged.truth)) < _LABELLED
    labels = [str(name) if given else None for name, given in zip(judged.truth, known, strict=True)]
    sample = replace(judged.sample, labels=labels)
    figures = []
    for outliers, words in ((0.0, "every comment placed"), (TopicSettings().max_outliers, "comments with a topic")):
        model = discover(sample, TopicSettings(max_outliers=outliers), seed=seed)
        found = model.assign(sample.vectors, sample.langs).topic_id
        rows = ~known & (found >= 0)
        value = _with_interval(_SCORES["ARI"], judged.truth[rows], found[rows])
        metric = f"ARI of the others with 10 % labelled, {words}, {len(model)} topics"
        anchor = "goal .60; published .695" if not outliers else ""
        figures.append(Figure(_SUITE, judged.name, "en", metric, *value, n=int(rows.sum()), anchor=anchor))
    return figures


def _words(name: str, night: DiscoverySample, model: TopicModel) -> list[Figure]:
    """Judge keywords: do those of a topic occur together, and do topics share few of them."""
    figures = []
    for lang in CODES:
        texts = [str(clean) for clean, own in zip(night.cleans, night.langs, strict=True) if own == lang and clean]
        lists = [topic.keywords.get(lang, ()) for topic in model.topics if topic.shares.get(lang, 0) >= PRESENT]
        told = f"keyword coherence (NPMI, top {TOP})"
        figures.append(Figure(_SUITE, name, lang, told, coherence(texts, lists, lang), n=len(lists)))
        told = f"keyword diversity (different ones of the top {TOP})"
        figures.append(Figure(_SUITE, name, lang, told, diversity(lists), n=len(lists)))
    return figures


def _figure(name: str, metric: str, value: float, count: int, anchor: str = "") -> Figure:
    return Figure(_SUITE, name, "all", metric, value, n=count, anchor=anchor)


def _calibration(name: str, model: TopicModel, unseen: DiscoverySample) -> Figure:
    """Compare scores of unseen comments with the share of their ten nearest comments that got the same topic."""
    found = model.assign(unseen.vectors, unseen.langs)
    usable = np.flatnonzero(np.any(unseen.vectors, axis=1))
    vectors = model.shift.apply(unseen.vectors[usable], [unseen.langs[row] for row in usable.tolist()])
    labels = found.topic_id[usable].astype(np.int64)
    share = neighbour_agreement(labels, exact_neighbours(vectors, min(11, len(usable))))
    inside = labels >= 0
    error = expected_calibration_error(share[inside], found.topic_score[usable][inside])
    return Figure(
        _SUITE, name, "all", "calibration error of topic_score on unseen comments", error, n=int(inside.sum())
    )


def _mean(values: Sequence[Any] | Labels) -> float:
    return float(np.mean(values)) if len(values) else 0.0
