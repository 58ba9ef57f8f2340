"""The pages as their readers get them: what stands on them, in which language, and what they never show."""

import re

import pytest
from fastapi.testclient import TestClient
from review_clients import Login
from review_samples import PHONE, said

PAGES = ("/", "/rows", "/topics/1", "/topics/2?part=head", "/comments", "/more", "/comments/e4", "/history", "/account")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("lang", "direction"), [("en", "ltr"), ("ar", "rtl"), ("fa", "rtl")])
def test_every_page_opens_in_every_language(viewer: TestClient, path: str, lang: str, direction: str) -> None:
    answer = viewer.get(path, params={**_query(path), "ui": lang})
    assert answer.status_code == 200
    if "<html" in answer.text:
        assert f'<html lang="{lang}" dir="{direction}">' in answer.text


def _query(path: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in path.partition("?")[2].split("&") if pair)


def test_the_language_chosen_is_remembered(viewer: TestClient) -> None:
    viewer.get("/?ui=fa")
    assert '<html lang="fa" dir="rtl">' in viewer.get("/comments").text


def test_the_table_lists_topics_by_size(viewer: TestClient) -> None:
    text = viewer.get("/").text
    names = re.findall(r'<tr data-topic="(\d+)">', text)
    assert names == ["3", "2", "1"]
    assert "60 comments" in re.sub(r"<[^>]*>", "", text)
    assert "new" in text  # topic 3 is emerging


def test_the_table_sorts_by_name_and_keeps_the_filter(viewer: TestClient) -> None:
    text = viewer.get("/", params={"sort": "name", "lang": "en"}).text
    assert re.findall(r'<tr data-topic="(\d+)">', text) == ["2", "3"]
    assert 'href="/topics/2?lang=en"' in text


def test_a_fragment_is_the_table_alone(viewer: TestClient) -> None:
    text = viewer.get("/", headers={"HX-Request": "true"}).text
    assert text.lstrip().startswith('<div id="table"')
    assert "<html" not in text


def test_a_long_list_grows_by_stretches(viewer: TestClient) -> None:
    first = viewer.get("/topics/3").text
    more = re.search(r'hx-get="(/more\?[^"]*)"', first)
    assert more is not None
    address = more[1].replace("&amp;", "&")
    seen = re.findall(r'data-comment="(x\d+)"', first)
    while address:
        text = viewer.get(address).text
        seen += re.findall(r'data-comment="(x\d+)"', text)
        found = re.search(r'hx-get="(/more\?[^"]*)"', text)
        address = found[1].replace("&amp;", "&") if found else ""
    assert len(set(seen)) == 50


def test_comments_are_shown_as_text_and_personal_data_never(viewer: TestClient) -> None:
    for path in ("/comments", "/topics/2", "/comments/e1", "/comments/e3"):
        text = viewer.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "345 6789" not in text
    assert "&lt;script&gt;alert" in viewer.get("/comments/e1").text
    assert "‹<bdi>phone</bdi>›" in viewer.get("/comments/e3").text
    assert PHONE[:8] in viewer.get("/comments/e3").text


def test_evidence_is_marked_with_its_driver(viewer: TestClient) -> None:
    text = viewer.get("/comments/e4").text
    assert re.search(
        r'<mark class="employee" title="[^"]+">[^<]*<span data-start="4">agent was rude</span></mark>', text
    )
    assert re.search(r'<mark class="policy"[^>]*><span data-start="27">return rules are absurd</span></mark>', text)


def test_a_comment_with_an_awkward_id_has_a_page(viewer: TestClient) -> None:
    listed = viewer.get("/comments", params={"q": "nothing"}).text
    address = re.search(r'href="(/comments/[^"]+)"', listed)
    assert address is not None
    answer = viewer.get(address[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "Nothing to add" in answer.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("کتاب", {"a1", "a2", "f1"}),
        ("كتاب", {"a1", "a2", "f1"}),
        ("خراب", {"f2"}),
        ("متاخر", {"a2"}),
        ("KETAB", {"a2"}),
        ("rude absurd", {"e4"}),
        ("rude kind", set()),
    ],
)
def test_search_folds_letters_and_reads_romanised_comments(viewer: TestClient, query: str, found: set[str]) -> None:
    text = viewer.get("/comments", params={"q": query}).text
    assert set(re.findall(r'data-comment="([^"]+)"', text)) == found


def test_a_name_searched_for_finds_its_topic(viewer: TestClient) -> None:
    assert 'data-topic="1"' in viewer.get("/", params={"q": "books"}).text


def test_filters_by_field_day_sentiment_and_mark(viewer: TestClient) -> None:
    def ids(**params: str) -> set[str]:
        return set(re.findall(r'data-comment="([^"]+)"', viewer.get("/comments", params=params).text))

    assert ids(mark="employee+") == {"e5"}
    assert ids(sentiment="positive") == {"a1", "e5"}
    assert ids(lang="fa") == {"f1", "f2"}
    assert ids(since="2026-11-04", until="2026-11-04", lang="fa") == {"f2"}
    assert ids(branch="B2", lang="fa") == {"f1"}
    assert ids(branch="nowhere") == set()


def test_an_impossible_filter_is_told(viewer: TestClient) -> None:
    assert viewer.get("/", params={"since": "yesterday"}).status_code == 422
    assert viewer.get("/", params={"lang": "xx"}).status_code == 422
    assert viewer.get("/", params={"q": "x" * 201}).status_code == 422


def test_what_does_not_exist_is_not_found(viewer: TestClient) -> None:
    for path in ("/topics/99", "/topics/-5", "/comments/none", "/nowhere", f"/topics/{10**30}"):
        assert viewer.get(path).status_code == 404, path


def test_a_topic_shows_neighbours_lineage_and_typical_comments(viewer: TestClient) -> None:
    text = viewer.get("/topics/1").text
    assert '<a href="/topics/3"><bdi>staff</bdi></a>' in text
    assert text.count("2026-11-0") >= 2
    assert "کتاب" in text
    assert "books" in text


def test_viewers_see_no_acts_and_analysts_do(viewer: TestClient, analyst: TestClient) -> None:
    assert "/acts/" not in viewer.get("/topics/1").text
    assert 'hx-post="/acts/rename"' in analyst.get("/topics/1").text
    assert "/acts/" not in viewer.get("/comments/e4?part=edit").text


def test_only_administrators_get_the_page_of_users(login: Login, analyst: TestClient) -> None:
    assert analyst.get("/admin").status_code == 403
    text = login("admin").get("/admin").text
    assert "analyst" in text
    assert "let in" in text


def test_an_empty_store_says_what_to_do(app, login: Login, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    client = login("viewer")
    monkeypatch.setattr(app.state.site.store, "current_run", lambda: None)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "No night has been published yet" in answer.text


def test_samples_are_what_the_tests_think() -> None:
    assert len(said()) == 60
