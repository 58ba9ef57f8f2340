"""``feedback-nlp runs``: what has been run."""

from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import as_text, guarded

app = typer.Typer(help="Runs in the store.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder of runs and the store.")]
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
ConfigName = Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")]


@app.command("list")
@guarded
def list_runs(out: Out = Path("feedback-nlp-out"), json_: Json = False, config: ConfigName = None) -> None:
    """List runs, the newest first."""
    from feedback_nlp import nightly
    from feedback_nlp.config import load_config

    frame = nightly.store_of(load_config(config), out).runs()
    typer.echo(as_text(frame.to_dict(orient="records")) if json_ else frame.to_string(index=False))


@app.command("show")
@guarded
def show_run(
    run: Annotated[str, typer.Argument(help="Run id.")], out: Out = Path("feedback-nlp-out"), config: ConfigName = None
) -> None:
    """Print a run's summary as JSON."""
    from feedback_nlp import nightly
    from feedback_nlp.config import load_config

    typer.echo(as_text(nightly.store_of(load_config(config), out).run(run).summary))
