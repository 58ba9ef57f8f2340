"""``feedback-nlp run``: the nightly job."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from feedback_nlp.cli.guard import guarded
from feedback_nlp.core.errors import ConfigError

if TYPE_CHECKING:
    from feedback_nlp.config import Config
    from feedback_nlp.ingest.inbox import Waiting

_INPUTS = "What to read: files, globs, folders, @name of a configured source, or an address such as s3://bucket/*.csv."


@guarded
def run(
    inputs: Annotated[list[str], typer.Argument(help=_INPUTS, metavar="INPUT…")],
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for runs, reports and the store.")] = Path("feedback-nlp-out"),
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Take up an interrupted run, and skip a finished one.")
    ] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most this many comments.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the input and show the plan; analyse nothing.")
    ] = False,
    archive: Annotated[
        Path | None, typer.Option(help="Treat the inputs as an inbox: files move to this folder once their run stands.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Read dumps, run every stage, store the run and write the report."""
    from feedback_nlp import nightly
    from feedback_nlp.cli.guard import as_text
    from feedback_nlp.cli.logs import configure_logs
    from feedback_nlp.cli.progress import open_progress
    from feedback_nlp.config import load_config
    from feedback_nlp.ingest.inbox import archive_files

    if archive is not None and limit is not None:
        raise ConfigError("--archive moves whole files, so it cannot go with --limit. Leave one of them out.")
    settings = load_config(config)
    configure_logs(settings.operations.log)
    if dry_run:
        plan = nightly.plan(inputs, settings, limit=limit)
        typer.echo(as_text(plan.as_dict()) if json_ else plan.as_text())
        return
    waiting = _waiting(inputs, settings) if archive is not None else None
    if waiting is not None and not waiting:
        typer.echo("Nothing to do: no settled file in the inbox.")
        return
    given = inputs if waiting is None else [file.path for file in waiting]
    with open_progress() as progress:
        result = nightly.run(given, settings, out, resume=resume, limit=limit, progress=progress)
    if archive is not None and waiting is not None:
        archive_files(waiting, archive, result.run_id)
    typer.echo(as_text(result.summary) if json_ else result.as_text())
    result.raise_if_too_many_rejects()


def _waiting(inputs: "list[str]", settings: "Config") -> "list[Waiting]":
    from feedback_nlp.ingest.inbox import need_local, waiting_files

    need_local(inputs)
    return waiting_files(inputs, settings.connect.settle_seconds)
