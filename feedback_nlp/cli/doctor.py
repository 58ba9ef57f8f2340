"""``feedback-nlp doctor``: checks the installation and says how to mend it."""

from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import as_text, guarded


@guarded
def doctor(
    out: Annotated[Path, typer.Option(help="Folder of runs and the store.")] = Path("feedback-nlp-out"),
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check Python, packages, configuration, models, store and a sample; exit 1 when something is wrong."""
    from feedback_nlp.checkup import checkup

    findings = checkup(out, config)
    if json_:
        typer.echo(as_text([finding.__dict__ for finding in findings]))
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.detail}")
            if finding.remedy:
                typer.echo(f"     -> {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
