"""Log-in by an OpenID Connect provider, against one that runs in this process."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from feedback_nlp.config import OidcSettings, ReviewSettings
from feedback_nlp.review.app import create_app
from feedback_nlp.review.oidc import OidcError, Provider, begin_journey
from feedback_nlp.store import Store

HERE = "http://localhost"


@dataclass
class Issuer:
    """A provider that vouches for whoever ``claims`` tell of."""

    server: ThreadingHTTPServer
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Run a provider."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            base = made.address
            endpoints = {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}
            self._answer({"issuer": base, **endpoints, **made.document})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest())
            fits = challenge.rstrip(b"=").decode() == made.asked["code_challenge"] and form["code"] == ["the-code"]
            usual = {"iss": made.address, "aud": "feedback-nlp", "exp": time.time() + 60, "nonce": made.asked["nonce"]}
            claims = base64.urlsafe_b64encode(json.dumps({**usual, **made.claims}).encode()).rstrip(b"=").decode()
            self._answer({"id_token": f"e30.{claims}.c2ln"} if fits else {"error": "invalid_grant"})

        def log_message(self, *args: object) -> None:
            pass

    made = Issuer(ThreadingHTTPServer(("127.0.0.1", 0), Handler), {"email": "analyst", "email_verified": True})
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


def _client(store: Store, folder: Path, issuer: Issuer, **settings: Any) -> TestClient:
    oidc = OidcSettings(issuer=issuer.address, **settings)
    app = create_app(store, ReviewSettings(oidc=oidc), folder)
    return TestClient(app, base_url=HERE, follow_redirects=False)


def _through(client: TestClient, issuer: Issuer, *, code: str = "the-code", state: str | None = None) -> Any:
    left = client.get("/oidc/start?after=/topics/1")
    assert left.status_code == 303
    parts = urlsplit(left.headers["location"])
    issuer.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}" == issuer.address
    assert issuer.asked["code_challenge_method"] == "S256"
    return client.get("/oidc/back", params={"code": code, "state": state or issuer.asked["state"]})


def test_a_user_comes_in_and_goes_on(store: Store, tmp_path: Path, issuer: Issuer) -> None:
    client = _client(store, tmp_path, issuer)
    assert "/oidc/start" in client.get("/login").text
    answer = _through(client, issuer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/topics/1")
    assert client.get("/api/me").json() == {"name": "analyst", "role": "analyst", "via": "session"}
    login = store.user_book().logins(1)[0]
    assert (login.user, login.via, login.outcome) == ("analyst", "oidc", "ok")


def test_strangers_stay_out_unless_a_role_is_set(store: Store, tmp_path: Path, issuer: Issuer) -> None:
    issuer.claims = {"email": "new@example.org"}
    assert _through(_client(store, tmp_path, issuer), issuer).status_code == 403
    client = _client(store, tmp_path, issuer, role="viewer")
    assert _through(client, issuer).status_code == 303
    assert client.get("/api/me").json()["role"] == "viewer"


def test_disabled_users_stay_out(store: Store, tmp_path: Path, issuer: Issuer) -> None:
    store.user_book().change("analyst", disabled=True)
    assert _through(_client(store, tmp_path, issuer), issuer).status_code == 403
    assert store.user_book().logins(1)[0].outcome == "disabled"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["feedback-nlp", "another"], "azp": "another"},
        {"exp": 1},
        {"exp": "soon"},
        {"nonce": "another"},
        {"email": None},
        {"email_verified": False},
    ],
)
def test_tokens_that_do_not_fit_let_nobody_in(
    store: Store, tmp_path: Path, issuer: Issuer, claims: dict[str, Any]
) -> None:
    issuer.claims |= claims
    answer = _through(_client(store, tmp_path, issuer), issuer)
    assert answer.status_code == 403
    assert "session" not in answer.headers.get("set-cookie", "")


def test_answers_of_another_browser_let_nobody_in(store: Store, tmp_path: Path, issuer: Issuer) -> None:
    client = _client(store, tmp_path, issuer)
    assert _through(client, issuer, state="forged").status_code == 403
    assert _through(client, issuer, code="guessed").status_code == 403
    assert _client(store, tmp_path, issuer).get("/oidc/back?code=the-code&state=x").status_code == 403


def test_providers_are_asked_over_https_and_must_be_who_they_say(issuer: Issuer) -> None:
    for address in ("http://provider.example", "ftp://127.0.0.1"):
        with pytest.raises(OidcError, match="https"):
            Provider(OidcSettings(issuer=address), f"{HERE}/oidc/back").leave(begin_journey("/"))
    issuer.document = {"issuer": "https://evil.example"}
    with pytest.raises(OidcError, match="another issuer"):
        Provider(OidcSettings(issuer=issuer.address), f"{HERE}/oidc/back").leave(begin_journey("/"))
    with pytest.raises(OidcError, match="cannot be reached"):
        Provider(OidcSettings(issuer="http://127.0.0.1:9"), f"{HERE}/oidc/back").leave(begin_journey("/"))


def test_without_a_provider_there_is_no_way(anybody: TestClient) -> None:
    assert anybody.get("/oidc/start").status_code == 404
    assert anybody.get("/oidc/back?code=x&state=y").status_code == 404
