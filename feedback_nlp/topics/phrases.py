"""Labels of two to four words: the best phrase of a topic's comments and what it leaves unsaid."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from feedback_nlp.topics.keywords import are_variants
from feedback_nlp.topics.tokens import negation_words, passive_words
from feedback_nlp.topics.words import LanguageWords

_SEPARATORS = {"ar": "، ", "fa": "، ", "en": ", "}
_FEWEST = 3
_LEAST_SHARE = 0.03
_TOP = 10

Ints = np.ndarray[Any, np.dtype[np.int64]]
Phrase = tuple[str, ...]


def join_label(parts: Sequence[str], lang: str) -> str:
    """Join words and phrases to a label with the language's comma."""
    return _SEPARATORS.get(lang, ", ").join(parts)


def make_label(ranked: Sequence[str], weights: Mapping[str, float], words: LanguageWords, members: Ints) -> str:
    """Join the best phrase with further keywords, four words at most.

    :param ranked: the topic's keys, the most telling first, without variants.
    :param weights: weight of every telling key.
    :param members: int64 array, positions of the topic's comments in ``words``.
    """
    if not ranked:
        return ""
    phrase = best_phrase(ranked, weights, words, members)
    parts: list[Phrase] = [phrase] if phrase else []
    wanted = 3 if phrase else 2
    for key in ranked:
        used = [word for part in parts for word in part]
        if len(used) >= wanted:
            break
        if not any(key == word or are_variants(key, word) for word in used):
            parts.append((key,))
    return join_label([_written(part, words, members) for part in parts], words.lang)


def best_phrase(
    ranked: Sequence[str], weights: Mapping[str, float], words: LanguageWords, members: Ints
) -> Phrase | None:
    """Return the phrase with the highest weight times the number of comments it stands in, or None.

    Its weight is that of its weakest telling word, so that praise or blame that many topics share does not lead.
    """
    least = max(_FEWEST, _LEAST_SHARE * words.counts[members].sum())
    top = set(ranked[:_TOP])
    rated = [
        (count * min(weights[key] for key in phrase if key in weights), phrase)
        for phrase, count in count_phrases(weights, words, members).items()
        if count >= least and len(set(phrase)) == len(phrase) and top & set(phrase)
    ]
    return max(rated)[1] if rated else None


def count_phrases(weights: Mapping[str, float], words: LanguageWords, members: Ints) -> Counter[Phrase]:
    """Count, by comment, pairs of neighbouring telling words, and triples of them around a stop word.

    A negation may open a pair.
    """
    passive, negations = passive_words(words.lang), negation_words(words.lang)
    found: Counter[Phrase] = Counter()
    for member in members.tolist():
        here: set[Phrase] = set()
        for stretch in words.texts[member]:
            keys = [words.vocabulary.key(word) for word in stretch]
            for at, key in enumerate(keys[:-1]):
                after, last = keys[at + 1], keys[at + 2] if at + 2 < len(keys) else ""
                if after in weights and (key in weights or key in negations):
                    here.add((key, after))
                if key in weights and after in passive and last in weights:
                    here.add((key, after, last))
        for phrase in here:
            found[phrase] += int(words.counts[member])
    return found


def _written(part: Phrase, words: LanguageWords, members: Ints) -> str:
    """Return how a word or phrase is mostly written."""
    vocabulary = words.vocabulary
    if len(part) == 1:
        return vocabulary.shown[part[0]]
    forms: Counter[str] = Counter()
    for member in members.tolist():
        for stretch in words.texts[member]:
            keys = [vocabulary.key(word) for word in stretch]
            for at in range(len(keys) - len(part) + 1):
                if tuple(keys[at : at + len(part)]) == part:
                    said = zip(stretch[at : at + len(part)], part, strict=True)
                    forms[" ".join(vocabulary.bare(word, key) for word, key in said)] += 1
    form = max(forms.items(), key=lambda item: (item[1], item[0]))[0]
    return form.lower() if vocabulary.lang == "en" else form


def theme_label(labels: Sequence[str], lang: str) -> str:
    """Name a theme after the first parts of its two largest topics' labels.

    :param labels: labels of its topics, the largest first.
    """
    firsts = [label.split(_SEPARATORS.get(lang, ", "))[0] for label in labels if label]
    return " / ".join(list(dict.fromkeys(firsts))[:2])


def shared_keywords(keywords: Sequence[Sequence[str]], most: int = 10) -> tuple[str, ...]:
    """Take keywords of a theme from its topics in turn, the largest topic first, each word once."""
    longest = max((len(words) for words in keywords), default=0)
    turns = [words[at] for at in range(longest) for words in keywords if at < len(words)]
    return tuple(list(dict.fromkeys(turns))[:most])
