"""Sub-topics, further topics and lineage: shown, filtered by, split off, exported."""

import csv
import io
import re

import pytest
from fastapi.testclient import TestClient

from feedback_nlp.store import Store


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize(
    ("lang", "names"), [("en", "manners waiting"), ("ar", "السلوك الانتظار"), ("fa", "رفتار انتظار")]
)
def test_a_topic_shows_its_sub_topics(viewer: TestClient, lang: str, names: str) -> None:
    text = viewer.get(f"/topics/3?ui={lang}&part=subtopics").text
    assert [name in text for name in names.split()] == [True, True]
    assert 'href="/topics/3?subtopic=31#comments"' in text
    assert "/acts/split" not in text
    assert "<section>" not in viewer.get("/topics/1?part=subtopics").text


def test_comments_are_filtered_by_sub_topic(viewer: TestClient) -> None:
    page = viewer.get("/topics/3?subtopic=31").text
    assert set(re.findall(r'class="card" data-comment="(\w+)"', page.partition('id="list"')[2])) == {"e4", "e5"}
    assert '<option value="31" selected>manners</option>' in page
    assert viewer.get("/api/comments?topic=3&subtopic=31").json()["found"] == 2
    for wrong in ("x", "-1", "9999999999"):
        assert viewer.get(f"/topics/3?subtopic={wrong}").status_code == 422
        assert viewer.get(f"/api/comments?subtopic={wrong}").status_code == 422


def test_a_sub_topic_is_split_off_with_its_names(analyst: TestClient, store: Store) -> None:
    shown = analyst.get("/topics/3").text
    (form,) = re.findall(r'<form[^>]*split-part[^>]*>((?:(?!</form>).)*value="31".*?)</form>', shown, re.DOTALL)[:1]
    sent = dict(re.findall(r'name="(\w+)" value="(\w+)"', form))
    assert sent == {"topic_id": "3", "subtopic": "31", "expected": "0"}
    answer = analyst.post("/acts/split", data=sent)
    assert answer.status_code == 200
    (decision,) = store.history()
    assert decision.after["comment_ids"] == ["e4", "e5"]
    new = decision.new_topic
    assert "manners" in analyst.get(f"/topics/{new}?part=head").text
    assert "رفتار" in analyst.get(f"/topics/{new}?part=head&ui=fa").text
    left = analyst.get("/topics/3?part=subtopics&ui=en").text
    assert "waiting" in left
    assert "manners" not in left
    again = analyst.post("/acts/split?ui=en", data={"topic_id": "3", "subtopic": "31"})
    assert again.status_code == 422
    assert "no such sub-topic" in again.text
    store.undo(decision.decision, author="analyst")
    assert analyst.get("/api/comments?topic=3&subtopic=31").json()["found"] == 2


def test_programs_split_by_sub_topic(analyst: TestClient, store: Store) -> None:
    sent = {"act": "split", "topic_id": 3, "after": {"subtopic": 32, "labels": {"en": "queues"}}}
    answer = analyst.post("/api/decisions", json=sent)
    assert answer.status_code == 200
    new = answer.json()["decision"]["after"]["topic_id"]
    told = analyst.get(f"/api/topics/{new}").json()
    assert (told["names"]["en"], told["comments"]) == ("queues", 50)
    for wrong in (99, "31", None, [31]):
        sent["after"] = {"subtopic": wrong}
        assert analyst.post("/api/decisions", json=sent).status_code == 422


def test_a_comment_shows_its_further_topics_and_its_sub_topic(viewer: TestClient, store: Store) -> None:
    assert "also about late delivery, books" in _text(viewer.get("/comments/e4?ui=en").text)
    assert "manners" in viewer.get("/comments/e4").text
    store.decide("merge", author="a", topic_id=2, after={"into": 1})
    assert re.search(r"also about books ?e4", _text(viewer.get("/comments/e4").text))
    told = viewer.get("/api/comment?comment_id=e4").json()
    assert (told["topics_also"], told["subtopic_id"]) == ([1], 31)
    store.decide("move", author="a", topic_id=1, comment_ids=["e4"])
    told = viewer.get("/api/comment?comment_id=e4").json()
    assert (told["topic_id"], told["topics_also"], told["subtopic_id"]) == (1, [], None)


@pytest.mark.parametrize("lang", ["en", "ar", "fa"])
def test_a_new_topic_shows_the_evidence_of_being_new_and_where_it_comes_from(viewer: TestClient, lang: str) -> None:
    page = viewer.get(f"/topics/3?ui={lang}").text
    assert "2026-11-02" in page.partition('id="evidence"')[2][:300]
    digits = {"en": "3.2", "ar": "٣٫٢", "fa": "۳٫۲"}
    assert digits[lang] in page.partition('id="evidence"')[2][:400]
    lineage = page.partition('id="lineage"')[2]
    assert 'href="/topics/2"' in lineage[:400]
    assert "2026-11-03" in lineage[:500]
    assert 'href="/topics/77"' not in page
    assert 'id="evidence"' not in viewer.get("/topics/1").text


def test_files_hold_further_topics_and_the_sub_topic(viewer: TestClient) -> None:
    text = viewer.get("/export/comments.csv?ui=en&subtopic=31").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["Sub-topic"] for row in rows] == ["manners", "manners"]
    assert {row["Further topics"] for row in rows} == {"late delivery; books", ""}


def test_programs_are_told_of_the_tree(viewer: TestClient) -> None:
    told = viewer.get("/api/topics/3").json()
    assert (told["first_seen"], told["growth"]) == ("2026-11-02", 3.25)
    assert [each["change"] for each in told["lineage"]] == ["split_from", "merged_from"]
    assert [each["label_en"] for each in told["subtopics"]] == ["manners", "waiting"]
