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
) -> None:
    """Measure shipped models and print the figures with 95 % intervals."""
    from feedback_nlp.train.evaluate import measure
    from feedback_nlp.train.figures import card_table, plain_table

    figures = measure(data, [choice.value for choice in (suite or list(Suite))])
    if format_ is Format.json:
        typer.echo(as_text([figure.as_dict() for figure in figures]))
    else:
        typer.echo(card_table(figures) if format_ is Format.markdown else plain_table(figures))
