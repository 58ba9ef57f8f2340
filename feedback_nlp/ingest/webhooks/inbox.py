"""Gathers rows in a hidden file of the inbox and shows it, whole, from time to time."""

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

_GATHERING = ".receiving.jsonl"


class RollingInbox:
    """Appends rows so that each is on the disk before the sender is told so; one process a folder.

    :param folder: the inbox; made when missing. What an earlier process left is shown at once.
    :param roll_seconds: longest time rows wait in the hidden file.
    :param roll_rows: most rows of one file.
    :raises OSError: when the folder cannot be written.
    """

    def __init__(self, folder: Path, *, roll_seconds: float, roll_rows: int) -> None:
        self._folder = folder
        self._seconds, self._rows_limit = roll_seconds, roll_rows
        self._lock = threading.Lock()
        self._stream: BinaryIO | None = None
        self._rows, self._began = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._adopt()

    def _adopt(self) -> None:
        """Show what a killed process left, without a last line that it had not finished."""
        left = self._folder / _GATHERING
        if not left.exists():
            return
        content = left.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with left.open("r+b") as stream:
                stream.truncate(whole)
        if whole:
            self._show()
        else:
            left.unlink()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows and wait until the disk has them.

        :raises OSError: when the disk does not take them; none of them is kept then.
        """
        lines = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows).encode()
        with self._lock:
            if self._stream is None:
                self._stream = (self._folder / _GATHERING).open("ab")
                self._rows, self._began = 0, time.monotonic()
            before = self._stream.tell()
            try:
                self._stream.write(lines)
                self._stream.flush()
                os.fsync(self._stream.fileno())
            except OSError:
                self._take_back(before)
                raise
            self._rows += len(rows)
            if self._rows >= self._rows_limit:
                self._roll()

    def _take_back(self, size: int) -> None:
        """Cut half-written rows off again; the stream is given up, since its buffer may still hold them."""
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                stream.close()
        except OSError:
            pass
        os.truncate(self._folder / _GATHERING, size)

    def roll_if_due(self) -> None:
        """Show the gathered rows when they have waited long enough."""
        with self._lock:
            if self._stream is not None and time.monotonic() - self._began >= self._seconds:
                self._roll()

    def close(self) -> None:
        """Show what is gathered."""
        with self._lock:
            self._roll()

    def _roll(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            self._show()

    def _show(self) -> None:
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}"
        number = 1
        while (target := self._folder / f"received-{stamp}-{number}.jsonl").exists():
            number += 1
        (self._folder / _GATHERING).rename(target)
