"""Asks a language model behind any OpenAI-compatible endpoint for answers of a given shape, and gives up softly."""

import hashlib
import http.client
import json
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.core.settings import Settings

log = logging.getLogger(__name__)

Schema = Mapping[str, Any]

_TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_MOST_BYTES = 4_000_000


class ChatSettings(Settings):
    """An OpenAI-compatible endpoint; what is asked leaves this machine unless the endpoint is on it."""

    url: str
    """Base address of the endpoint, up to and including ``/v1``: ``http://127.0.0.1:11434/v1``."""
    model: str
    """The model's name there."""
    key_env: str | None = None
    """Environment variable that holds the key; null = none is sent."""
    timeout_seconds: float = Field(60.0, gt=0, le=600)
    """Longest wait for one answer, up to 600 seconds."""
    attempts: int = Field(3, ge=1, le=10)
    """How often a question is asked before it is given up, 1 to 10."""
    wait_seconds: float = Field(1.0, ge=0, le=60)
    """Wait before the second attempt; doubled before each further one."""
    max_requests: int = Field(1000, ge=0, le=10_000_000)
    """Most requests of one process; later questions that the cache cannot answer are given up."""
    cache: Path | None = None
    """Folder of answers, so that the same question is paid for once and a run can be repeated; null = none."""

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.password:
            raise ValueError("must be an http or https address without a password")
        return value.rstrip("/")


class ChatClient:
    """Asks questions one by one.

    :param settings: the endpoint.
    :param sleep: waits so many seconds.
    """

    def __init__(self, settings: ChatSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._left = settings.max_requests

    def ask(self, system: str, user: str, schema: Schema) -> dict[str, Any] | None:
        """Return the answer to a question.

        :param system: what the model is to do.
        :param user: the question.
        :param schema: JSON schema of the answer, which must be an object.
        :returns: the answer, not checked against the schema beyond being an object; None where the endpoint gave none.
        :raises ConfigError: when the key is missing or refused, or the endpoint has no such model or path.
        """
        body = self._body(system, user, schema)
        cached = self._cached(body)
        if cached is not None:
            return cached
        for attempt in range(1, self._settings.attempts + 1):
            if self._left <= 0:
                return None
            self._left -= 1
            try:
                answer = _content(self._post(body))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._refuse_for_good(error)
                log.warning("chat_failed", extra={"attempt": attempt, "error_type": type(error).__name__})
                if attempt < self._settings.attempts:
                    self._sleep(self._settings.wait_seconds * 2 ** (attempt - 1))
                continue
            self._remember(body, answer)
            return answer
        return None

    def _body(self, system: str, user: str, schema: Schema) -> bytes:
        content = {
            "model": self._settings.model,
            "temperature": 0,
            "seed": 17,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
            },
        }
        return json.dumps(content, ensure_ascii=True, sort_keys=True).encode()

    def _post(self, body: bytes) -> Any:  # noqa: ANN401 - JSON of the endpoint
        headers = {"Content-Type": "application/json"}
        if self._settings.key_env:
            key = os.environ.get(self._settings.key_env, "")
            if not key:
                raise ConfigError(f"key_env names the environment variable {self._settings.key_env}, which is not set.")
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(f"{self._settings.url}/chat/completions", body, headers)
        with urllib.request.urlopen(request, timeout=self._settings.timeout_seconds) as answer:
            return json.loads(answer.read(_MOST_BYTES))

    def _refuse_for_good(self, error: Exception) -> None:
        """Stop at an answer that no further attempt will change."""
        if isinstance(error, urllib.error.HTTPError) and error.code not in _TRANSIENT:
            error.close()
            raise ConfigError(
                f"{self._settings.url} refuses model '{self._settings.model}': HTTP {error.code}. "
                "Check address, model and key."
            ) from error

    def _file(self, body: bytes) -> Path | None:
        folder = self._settings.cache
        name = hashlib.sha256(self._settings.url.encode() + b"\n" + body).hexdigest()
        return None if folder is None else folder / name[:2] / f"{name}.json"

    def _cached(self, body: bytes) -> dict[str, Any] | None:
        file = self._file(body)
        if file is None or not file.is_file():
            return None
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _remember(self, body: bytes, answer: Mapping[str, Any]) -> None:
        file = self._file(body)
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(f".{os.getpid()}.part")
        half.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
        half.replace(file)


def _content(reply: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of the endpoint
    """Return the object in a reply; models that wrap it in a code fence are understood.

    :raises ValueError: when there is none.
    """
    try:
        text = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("no answer in the reply") from error
    if not isinstance(text, str):
        raise ValueError("the answer is no text")  # noqa: TRY004 - wrong data, not a wrong call
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    answer = json.loads(bare)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - wrong data, not a wrong call
    return answer
