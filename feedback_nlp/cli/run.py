"""``feedback-nlp run``: the nightly job."""

from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import guarded


@guarded
def run(
    inputs: Annotated[list[str], typer.Argument(help="Dumps to read: files, globs or folders.", metavar="INPUT…")],
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for runs, reports and the store.")] = Path("feedback-nlp-out"),
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Take up an interrupted run, and skip a finished one.")
    ] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most this many comments.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the input and show the plan; analyse nothing.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Read dumps, run every stage, store the run and write the report."""
    from feedback_nlp import nightly
    from feedback_nlp.cli.guard import as_text
    from feedback_nlp.cli.progress import open_progress
    from feedback_nlp.config import load_config

    settings = load_config(config)
    if dry_run:
        plan = nightly.plan(inputs, settings, limit=limit)
        typer.echo(as_text(plan.as_dict()) if json_ else plan.as_text())
        return
    with open_progress() as progress:
        result = nightly.run(inputs, settings, out, resume=resume, limit=limit, progress=progress)
    typer.echo(as_text(result.summary) if json_ else result.as_text())
    result.raise_if_too_many_rejects()
