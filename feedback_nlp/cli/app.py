"""The ``feedback-nlp`` command; heavy imports stand inside the commands, so that ``--help`` is quick."""

import sys
import traceback
from types import TracebackType
from typing import Annotated

import typer

from feedback_nlp.cli import (
    classify,
    delete,
    doctor,
    evaluate,
    models,
    receive,
    report,
    review,
    run,
    runs,
    topics,
    train,
)
from feedback_nlp.core.version import __version__

DEBUG = "--debug"

app = typer.Typer(
    name="feedback-nlp",
    help="Read customer feedback in Arabic, Persian and English: language, sentiment, topics, root causes.",
    epilog="Results go to stdout, progress and errors to stderr. --debug, anywhere, shows tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("classify")(classify.classify)
app.command("receive")(receive.receive)
app.command("report")(report.report)
app.command("delete")(delete.delete)
app.command("evaluate")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
app.add_typer(review.app, name="review")
app.add_typer(runs.app, name="runs")
app.add_typer(topics.app, name="topics")
app.add_typer(models.app, name="models")
app.add_typer(train.app, name="train")


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"feedback-nlp {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Name an unexpected error without its message, which might quote a comment."""
    last = traceback.extract_tb(trace)[-1] if trace else None
    place = f" at {last.filename}:{last.lineno}" if last else ""
    typer.echo(
        f"feedback-nlp: internal error {kind.__name__}{place}. Run again with {DEBUG} to see all of it and report it.",
        err=True,
    )


def main() -> None:
    """Run the command line."""
    if DEBUG in sys.argv:
        sys.argv.remove(DEBUG)
        from feedback_nlp.cli import guard

        guard.show_tracebacks()
        app()
        return
    try:
        app()
    finally:
        # Typer sets a hook of its own on the way in.
        sys.excepthook = _one_line
