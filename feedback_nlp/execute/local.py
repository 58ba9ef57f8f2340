"""Chunks in this process or in worker processes of this machine; what comes out is the same bytes either way."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Pipe

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.errors import ConfigError, FeedbackError
from feedback_nlp.core.stage import Stage, run_stages
from feedback_nlp.execute.wire import from_bytes, to_bytes
from feedback_nlp.execute.worker import ONE_THREAD, PROGRAM

Build = Callable[[], Sequence[Stage]]


@dataclass(frozen=True)
class ChunkResult:
    """One chunk, done.

    :param index: the chunk's place among the chunks given, from 0.
    :param batch: the chunk with the stages' columns.
    :param seconds: CPU seconds by stage name.
    """

    index: int
    batch: CommentBatch
    seconds: Mapping[str, float]


def run_chunks(
    chunks: Iterable[CommentBatch],
    build: Build,
    *,
    workers: int,
    on_done: Callable[[ChunkResult], None] | None = None,
) -> Iterator[ChunkResult]:
    """Run chunks through stages and yield them in the order given.

    Chunks are pulled as they are needed, at most ``workers + 2`` are held at a time, and a worker is started only when
    a chunk waits for it. Workers end when the iterator ends, is closed or fails.

    :param build: opens the stages, once in each worker; with several workers a function that can be imported by name,
        or a ``functools.partial`` of one.
    :param workers: processes; 1 works in this one.
    :param on_done: called with each chunk before it is yielded.
    :raises ConfigError: when ``workers`` is below 1.
    :raises FeedbackError: the one a stage raised, or one that tells how a worker died.
    """
    if workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}.")
    results = _run_here(chunks, build) if workers == 1 else _run_in_workers(chunks, build, workers)
    for result in results:
        if on_done is not None:
            on_done(result)
        yield result


def _run_here(chunks: Iterable[CommentBatch], build: Build) -> Iterator[ChunkResult]:
    from threadpoolctl import threadpool_limits

    stages: Sequence[Stage] | None = None
    for index, chunk in enumerate(chunks):
        # One thread here too: the bits of a matrix product may depend on how many shared it.
        with threadpool_limits(limits=1):
            stages = build() if stages is None else stages
            batch, seconds = run_stages(stages, chunk)
        yield ChunkResult(index, batch, seconds)


def _run_in_workers(chunks: Iterable[CommentBatch], build: Build, workers: int) -> Iterator[ChunkResult]:
    pool = _Pool(build)
    executor = ThreadPoolExecutor(workers, thread_name_prefix="chunks")
    pending: deque[Future[ChunkResult]] = deque()
    try:
        for index, chunk in enumerate(chunks):
            pending.append(executor.submit(pool.run, index, to_bytes(chunk)))
            if len(pending) == workers + 2:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        pool.kill()
        executor.shutdown()
        pool.close()


class _Pool:
    """Worker processes, each fed by one thread of the caller; a thread starts its worker with its first chunk."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._killed = False

    def run(self, index: int, content: bytes) -> ChunkResult:
        """Run a chunk in the worker of the calling thread."""
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is None:
            worker = self._mine.worker = self._start()
            worker.prepare(self._build)
        return worker.run(index, content)

    def _start(self) -> "_Worker":
        with self._lock:
            if self._killed:
                raise FeedbackError("The workers were stopped.")
            worker = _Worker()
            self._workers.append(worker)
            return worker

    def kill(self) -> None:
        """End all workers at once and let none begin."""
        with self._lock:
            self._killed = True
        for worker in self._workers:
            worker.kill()

    def close(self) -> None:
        """Close the connections, once no thread reads from them."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """A worker process and the connection to it."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        # A session of its own: Ctrl-C reaches the caller alone, which then ends its workers.
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

    def prepare(self, build: Build) -> None:
        """Let the process build its stages."""
        try:
            self._connection.send(build)
            self._raise_if_error(self._connection.recv())
        except (EOFError, OSError) as error:
            raise self._death() from error

    def run(self, index: int, content: bytes) -> ChunkResult:
        """Send a batch and wait for what it becomes."""
        try:
            self._connection.send_bytes(content)
            seconds = self._raise_if_error(self._connection.recv())
            batch = from_bytes(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise self._death() from error
        return ChunkResult(index, batch, seconds)

    def _raise_if_error(self, answer: object) -> Mapping[str, float]:
        if isinstance(answer, FeedbackError):
            raise answer
        return answer  # type: ignore[return-value]

    def _death(self) -> FeedbackError:
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = (
            " That is often a lack of memory: lower run.threads or run.chunk_size." if code == -signal.SIGKILL else ""
        )
        return FeedbackError(f"A worker process {how}.{hint} Chunks finished before are not lost.")

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the connection to it."""
        self._connection.close()
