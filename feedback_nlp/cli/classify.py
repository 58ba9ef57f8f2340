"""``feedback-nlp classify``: reclassify sample texts."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from feedback_nlp.cli.guard import as_text, guarded

if TYPE_CHECKING:
    import pyarrow as pa

    from feedback_nlp.api import Classifier


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"


@dataclass(frozen=True)
class _Shape:
    """How results are printed, and whether personal data is covered in them."""

    format: Format
    redact: bool


@guarded
def classify(
    texts: Annotated[list[str] | None, typer.Argument(help="Comments to classify.", metavar="[TEXT…]")] = None,
    input_: Annotated[
        str | None, typer.Option("--input", "-i", help="A dump of any format, or - for one comment a line on stdin.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", "-f", help="How to print results.")] = Format.table,
    json_: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    redact: Annotated[bool, typer.Option("--redact", help="Cover personal data in what is printed.")] = False,
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
) -> None:
    """Classify comments given as arguments, in a file, on stdin or at a prompt."""
    from feedback_nlp.api import open_classifier
    from feedback_nlp.config import load_config

    shape = _Shape(Format.json if json_ else format_, redact)
    classifier = open_classifier(load_config(config))
    if texts:
        _print(classifier.texts(texts), shape)
    elif input_ not in (None, "-"):
        _print(classifier.file(str(input_)), shape)
    elif input_ is None and sys.stdin.isatty():
        _converse(classifier, shape)
    else:
        lines = (line.rstrip("\n") for line in sys.stdin)
        _print(classifier.texts([line for line in lines if line.strip()]), shape)


def _converse(classifier: "Classifier", shape: _Shape) -> None:
    typer.echo("One comment a line; an empty line ends.", err=True)
    while True:
        try:
            line = input("> ")
        except EOFError:
            return
        if not line.strip():
            return
        _print(classifier.texts([line]), shape)


def _print(table: "pa.Table", shape: _Shape) -> None:
    if shape.redact:
        from feedback_nlp.core.redaction import redact_table

        table = redact_table(table)
    if shape.format is Format.table:
        _print_table(table)
    elif shape.format is Format.csv:
        sys.stdout.write(_csv(table))
    elif shape.format is Format.json:
        typer.echo(as_text(table.to_pylist()))
    else:
        for row in table.to_pylist():
            typer.echo(as_text(row))


def _csv(table: "pa.Table") -> str:
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow([value if isinstance(value, str | None) else as_text(value) for value in row.values()])
    return stream.getvalue()


def _drivers(row: dict[str, object]) -> Iterator[str]:
    text = str(row["text"])
    for driver in row["drivers"]:  # type: ignore[attr-defined]
        evidence = text[driver["start"] : driver["end"]]
        yield f"{driver['sign']} {driver['driver']}.{driver['cause']} {driver['score']:.2f}  «{evidence}»"


def _print_table(table: "pa.Table") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(show_lines=True)
    for title in ("comment", "language", "sentiment", "root cause", "drivers and evidence"):
        shown.add_column(title, overflow="fold")
    for row in table.to_pylist():
        script = "" if row["lang_script"] == "native" else f" ({row['lang_script']})"
        sentiment = row["sentiment"] or "none"
        unsure = " ?" if row["sentiment_abstained"] else ""
        score = "" if row["sentiment_score"] is None else f" {row['sentiment_score']:.2f}{unsure}"
        cells = (
            row["text"],
            f"{row['lang']}{script} {row['lang_score']:.2f}",
            f"{sentiment}{score}",
            row["root_cause"] or "none",
            "\n".join(_drivers(row)) or "; ".join(row["problems"]),
        )
        shown.add_row(*(Text(str(cell)) for cell in cells))
    Console().print(shown)
