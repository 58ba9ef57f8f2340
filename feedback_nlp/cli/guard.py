"""Turns our errors into one clear line and their exit code."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import typer

from feedback_nlp.core.errors import FeedbackError

INTERRUPTED = 130

P = ParamSpec("P")
R = TypeVar("R")

_debug = {"on": False}


def show_tracebacks() -> None:
    """Let errors through as tracebacks from now on."""
    _debug["on"] = True


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command so that a FeedbackError becomes its message on stderr and its exit code."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except FeedbackError as error:
            if _debug["on"]:
                raise
            typer.echo(f"feedback-nlp: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            typer.echo("feedback-nlp: interrupted. The same command resumes where it stopped.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None

    return wrapped


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as JSON text with letters as they are and times in RFC 3339."""
    import json

    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever json cannot write
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    return str(value)
