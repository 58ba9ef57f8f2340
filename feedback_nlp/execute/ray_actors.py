"""Chunks on a Ray cluster: actors that build their stages once and answer chunk after chunk.

What comes out is the same bytes as in processes of this machine: an actor does with a chunk what a worker does.
"""

import logging
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.execute.local import ChunkResult
from feedback_nlp.execute.wire import from_bytes, to_bytes
from feedback_nlp.execute.worker import ONE_THREAD

_AHEAD = 2
_KNOCK_SECONDS = 5.0


class Tagger:
    """What an actor does; a plain class, which Ray wraps.

    :param build: opens the stages.
    """

    def __init__(self, build: Callable[[], Sequence[Stage]]) -> None:
        self._stages = build()

    def run(self, content: bytes) -> tuple[bytes, dict[str, float]]:
        """Return a batch with the stages' columns, as bytes, and seconds by stage."""
        batch, seconds = run_stages(self._stages, from_bytes(content))
        return bytes(to_bytes(batch)), dict(seconds)


def run_on_ray(
    chunks: Iterable[CommentBatch],
    build: Callable[[], Sequence[Stage]],
    *,
    workers: int,
    address: str | None = None,
) -> Iterator[ChunkResult]:
    """Run chunks through stages on actors and yield them in the order given.

    Every actor takes one CPU. A cluster's other machines need feedback_nlp installed, its models with it.

    :param build: opens the stages, once in each actor.
    :param workers: actors; Ray starts them as CPUs become free.
    :param address: ``auto`` or ``ray://host:port`` of a running cluster; None starts Ray on this machine and stops it
        at the end.
    :raises ConfigError: when Ray is not installed or the cluster does not answer.
    :raises FeedbackError: the one a stage raised, or one that tells how an actor died.
    """
    ray = _open_ray(workers, address)
    own = address is None
    try:
        wrapped = ray.remote(num_cpus=1, max_restarts=0)(Tagger)
        actors = [wrapped.remote(build) for _ in range(workers)]
        pending: deque[tuple[int, Any]] = deque()
        for index, chunk in enumerate(chunks):
            pending.append((index, actors[index % workers].run.remote(bytes(to_bytes(chunk)))))
            if len(pending) == workers + _AHEAD:
                yield _result(ray, *pending.popleft())
        while pending:
            yield _result(ray, *pending.popleft())
    finally:
        if own:
            ray.shutdown()


def _open_ray(workers: int, address: str | None) -> Any:  # noqa: ANN401 - a module without types
    try:
        import ray
    except ImportError as error:
        raise ConfigError("run.executor 'ray' needs Ray. Run: pip install 'feedback-nlp[ray]'") from error
    if address is not None and address != "auto":
        _check_answers(address)
    local = {"num_cpus": workers, "include_dashboard": False} if address is None else {"address": address}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, runtime_env={"env_vars": ONE_THREAD}, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(f"run.ray_address: no Ray cluster answers at {address}: {type(error).__name__}.") from error
    return ray


def _check_answers(address: str) -> None:
    """Knock at a cluster's door: Ray itself waits for minutes where nobody is at home."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()
    except (OSError, ValueError) as error:
        raise ConfigError(f"run.ray_address: no Ray cluster answers at {address}: {type(error).__name__}.") from error


def _result(ray: Any, index: int, reference: Any) -> ChunkResult:  # noqa: ANN401 - Ray's own types
    try:
        content, seconds = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, FeedbackError):
            raise error.cause from None
        # Its type alone: the message may quote a comment.
        raise FeedbackError(f"An actor failed with {type(error.cause).__name__}.") from None
    except ray.exceptions.RayActorError as error:
        raise FeedbackError("An actor of the Ray cluster died. Chunks finished before are not lost.") from error
    return ChunkResult(index, from_bytes(content), seconds)
