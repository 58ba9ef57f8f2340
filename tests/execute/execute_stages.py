"""Stages and builders that worker processes of the tests import by name."""

import os
import signal
import sys
import time
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from feedback_nlp.core.batch import CommentBatch, vector_array
from feedback_nlp.core.columns import CLEAN, TEXT, VECTOR
from feedback_nlp.core.errors import ModelError


class Upper:
    name = "upper"
    requires = (TEXT,)
    provides = (CLEAN,)

    def __init__(self, *, on: str = "", act: str = "", seconds: float = 0.0) -> None:
        self._on = on
        self._act = act
        self._seconds = seconds

    def compute(self, batch: CommentBatch) -> Mapping[object, pa.Array]:
        time.sleep(self._seconds)
        texts = batch.values(TEXT)
        if self._on in texts:
            _ACTS[self._act]()
        return {CLEAN: pa.array([text.upper() for text in texts], pa.string())}


class Project:
    name = "project"
    requires = (TEXT,)
    provides = (VECTOR,)

    def __init__(self) -> None:
        self._matrix = np.random.default_rng(3).standard_normal((64, 48)).astype(np.float32)

    def compute(self, batch: CommentBatch) -> Mapping[object, pa.Array]:
        rows = np.zeros((len(batch), 64), dtype=np.float32)
        for i, text in enumerate(batch.values(TEXT)):
            for letter in text:
                rows[i, ord(letter) % 64] += 1
        valid = np.array([bool(text) for text in batch.values(TEXT)], dtype=bool)
        product = np.array([row @ self._matrix for row in rows], dtype=np.float32).reshape(-1, 48)
        return {VECTOR: vector_array(product, valid)}


def _model_error() -> None:
    raise ModelError("models/x: damaged.")


def _bug() -> None:
    raise ZeroDivisionError("a TERCES comment"[::-1])


_ACTS = {
    "": lambda: None,
    "model": _model_error,
    "bug": _bug,
    "die": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: sys.exit(9),
    "print": lambda: print("noise on stdout"),  # noqa: T201
}


def build(*, on: str = "\0", act: str = "", seconds: float = 0.0) -> list[object]:
    return [Upper(on=on, act=act, seconds=seconds), Project()]


def build_fails() -> list[object]:
    raise ModelError("No model 'x'.")


def build_slowly(folder: str) -> list[object]:
    open(os.path.join(folder, str(os.getpid())), "w").close()
    return build(seconds=600.0, on="\0")
