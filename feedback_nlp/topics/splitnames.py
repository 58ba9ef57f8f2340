"""Names of topics that analysts split off: what their comments say more than the rest of the topic."""

from collections.abc import Mapping, Sequence

import numpy as np

from feedback_nlp.lang.pack import CODES
from feedback_nlp.topics.lexicon import open_lexicon
from feedback_nlp.topics.naming import Namer
from feedback_nlp.topics.settings import LabelSettings
from feedback_nlp.topics.words import LanguageWords

_MOST = 2000

Said = tuple[str, str]
"""A comment's text, personal data cut out, and its language."""


def name_split(
    inside: Sequence[Said], outside: Sequence[Said], above: Mapping[str, str], *, settings: LabelSettings | None = None
) -> dict[str, str]:
    """Return a label by language for comments that are split off a topic; empty where they have no word in common.

    Counts words of at most 2,000 comments on either side and translates by the lexicon, so that it takes no encoder.

    :param inside: comments that are split off.
    :param outside: the topic's other comments.
    :param above: the topic's labels by language, whose words the new topic is not called by.
    :raises ModelError: when the label lexicon is missing or damaged.
    """
    chosen = settings or LabelSettings()
    said = [*inside[:_MOST], *outside[:_MOST]]
    groups = np.array([0] * len(inside[:_MOST]) + [1] * len(outside[:_MOST]), dtype=np.int64)
    words = {}
    for lang in CODES:
        rows = np.array([at for at, (_, code) in enumerate(said) if code == lang], dtype=np.int64)
        words[lang] = LanguageWords.fit(lang, rows, [said[at][0] for at in rows.tolist()])
    namer = Namer(words, open_lexicon(chosen.model), chosen, None)
    labels = namer.name(groups, 2, [0], [above, above])[0].labels
    return {lang: label for lang, label in labels.items() if label}
