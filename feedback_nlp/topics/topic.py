"""Topic: one theme, topic or sub-topic as a value, and how it is written down."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from feedback_nlp.topics.representatives import Representative

Status = Literal["emerging", "standing", "dormant"]
Change = Literal["split_from", "split_into", "merged_from", "merged_into"]


@dataclass(frozen=True)
class Event:
    """Something that discovering anew found about two topics.

    :param change: what happened to the topic.
    :param topic_id: the other topic.
    :param day: latest day of the comments that showed it, ISO 8601, or None where they had none.
    """

    change: Change
    topic_id: int
    day: str | None


@dataclass(frozen=True)
class Topic:
    """One topic, or one theme that gathers topics.

    :param id: stable number, from 0.
    :param size: comments of the discovery sample assigned to it.
    :param parent_id: id of its theme, or None.
    :param labels: a label of two to four words by language.
    :param keywords: keywords by language, most telling first.
    :param representatives: typical comments by language.
    :param shares: share of its comments by language; sums to 1.
    :param status: ``standing``; ``emerging`` = new since the model it was matched with;
        ``dormant`` = known, no comments now.
    :param idle: runs since it last had comments.
    :param first_seen: earliest day of its comments when it emerged, ISO 8601; None where comments had no day, or for a
        topic of the first discovery.
    :param growth: how many times its share of the comments before it emerged, where one comment less counts as one;
        None for a topic of the first discovery.
    :param lineage: what it was split from or merged with, the latest last.
    """

    id: int
    size: int
    parent_id: int | None
    labels: Mapping[str, str]
    keywords: Mapping[str, tuple[str, ...]]
    representatives: Mapping[str, tuple[Representative, ...]]
    shares: Mapping[str, float]
    status: Status = "standing"
    idle: int = 0
    first_seen: str | None = None
    growth: float | None = None
    lineage: tuple[Event, ...] = ()


def unnamed_topic(number: int) -> Topic:
    """Return a topic that nothing is known of but its number."""
    return Topic(number, 0, None, {}, {}, {}, {})


def as_plain(topic: Topic) -> dict[str, Any]:
    """Return a topic as values that JSON can hold."""
    return asdict(topic)


def from_plain(entry: dict[str, Any]) -> Topic:
    """Return the topic that :func:`as_plain` wrote down.

    :raises TypeError: when it has other fields.
    :raises KeyError: when one is missing.
    """
    return Topic(
        **{
            **entry,
            "keywords": {lang: tuple(words) for lang, words in entry["keywords"].items()},
            "representatives": {
                lang: tuple(Representative(**one) for one in chosen)
                for lang, chosen in entry["representatives"].items()
            },
            "lineage": tuple(Event(**event) for event in entry.get("lineage", ())),
        }
    )
