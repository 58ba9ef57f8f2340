"""What every request passes before it reaches a page, and every answer before it leaves: sizes, hosts, headers."""

import uuid
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_ONCE = (
    b"host",
    b"content-length",
    b"transfer-encoding",
    b"authorization",
    b"origin",
    b"x-csrf-token",
    b"x-forwarded-for",
    b"x-forwarded-proto",
)
_LONGEST_TARGET = 8192


def _own_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower().strip("[]") for name in ("127.0.0.1", "localhost", "::1", *names) if name)


def _name_of(host: str) -> str:
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].split("]")[0]
    return name.rsplit(":", 1)[0] if name.count(":") == 1 else name


class Guard:
    """Refuses requests that are too large, ambiguous or meant for another host; gives every answer its headers.

    :param app: the application inside.
    :param hosts: names it answers to besides this machine's own; ``*`` answers to any.
    :param once: further headers that may stand in a request once only.
    :param most: largest body, bytes.
    :param https: whether browsers are told to come by https only.
    :param proxies: addresses whose word on the reader's address and scheme counts.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        once: Iterable[str],
        most: int,
        https: bool,
        proxies: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._hosts = _own_names(hosts)
        self._once = (*_ONCE, *(name.lower().encode("latin-1") for name in once))
        self._most = most
        self._https = https
        self._proxies = frozenset(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._believe_proxy(scope)
        sender = self._sender(scope, send)
        fault = self._fault(scope)
        if fault is None:
            body = await self._body(receive) if scope["method"] not in ("GET", "HEAD", "OPTIONS") else b""
            fault = (413, "The request is too large.") if body is None else None
        if fault is not None:
            status, words = fault
            await PlainTextResponse(words, status, headers={"connection": "close"})(scope, receive, sender)
            return
        await self._app(scope, _Replay(body or b"", receive), sender)

    def _believe_proxy(self, scope: Scope) -> None:
        """Take the reader's address and scheme from a trusted proxy, and remember who the peer is."""
        scope["peer"] = peer = scope.get("client")
        if peer is None or peer[0] not in self._proxies:
            return
        headers = Headers(scope=scope)
        # The last entry is the one that our proxy added; those before it are the reader's own words.
        forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if forwarded:
            scope["client"] = (forwarded, 0)
        if headers.get("x-forwarded-proto", "") in ("http", "https"):
            scope["scheme"] = headers["x-forwarded-proto"]

    def _fault(self, scope: Scope) -> tuple[int, str] | None:
        names = [name.lower() for name, _ in scope["headers"]]
        if any(names.count(name) > 1 for name in self._once) or {b"content-length", b"transfer-encoding"} <= set(names):
            return 400, "A header stands in the request twice."
        headers = Headers(scope=scope)
        if "*" not in self._hosts and _name_of(headers.get("host", "")) not in self._hosts:
            return 421, "This page does not answer to that host name. See the setting review.hosts."
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_TARGET:
            return 414, "The address is too long."
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            return 400, "The length of the request is no number."
        return (413, "The request is too large.") if int(length) > self._most else None

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the whole body, None where it is larger than allowed, whatever its header said."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > self._most:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    def _sender(self, scope: Scope, send: Send) -> Send:
        asset = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["X-Frame-Options"] = "DENY"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
                headers["X-Request-Id"] = uuid.uuid4().hex
                # Customers' words must not stay in caches of shared computers.
                headers["Cache-Control"] = "public, max-age=604800" if asset else "no-store"
                if self._https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        return with_headers


class _Replay:
    """Gives a body that was read already, then whatever comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()
