import base64
import hashlib
import hmac
import json
import logging
import time

import pytest

pytest.importorskip("starlette", reason="the extra review is not installed")
from starlette.testclient import TestClient

from feedback_nlp.config import load_config
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.ingest import IngestSettings, spool
from feedback_nlp.ingest.webhooks import inbox as inbox_module
from feedback_nlp.ingest.webhooks.app import make_app
from feedback_nlp.ingest.webhooks.inbox import RollingInbox
from feedback_nlp.ingest.webhooks.settings import FormbricksHook, GenericHook, WebhookSettings

SECRET = "whsec_" + base64.b64encode(b"formbricks key").decode()
FORMBRICKS = {
    "webhookId": "w1",
    "event": "responseFinished",
    "data": {
        "id": "r1",
        "createdAt": "2026-11-27T21:00:00.000Z",
        "surveyId": "s1",
        "data": {"q1": "پشتیبانی جواب نمی‌دهد", "q2": 3, "q3": "  ", "q4": "الموقع بطيء"},
    },
}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", "shop key")
    monkeypatch.setenv("FORM_SECRET", SECRET)


def hooks(**more):
    return WebhookSettings(
        hooks={
            "forms": FormbricksHook(secret_env="FORM_SECRET"),
            "shop": GenericHook(secret_env="HOOK_SECRET", **more),
        },
        max_body_bytes=5_000,
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "inbox"


@pytest.fixture
def post(folder):
    """Post a message and return the answer; the inbox shows its rows when the test reads it."""

    def send(name, body, settings=None, headers=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        app = make_app(settings or hooks(), RollingInbox(folder, roll_seconds=60, roll_rows=100))
        with TestClient(app) as client:
            return client.post(
                f"/hooks/{name}", content=content, headers=signed(name, content) if headers is None else headers
            )

    return send


def signed(name, body, at=None):
    if name == "forms":
        stamp = str(int(at or time.time()))
        digest = hmac.new(b"formbricks key", b".".join([b"m1", stamp.encode(), body]), hashlib.sha256).digest()
        signature = "v1a,x v1," + base64.b64encode(digest).decode()
        return {"webhook-id": "m1", "webhook-timestamp": stamp, "webhook-signature": signature}
    return {"X-Signature-256": "sha256=" + hmac.new(b"shop key", body, hashlib.sha256).hexdigest()}


def stored(folder):
    files = sorted(folder.glob("received-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_formbricks_answers_become_comments_that_ingest_reads(post, folder, tmp_path):
    answer = post("forms", FORMBRICKS)
    assert (answer.status_code, answer.json()["rows"]) == (202, 2)
    assert [(row["comment_id"], row["text"]) for row in stored(folder)] == [
        ("r1-q1", "پشتیبانی جواب نمی‌دهد"),
        ("r1-q4", "الموقع بطيء"),
    ]
    found = spool([folder], IngestSettings(), tmp_path / "spool")
    assert (found.rows, found.rejected) == (2, 0)


def test_only_the_questions_named_are_comments(post, folder):
    settings = WebhookSettings(hooks={"forms": FormbricksHook(secret_env="FORM_SECRET", questions=("q4",))})
    post("forms", FORMBRICKS, settings)
    assert [row["question"] for row in stored(folder)] == ["q4"]


def test_generic_messages_are_mapped_by_path(post, folder):
    message = {"list": [{"id": 7, "answer": {"value": "great"}, "shop": {"name": "Riyadh"}}, {"id": 8}]}
    fields = {"comment_id": "id", "text": "answer.value", "branch": "shop.name"}
    assert post("shop", message, hooks(items="list", fields=fields)).status_code == 202
    assert stored(folder) == [
        {"comment_id": 7, "text": "great", "branch": "Riyadh"},
        {"comment_id": 8, "text": None, "branch": None},
    ]


@pytest.mark.parametrize("message", [{"text": "a"}, [{"text": "a"}]])
def test_without_a_mapping_keys_stay(post, folder, message):
    assert post("shop", message).json()["rows"] == 1
    assert stored(folder) == [{"text": "a"}]


@pytest.mark.parametrize(
    ("name", "body", "headers", "status"),
    [
        ("shop", b"{}", {}, 401),
        ("shop", b"{}", {"X-Signature-256": "sha256=" + "0" * 64}, 401),
        ("shop", b"{}", {"X-Signature-256": "لا"}, 401),
        ("forms", b"{}", {"webhook-id": "m", "webhook-timestamp": "x", "webhook-signature": "v1,x"}, 401),
        ("forms", json.dumps(FORMBRICKS).encode(), "old", 401),
        ("none", b"{}", {}, 404),
        ("shop", b"x" * 6_000, None, 413),
        ("shop", b"no json", None, 400),
        ("shop", b"\xff\xfe", None, 400),
        ("shop", b"[" * 4_000, None, 400),
        ("shop", b'["text"]', None, 400),
        ("forms", b'{"data": {"data": []}}', None, 400),
    ],
)
def test_what_is_refused_is_not_stored(post, folder, name, body, headers, status):
    if headers == "old":
        headers = signed(name, body, at=time.time() - 1_000)
    if headers is not None:
        headers = {key: value.encode() for key, value in headers.items()}
    assert post(name, body, headers=headers).status_code == status
    assert stored(folder) == []


def test_a_message_without_text_is_taken_and_stores_nothing(post, folder):
    empty = FORMBRICKS | {"data": FORMBRICKS["data"] | {"data": {"q2": 3}}}
    assert post("forms", empty).json() == {"detail": "stored", "rows": 0}
    assert stored(folder) == []


def test_no_word_of_a_comment_is_logged(post, caplog):
    with caplog.at_level(logging.DEBUG):
        post("forms", FORMBRICKS)
    assert any(record.msg == "webhook" for record in caplog.records)
    assert "پشتیبانی" not in caplog.text + str([vars(record) for record in caplog.records])


def test_a_full_disk_is_told_and_keeps_nothing(post, folder, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inbox_module.os, "fsync", full)
    assert post("shop", {"text": "a"}).status_code == 503
    monkeypatch.undo()
    RollingInbox(folder, roll_seconds=1, roll_rows=1).close()
    assert stored(folder) == []


def test_files_roll_by_rows_and_by_time(folder):
    inbox = RollingInbox(folder, roll_seconds=0.01, roll_rows=2)
    inbox.add([{"text": "1"}])
    assert stored(folder) == []
    inbox.add([{"text": "2"}])
    assert len(stored(folder)) == 2
    inbox.add([{"text": "3"}])
    time.sleep(0.02)
    inbox.roll_if_due()
    assert len(stored(folder)) == 3
    assert len(list(folder.iterdir())) == 2


def test_what_a_killed_receiver_left_is_shown_without_the_unfinished_line(folder):
    folder.mkdir()
    (folder / ".receiving.jsonl").write_bytes(b'{"text": "whole"}\n{"text": "ha')
    RollingInbox(folder, roll_seconds=60, roll_rows=10)
    assert stored(folder) == [{"text": "whole"}]
    (folder / ".receiving.jsonl").write_bytes(b'{"te')
    RollingInbox(folder, roll_seconds=60, roll_rows=10)
    assert len(stored(folder)) == 1


def test_a_hook_needs_one_secret(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="one of secret_env and secret_file"):
        GenericHook()
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(ConfigError, match="HOOK_SECRET"):
        make_app(hooks(), RollingInbox(tmp_path / "x", roll_seconds=1, roll_rows=1))


def test_a_wrong_name_is_a_configuration_error(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("connect: {webhooks: {hooks: {'a/b': {kind: generic, secret_env: X}}}}")
    with pytest.raises(ConfigError, match="hooks"):
        load_config(file)


def test_healthz(folder):
    with TestClient(make_app(hooks(), RollingInbox(folder, roll_seconds=1, roll_rows=1))) as client:
        assert client.get("/healthz").json() == {"status": "ok", "hooks": 2}
