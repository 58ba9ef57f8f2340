"""Acts through the page's forms: each does what it says, can be undone, and never overrides what someone else did."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from review_clients import Login

from feedback_nlp.store import Store

E4_POLICY = {"driver": "policy", "cause": "returns", "sign": "-", "start": 27, "end": 50}


def _names(client: TestClient, topic: int) -> dict[str, str]:
    names: dict[str, str] = client.get(f"/api/topics/{topic}").json()["names"]
    return names


def _topic_of(client: TestClient, comment: str) -> int:
    return int(client.get("/api/comment", params={"comment_id": comment}).json()["topic_id"])


def test_rename_per_language_undo_and_redo(analyst: TestClient) -> None:
    sent = {"topic_id": "1", "label_en": "paper books", "was_en": "books", "label_fa": "کتاب", "was_fa": "کتاب"}
    answer = analyst.post("/acts/rename", data=sent)
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "decided"
    assert _names(analyst, 1) == {"en": "paper books", "fa": "کتاب", "ar": "كتب"}
    assert "paper books" in analyst.get("/").text
    assert analyst.post("/acts/undo", data={}).status_code == 200
    assert _names(analyst, 1)["en"] == "books"
    assert analyst.post("/acts/redo", data={}).status_code == 200
    assert _names(analyst, 1)["en"] == "paper books"


def test_merge_moves_the_comments_and_leads_on(analyst: TestClient) -> None:
    assert analyst.post("/acts/merge", data={"topic_id": "1", "into": "2"}).status_code == 200
    assert _topic_of(analyst, "a1") == 2
    answer = analyst.get("/topics/1", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/topics/2")
    assert "late delivery" in analyst.get("/topics/1?part=head").text
    assert analyst.get("/topics/1?part=log").status_code == 204
    analyst.post("/acts/undo", data={})
    assert _topic_of(analyst, "a1") == 1


def test_split_by_search_and_by_choice(analyst: TestClient) -> None:
    answer = analyst.post("/acts/split", data={"topic_id": "2", "search": "late", "label_en": "lateness"})
    new = re.search(r'href="/topics/(\d+)"', answer.text)
    assert new is not None
    assert {_topic_of(analyst, each) for each in ("e1", "e2", "e3")} == {int(new[1])}
    assert _topic_of(analyst, "f2") == 2
    assert _names(analyst, int(new[1]))["en"] == "lateness"
    answer = analyst.post("/acts/split", data={"topic_id": "3", "comment_ids": "e4\ne5\n"})
    new = re.search(r'href="/topics/(\d+)"', answer.text)
    assert new is not None
    assert _topic_of(analyst, "e5") == int(new[1])


def test_move_one_and_several(analyst: TestClient) -> None:
    analyst.post("/acts/move", data={"topic_id": "1", "comment_id": "e5"})
    analyst.post("/acts/move", data={"topic_id": "-1", "comment_ids": "e1\ne2"})
    assert [_topic_of(analyst, each) for each in ("e5", "e1", "e2")] == [1, -1, -1]
    assert "kind and patient" in analyst.get("/topics/1").text


def test_lock_hide_and_back(analyst: TestClient) -> None:
    analyst.post("/acts/lock", data={"topic_id": "1"})
    assert analyst.get("/api/topics/1").json()["locked"] is True
    analyst.post("/acts/hide", data={"topic_id": "1"})
    assert 'data-topic="1"' not in analyst.get("/").text
    assert 'data-topic="1"' in analyst.get("/?hidden=1").text
    analyst.post("/acts/show", data={"topic_id": "1"})
    analyst.post("/acts/unlock", data={"topic_id": "1"})
    assert 'data-topic="1"' in analyst.get("/").text


def test_notes_and_follow_up(analyst: TestClient) -> None:
    analyst.post("/acts/note", data={"topic_id": "1", "text": "ask the <b>print shop</b>"})
    text = analyst.get("/topics/1").text
    assert "ask the &lt;b&gt;print shop&lt;/b&gt;" in text
    analyst.post("/acts/assign", data={"topic_id": "1", "to": "Nadia", "due": "2026-12-01", "state": "doing"})
    assert "Nadia" in analyst.get("/topics/1?part=head").text
    analyst.post("/acts/assign", data={"comment_id": "e4", "to": "Reza", "state": "open"})
    assert "Reza" in analyst.get("/comments/e4").text
    analyst.post("/acts/assign", data={"topic_id": "1", "to": ""})
    assert "Nadia" not in analyst.get("/topics/1?part=head").text


def test_wrong_sentiment_driver_and_evidence(analyst: TestClient) -> None:
    analyst.post("/acts/correct_sentiment", data={"comment_id": "e4", "sentiment": "mixed"})
    analyst.post("/acts/wrong_driver", data={"comment_id": "e4", "driver": json.dumps(E4_POLICY)})
    found = analyst.get("/api/comment", params={"comment_id": "e4"}).json()
    assert (found["sentiment"], found["root_cause"]) == ("mixed", "employee")
    assert [each["driver"] for each in found["drivers"]] == ["employee"]
    attitude = {"driver": "employee", "cause": "attitude", "sign": "-", "start": 4, "end": 18}
    moved = {"comment_id": "e4", "driver": json.dumps(attitude), "start": "4", "end": "9"}
    assert analyst.post("/acts/correct_evidence", data=moved).status_code == 200
    added = {"comment_id": "e4", "cause": "policy.process", "sign": "-", "start": "23", "end": "50"}
    assert analyst.post("/acts/correct_driver", data=added).status_code == 200
    found = analyst.get("/api/comment", params={"comment_id": "e4"}).json()
    assert [(each["cause"], each["start"], each["end"]) for each in found["drivers"]] == [
        ("attitude", 4, 9),
        ("process", 23, 50),
    ]
    marked = analyst.get("/comments", params={"mark": "policy-"}).text
    assert 'data-comment="e4"' in marked


def test_a_stale_act_is_refused_and_shows_the_other_one(login: Login, store: Store) -> None:
    mine, other = login("analyst"), login("admin")
    seen = re.search(r'name="expected" value="(\d+)"', mine.get("/topics/1").text)
    assert seen is not None
    other.post("/acts/rename", data={"topic_id": "1", "label_en": "volumes", "was_en": "books"})
    stale = {"topic_id": "1", "label_en": "tomes", "was_en": "books", "expected": seen[1]}
    answer = mine.post("/acts/rename", data=stale, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    plain = re.sub(r"<[^>]*>", "", answer.text)
    assert "admin decided on this meanwhile" in plain
    assert "volumes" in plain
    assert _names(mine, 1)["en"] == "volumes"


def test_an_act_that_changes_nothing_says_so(analyst: TestClient, store: Store) -> None:
    before = store.last_decision()
    answer = analyst.post("/acts/rename", data={"topic_id": "1", "label_en": "books", "was_en": "other"})
    assert "change nothing" in answer.text
    assert store.last_decision() == before


def test_undo_with_nothing_to_undo(analyst: TestClient) -> None:
    answer = analyst.post("/acts/undo", data={}, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "nothing to undo" in answer.text


@pytest.mark.parametrize(
    ("act", "sent", "status"),
    [
        ("explode", {"topic_id": "1"}, 404),
        ("rename", {"topic_id": "one", "label_en": "x"}, 422),
        ("rename", {"topic_id": "1"}, 422),
        ("rename", {"topic_id": "1", "label_en": "x" * 500}, 422),
        ("merge", {"topic_id": "1"}, 422),
        ("merge", {"topic_id": "1", "into": str(2**40)}, 422),
        ("move", {"topic_id": "1"}, 422),
        ("wrong_driver", {"comment_id": "e4", "driver": "no json"}, 422),
        ("wrong_driver", {"comment_id": "e4", "driver": "[1]"}, 422),
        ("correct_sentiment", {"comment_id": "e4", "sentiment": "angry"}, 422),
        ("correct_evidence", {"comment_id": "e4", "driver": json.dumps(E4_POLICY), "start": "-1", "end": "999"}, 422),
        ("note", {"topic_id": "1", "text": "  "}, 422),
        ("assign", {"topic_id": "1", "to": "x", "due": "soon"}, 422),
    ],
)
def test_wrong_wishes_are_refused_in_words(
    analyst: TestClient, store: Store, act: str, sent: dict[str, str], status: int
) -> None:
    answer = analyst.post(f"/acts/{act}", data=sent, headers={"HX-Request": "true"})
    assert answer.status_code in (status, 404)
    assert 'role="alert"' in answer.text
    assert store.last_decision() == 0


def test_the_history_names_who_what_and_before(analyst: TestClient) -> None:
    analyst.post("/acts/rename", data={"topic_id": "1", "label_en": "tomes", "was_en": "books"})
    plain = re.sub(r"<[^>]*>", " ", analyst.get("/history").text)
    assert re.search(r"analyst.*renamed.*books.*tomes", plain, re.DOTALL)


def test_decisions_taken_elsewhere_are_seen(viewer: TestClient, store: Store) -> None:
    viewer.get("/")
    store.decide("rename", author="shell", topic_id=1, after={"en": "from the shell"})
    assert "from the shell" in viewer.get("/").text
