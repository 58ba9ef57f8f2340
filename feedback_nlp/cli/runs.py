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
    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store:
        frame = store.runs()
    typer.echo(as_text(frame.to_dict(orient="records")) if json_ else frame.to_string(index=False))


@app.command("show")
@guarded
def show_run(
    run: Annotated[str, typer.Argument(help="Run id.")], out: Out = Path("feedback-nlp-out"), config: ConfigName = None
) -> None:
    """Print a run's summary as JSON."""
    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store:
        typer.echo(as_text(store.run(run).summary))


@app.command("publish")
@guarded
def publish_run(
    run: Annotated[str, typer.Argument(help="Run id.")], out: Out = Path("feedback-nlp-out"), config: ConfigName = None
) -> None:
    """Make a finished run the one that readers see."""
    from datetime import UTC, datetime

    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store, store.lease():
        store.publish(run, datetime.now(UTC))
    typer.echo(f"Readers now see run {run}.")


@app.command("prune")
@guarded
def prune_runs(
    keep: Annotated[
        int, typer.Option(min=1, help="Newest finished runs to keep; the published one always stays.")
    ] = 30,
    out: Out = Path("feedback-nlp-out"),
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Delete old runs with their files; failed ones as old go too."""
    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store, store.lease():
        gone = store.prune(keep)
        outcome.drop_folders(out, gone)
    typer.echo(as_text(gone) if json_ else f"Deleted {len(gone)} run(s){''.join(f' {one}' for one in gone)}.")


@app.command("compare")
@guarded
def compare_runs(
    first: Annotated[str, typer.Argument(help="Run id.")],
    second: Annotated[str, typer.Argument(help="Another run's id.")],
    out: Out = Path("feedback-nlp-out"),
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Put two runs side by side: comments, language, sentiment, root cause, topics that came and went."""
    from feedback_nlp import outcome
    from feedback_nlp.cli import sidebyside
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store:
        found = store.compare(first, second)
    typer.echo(as_text(found.as_dict()) if json_ else sidebyside.as_table(found))


@app.command("days")
@guarded
def count_days(
    by: Annotated[str, typer.Option(help="sentiment, lang, root_cause or topic_id.")] = "sentiment",
    out: Out = Path("feedback-nlp-out"),
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Count the comments of all runs by the day they were written, each once and on its own day."""
    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store:
        rows = store.by_day(by).to_pylist()
    if json_:
        typer.echo(as_text(rows))
        return
    for row in rows:
        typer.echo(f"{row['day'] or 'no date':<12} {row['value']:<16} {row['comments']:>10,}")
