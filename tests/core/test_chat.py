import json
import logging

import pytest
from fake_chat import fake_chat

from feedback_nlp.core.chat import ChatClient, ChatSettings
from feedback_nlp.core.errors import ConfigError

SCHEMA = {"type": "object", "properties": {"cause": {"type": "string"}}, "required": ["cause"]}


def client(fake, **more):
    waits = []
    settings = ChatSettings(url=fake.url, model="small", **more)
    return ChatClient(settings, sleep=waits.append), waits


def test_an_answer_of_the_shape_asked_for():
    with fake_chat(lambda _: {"cause": "returns"}) as fake:
        assert client(fake)[0].ask("sort", "متن", SCHEMA) == {"cause": "returns"}
    (asked,) = fake.asked
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["temperature"]) == ("small", 0)
    assert [message["content"] for message in asked["messages"]] == ["sort", "متن"]
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA


def test_a_fenced_answer_is_understood():
    fenced = json.dumps({"choices": [{"message": {"content": '```json\n{"cause": "x"}\n```'}}]}).encode()
    with fake_chat(lambda _: fenced) as fake:
        assert client(fake)[0].ask("s", "u", SCHEMA) == {"cause": "x"}


@pytest.mark.parametrize(
    "first", [503, 429, b"no json", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}']
)
def test_a_passing_failure_is_tried_again(first):
    replies = iter([first, {"cause": "x"}])
    with fake_chat(lambda _: next(replies)) as fake:
        asking, waits = client(fake, wait_seconds=0.5)
        assert asking.ask("s", "u", SCHEMA) == {"cause": "x"}
    assert waits == [0.5]


def test_it_gives_up_softly_and_says_no_word_of_the_question(caplog):
    with fake_chat(lambda _: 500) as fake, caplog.at_level(logging.DEBUG):
        asking, waits = client(fake, wait_seconds=1)
        assert asking.ask("s", "zebrafish", SCHEMA) is None
    assert waits == [1, 2]
    assert len(caplog.records) == 3
    assert "zebrafish" not in str([vars(record) for record in caplog.records])


def test_nobody_listening_is_given_up_too():
    with fake_chat(lambda _: 500) as fake:
        asking, _ = client(fake, attempts=1)
    assert asking.ask("s", "u", SCHEMA) is None


@pytest.mark.parametrize("status", [401, 404, 400])
def test_a_refusal_is_a_configuration_error(status):
    with fake_chat(lambda _: status) as fake, pytest.raises(ConfigError, match=f"HTTP {status}"):
        client(fake)[0].ask("s", "u", SCHEMA)
    assert len(fake.asked) == 1


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("CHAT_KEY", "geheim")
    with fake_chat(lambda _: {"cause": "x"}) as fake:
        asking, _ = client(fake, key_env="CHAT_KEY")
        asking.ask("s", "u", SCHEMA)
        assert fake.headers[0]["Authorization"] == "Bearer geheim"
        monkeypatch.delenv("CHAT_KEY")
        with pytest.raises(ConfigError, match="CHAT_KEY"):
            asking.ask("s", "v", SCHEMA)


def test_the_same_question_is_asked_once(tmp_path):
    with fake_chat(lambda _: {"cause": "x"}) as fake:
        first, _ = client(fake, cache=tmp_path)
        first.ask("s", "u", SCHEMA)
        second, _ = client(fake, cache=tmp_path, max_requests=0)
        assert second.ask("s", "u", SCHEMA) == {"cause": "x"}
        assert second.ask("s", "other", SCHEMA) is None
        (file,) = tmp_path.rglob("*.json")
        file.write_text("dam")
        assert first.ask("s", "u", SCHEMA) == {"cause": "x"}
    assert len(fake.asked) == 2


def test_requests_are_capped():
    with fake_chat(lambda _: {"cause": "x"}) as fake:
        asking, _ = client(fake, max_requests=2)
        assert [asking.ask("s", str(i), SCHEMA) is None for i in range(4)] == [False, False, True, True]
    assert len(fake.asked) == 2


@pytest.mark.parametrize("url", ["ftp://x/v1", "http://user:secret@host/v1", "file:///etc/passwd", "host/v1"])
def test_only_plain_web_addresses(url):
    with pytest.raises(ValueError, match="http or https"):
        ChatSettings(url=url, model="m")
