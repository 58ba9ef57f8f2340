"""``feedback-nlp report``: a run's report again."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import guarded


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    XLSX = "xlsx"


@guarded
def report(
    run: Annotated[str | None, typer.Option(help="Run to report; the current one where not given.")] = None,
    form: Annotated[Format, typer.Option("--format", help="The page, or its tables for Excel.")] = Format.HTML,
    out: Annotated[Path, typer.Option(help="Folder of runs and the store.")] = Path("feedback-nlp-out"),
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
) -> None:
    """Write a run's report again and print where it stands."""
    from feedback_nlp import nightly
    from feedback_nlp.config import load_config
    from feedback_nlp.outcome import REPORT, WORKBOOK

    typer.echo(nightly.report(run, load_config(config), out, WORKBOOK if form is Format.XLSX else REPORT))
