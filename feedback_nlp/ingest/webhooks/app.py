"""The web application behind ``feedback-nlp receive``."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.ingest.remote.secrets import from_environment, from_file
from feedback_nlp.ingest.webhooks.inbox import RollingInbox
from feedback_nlp.ingest.webhooks.payloads import rows_of
from feedback_nlp.ingest.webhooks.settings import FormbricksHook, GenericHook, WebhookSettings
from feedback_nlp.ingest.webhooks.signature import signed_generic, signed_standard

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

log = logging.getLogger(__name__)

_CHECK_SECONDS = 1.0


def _secret(name: str, hook: FormbricksHook | GenericHook) -> str:
    where = f"connect.webhooks.hooks.{name}"
    if hook.secret_env:
        return from_environment(hook.secret_env, f"{where}.secret_env")
    if hook.secret_file:
        return from_file(hook.secret_file, f"{where}.secret_file")
    raise ValueError(f"{where} has no secret")


def _signed(body: bytes, headers: Mapping[str, str], hook: FormbricksHook | GenericHook, secret: str) -> bool:
    if isinstance(hook, FormbricksHook):
        return signed_standard(body, headers, secret, now=time.time(), tolerance=hook.tolerance_seconds)
    return signed_generic(body, headers.get(hook.header.lower(), ""), secret)


async def _body(request: "Request", limit: int) -> bytes | None:
    """Return the body, None as soon as it is longer than allowed."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _parsed(body: bytes, hook: FormbricksHook | GenericHook) -> list[dict[str, object]]:
    try:
        return rows_of(json.loads(body), hook)
    except (ValueError, RecursionError) as error:
        raise BadDataError("the body is no JSON") from error


@dataclass(frozen=True)
class _Receiver:
    """Answers what senders post."""

    settings: WebhookSettings
    inbox: RollingInbox
    secrets: Mapping[str, str]

    async def receive(self, request: "Request") -> "JSONResponse":
        """Store a message's comments, or refuse it."""
        from starlette.responses import JSONResponse

        name = request.path_params["name"]
        status, detail, rows = await self._judge(name, request)
        known = name if name in self.secrets else "unknown"
        log.info("webhook", extra={"hook": known, "status": status, "rows": rows})
        return JSONResponse({"detail": detail, "rows": rows}, status_code=status)

    async def _judge(self, name: str, request: "Request") -> tuple[int, str, int]:
        hook = self.settings.hooks.get(name)
        if hook is None:
            return 404, "no such webhook", 0
        body = await _body(request, self.settings.max_body_bytes)
        if body is None:
            return 413, f"longer than {self.settings.max_body_bytes} bytes", 0
        if not _signed(body, request.headers, hook, self.secrets[name]):
            return 401, "wrong or missing signature", 0
        try:
            rows = _parsed(body, hook)
            if rows:
                await asyncio.to_thread(self.inbox.add, rows)
        except BadDataError as error:
            return 400, str(error), 0
        except OSError:
            return 503, "cannot be stored now; send it again later", 0
        return 202, "stored", len(rows)

    async def healthy(self, _: "Request") -> "JSONResponse":
        """Tell that the receiver runs."""
        from starlette.responses import JSONResponse

        return JSONResponse({"status": "ok", "hooks": len(self.secrets)})

    @asynccontextmanager
    async def lifespan(self, _: "Starlette") -> AsyncIterator[None]:
        """Show gathered rows while running, and all of them at the end."""
        rolling = asyncio.create_task(_roll(self.inbox))
        yield
        rolling.cancel()
        self.inbox.close()


def make_app(settings: WebhookSettings, inbox: RollingInbox) -> "Starlette":
    """Return the ASGI application: ``POST /hooks/<name>`` and ``GET /healthz``.

    A sender is answered 202 once its comments are on the disk, 401 for a wrong signature, 400 for another shape, 404
    for an unknown hook, 413 for too long a body, 503 when the disk does not take it.

    :raises ConfigError: when a hook's secret cannot be read.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    receiver = _Receiver(settings, inbox, {name: _secret(name, hook) for name, hook in settings.hooks.items()})
    routes = [
        Route("/hooks/{name}", receiver.receive, methods=["POST"]),
        Route("/healthz", receiver.healthy),
    ]
    return Starlette(routes=routes, lifespan=receiver.lifespan)


async def _roll(inbox: RollingInbox) -> None:
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        await asyncio.to_thread(inbox.roll_if_due)
