"""Faults reach readers in their own language, whoever raised them."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from review_clients import HERE, log_in
from review_samples import HASHED, START

import feedback_nlp
from feedback_nlp.config import ReviewSettings
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.review.app import create_app
from feedback_nlp.review.faults import Refused, told
from feedback_nlp.review.words import open_words, open_words_in
from feedback_nlp.store import Store, open_store

LANGS = ("en", "ar", "fa")
LETTERS = re.compile(r"[A-Za-z]{2,}")
ACTS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("rename", {"topic_id": "99", "label_en": "x"}, "topic_unknown"),
    ("rename", {"topic_id": "1"}, "name_needed"),
    ("rename", {"topic_id": "1", "label_en": "x" * 200}, "text_long"),
    ("merge", {"topic_id": "1", "into": "1"}, "merge_itself"),
    ("merge", {"topic_id": "2", "into": "1"}, "topic_locked"),
    ("merge", {"topic_id": "3", "into": "4"}, "topic_unknown"),
    ("split", {"topic_id": "3"}, "comments_needed"),
    ("split", {"topic_id": "3", "search": "nothing holds this"}, "search_nothing"),
    ("split", {"topic_id": "1", "comment_ids": "a1\nf1"}, "split_everything"),
    ("split", {"topic_id": "1", "comment_ids": "e4"}, "comments_elsewhere"),
    ("move", {"topic_id": "1", "comment_ids": "gone"}, "comment_unknown"),
    ("note", {"topic_id": "1", "text": "  "}, "text_empty"),
    ("assign", {"topic_id": "1", "to": "Nadia", "due": "tomorrow"}, "date_wrong"),
    ("undo", {"decision": "999"}, "decision_unknown"),
    ("redo", {"decision": "1"}, "stands_already"),
    ("redo", {}, "nothing_to_redo"),
    (
        "correct_driver",
        {"comment_id": "e1", "cause": "policy.returns", "sign": "-", "start": "0", "end": "999"},
        "evidence_outside",
    ),
    (
        "wrong_driver",
        {"comment_id": "e1", "driver": '{"driver":"policy","cause":"returns","sign":"-","start":1,"end":2}'},
        "driver_gone",
    ),
    ("correct_sentiment", {"comment_id": "e1", "sentiment": "purple"}, ""),
    ("move", {"topic_id": "seven", "comment_id": "e1"}, ""),
    ("explode", {}, ""),
)


def _text(answer: Any) -> str:
    return re.sub(r"<[^>]*>", "", answer.text)


def _without_ids(text: str) -> str:
    return re.sub(r'<bdi dir="ltr">[^<]*</bdi>', "", text)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("act", "sent", "fault"), ACTS)
def test_a_refused_act_says_why_in_the_readers_language(
    analyst: TestClient, store: Store, lang: str, act: str, sent: dict[str, str], fault: str
) -> None:
    store.decide("lock", author="admin", topic_id=2)
    answer = analyst.post(f"/acts/{act}?ui={lang}", data=sent, headers={"HX-Request": "true"})
    assert answer.status_code in (404, 409, 422)
    assert 'role="alert"' in answer.text
    if lang != "en":
        assert not LETTERS.search(re.sub(r"<[^>]*>", "", _without_ids(answer.text)))
    if fault:
        wanted = open_words()["faults"][fault][lang]
        assert max(re.split(r"\{\w+\}", wanted), key=len).strip() in _text(answer)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    "path", ["/topics/99", "/comments/gone", "/nowhere", "/?since=x", "/compare?before=gone", "/admin", "/?lang=xx"]
)
def test_a_page_that_is_not_there_says_so_in_the_readers_language(viewer: TestClient, lang: str, path: str) -> None:
    answer = viewer.get(
        path, params={"ui": lang} if "?" not in path else None, headers={"Cookie": _cookies(viewer, lang)}
    )
    assert answer.status_code in (403, 404, 422)
    (section,) = re.findall(r'<section class="narrow">(.*?)</section>', answer.text, re.DOTALL)
    assert bool(LETTERS.search(re.sub(r"<[^>]*>", "", _without_ids(section)))) == (lang == "en")


def _cookies(client: TestClient, lang: str) -> str:
    session = "; ".join(f"{name}={value}" for name, value in client.cookies.items() if "lang" not in name)
    return f"{session}; feedback_nlp_lang={lang}"


@pytest.mark.parametrize("lang", LANGS)
def test_a_store_without_a_night_says_so(tmp_path: Path, lang: str) -> None:
    with open_store(f"sqlite:///{tmp_path / 'empty.db'}") as store:
        store.user_book().add("viewer", "viewer", HASHED, START)
        client = log_in(TestClient(create_app(store, ReviewSettings(), tmp_path), base_url=HERE), "viewer")
        answer = client.get(f"/?ui={lang}")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert open_words()["faults"]["no_run"][lang] in answer.text


def test_a_conflict_names_what_the_other_did(analyst: TestClient, store: Store) -> None:
    store.decide("rename", author="admin", topic_id=1, after={"en": "tomes"})
    sent = {"topic_id": "1", "label_en": "volumes", "expected": "0"}
    for lang in LANGS:
        answer = analyst.post(f"/acts/rename?ui={lang}", data=sent, headers={"HX-Request": "true"})
        assert answer.status_code == 409
        assert "tomes" in answer.text
        assert open_words()["names"]["act"]["rename"][lang] in answer.text


def test_programs_are_told_in_english(analyst: TestClient) -> None:
    answer = analyst.post("/api/decisions?ui=fa", json={"act": "merge", "topic_id": 1, "after": {"into": 1}})
    assert (answer.status_code, answer.json()["error"]) == (422, "Topic 1 cannot be merged into itself.")
    assert analyst.get("/api/topics/99?ui=fa").json()["error"] == "There is no topic 99 in this run."


def test_programs_may_confirm(analyst: TestClient, store: Store) -> None:
    answer = analyst.post("/api/decisions", json={"act": "confirm", "comment_id": "e4"})
    assert (answer.status_code, answer.json()["decision"]["act"]) == (200, "confirm")
    assert [each.comment_id for each in store.history(act="confirm")] == ["e4"]


def test_every_code_that_is_raised_has_its_text_and_every_text_its_code() -> None:
    root = Path(feedback_nlp.__file__).parent
    source = "\n".join(
        file.read_text(encoding="utf-8") for room in ("store", "review", "core") for file in (root / room).rglob("*.py")
    )
    raised = set(re.findall(r'(?:fault=|Refused\(\d+, )"(\w+)"', source)) | {"nothing_to_undo", "nothing_to_redo"}
    texts = {code for code in open_words()["faults"] if not code.startswith("status_")}
    assert raised == texts
    for code, by_lang in open_words()["faults"].items():
        assert set(by_lang) == set(LANGS), code
        assert len({frozenset(re.findall(r"\{(\w+)\}", text)) for text in by_lang.values()}) == 1, code


def test_an_unknown_code_is_told_by_its_status() -> None:
    error = ConfigError("secret words", fault="never heard of")
    assert str(told(open_words_in("en"), error, 422, "secret words")) == "<bdi>secret words</bdi>"
    assert str(told(open_words_in("fa"), error, 404, "secret words")) == open_words()["faults"]["status_404"]["fa"]
    assert str(told(open_words_in("en"), None, 405, "Method Not Allowed")) == "The request is not understood."
    assert str(told(open_words_in("ar"), None, 418)) == open_words()["faults"]["status_422"]["ar"]


def test_what_a_fault_speaks_of_is_escaped() -> None:
    error = FeedbackError("x", fault="comment_unknown", comment="<b>")
    assert "<b>" not in str(told(open_words_in("en"), error, 404))
    assert Refused(404, "comment_unknown", comment="<i>").detail == "There is no comment <i> in this run."


@pytest.mark.parametrize("lang", ["ar", "fa"])
def test_what_was_decided_is_told_in_the_readers_language(analyst: TestClient, store: Store, lang: str) -> None:
    driver = {"driver": "policy", "cause": "returns", "sign": "-", "start": 27, "end": 50}
    store.decide("assign", author="a", topic_id=1, after={"to": "ندا", "state": "doing"})
    store.decide("lock", author="a", topic_id=1)
    store.decide("correct_sentiment", author="a", comment_id="e4", after={"sentiment": "mixed"})
    store.decide("wrong_driver", author="a", comment_id="e4", before=driver)
    store.decide("merge", author="a", topic_id=2, after={"into": 1})
    store.decide("split", author="a", topic_id=3, after={"subtopic": 31, "labels": {"fa": "رفتار"}})
    store.decide("move", author="a", topic_id=1, comment_ids=["e2", "e5"])
    changes = re.findall(r'<span class="change">(.*?)</span>', analyst.get(f"/history?ui={lang}").text)
    assert len(changes) == 7
    for change in changes:
        assert not LETTERS.search(re.sub(r"<[^>]*>", "", _without_ids(change))), change


@pytest.mark.parametrize("lang", ["ar", "fa"])
def test_the_pages_of_users_hold_no_english_besides_names_and_commands(app: Any, lang: str) -> None:
    client = log_in(TestClient(app, base_url=HERE), "admin")
    for path in ("/account", "/admin"):
        main = (
            client.get(path, params={"ui": lang})
            .text.partition('<main id="main" tabindex="-1">')[2]
            .partition("</main>")[0]
        )
        left = re.sub(r"<[^>]*>", "", re.sub(r"<bdi[^>]*>[^<]*</bdi>", "", main))
        assert not LETTERS.search(left), (path, LETTERS.findall(left))
