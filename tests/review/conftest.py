"""Fixtures of the review page's tests: an application over a small store, and clients of every role."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from review_clients import HERE, Login, log_in
from review_samples import make_store

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
