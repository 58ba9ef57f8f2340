"""``feedback-nlp models``: shipped and added model folders."""

from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import as_text, guarded

app = typer.Typer(help="Shipped and added model folders.", no_args_is_help=True)


@app.command("list")
@guarded
def list_models(json_: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List model folders with kind, version, languages and size."""
    from feedback_nlp.core.modelfolder import list_models as folders

    rows = [folder.summary() for folder in folders()]
    if json_:
        typer.echo(as_text(rows))
        return
    for row in rows:
        size, languages = f"{row['megabytes']:.1f} MB", ",".join(row["languages"])
        name, kind, version = row["name"], row["kind"], row["version"]
        typer.echo(f"{name:<18} {kind:<20} {version:<8} {languages:<10} {size:>9}  {row['path']}")


@app.command("verify")
@guarded
def verify_models(
    models: Annotated[list[str] | None, typer.Argument(help="Names or folders; all where none is given.")] = None,
) -> None:
    """Check every file of model folders against its sha256."""
    from feedback_nlp.core.modelfolder import list_models as folders
    from feedback_nlp.core.modelfolder import open_model, resolve_model

    chosen = [open_model(resolve_model(name)) for name in models] if models else folders()
    for folder in chosen:
        typer.echo(f"{folder.manifest['name']}: {len(folder.manifest['files'])} file(s) as listed")


@app.command("add")
@guarded
def add_model(
    folder: Annotated[Path, typer.Argument(help="A model folder.")],
    into: Annotated[Path, typer.Option(help="Folder of added models; name it in FEEDBACK_NLP_MODELS.")],
) -> None:
    """Verify a model folder and copy it among the added ones."""
    from feedback_nlp.core.modelfolder import copy_model

    typer.echo(f"{copy_model(folder, into)} added. Set FEEDBACK_NLP_MODELS={into} and name it in the configuration.")
