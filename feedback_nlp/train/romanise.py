"""Writes Arabic and Persian in Latin letters the way people type them: many habits, chosen at random.

There is no standard of Arabizi or Finglish; a writer has habits. A habit is drawn for each text (region, digits for
letters, vowels dropped or doubled, article joined or apart, ezafe written or not …) and then kept to, nearly. Words go
first to sounds (frequent words by a list, others by guessing the short vowels), then from sounds to letters.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from feedback_nlp.train import romanise_tables as tables

Rng = np.random.Generator
_CONSISTENCY = 0.9
_LISTED = 0.85
_LOANWORD = 0.75


@dataclass(frozen=True)
class Habit:
    """How one writer spells.

    :param spellings: for each sound the writer's spellings, favourite first.
    :param droppable: the short vowels.
    :param dropping: chance that a short vowel is left out.
    :param article: spelling of the Arabic article, and what joins it to its word.
    :param assimilates: whether the article follows a sun letter (``essalam``).
    :param ezafe: chance that a Persian word gets an ezafe, and how it is joined.
    :param joined_prefix: what stands between ``mi``, ``nemi``, ``ha`` and the word.
    :param casing: ``lower``, ``sentence`` or ``shout``.
    :param slips: chance of a typing slip in a word.
    """

    spellings: Mapping[str, tuple[str, ...]]
    droppable: str
    dropping: float
    article: tuple[str, str]
    assimilates: bool
    ezafe: tuple[float, str]
    joined_prefix: str
    casing: str
    slips: float


def _pick(rng: Rng, options: Sequence[str]) -> str:
    return options[int(rng.random() * len(options))]


@cache
def _words() -> dict[str, dict[str, tuple[str, ...]]]:
    raw = resources.files("feedback_nlp.train").joinpath("romanised_words.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, text in tomllib.loads(raw).items():
        pairs = [entry.split("=", 1) for entry in text.replace("@el ", "@el_").split()]
        found[name] = {native: tuple(sounds.split("/")) for native, sounds in pairs}
    return found


def draw_habit(lang: str, rng: Rng) -> Habit:
    """Draw a writer's habit.

    :param lang: ``ar`` or ``fa``.
    """
    region = _pick(rng, tables.REGIONS[lang])
    digits = float(rng.choice([0.0, 0.25, 0.6, 1.0], p=[0.3, 0.2, 0.2, 0.3])) if lang == "ar" else 0.0
    options = {**tables.SPELLINGS[lang], **tables.REGIONAL.get(region, {})}
    spellings = {}
    for sound, plain in options.items():
        numeric = tables.DIGITS.get(sound) if rng.random() < digits or (digits and sound in "3H") else None
        choices = (numeric or plain).split(" ")
        spellings[sound] = (_pick(rng, choices), *choices)
    article = _pick(rng, tables.ARTICLES.get(region, ("al", "el")))
    return Habit(
        spellings=spellings,
        droppable=tables.DROPPABLE[lang],
        dropping=float(rng.choice([0.0, 0.15, 0.5, 0.9], p=[0.45, 0.25, 0.18, 0.12])),
        article=(article, _pick(rng, ("", "", " ", " ", "-"))),
        assimilates=rng.random() < 0.3,
        ezafe=(float(rng.choice([0.0, 0.1, 0.2])), _pick(rng, ("", "", "", "-", " "))),
        joined_prefix=_pick(rng, ("", "", "", "", " ", "-")),
        casing=_pick(rng, ("lower", "lower", "lower", "sentence", "sentence", "shout")),
        slips=float(rng.choice([0.0, 0.02, 0.08])),
    )


def _spell(sounds: str, habit: Habit, rng: Rng) -> str:
    """Turn sounds into letters; a first vowel is never dropped."""
    out = []
    for place, sound in enumerate(sounds):
        if place and sound in habit.droppable and rng.random() < habit.dropping:
            continue
        choices = (place == len(sounds) - 1 and habit.spellings.get(f"{sound}.")) or habit.spellings.get(sound)
        if choices is None:
            out.append(sound)
        else:
            out.append(choices[0] if rng.random() < _CONSISTENCY else _pick(rng, choices))
    return "".join(out).replace("_", "")


def _syllables(parts: Sequence[tuple[str, bool]], lang: str, rng: Rng) -> str:
    """Put short vowels between consonants where a syllable needs or may have one.

    :param parts: sounds, each with whether it is a vowel.
    """
    out = ""
    run = 0
    for place, (sound, vowel) in enumerate(parts):
        if vowel or not out:
            run = 0 if vowel else 1
            out += sound
            continue
        last = place == len(parts) - 1
        before_vowel = not last and parts[place + 1][1]
        chance = 0.95 if run == place else 0.35 if before_vowel else 0.5
        if run >= 2 or (run == 1 and rng.random() < chance):
            out += _pick(rng, tables.SHORT_VOWELS[lang])
            run = 0
        run += 1
        out += sound
    return out


def _guess(word: str, lang: str, rng: Rng) -> str:
    """Give a word sounds letter by letter."""
    letters = tables.LETTERS[lang]
    parts: list[tuple[str, bool]] = []
    for place, letter in enumerate(word):
        if letter in "اأإآ" and place == 0:
            parts.append((_pick(rng, tables.FIRST_ALEF[letter][lang]), True))
        elif letter in "ويی":
            nxt = word[place + 1] if place + 1 < len(word) else ""
            consonant = place == 0 or nxt in ("ا", "آ", "ى", "ة") or (bool(parts) and parts[-1][1] and nxt != "")
            parts.append((tables.GLIDES[lang][letter == "و"][consonant], not consonant))
        elif letter == "ه" and lang == "fa" and place == len(word) - 1 and place and not parts[-1][1]:
            parts.append(("e", True))
        elif letter in letters:
            sound = letters[letter]
            parts.append((sound, sound in "A%"))
    return _syllables(parts, lang, rng)


def _split(word: str, lang: str) -> tuple[str, str, str] | None:
    """Return the sounds of a known prefix, the rest of the word, and the sounds of a known suffix."""
    words = _words()
    listed, prefixes, suffixes = words[lang], words[f"{lang}_prefixes"], words[f"{lang}_suffixes"]
    heads = [("", "")] + [(head, sounds[0]) for head, sounds in prefixes.items() if word.startswith(head)]
    tails = [("", "")] + [(tail, sounds[0]) for tail, sounds in suffixes.items() if word.endswith(tail)]
    best = None
    for head, head_sounds in heads:
        for tail, tail_sounds in tails:
            rest = word[len(head) : len(word) - len(tail)]
            if len(rest) >= 2 and rest in listed and (best is None or len(rest) > len(best[1])):
                best = (head_sounds, rest, tail_sounds)
    return best


def _sounds(word: str, lang: str, rng: Rng) -> str:
    """Return the sounds of a native word; a ready spelling comes back behind ``@``."""
    listed = _words()[lang]
    if word in listed and rng.random() < _LISTED:
        found = _pick(rng, listed[word])
        if not found.startswith("@") or rng.random() < _LOANWORD:
            return found
    split = _split(word, lang) if rng.random() < _LISTED else None
    if split is not None:
        head, rest, tail = split
        middle = _pick(rng, listed[rest])
        middle = _guess(rest, lang, rng) if middle.startswith("@") else middle
        head = head[:-3] if head.endswith("al-") and middle.startswith("al-") else head
        return head + (middle[:-1] + "t" if tail and middle.endswith("%") else middle) + tail
    if lang == "ar":
        for head in ("وال", "بال", "فال", "لل", "ال", "و"):
            if word.startswith(head) and len(word) > len(head) + 2:
                return _words()["ar_prefixes"][head][0] + _guess(word[len(head) :], lang, rng)
    return _guess(word, lang, rng)


def _with_article(sounds: str, habit: Habit, rng: Rng) -> str:
    """Spell sounds whose hyphens mark an article or a clitic before the word."""
    *heads, rest = sounds.split("-")
    body = _spell(rest, habit, rng)
    article, joint = habit.article
    for head in reversed(heads):
        if head.endswith("al"):
            sun = habit.assimilates and rest[:1] in tuple("tvdVrzs$SDTZn")
            body = (article[:-1] + body[:1] if sun else article) + ("" if sun else joint) + body
            if head != "al":
                body = _spell(head[:-2], habit, rng) + body
        else:
            wide = head == "w" and rng.random() < 0.7
            body = _spell(head, habit, rng) + (" " if wide else "") + body
    return body


def _word(word: str, lang: str, habit: Habit, rng: Rng) -> str:
    """Write one native word in Latin letters."""
    parts = []
    for piece in word.split("\u200c"):
        if not piece:
            continue
        sounds = _sounds(piece, lang, rng)
        if sounds.startswith("@"):
            parts.append(sounds[1:].replace("_", " "))
        else:
            parts.append(_with_article(sounds, habit, rng) if lang == "ar" else _spell(sounds, habit, rng))
    text = habit.joined_prefix.join(part for part in parts if part)
    chance, joint = habit.ezafe
    if lang == "fa" and len(text) > 2 and rng.random() < chance:
        text += joint + ("e" if text[-1] not in "aeiou" else "ye")
    return _slip(text, habit, rng)


def _slip(text: str, habit: Habit, rng: Rng) -> str:
    if len(text) > 3 and rng.random() < habit.slips:
        at = 1 + int(rng.random() * (len(text) - 2))
        kind = rng.random()
        if kind < 0.4:
            return text[:at] + text[at + 1 :]
        if kind < 0.7:
            return text[:at] + text[at] * (2 + int(rng.random() * 3)) + text[at + 1 :]
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text


def _cased(words: list[str], habit: Habit, rng: Rng) -> list[str]:
    if habit.casing == "sentence" and words:
        return [words[0][:1].upper() + words[0][1:], *words[1:]]
    if habit.casing == "shout":
        return [word.upper() if rng.random() < 0.12 else word for word in words]
    return words


def _pieces(token: str) -> Iterator[tuple[str, bool]]:
    """Cut a token into stretches of native letters and others."""
    start = 0
    for at in range(1, len(token) + 1):
        if at == len(token) or tables.is_native(token[at]) != tables.is_native(token[start]):
            yield token[start:at], tables.is_native(token[start])
            start = at


def romanise_pairs(text: str, lang: str, rng: Rng, *, habit: Habit | None = None) -> list[tuple[str, str]]:
    """Write each blank-separated token of a text in Latin letters.

    :param lang: ``ar`` or ``fa``.
    :param habit: the writer's habit; drawn when None.
    :returns: (token as given, token in Latin letters) in order; the Latin one may hold blanks (``el khedma``). Digits
        become ASCII, tokens already in Latin letters stay as they are.
    """
    habit = habit or draw_habit(lang, rng)
    tokens = text.split()
    latin = []
    for token in tokens:
        parts = [
            _word(tables.plain(piece), lang, habit, rng) if native else piece.translate(tables.MARKS)
            for piece, native in _pieces(token)
        ]
        latin.append("".join(parts))
    return list(zip(tokens, _cased(latin, habit, rng), strict=True))


def romanise(text: str, lang: str, rng: Rng) -> str:
    """Write a native text in Latin letters by the habits of one random writer.

    :param lang: ``ar`` or ``fa``.
    :param rng: the only source of chance.
    """
    return " ".join(latin for _, latin in romanise_pairs(text, lang, rng) if latin)
