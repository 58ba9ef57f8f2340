"""Tries again what failed for a passing reason, waiting longer each time."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


def retrying(
    action: Callable[[], T],
    *,
    name: str,
    passing: tuple[type[Exception], ...],
    attempts: int,
    wait_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call ``action`` until it returns, at most ``attempts`` times.

    :param name: what is tried, for the log.
    :param passing: errors worth another attempt; any other is raised at once.
    :param wait_seconds: before the second attempt; doubled before each further one.
    :raises Exception: the last passing error, when no attempt is left.
    """
    for attempt in range(1, attempts + 1):
        try:
            return action()
        except passing as error:
            if attempt == attempts:
                raise
            wait = wait_seconds * 2 ** (attempt - 1)
            fields = {"input": name, "attempt": attempt, "of": attempts, "wait_seconds": wait}
            log.warning("transfer_failed", extra=fields | {"error_type": type(error).__name__})
            sleep(wait)
    raise ValueError(f"attempts must be at least 1, got {attempts}")
