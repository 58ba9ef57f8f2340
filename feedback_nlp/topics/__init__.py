"""Finds topics in a sample of comments, names them in three languages and assigns comments to them."""

from feedback_nlp.topics.carrying import renew
from feedback_nlp.topics.discover import discover
from feedback_nlp.topics.matching import match
from feedback_nlp.topics.model import TopicModel
from feedback_nlp.topics.placing import Assignment, Trade
from feedback_nlp.topics.representatives import Representative
from feedback_nlp.topics.sample import DiscoverySample
from feedback_nlp.topics.settings import TopicSettings
from feedback_nlp.topics.stage import TopicStage
from feedback_nlp.topics.subtopics import Subtopics
from feedback_nlp.topics.table import topic_schema
from feedback_nlp.topics.topic import Topic

__all__ = [
    "Assignment",
    "DiscoverySample",
    "Representative",
    "Subtopics",
    "Topic",
    "TopicModel",
    "TopicSettings",
    "TopicStage",
    "Trade",
    "discover",
    "match",
    "renew",
    "topic_schema",
]
