"""Words of comments for labels: counted by a key that forgets clitics and plurals, shown in a form people write."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from feedback_nlp.core.folding import fold
from feedback_nlp.lang.pack import open_pack

_JOINERS = "\u200c\u0640\u064b-\u065f\u0670'’"
_WORD = re.compile(rf"[^\W\d_](?:[^\W_]|[{_JOINERS}])*")
_SKIPPED = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|@\w+|[\[<{⟨][^\]>}⟩\s]{1,24}[\]>}⟩]|&\w+;")
_HANDLE = re.compile(r"[A-Z][a-z]+[A-Z]")
_SHORTEST_HANDLE = 6
_LONGEST = 24
_MOST_WORDS = 250
_PLURALS = {"en": ("'s", "s"), "fa": ("هایی", "های", "هاش", "ها")}


def split_words(text: str) -> list[list[str]]:
    """Split a text into stretches of neighbouring words; signs, numbers, links and placeholders part stretches.

    ZWNJ, apostrophes, kashida and diacritics stay inside their word.
    """
    stretches: list[list[str]] = [[]]
    at, count = 0, 0
    plain = _SKIPPED.sub(" | ", text)
    for match in _WORD.finditer(plain):
        if plain[at : match.start()].strip():
            stretches.append([])
        at = match.end()
        word = match.group().rstrip("\u200c'’")
        if len(word) > _LONGEST or not word[0].isalpha():
            stretches.append([])
            continue
        stretches[-1].append(word)
        count += 1
        if count == _MOST_WORDS:
            break
    return [stretch for stretch in stretches if stretch]


def is_handle(word: str) -> bool:
    """Tell whether a word is written like an account's name, as ``AmericanAir``: it names whom people wrote to."""
    return len(word) >= _SHORTEST_HANDLE and _HANDLE.match(word) is not None


@cache
def fold_word(word: str) -> str:
    """Fold a word for counting; ZWNJ and apostrophes leave no gap."""
    return fold(word.replace("\u200c", "").replace("’", "'")).replace(" ", "").replace("'", "")


@cache
def _folded_clitics(lang: str) -> tuple[str, ...]:
    return tuple(fold_word(clitic) for clitic in open_pack(lang).clitics)


@cache
def passive_words(lang: str) -> frozenset[str]:
    """Return folded words that never name a topic alone: stop words, negations and contrasts."""
    pack = open_pack(lang)
    single = [word for word in pack.contrasts if " " not in word]
    return frozenset(fold_word(word) for word in (*pack.stop_words, *pack.negations, *single))


@cache
def negation_words(lang: str) -> frozenset[str]:
    """Return folded negations, which a phrase keeps."""
    return frozenset(fold_word(word) for word in open_pack(lang).negations)


def _without_prefix(word: str, counts: Counter[str], lang: str) -> str:
    for clitic in _folded_clitics(lang):
        rest = word[len(clitic) :]
        if not word.startswith(clitic) or len(rest) < 3:
            continue
        article = len(clitic) > 1
        known = counts[rest] + counts["ال" + rest]
        if known >= (1 if article else counts[word]):
            return rest
    return word


def _without_suffix(word: str, counts: Counter[str], lang: str) -> str:
    for suffix in _PLURALS.get(lang, ()):
        rest = word.removesuffix(suffix)
        if rest != word and len(rest) >= 3 and counts[rest] >= 0.2 * counts[word]:
            return rest
    return word


@dataclass(frozen=True)
class Vocabulary:
    """One language's words in a set of comments.

    :param lang: language code.
    :param keys: folded word to the key it is counted under.
    :param shown: key to the form shown to readers.
    """

    lang: str
    keys: dict[str, str]
    shown: dict[str, str]

    @classmethod
    def fit(cls, lang: str, texts: Sequence[list[list[str]]]) -> "Vocabulary":
        """Learn keys and readable forms from split texts.

        :param texts: results of :func:`split_words`.
        """
        surfaces = Counter(word for text in texts for stretch in text for word in stretch)
        counts: Counter[str] = Counter()
        for word, count in surfaces.items():
            counts[fold_word(word)] += count
        keys = {}
        for word in counts:
            rest = _without_prefix(word, counts, lang)
            keys[word] = _without_suffix(rest, counts, lang)
        return cls(lang, keys, _readable(lang, surfaces, keys))

    def bare(self, word: str, key: str) -> str:
        """Return an Arabic word as written, or its readable form where a conjunction or preposition is joined to it."""
        joined = self.lang == "ar" and fold_word(word) not in (key, f"ال{key}")
        return self.shown.get(key, word) if joined else word

    def key(self, word: str) -> str:
        """Return the key of a word as written."""
        folded = fold_word(word)
        return self.keys.get(folded, folded)


def _readable(lang: str, surfaces: Counter[str], keys: dict[str, str]) -> dict[str, str]:
    """Choose each key's most frequent form, forms without a conjunction or preposition first."""
    best: dict[str, tuple[bool, int, str]] = {}
    for word, count in surfaces.items():
        folded = fold_word(word)
        key = keys[folded]
        bare = folded == key or (lang == "ar" and folded == "ال" + key)
        form = word.lower() if lang == "en" and not word.isupper() else word
        candidate = (bare, count, form.replace("ـ", ""))
        if key not in best or candidate > best[key]:
            best[key] = candidate
    return {key: form for key, (_, _, form) in best.items()}
