"""Throttle: how often something may fail within a time before it has to pause."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

WINDOW = 900.0
_MOST_KEYS = 10_000


class Throttle:
    """Counts failures by key over the last 15 minutes.

    :param most: failures of a key before it is paused.
    :param clock: seconds, never going back.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}
        self._lock = Lock()

    def paused(self, key: str) -> int:
        """Return for how many seconds a key is paused yet, 0 where it is not."""
        with self._lock:
            failures = self._recent(key)
            if len(failures) < self._most:
                return 0
            return max(1, int(failures[0] + WINDOW - self._clock()) + 1)

    def failed(self, key: str) -> None:
        """Count a failure."""
        with self._lock:
            if len(self._failures) >= _MOST_KEYS:
                # Someone invents keys: forget the quiet ones rather than fill the memory.
                for other in list(self._failures):
                    if not self._recent(other):
                        del self._failures[other]
                while len(self._failures) >= _MOST_KEYS:
                    del self._failures[next(iter(self._failures))]
            self._failures.setdefault(key, deque(maxlen=self._most)).append(self._clock())

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= self._clock() - WINDOW:
            failures.popleft()
        return failures
