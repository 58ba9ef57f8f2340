"""Clients of the review page for its tests."""

import re
from collections.abc import Callable

from fastapi.testclient import TestClient
from review_samples import PASSWORD

HERE = "http://localhost"
Login = Callable[..., TestClient]


def log_in(client: TestClient, name: str, password: str = PASSWORD) -> TestClient:
    """Log a client in, and let it send the token against forged requests from then on."""
    seal = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    assert seal is not None
    answer = client.post("/login", data={"name": name, "password": password, "csrf": seal[1]}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    token = re.search(r'<meta name="csrf" content="(\w+)">', client.get("/account").text)
    assert token is not None
    client.headers["X-CSRF-Token"] = token[1]
    return client
