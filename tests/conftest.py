"""What every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# One thread a library: the machine's cores are shared, and results must not hang on how many there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def examples() -> Path:
    """Return the shipped example comments."""
    return ROOT / "examples" / "comments.csv"
