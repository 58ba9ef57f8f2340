import dataclasses
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
import sample

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.lang.pack import CODES
from feedback_nlp.report import ReportInput, render_report, write_report

GOLDEN = Path(__file__).with_name("golden.html")
VOID = {"meta", "input", "br", "rect", "line", "circle"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def large() -> str:
    return render_report(sample.large_input())


def persian_part(html: str) -> str:
    return html[html.index('<main class="report" id="report-fa"') :].split("</main>", maxsplit=1)[0]


def with_texts(*texts: str, **values: object) -> ReportInput:
    rows = []
    for at, text in enumerate(texts):
        said = sample.Said("en", text, "negative", 0, (("policy", "returns", "-", text[:3]),))
        rows.append(sample.row(said, at, meta={"branch": f"B{at % 2}"}) | values)
    return ReportInput(sample.table_of(rows), {}, None, None, sample.SMALL_TAXONOMY)


def test_golden() -> None:
    page = persian_part(render_report(sample.small_input()))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8"), "the page changed: look at it, then run with UPDATE_GOLDEN=1"


def test_the_same_tables_give_the_same_bytes(large: str) -> None:
    assert render_report(sample.large_input()) == large


def test_the_order_of_chunks_changes_nothing(large: str) -> None:
    given = sample.large_input()
    parts = pa.concat_tables([given.comments.slice(0, 100), given.comments.slice(100)])
    assert render_report(dataclasses.replace(given, comments=parts)) == large


def test_every_tag_is_closed_and_every_id_is_used_once(large: str) -> None:
    page = Page(large)
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {str(attrs["href"])[1:] for attrs in page.named("a")}
    assert targets <= set(ids)


def test_nothing_is_fetched(large: str) -> None:
    page = Page(large)
    assert not re.search(
        r"(?:https?:)?//[a-z]", re.sub(r"base64,[\w+/=]+", "", large.replace("https://github.com", ""))
    )
    for tag, attrs in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset", "action")]
        assert str(attrs.get("href", "#")).startswith("#")
    urls = re.findall(r"url\(\"?([^\")]{0,20})", large)
    assert urls
    assert all(url.startswith("data:font/woff2") for url in urls)


def test_the_policy_allows_our_own_script_and_style_alone(large: str) -> None:
    import base64
    import hashlib

    policy = next(
        str(a["content"]) for a in Page(large).named("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", large, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)> \' " &amp; {{ 7 * 7 }} {% raw %}',
    "</blockquote></main><style>*{display:none}</style>",
    "abc \u202e reversed \u2066 isolate without end",
    "<!-- --> ]]> \x00\x0b\x1f nul",
    "&#60;script&#62; &lt;b&gt;",
    "a" * 5000,
    "ق" + "\u0651" * 300,
)


def test_hostile_comments_stay_text() -> None:
    html = render_report(with_texts(*HOSTILE))
    page = Page(html)
    assert page.open == []
    assert len(page.named("script")) == 1
    assert len(page.named("style")) == 1
    assert not page.named("img")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x0b\x1f]", html)
    assert "{{ 7 * 7 }}" in "".join(page.words)


def test_hostile_names_stay_text() -> None:
    evil = "\u202e<script>alert(2)</script>"
    given = with_texts("one comment here", "another comment here", "and a third one", "a fourth comment", source=evil)
    run = {
        "run_id": evil,
        "version": evil,
        "finished_at": evil,
        "files": [{"name": evil, "encoding": evil, "rows_in": 4, "accepted": 4, "rejected": 1}],
        "stages": {evil: 1.0},
        "models": [{"name": evil, "version": evil, "fingerprint": evil}],
        "config": {evil: evil},
        "config_fingerprint": evil,
        "input_fingerprint": evil,
    }
    topics = pa.Table.from_pylist(
        [
            {"topic_id": 0, "status": evil}
            | {f"label_{c}": evil for c in CODES}
            | {f"keywords_{c}": [evil] for c in CODES}
        ]
    )
    rejects = pa.Table.from_pylist([{"file": evil, "row": 1, "reason": evil, "detail": evil}])
    html = render_report(dataclasses.replace(given, run=run, topics=topics, rejects=rejects))
    assert len(Page(html).named("script")) == 1
    assert "\u202e" not in html


def test_personal_data_is_nowhere_in_the_page() -> None:
    text = "Mr Karimi on 09121234567 never called back about my refund"
    rows = [
        sample.row(
            sample.Said(
                "en", text, "negative", 0, (("policy", "returns", "-", "09121234567 never called"),),
                redact=(("Karimi", "name"), ("09121234567", "phone")),
            ),
            at,
        )
        for at in range(3)
    ]  # fmt: skip
    html = render_report(ReportInput(sample.table_of(rows), {}))
    assert "never called" in html
    assert "Karimi" not in html
    assert "0912" not in html
    assert "‹<bdi>phone</bdi>›" in html
    assert "‹<bdi>تلفن</bdi>›" in html


@pytest.mark.parametrize("lang", CODES)
def test_the_interface_asked_for_comes_first(lang: str) -> None:
    page = Page(render_report(sample.small_input(), lang=lang))
    assert page.named("html")[0]["lang"] == lang
    assert [attrs["value"] for attrs in page.named("input") if "checked" in attrs] == [lang]
    directions = {attrs["lang"]: attrs["dir"] for attrs in page.named("main")}
    assert directions == {"ar": "rtl", "fa": "rtl", "en": "ltr"}


def test_an_unknown_interface_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no interface in 'de'\. Known: ar, fa, en"):
        render_report(sample.small_input(), lang="de")


def test_comments_have_the_direction_of_their_letters(large: str) -> None:
    quotes = re.findall(r'<bdi dir="(\w+)"(?: lang="([\w-]+)")?>(?:…)?(?:<mark[^>]*>)?([^<]{4,})', large)
    seen = {(direction, lang) for direction, lang, _ in quotes if lang}
    assert {("rtl", "ar"), ("rtl", "fa"), ("ltr", "en"), ("ltr", "ar-Latn")} <= seen
    assert not {("ltr", "ar"), ("ltr", "fa"), ("rtl", "en")} & seen


def test_an_empty_run_says_so() -> None:
    given = sample.large_input()
    empty = dataclasses.replace(given, comments=given.comments.slice(0, 0), run={}, topics=None, rejects=None)
    page = Page(render_report(empty))
    words = " ".join(page.words)
    assert "No comments were read" in words
    assert "هیچ نظری خوانده نشد" in words
    assert not {attrs.get("id") for attrs in page.named("section")} & {"en-causes", "en-topics", "en-nps"}


def test_a_run_without_topics_branches_dates_or_answers() -> None:
    given = with_texts("one comment here", "another comment here", created_at=None, meta=None, topic_id=-1)
    page = Page(render_report(given))
    assert "This run has no topics." in " ".join(page.words)
    assert not {attrs.get("id") for attrs in page.named("section")} & {"en-places", "en-nps"}
    assert "#en-places" not in {attrs["href"] for attrs in page.named("a")}


def test_a_run_of_the_first_stages_only() -> None:
    given = sample.large_input()
    ran = {"comment_id", "text", "created_at", "source", "meta"}
    bare = [
        given.comments.column(field.name) if field.name in ran else pa.nulls(given.comments.num_rows, field.type)
        for field in given.comments.schema
    ]
    comments = pa.Table.from_arrays(bare, schema=given.comments.schema)
    page = Page(render_report(dataclasses.replace(given, comments=comments, topics=pa.table({"topic_id": []}))))
    assert "600 comments from 2 files were read" in "".join(page.words)


def test_a_cause_that_the_taxonomy_lacks_is_shown_by_its_code() -> None:
    said = sample.Said("en", "a strange thing happened", "negative", -1, (("policy", "weather_rule", "-", "strange"),))
    html = render_report(ReportInput(sample.table_of([sample.row(said, 0)]), {}, taxonomy=sample.SMALL_TAXONOMY))
    assert "<bdi>weather_rule</bdi>" in html


def test_nothing_but_neutral_comments() -> None:
    rows = [sample.row(sample.Said("en", f"comment {at}", "neutral", -1), at) for at in range(3)]
    assert "Nothing was found." in render_report(ReportInput(sample.table_of(rows), {}))


def test_write_report_makes_folders_and_leaves_no_partial_file(tmp_path: Path) -> None:
    folder = write_report(sample.small_input(), tmp_path / "runs" / "one")
    assert folder == tmp_path / "runs" / "one" / "report.html"
    named = write_report(sample.small_input(), tmp_path / "night.html", lang="fa")
    assert named.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="fa" dir="rtl">')
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["night.html", "report.html"]


def test_only_samples_of_many_comments_are_embedded() -> None:
    few, many = sample.sample_comments(300), sample.sample_comments(3000)
    sizes = [len(render_report(ReportInput(comments, {}))) for comments in (few, many)]
    assert sizes[1] < sizes[0] * 1.3
