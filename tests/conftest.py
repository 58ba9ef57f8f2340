"""What every test may use."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from postgresql_cluster import Cluster, running_cluster

from feedback_nlp.train import written
from feedback_nlp.train.written import read_written

ROOT = Path(__file__).resolve().parent.parent

# One thread a library: the machine's cores are shared, and results must not hang on how many there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The fast profile, for hundreds of small runs in processes of their own; what tests the default takes this away.
os.environ.setdefault("FEEDBACK_NLP__EMBED__BACKEND__KIND", "static")


@pytest.fixture
def default_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test meet the defaults as a user does."""
    monkeypatch.delenv("FEEDBACK_NLP__EMBED__BACKEND__KIND", raising=False)


@pytest.fixture(scope="session", autouse=True)
def few_written() -> Iterator[None]:
    """Let small trainings learn from the first written comments only: the whole file would make each a long one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "read_written", lambda: islice(read_written(), 6))
        yield


@pytest.fixture(scope="session")
def examples() -> Path:
    """Return the shipped example comments."""
    return ROOT / "examples" / "comments.csv"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start a PostgreSQL server of our own; where there is none, skip, but fail on a machine that must have one."""
    try:
        with running_cluster() as started:
            yield started
    except RuntimeError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shared_database(cluster: Cluster) -> str:
    """Return the name of a database with the newest schema, which tests use one after another."""
    from feedback_nlp.store import open_store

    name = cluster.new_database()
    open_store(cluster.url(name)).close()
    return name


@pytest.fixture
def postgresql_url(cluster: Cluster, shared_database: str) -> str:
    """Return the address of an empty store on PostgreSQL."""
    cluster.empty(shared_database)
    return cluster.url(shared_database)


@pytest.fixture
def bare_postgresql_url(cluster: Cluster) -> Iterator[str]:
    """Return the address of a PostgreSQL database without a table."""
    name = cluster.new_database()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty store, on each of the databases in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path}/deep/er/store.db"
