"""What a model tells about its topics: sizes, languages, themes, names and typical comments."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.grouping import group_themes, smallest_topic
from feedback_nlp.topics.lexicon import open_lexicon
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.naming import Namer
from feedback_nlp.topics.neighbours import Vectors
from feedback_nlp.topics.phrases import shared_keywords, theme_label
from feedback_nlp.topics.placing import reaching
from feedback_nlp.topics.representatives import Representative, choose_representatives
from feedback_nlp.topics.sample import DiscoverySample, Draw
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.subtopics import Subtopics
from feedback_nlp.topics.topic import Topic
from feedback_nlp.topics.wording import worded
from feedback_nlp.topics.words import LanguageWords
from feedback_nlp.topics.wordspace import Encode

Ints = np.ndarray[Any, np.dtype[np.int64]]

_NEAR = 0.65
_BLOCK = 8192


def describe(
    model: TopicModel,
    sample: DiscoverySample,
    drawn: Draw,
    vectors: Vectors,
    *,
    settings: TopicSettings,
    encode: Encode | None,
) -> TopicModel:
    """Return the model with sizes, language shares, themes, names and typical comments, the largest topic first.

    A topic that has a name keeps it with its keywords, and its theme. A topic without comments is dormant.

    :param model: a model with places, ids and, for topics that stood before, names and themes.
    :param vectors: shifted vectors of the drawn rows.
    :param encode: an encoder of words, or None.
    """
    model, every = _ordered(*_placed(model, sample, settings.max_outliers))
    own, count, langs = every[drawn.rows], len(model), np.asarray(sample.langs)
    words = _split(sample, drawn)
    namer = Namer(words, open_lexicon(settings.labels.model), settings.labels, encode)
    sizes = np.bincount(every[every >= 0], minlength=count)
    shares = _language_shares(every, langs, count)
    wanted = [at for at, topic in enumerate(model.topics) if not (topic.labels and topic.keywords)]
    names = dict(zip(wanted, namer.name(own, count, wanted), strict=True))
    typical = _typical(model, sample, drawn, vectors, words=words, most=settings.labels.representatives)
    parents, first = _parents(model, sizes)
    topics = []
    for at, topic in enumerate(model.topics):
        size = int(sizes[at])
        topics.append(
            replace(
                topic,
                size=size,
                parent_id=None if parents[at] < 0 else int(parents[at]),
                labels=topic.labels or names[at].labels,
                keywords=topic.keywords or names[at].keywords,
                representatives=typical[at] if any(typical[at].values()) else topic.representatives,
                shares=shares[at] or topic.shares,
                status=topic.status if size else "dormant",
                idle=0 if size else topic.idle + 1,
            )
        )
    if settings.labels.chat is not None:
        unnamed = [at for at, topic in enumerate(model.topics) if not topic.labels]
        topics = list(worded(topics, unnamed, settings.labels.chat))
    known = {theme.id: theme for theme in model.themes}
    themes = _themes(tuple(topics), np.append(parents, -1)[every], langs, known)
    model = replace(model, topics=tuple(topics), themes=themes, next_theme_id=first)
    held = np.where(model.places.strict[own], -1, own) if count else own
    least = smallest_topic(len(drawn), settings)
    new = model.subtopics.renewed(model.topics, held, vectors, sizes=(settings.subtopics, least), anew=not model.age)
    ids = np.append([topic.id for topic in model.topics], -1)[every]
    parts = _each(model, sample, lambda part, shifted: new.place(shifted, ids[part]))
    return replace(model, subtopics=_told(_named(new, model, parts[drawn.rows], namer), parts, langs))


def _placed(model: TopicModel, sample: DiscoverySample, most: float) -> tuple[TopicModel, Ints]:
    """Place all comments; where too many of those that were not drawn have no topic, radii are widened once more.

    :returns: the model, and the position of each comment's topic, -1 for none.
    """
    reach = np.full(len(sample), -2, dtype=np.float32)

    def place(part: slice, shifted: Vectors) -> Ints:
        found = model.places.nearest(shifted)
        reach[part] = found.reach
        return found.topic

    every = _each(model, sample, place)
    usable = np.flatnonzero(reach > -2)
    wide = reaching(model.places, reach[usable], np.ones(len(usable), dtype=np.int64), most)
    slack = float((model.places.radii - wide.radii).max(initial=0))
    if slack > 0:
        model = replace(model, places=wide)
        again = np.flatnonzero((every < 0) & (reach >= -slack))
        shifted = model.shift.apply(sample.vectors[again], [sample.langs[row] for row in again.tolist()])
        every[again] = wide.nearest(shifted).topic
    outliers = float(np.mean(every[usable] < 0)) if len(usable) else model.trade.outliers
    return replace(model, trade=replace(model.trade, outliers=outliers, slack=model.trade.slack + slack)), every


def _each(model: TopicModel, sample: DiscoverySample, place: Callable[[slice, Vectors], Ints]) -> Ints:
    """Place all comments of a sample, part by part: their vectors may fill most of the memory once."""
    out = np.empty(len(sample), dtype=np.int64)
    for start in range(0, len(sample), _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = place(part, model.shift.apply(sample.vectors[part], sample.langs[part]))
    return out


def _named(subtopics: Subtopics, model: TopicModel, own: Ints, namer: Namer) -> Subtopics:
    """Name sub-topics that have no name, not with the words that name their topic.

    :param own: position of each drawn comment's sub-topic, -1 for none.
    """
    above = {topic.id: topic.labels for topic in model.topics}
    said = [above.get(-1 if entry.parent_id is None else entry.parent_id, {}) for entry in subtopics.entries]
    new = [at for at, entry in enumerate(subtopics.entries) if not entry.labels]
    entries = list(subtopics.entries)
    for at, names in zip(new, namer.name(own, len(subtopics), new, said), strict=True):
        entries[at] = replace(entries[at], labels=names.labels, keywords=names.keywords)
    return replace(subtopics, entries=tuple(entries))


def _told(subtopics: Subtopics, every: Ints, langs: np.ndarray[Any, Any]) -> Subtopics:
    """Return sub-topics with sizes and language shares.

    :param every: position of each comment's sub-topic, -1 for none.
    """
    sizes = np.bincount(every[every >= 0], minlength=len(subtopics)).tolist()
    shares = _language_shares(every, langs, len(subtopics))
    told = zip(subtopics.entries, sizes, shares, strict=True)
    return subtopics.told(
        [
            replace(entry, size=size, shares=own or entry.shares, idle=0 if size else entry.idle + 1)
            for entry, size, own in told
        ]
    )


def _parents(model: TopicModel, sizes: Ints) -> tuple[Ints, int]:
    """Return each topic's theme, -1 for none, and the smallest theme id never used.

    Where themes stand, a new topic goes to the theme of the topic nearest to it.

    :param sizes: comments of each topic.
    """
    if not model.themes:
        parents = group_themes(model.places.centroids, sizes.astype(np.float64)) + np.int64(model.next_theme_id)
        alone = parents < model.next_theme_id
        return np.where(alone, -1, parents), max(int(parents.max(initial=-1)) + 1, model.next_theme_id)
    parents = np.array([-1 if topic.parent_id is None else topic.parent_id for topic in model.topics], dtype=np.int64)
    new = np.array([not topic.labels for topic in model.topics], dtype=bool)
    if new.any() and not new.all():
        cosines = model.places.centroids[new] @ model.places.centroids[~new].T
        parents[new] = parents[~new][cosines.argmax(axis=1)]
    return parents, model.next_theme_id


def _ordered(model: TopicModel, topics: Ints) -> tuple[TopicModel, Ints]:
    """Order topics by falling number of comments.

    :param topics: position of each comment's topic, -1 for none.
    :returns: the model, and the new position of each comment's topic.
    """
    sizes = np.bincount(topics[topics >= 0], minlength=len(model))
    order = np.argsort(-sizes, kind="stable")
    number = np.append(np.argsort(order, kind="stable"), -1)
    entries = tuple(model.topics[at] for at in order.tolist())
    return replace(model, topics=entries, places=model.places.take(order)), number[topics]


def _split(sample: DiscoverySample, drawn: Draw) -> dict[str, LanguageWords]:
    langs = np.array([sample.langs[row] for row in drawn.rows.tolist()])
    words = {}
    for lang in CODES:
        rows = np.flatnonzero(langs == lang)
        cleans = [str(sample.cleans[row]) for row in drawn.rows[rows].tolist()]
        words[lang] = LanguageWords.fit(lang, rows, cleans, drawn.copies[rows])
    return words


def _language_shares(topics: Ints, langs: np.ndarray[Any, Any], count: int) -> list[dict[str, float]]:
    """Return each topic's share of comments by language, languages without any left out."""
    names = np.unique(langs).tolist()
    counts = [np.bincount(topics[(topics >= 0) & (langs == lang)], minlength=count) for lang in names]
    shares = []
    for at in range(count):
        whole = sum(int(row[at]) for row in counts)
        shares.append(
            {lang: round(int(row[at]) / whole, 6) for lang, row in zip(names, counts, strict=True) if row[at]}
        )
    return shares


def _typical(
    model: TopicModel,
    sample: DiscoverySample,
    drawn: Draw,
    vectors: Vectors,
    *,
    words: Mapping[str, LanguageWords],
    most: int,
) -> list[dict[str, tuple[Representative, ...]]]:
    """Choose each topic's typical comments by language; none where all of a language lie far from the centre."""
    found = model.places.nearest(vectors)
    texts = [str(sample.cleans[row]) for row in drawn.rows.tolist()]
    out = []
    for at in range(len(model)):
        near = (found.topic == at) & (found.cosine >= _NEAR * found.cosine[found.topic == at].max(initial=0))
        members = {lang: words[lang].rows[near[words[lang].rows]] for lang in CODES}
        chosen = {
            lang: choose_representatives(vectors, found.cosine, rows, texts, most=most)
            for lang, rows in members.items()
        }
        out.append(
            {
                lang: tuple(Representative(sample.ids[drawn.rows[row]], texts[row]) for row in rows)
                for lang, rows in chosen.items()
            }
        )
    return out


def _themes(
    topics: tuple[Topic, ...], every: Ints, langs: np.ndarray[Any, Any], known: Mapping[int, Topic]
) -> tuple[Topic, ...]:
    """Make the themes above topics; a new theme is called after its two largest topics.

    :param every: theme of each comment, -1 for none.
    :param known: themes that have a name, by id.
    """
    ids = sorted({topic.parent_id for topic in topics if topic.parent_id is not None})
    shares = _language_shares(every, langs, max(ids, default=-1) + 1)
    themes = []
    for theme_id in ids:
        members = [topic for topic in topics if topic.parent_id == theme_id]
        size = sum(topic.size for topic in members)
        labels = {lang: theme_label([topic.labels[lang] for topic in members], lang) for lang in CODES}
        keywords = {lang: shared_keywords([topic.keywords[lang] for topic in members]) for lang in CODES}
        made = Topic(theme_id, size, None, labels, keywords, dict.fromkeys(CODES, ()), shares[theme_id])
        named = known.get(theme_id, made)
        themes.append(replace(made, labels=named.labels, keywords=named.keywords))
    return tuple(themes)
