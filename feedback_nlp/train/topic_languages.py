"""Which languages a topic's theme is spoken of in, whether or not their comments are in the topic.

A topic of one language is no fault where nobody speaks of its theme in another. A theme exists in a further language
when at least five comments of that language, and at least 2 % of the topic's number, say it: by their words (two of the
topic's first ten keywords in that language, as the topic translates them) or by their place (within the radius of the
topic's core). Words do not hang on the vectors that are judged; but where a language has few comments of a topic, they
find it in three of five cases only, so place counts too, even where a nearer topic holds the comment rightly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics import DiscoverySample, Topic, TopicModel
from feedback_nlp.topics.standing import core_places
from feedback_nlp.topics.tokens import Vocabulary, split_words

PRESENT = 0.02
_FEWEST = 5
_KEYWORDS = 10
_SAID = 2

Counts = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Spread:
    """The languages of one topic.

    :param present: languages that make up at least 2 % of its comments.
    :param said: further languages in which its theme exists by their words.
    :param near: further languages in which its theme exists by their place.
    """

    present: frozenset[str]
    said: frozenset[str]
    near: frozenset[str]

    @property
    def several(self) -> bool:
        """Whether the topic holds several languages."""
        return len(self.present) > 1

    @property
    def missing(self) -> bool:
        """Whether the theme exists in another language and the topic holds one alone."""
        return not self.several and bool(self.said | self.near)


def spreads(night: DiscoverySample, model: TopicModel, least: int) -> list[Spread]:
    """Return the languages of every topic of more than ``least`` comments."""
    words = {lang: _Words.of(night, lang) for lang in CODES}
    near = _near(night, model)
    return [
        _spread(topic, words, {lang: int(near[lang][at]) for lang in CODES})
        for at, topic in enumerate(model.topics[: len(model.live)])
        if topic.size > least
    ]


def share_of_several(found: list[Spread]) -> tuple[float, int]:
    """Return the share of topics with several languages among those whose theme exists in several, and their number."""
    counted = [one.several for one in found if one.several or one.missing]
    return (float(np.mean(counted)) if counted else 0.0), len(counted)


@dataclass(frozen=True)
class _Words:
    """The comments of one language as sets of keys."""

    vocabulary: Vocabulary
    comments: list[frozenset[str]]

    @classmethod
    def of(cls, night: DiscoverySample, lang: str) -> "_Words":
        texts = [
            split_words(clean) for clean, own in zip(night.cleans, night.langs, strict=True) if clean and own == lang
        ]
        vocabulary = Vocabulary.fit(lang, texts)
        return cls(vocabulary, [frozenset(vocabulary.key(word) for part in text for word in part) for text in texts])

    def saying(self, keywords: tuple[str, ...]) -> int:
        """Count the comments that hold at least two of the first ten keywords."""
        keys = {self.vocabulary.key(word) for word in keywords[:_KEYWORDS]}
        return sum(len(keys & comment) >= _SAID for comment in self.comments)


def _near(night: DiscoverySample, model: TopicModel) -> dict[str, Counts]:
    """Count, for each language, the comments within the radius of each live topic's core."""
    cores = core_places(model)
    inside = model.shift.apply(night.vectors, night.langs) @ cores.centroids.T >= cores.radii
    langs = np.asarray(night.langs)
    return {lang: np.asarray(inside[langs == lang].sum(axis=0), dtype=np.int64) for lang in CODES}


def _spread(topic: Topic, words: dict[str, _Words], near: dict[str, int]) -> Spread:
    least = max(_FEWEST, PRESENT * topic.size)
    present = frozenset(lang for lang, share in topic.shares.items() if share >= PRESENT)
    others = [lang for lang in CODES if lang not in present]
    said = frozenset(lang for lang in others if words[lang].saying(topic.keywords.get(lang, ())) >= least)
    return Spread(present, said, frozenset(lang for lang in others if near[lang] >= least))
