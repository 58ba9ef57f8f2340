"""Fixtures of the review page's tests: an application over a small store, and clients of every role."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from review_browser import ARGS, BAD, CHROMIUM, Enter, serving
from review_clients import HERE, Login, log_in
from review_samples import PASSWORD, make_store

from feedback_nlp.config import ReviewSettings
from feedback_nlp.review.app import create_app
from feedback_nlp.store import Store, open_store


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the small store once."""
    folder = tmp_path_factory.mktemp("review")
    make_store(folder).close()
    return folder / "store.db"


@pytest.fixture
def store(tmp_path: Path, made: Path) -> Iterator[Store]:
    """Open a copy of the small store of two nights."""
    shutil.copyfile(made, tmp_path / "store.db")
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


@pytest.fixture
def app(store: Store, tmp_path: Path) -> FastAPI:
    """Make the application over it."""
    return create_app(store, ReviewSettings(), tmp_path)


@pytest.fixture
def login(app: FastAPI) -> Login:
    """Return a function that gives a client logged in as a user."""

    def make(name: str = "analyst") -> TestClient:
        return log_in(TestClient(app, base_url=HERE), name)

    return make


@pytest.fixture
def analyst(login: Login) -> TestClient:
    """Return a client logged in as an analyst."""
    return login("analyst")


@pytest.fixture
def viewer(login: Login) -> TestClient:
    """Return a client logged in as a viewer."""
    return login("viewer")


@pytest.fixture
def anybody(app: FastAPI) -> TestClient:
    """Return a client that is not logged in."""
    return TestClient(app, base_url=HERE, follow_redirects=False)


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Serve the application on a free port."""
    yield from serving(app)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start the browser once a module; its event loop would be in the way of other modules' own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def enter(chromium: Any, address: str) -> Iterator[Enter]:
    """Return a function that opens a page as a user; whatever went wrong in any of them fails the test."""
    contexts, faults = [], []

    def make(name: str = "analyst", lang: str = "en", at: str = "") -> Any:
        base = at or address
        context = chromium.new_context(viewport={"width": 1300, "height": 900}, base_url=base)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status in BAD else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((base, "data:", "blob:")) else faults.append(asked.url),
        )
        page.goto(f"/login?ui={lang}")
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{base}/")
        return page

    yield make
    for context in contexts:
        context.close()
    # The browser logs a refused act as an error of its own; other statuses are told with their address.
    assert [fault for fault in faults if not fault.startswith("Failed to load resource")] == []
