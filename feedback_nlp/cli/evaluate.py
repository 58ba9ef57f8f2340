"""``feedback-nlp evaluate``: quality figures per language and domain."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import as_text, guarded


class Suite(StrEnum):
    """What is measured."""

    language = "language"
    sentiment = "sentiment"
    embedding = "embedding"
    topics = "topics"
    rootcause = "rootcause"


class Format(StrEnum):
    """How figures are printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


@guarded
def evaluate(
    data: Annotated[Path, typer.Option(help="Folder of evaluation data.")],
    suite: Annotated[list[Suite] | None, typer.Option(help="What to measure; all where not given.")] = None,
    format_: Annotated[Format, typer.Option("--format", "-f", help="How to print figures.")] = Format.table,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what needs models to be fitted again.")] = False,
    write: Annotated[bool, typer.Option(help="Write each suite's section of the page of quality.")] = True,
    page: Annotated[Path | None, typer.Option(help="That page; docs/quality.md of a checkout where not given.")] = None,
) -> None:
    """Measure shipped models, print the figures with 95 % intervals and write them into docs/quality.md."""
    from feedback_nlp.train.evaluate import measure
    from feedback_nlp.train.figures import card_table, plain_table
    from feedback_nlp.train.quality import default_page, write_quality

    figures = measure(data, [choice.value for choice in (suite or list(Suite))], quick=quick)
    if format_ is Format.json:
        typer.echo(as_text([figure.as_dict() for figure in figures]))
    else:
        typer.echo(card_table(figures) if format_ is Format.markdown else plain_table(figures))
    target = page or default_page()
    if write and target is not None:
        write_quality(target, figures)
        typer.echo(f"Wrote {target}", err=True)
