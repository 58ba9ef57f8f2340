"""What must not work: pages without a log-in, forged forms, foreign hosts, guessing, oversized and twofold requests."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from review_clients import HERE, Login, log_in
from review_samples import PASSWORD
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount

from feedback_nlp.config import ReviewSettings
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review.app import create_app
from feedback_nlp.review.guards import POLICY
from feedback_nlp.review.identity import identify
from feedback_nlp.review.routes.login import local_path
from feedback_nlp.review.site import KEY_FILE, KEY_VARIABLE, open_key
from feedback_nlp.store import Store

PUBLIC, VIEWER, ANALYST, ADMIN = "public", "viewer", "analyst", "admin"
RIGHTS = {
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "GET /oidc/start": PUBLIC,
    "GET /oidc/back": PUBLIC,
    "POST /logout": VIEWER,
    "GET /": VIEWER,
    "GET /rows": VIEWER,
    "GET /topics/{topic_id}": VIEWER,
    "GET /comments": VIEWER,
    "GET /metrics": VIEWER,
    "GET /more": VIEWER,
    "GET /comments/{comment_id:path}": VIEWER,
    "POST /acts/undo": ANALYST,
    "POST /acts/redo": ANALYST,
    "POST /acts/{act}": ANALYST,
    "GET /history": VIEWER,
    "GET /compare": VIEWER,
    "GET /queue": VIEWER,
    "GET /export/comments.{form}": VIEWER,
    "GET /export/topics.{form}": VIEWER,
    "GET /export/map.{form}": VIEWER,
    "GET /map": VIEWER,
    "GET /map/points": VIEWER,
    "GET /map/peek": VIEWER,
    "POST /map/list": VIEWER,
    "GET /events": VIEWER,
    "GET /account": VIEWER,
    "POST /account/password": VIEWER,
    "POST /account/tokens": VIEWER,
    "POST /account/tokens/{token}/drop": VIEWER,
    "GET /admin": ADMIN,
    "GET /api/openapi.json": VIEWER,
    "GET /api/me": VIEWER,
    "GET /api/topics": VIEWER,
    "GET /api/topics/{topic_id}": VIEWER,
    "GET /api/comments": VIEWER,
    "GET /api/map.{form}": VIEWER,
    "GET /api/comment": VIEWER,
    "GET /api/decisions": VIEWER,
    "POST /api/decisions": ANALYST,
    "POST /api/undo": ANALYST,
    "POST /api/redo": ANALYST,
}
"""Who may what. A new address fails the tests until it stands here."""
ORDER = (PUBLIC, VIEWER, ANALYST, ADMIN)
FILLED = {"topic_id": "1", "comment_id:path": "e4", "act": "lock", "token": "1", "run_id": "night1", "form": "csv"}


def flat(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Return routes with those of included routers in their place."""
    found: list[BaseRoute] = []
    for route in routes:
        inner = getattr(route, "original_router", None)
        found += [route] if inner is None else flat(inner.routes)
    return found


def addresses(app: FastAPI) -> list[str]:
    """Return every method and path the application answers to."""
    routes = [route for route in flat(app.routes) if isinstance(route, APIRoute)]
    return [f"{method} {route.path}" for route in routes for method in sorted(route.methods)]


def test_every_address_has_its_right(app: FastAPI) -> None:
    assert sorted(addresses(app)) == sorted(RIGHTS)
    others = [route for route in flat(app.routes) if not isinstance(route, APIRoute)]
    assert all(isinstance(route, Mount) and route.path.startswith("/static") for route in others)


def _ask(client: TestClient, address: str) -> int:
    method, _, path = address.partition(" ")
    for name, value in FILLED.items():
        path = path.replace("{" + name + "}", "png" if "/map." in path else value)
    if path == "/events":
        return _status_of_stream(client, path)
    return client.request(method, path, follow_redirects=False).status_code


def _status_of_stream(client: TestClient, path: str) -> int:
    # The stream never ends and this client waits for ends, so only its guard is asked; the slow tests hear it.
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = [(b"host", b"localhost"), (b"cookie", cookies.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "app": client.app, "client": ("x", 1)}
    return 200 if identify(client.app.state.site, Request(scope)) is not None else 401  # type: ignore[attr-defined]


@pytest.mark.parametrize("who", [PUBLIC, VIEWER, ANALYST, ADMIN])
def test_authorisation_matrix(app: FastAPI, login: Login, anybody: TestClient, who: str) -> None:
    client = anybody if who == PUBLIC else login(who)
    wrong = []
    for address in addresses(app):
        allowed = ORDER.index(who) >= ORDER.index(RIGHTS[address])
        if address == "POST /logout":
            continue
        status = _ask(client, address)
        refused = status == 403 or status == 401 or (status == 303 and who == PUBLIC)
        if address == "POST /login":
            refused = False
        if allowed == refused:
            wrong.append((address, who, status))
    assert not wrong


@pytest.mark.parametrize("who", [VIEWER, ANALYST, ADMIN])
def test_every_change_needs_the_token_against_forged_requests(app: FastAPI, login: Login, who: str) -> None:
    client = login(who)
    for token in (None, "", "0" * 64, "%C3%BC"):
        client.headers.pop("X-CSRF-Token", None)
        if token is not None:
            client.headers["X-CSRF-Token"] = token
        for address in addresses(app):
            if address.startswith("POST") and address != "POST /login":
                assert _ask(client, address) == 403, address


def test_the_log_in_page_sends_who_is_not_logged_in_back_afterwards(app: FastAPI, anybody: TestClient) -> None:
    answer = anybody.get("/topics/1?ui=fa")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?after=/topics/1%3Fui%3Dfa"
    answer = anybody.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?after=/")
    answer = anybody.get("/api/topics")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_after_logging_in(wanted: str) -> None:
    assert local_path(wanted) == "/"
    assert local_path("/topics/1?q=a%20b") == "/topics/1?q=a%20b"


def test_every_answer_has_its_headers(app: FastAPI, viewer: TestClient, anybody: TestClient) -> None:
    answers = [viewer.get(path) for path in ("/", "/nowhere", "/api/me", "/static/app.css", "/static/none.css")]
    answers += [anybody.get("/"), anybody.get("/login"), anybody.post("/login", content=b"x" * 5_000_000)]
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in POLICY
    assert viewer.get("/").headers["Cache-Control"] == "no-store"


def test_no_page_holds_inline_scripts_or_styles(login: Login) -> None:
    client = login("admin")
    for path in (
        "/",
        "/topics/1",
        "/comments",
        "/comments/e4",
        "/comments/e4?part=edit",
        "/history",
        "/account",
        "/admin",
    ):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path


def test_cookies_are_out_of_reach(anybody: TestClient) -> None:
    cookies = log_in(anybody, "viewer").cookies
    assert "feedback_nlp_session" in cookies
    given = anybody.get("/login").headers.get_list("set-cookie")
    assert given == []  # who is logged in is sent on
    fresh = TestClient(anybody.app, base_url=HERE).get("/login").headers["set-cookie"]
    assert "HttpOnly" in fresh
    assert "SameSite=lax" in fresh


def test_behind_https_cookies_are_secure_and_bound_to_the_host(store: Store, tmp_path: Path) -> None:
    app = create_app(store, ReviewSettings(https=True), tmp_path)
    client = log_in(TestClient(app, base_url="https://localhost"), "viewer")
    assert "__Host-feedback_nlp_session" in client.cookies
    assert client.get("/").headers["Strict-Transport-Security"].startswith("max-age=")
    cookie = TestClient(app, base_url="https://localhost").get("/login").headers["set-cookie"]
    assert "Secure" in cookie


def test_a_log_out_ends_the_session_at_the_server(viewer: TestClient) -> None:
    cookie = viewer.cookies["feedback_nlp_session"]
    assert viewer.post("/logout", follow_redirects=False).status_code == 303
    viewer.cookies.set("feedback_nlp_session", cookie)
    assert viewer.get("/", follow_redirects=False).status_code == 303


def test_a_session_ends_by_itself_and_a_disabled_user_at_once(app: FastAPI, login: Login, store: Store) -> None:
    client = login("viewer")
    app.state.site.clock = lambda: datetime.now(UTC) + timedelta(hours=13)
    assert client.get("/", follow_redirects=False).status_code == 303
    app.state.site.clock = lambda: datetime.now(UTC)
    assert client.get("/").status_code == 200
    store.user_book().change("viewer", disabled=True)
    assert client.get("/", follow_redirects=False).status_code == 303


def test_forged_cookies_and_tokens_let_nobody_in(app: FastAPI) -> None:
    for cookie in ("x", "a.b.c", "ÿ", "'" + " OR 1=1 --", "x" * 4000):
        client = TestClient(app, base_url=HERE, follow_redirects=False)
        answer = client.get("/", headers={"Cookie": f"feedback_nlp_session={cookie}".encode()})
        assert answer.status_code == 303
    for header in ("Bearer x", "Bearer ", "Basic dmlld2VyOnZpZXdlcg==", "bearer ' OR 1=1 --"):
        assert TestClient(app, base_url=HERE).get("/api/me", headers={"Authorization": header}).status_code == 401


def test_a_wrong_token_is_not_saved_by_a_cookie(viewer: TestClient) -> None:
    assert viewer.get("/api/me", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_guessing_pauses_the_name_and_is_written_down(app: FastAPI, store: Store) -> None:
    client = TestClient(app, base_url=HERE, follow_redirects=False)
    seal = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    assert seal is not None

    def attempt(name: str, password: str) -> int:
        return client.post("/login", data={"name": name, "password": password, "csrf": seal[1]}).status_code  # type: ignore[index]

    assert [attempt("viewer", "guess") for _ in range(6)] == [401] * 5 + [429]
    assert attempt("viewer", PASSWORD) == 429
    assert attempt("nobody", "guess") == 401
    outcomes = [(each.user, each.outcome) for each in store.user_book().logins()]
    assert outcomes == [
        (None, "refused"),
        ("viewer", "throttled"),
        ("viewer", "throttled"),
        *[("viewer", "refused")] * 5,
    ]


def test_an_unknown_name_and_a_wrong_password_look_alike(anybody: TestClient) -> None:
    seal = re.search(r'name="csrf" value="(\w+)"', anybody.get("/login").text)
    assert seal is not None
    texts = [
        anybody.post("/login", data={"name": name, "password": "no", "csrf": seal[1]}).text
        for name in ("viewer", "nobody")
    ]
    assert texts[0] == texts[1]


def test_a_log_in_from_another_site_is_refused(anybody: TestClient) -> None:
    seal = re.search(r'name="csrf" value="(\w+)"', anybody.get("/login").text)
    assert seal is not None
    sent = {"name": "viewer", "password": PASSWORD, "csrf": seal[1]}
    assert anybody.post("/login", data=sent, headers={"Origin": "http://evil.example"}).status_code == 403
    assert anybody.post("/login", data=sent, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert anybody.post("/login", data={**sent, "csrf": "0"}).status_code == 403


def test_an_act_from_another_site_is_refused(analyst: TestClient) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        assert analyst.post("/acts/lock", data={"topic_id": "1"}, headers=headers).status_code == 403


def test_other_host_names_are_refused(app: FastAPI) -> None:
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""):
        assert TestClient(app, base_url=HERE).get("/login", headers={"Host": host}).status_code == 421
    for host in ("localhost:8765", "127.0.0.1", "[::1]:80", "LOCALHOST"):
        assert TestClient(app, base_url=HERE).get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("name", ["Content-Length", "X-CSRF-Token", "Authorization", "Host", "X-Forwarded-For"])
def test_a_header_given_twice_is_refused(app: FastAPI, name: str) -> None:
    headers = [(name, "1"), (name, "2")]
    assert TestClient(app, base_url=HERE).get("/login", headers=headers).status_code in (400, 421)


def test_length_and_chunks_together_are_refused(app: FastAPI) -> None:
    headers = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    assert TestClient(app, base_url=HERE).post("/login", content=b"name=", headers=headers).status_code == 400
    assert TestClient(app, base_url=HERE).post("/login", headers={"Content-Length": "-5"}).status_code == 400


def test_oversized_requests_are_refused_whatever_they_say(store: Store, tmp_path: Path) -> None:
    app = create_app(store, ReviewSettings(max_body_kb=16), tmp_path)
    client = TestClient(app, base_url=HERE)
    assert client.post("/login", content=b"x" * 20_000).status_code == 413
    chunks = (b"x" * 1000 for _ in range(20))
    assert client.post("/login", content=chunks).status_code == 413
    assert client.get("/comments?q=" + "x" * 9000).status_code == 414


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/site.py", "/static/..%2f..%2fconfig.py", "/static//etc/passwd"]
)
def test_no_path_leads_out_of_the_static_files(anybody: TestClient, path: str) -> None:
    answer = anybody.get(path)
    assert answer.status_code in (303, 404)
    assert "import" not in answer.text


@pytest.mark.parametrize(
    "words", ["' OR 1=1 --", '"; DROP TABLE comments; --', "%00", "\x00", "{{ 7*7 }}", "\u202eevil", "\ud800"]
)
def test_strange_words_are_words(viewer: TestClient, analyst: TestClient, words: str) -> None:
    asked = words.encode("utf-8", "surrogatepass")
    answer = viewer.get("/comments", params={"q": asked})  # type: ignore[dict-item]
    assert answer.status_code == 200
    answer = analyst.post("/acts/note", data={"topic_id": "1", "text": asked})  # type: ignore[dict-item]
    assert answer.status_code in (200, 422)
    assert viewer.get("/topics/1").status_code == 200


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_key(tmp_path)
    assert open_key(tmp_path) == first
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    monkeypatch.setenv(KEY_VARIABLE, "short")
    with pytest.raises(ConfigError, match="at least 32"):
        open_key(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, "k" * 40)
    assert open_key(tmp_path) == b"k" * 40


def test_a_trusted_proxy_names_the_user_and_nobody_else_does(store: Store, tmp_path: Path) -> None:
    settings = ReviewSettings(proxy_user_header="X-User", proxies=("10.0.0.1",))
    app = create_app(store, settings, tmp_path)
    proxy = TestClient(app, base_url=HERE, client=("10.0.0.1", 5), follow_redirects=False)
    other = TestClient(app, base_url=HERE, client=("10.0.0.2", 5), follow_redirects=False)
    assert proxy.get("/api/me", headers={"X-User": "analyst"}).json()["via"] == "proxy"
    assert other.get("/api/me", headers={"X-User": "analyst"}).status_code == 401
    assert proxy.get("/api/me", headers={"X-User": "stranger"}).status_code == 401
    assert proxy.get("/api/me", headers=[("X-User", "viewer"), ("X-User", "admin")]).status_code == 400
    assert proxy.post("/acts/lock", data={"topic_id": "1"}, headers={"X-User": "analyst"}).status_code == 403
    token = re.search(r'<meta name="csrf" content="(\w+)">', proxy.get("/account", headers={"X-User": "analyst"}).text)
    assert token is not None
    sent = {"X-User": "analyst", "X-CSRF-Token": token[1]}
    assert proxy.post("/acts/lock", data={"topic_id": "1"}, headers=sent).status_code == 200
    store.user_book().change("analyst", disabled=True)
    assert proxy.get("/api/me", headers={"X-User": "analyst"}).status_code == 401


def test_only_a_trusted_proxy_says_where_a_reader_comes_from(store: Store, tmp_path: Path) -> None:
    app = create_app(store, ReviewSettings(proxies=("10.0.0.1",)), tmp_path)
    for peer, written in (("10.0.0.1", "203.0.113.9"), ("10.0.0.2", "10.0.0.2")):
        client = TestClient(app, base_url=HERE, client=(peer, 5))
        client.headers["X-Forwarded-For"] = "1.2.3.4, 203.0.113.9"
        log_in(client, "viewer")
        assert store.user_book().logins(1)[0].address == written


def test_changing_the_password_ends_other_sessions(login: Login) -> None:
    here, there = login("viewer"), login("viewer")
    assert here.post("/account/password", data={"old": "wrong", "new": "a new long password"}).status_code == 403
    assert here.post("/account/password", data={"old": PASSWORD, "new": "short"}).status_code == 422
    answer = here.post(
        "/account/password", data={"old": PASSWORD, "new": "a new long password"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert here.get("/", follow_redirects=False).status_code == 200
    assert there.get("/", follow_redirects=False).status_code == 303
