"""``feedback-nlp delete``: the right to erasure."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import as_text, guarded
from feedback_nlp.core.errors import ConfigError


@guarded
def delete(
    comment_id: Annotated[list[str], typer.Option(help="Id of a comment; may be given several times.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    search: Annotated[
        list[Path] | None, typer.Option(help="Folder or file with copies (backups, exports, dumps) to search as well.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of runs and the store.")] = Path("feedback-nlp-out"),
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Erase comments from the store and from every run's files, for good; list the copies that hold them still."""
    from datetime import UTC, datetime

    from feedback_nlp import erasure
    from feedback_nlp.config import load_config

    settings = load_config(config)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("Erasing cannot be undone. Say --yes to do it without being asked.")
        typer.confirm(f"Erase {', '.join(comment_id)} from {out} for good?", abort=True)
    found = erasure.delete(comment_id, settings, out, at=datetime.now(UTC), search=search or ())
    if json_:
        typer.echo(as_text([statement.as_dict() for statement in found]))
    else:
        typer.echo("\n".join([*(statement.as_text() for statement in found), erasure.backup_note()]))
