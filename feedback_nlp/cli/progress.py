"""The progress bar on stderr: step, share, rows a second, time left; silent where stderr is no terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from feedback_nlp.pipeline import Progress, SilentProgress


class BarProgress:
    """Shows each step as a bar."""

    def __init__(self, bars: "rich.progress.Progress") -> None:  # type: ignore[name-defined]  # noqa: F821
        self._bars = bars
        self._task: int | None = None

    def begin(self, step: str, total: int | None) -> None:
        """Open a bar for a step of ``total`` rows."""
        self._task = self._bars.add_task(step, total=total, speed="")

    def advance(self, rows: int) -> None:
        """Move the bar on."""
        if self._task is None:
            return
        self._bars.advance(self._task, rows)
        task = self._bars.tasks[self._task]
        rate = task.finished_speed or task.speed
        self._bars.update(self._task, speed=f"{rate:,.0f} rows/s" if rate else "")

    def end(self) -> None:
        """Close the bar."""
        if self._task is not None:
            done = self._bars.tasks[self._task].completed
            self._bars.update(self._task, total=done or 1, completed=done or 1)
            self._task = None


@contextmanager
def open_progress() -> Iterator[Progress]:
    """Show progress on stderr while the block runs, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield SilentProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield BarProgress(bars)
