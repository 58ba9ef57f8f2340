"""Runs a piece of work in a forked child that may be killed, stopped or starved, and tells what became of it."""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from feedback_nlp.core.errors import FeedbackError

TIMEOUT = 180
_WATCHED = frozenset(
    (
        "open",
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.mkdir",
        "os.listdir",
        "os.scandir",
        "shutil.rmtree",
        "os.truncate",
    )
)

Work = Callable[[], Any]
Act = Callable[[], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a child.

    :param kind: ``finished``, ``error`` (one of ours), ``crash`` (anything else), ``killed`` or ``hung``.
    :param value: what the work returned, where it finished.
    :param code: the error's exit code.
    :param message: the error's message.
    :param points: points passed; see :class:`Points`.
    :param megabytes: the most memory it held.
    """

    kind: str
    value: Any = None
    code: int = 0
    message: str = ""
    points: int = 0
    megabytes: float = 0.0


@dataclass
class Points:
    """Counts the points of a run that something can happen at: what it does to files under a folder, and to a database.

    :param folder: only files below it count.
    :param at: acts by the number of the point before which they happen.
    """

    folder: Path
    at: dict[int, Act] = field(default_factory=dict)
    passed: int = 0

    def watch(self) -> None:
        """Count from now on, in this process; cannot be taken back."""
        sys.addaudithook(self._audit)
        sync = os.fsync

        def synced(descriptor: int) -> None:
            self._point()
            sync(descriptor)

        os.fsync = synced
        for name in ("before_cursor_execute", "commit", "begin"):
            event.listen(Engine, name, lambda *_, **__: self._point())

    def _audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in _WATCHED and isinstance(arguments[0], str | os.PathLike) and self._below(os.fspath(arguments[0])):
            self._point()

    def _below(self, path: str | bytes) -> bool:
        return os.fsdecode(path).startswith(str(self.folder))

    def _point(self) -> None:
        self.passed += 1
        act = self.at.pop(self.passed, None)
        if act is not None:
            act()


def die() -> None:
    """End this process at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    """Stand still until somebody wakes this process."""
    os.kill(os.getpid(), signal.SIGSTOP)


@dataclass
class Child:
    """A child under way."""

    pid: int
    pipe: int

    def wait(self, seconds: float = TIMEOUT) -> Outcome:
        """Wait for its end."""
        end = time.monotonic() + seconds
        while True:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.wait4(self.pid, 0)
                os.close(self.pipe)
                return Outcome("hung", message=f"no end after {seconds:.0f} s")
            time.sleep(0.005)
        content = b""
        while block := os.read(self.pipe, 1 << 16):
            content += block
        os.close(self.pipe)
        told = json.loads(content) if content else {}
        megabytes = usage.ru_maxrss / 1024
        if os.WIFSIGNALED(status):
            kind = "killed" if os.WTERMSIG(status) == signal.SIGKILL else "crash"
            return Outcome(kind, message=f"signal {os.WTERMSIG(status)}", megabytes=megabytes)
        return Outcome(**told, megabytes=megabytes) if told else Outcome("crash", message="it said nothing")

    def wait_until_stopped(self) -> bool:
        """Wait until it stands still; False where it ended instead."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state in "TZ":
                return state == "T"
            time.sleep(0.005)
        return False

    def wake(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it; nothing where it has ended already."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def start(work: Work, points: Points | None = None, *, largest_file: int | None = None) -> Child:
    """Start a piece of work in a child.

    :param points: counted in the child, with what happens at them.
    :param largest_file: bytes that a file may have; more is refused as by a full disk.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    os.close(reading)
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    if points is not None:
        points.watch()
    told = _told(work, points)
    os.write(writing, json.dumps(told).encode())
    os._exit(0)


def _told(work: Work, points: Points | None) -> dict[str, Any]:
    try:
        told: dict[str, Any] = {"kind": "finished", "value": work()}
    except FeedbackError as error:
        told = {"kind": "error", "code": error.exit_code, "message": str(error)}
    except BaseException as error:  # whatever it is, the harness must hear of it
        import traceback

        place = "".join(traceback.format_exception(error)[-4:])
        told = {"kind": "crash", "message": f"{type(error).__name__}: {error} | {place}"[:3000]}
    return told | {"points": points.passed if points else 0}


def in_child(work: Work, points: Points | None = None, *, largest_file: int | None = None) -> Outcome:
    """Run a piece of work in a child and wait for its end."""
    return start(work, points, largest_file=largest_file).wait()
