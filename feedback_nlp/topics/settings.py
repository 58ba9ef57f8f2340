"""Settings of finding and assigning topics."""

from typing import Annotated, Literal

from pydantic import Field

from feedback_nlp.core.chat import ChatSettings
from feedback_nlp.core.settings import Settings


class UmapHdbscanSettings(Settings):
    """Density clusters of a low-dimensional layout: UMAP, then HDBSCAN."""

    kind: Literal["umap-hdbscan"] = "umap-hdbscan"
    """Which backend."""
    neighbours: int = Field(15, ge=2, le=200)
    """Nearest comments that shape the layout around a comment."""
    dimensions: int = Field(5, ge=2, le=50)
    """Dimensions of the layout that is clustered."""
    epochs: int = Field(150, ge=10, le=2000)
    """Passes over the neighbour graph; more is slower and a little tidier."""


class KMeansSettings(Settings):
    """Spherical k-means: no layout, no noise, and fast."""

    kind: Literal["kmeans"] = "kmeans"
    """Which backend."""
    topics: Annotated[int, Field(ge=1, le=2000)] | Literal["auto"] = "auto"
    """Number of topics; ``auto`` derives it from ``min_topic_size``."""


class EvocSettings(Settings):
    """EVoC: layout and density clusters in one, for the optional package ``evoc``."""

    kind: Literal["evoc"] = "evoc"
    """Which backend."""
    neighbours: int = Field(15, ge=2, le=200)
    """Nearest comments that shape the graph around a comment."""


Backend = Annotated[UmapHdbscanSettings | KMeansSettings | EvocSettings, Field(discriminator="kind")]


class WordEncoderSettings(Settings):
    """The static encoder by which words are weighed and translated."""

    model: str = "encoder-static"
    """Model's name, or the path of a model folder of kind ``encoder-static``."""


class LabelSettings(Settings):
    """Naming topics in three languages."""

    model: str = "topic-labels"
    """Folder of the lexicon of words that name topics in languages that the comments lack."""
    encoder: WordEncoderSettings = WordEncoderSettings()
    """The encoder of words, whatever encoder made the comments' vectors."""
    keywords: int = Field(10, ge=1, le=50)
    """Keywords of a topic in each language."""
    representatives: int = Field(3, ge=0, le=20)
    """Typical comments kept for each language of a topic."""
    chat: ChatSettings | None = None
    """A language model that words the labels of new topics from their keywords and typical comments, personal data cut
    out; null = none. Where it gives no answer the label stays as it was."""


class TopicSettings(Settings):
    """Finding and assigning topics."""

    backend: Backend = UmapHdbscanSettings()
    """How comments are grouped."""
    sample: int = Field(25_000, ge=100, le=500_000)
    """Most comments that topics are discovered on; the rest is assigned."""
    min_topic_size: Annotated[int, Field(ge=1, le=1_000_000)] | Literal["auto"] = "auto"
    """Fewest different comments that make a topic; ``auto`` grows with the square root of the sample."""
    max_topics: int = Field(150, ge=1, le=2000)
    """Most topics; the closest ones are joined until there are no more."""
    refit: Literal["never", "weekly", "drift"] = "drift"
    """When topics are discovered anew: every seventh run; when more comments than usual fit no topic well; never.
    Between, standing topics stay as they are, and only what fits none of them well is searched for new ones."""
    drift: float = Field(0.10, ge=0, le=1)
    """How much larger than when topics were discovered the share of comments that fit no topic well has to be."""
    seeds: str | None = None
    """CSV file with the columns ``comment_id`` and ``label``: comments that analysts labelled. Each label is a topic of
    that name, and comments like its own go to it; a label that no standing topic is called after brings a discovery
    anew; null = none."""
    subtopics: int = Field(8, ge=0, le=50)
    """Most sub-topics that a topic which is big enough is divided into; 0 and 1 = none."""
    max_outliers: float = Field(0.10, ge=0, le=1)
    """Largest share of comments left without a topic; the nearest outliers join their nearest topics until it holds."""
    also_score: float = Field(0.6, ge=0, le=1)
    """Smallest score at which the topic of a clause is one of its comment's further topics; 1 = none, which spares
    encoding the clauses."""
    labels: LabelSettings = LabelSettings()
    """Naming topics."""
