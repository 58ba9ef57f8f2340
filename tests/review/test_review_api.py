"""The programming interface: tokens, data and acts as JSON."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

HERE = "http://localhost"


@pytest.fixture
def program(app: FastAPI, analyst: TestClient) -> TestClient:
    """Return a client that holds an analyst's token and no cookie."""
    text = analyst.post("/account/tokens", data={"label": "nightly job", "days": "30"}).text
    token = re.search(r"fnr_[\w-]{40,}", text)
    assert token is not None
    return TestClient(app, base_url=HERE, headers={"Authorization": f"Bearer {token[0]}"})


def test_a_token_is_shown_once_and_can_be_dropped(program: TestClient, analyst: TestClient) -> None:
    assert program.get("/api/me").json() == {"name": "analyst", "role": "analyst", "via": "token"}
    text = analyst.get("/account").text
    assert "nightly job" in text
    assert "fnr_" not in text
    drop = re.search(r'action="(/account/tokens/\d+/drop)"', text)
    assert drop is not None
    assert analyst.post(drop[1], data={}, follow_redirects=False).status_code == 303
    assert program.get("/api/me").status_code == 401


def test_a_token_makes_no_tokens_and_no_passwords(program: TestClient) -> None:
    assert program.post("/account/tokens", data={"label": "x"}).status_code == 403
    sent = {"old": "correct horse battery", "new": "another long one"}
    assert program.post("/account/password", data=sent).status_code == 403


def test_topics_and_comments(program: TestClient) -> None:
    found = program.get("/api/topics", params={"sort": "name", "limit": 2}).json()
    assert found["found"] == 3
    assert [each["names"]["en"] for each in found["topics"]] == ["books", "late delivery"]
    assert found["topics"][1]["sentiments"]["negative"] == 3
    found = program.get("/api/comments", params={"topic": 2, "q": "call"}).json()
    assert found["found"] == 1
    assert found["comments"][0]["text"] == "Call me on ‹phone› about the late delivery"


def test_a_decision_and_its_conflict(program: TestClient, analyst: TestClient) -> None:
    seen = program.get("/api/topics/1").json()["expected"]
    analyst.post("/acts/rename", data={"topic_id": "1", "label_en": "tomes", "was_en": "books"})
    wish = {"act": "rename", "topic_id": 1, "after": {"en": "volumes"}, "expected": seen}
    answer = program.post("/api/decisions", json=wish)
    assert answer.status_code == 409
    assert answer.json()["newer"]["after"] == {"en": "tomes"}
    answer = program.post("/api/decisions", json={**wish, "expected": answer.json()["newer"]["decision"]})
    assert answer.status_code == 200
    number = answer.json()["decision"]["decision"]
    assert program.post("/api/undo", json={"decision": number}).status_code == 200
    assert program.post("/api/redo", json={"decision": number}).status_code == 200
    acts = [each["act"] for each in program.get("/api/decisions", params={"topic_id": 1}).json()]
    assert acts == ["rename", "rename", "undo", "redo"]


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"act": "rename", "topic_id": 1, "after": {"xx": "y"}}, 422),
        ({"act": "rename", "topic_id": 77, "after": {"en": "y"}}, 404),
        ({"act": "rename", "topic_id": 1, "after": {"en": "y"}, "unknown": 1}, 422),
        ({"act": "merge", "topic_id": 1, "after": {"into": "2; DROP TABLE runs"}}, 422),
        ({"act": "split", "topic_id": 1, "after": {"comment_ids": "a1"}}, 422),
        ({"act": "wrong_driver", "comment_id": "e4", "before": {}}, 422),
    ],
)
def test_wrong_wishes(program: TestClient, wish: dict[str, object], status: int) -> None:
    answer = program.post("/api/decisions", json=wish)
    assert answer.status_code in (status, 404, 422)
    assert answer.json()["error"]


def test_the_description_names_every_address(program: TestClient) -> None:
    described = program.get("/api/openapi.json").json()
    assert set(described["paths"]) >= {"/api/topics", "/api/comments", "/api/decisions", "/api/undo", "/api/redo"}
