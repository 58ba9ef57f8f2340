"""``feedback-nlp receive``: takes survey tools' webhooks into an inbox."""

from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import guarded
from feedback_nlp.core.errors import ConfigError


@guarded
def receive(
    inbox: Annotated[Path, typer.Option(help="Folder that `feedback-nlp run` reads; one receiver a folder.")],
    config: Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; put TLS before it where it is not local.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8321,
) -> None:
    """Take survey tools' webhooks into an inbox until interrupted."""
    from feedback_nlp.cli.logs import configure_logs
    from feedback_nlp.config import load_config
    from feedback_nlp.ingest.webhooks.app import make_app
    from feedback_nlp.ingest.webhooks.inbox import RollingInbox

    chosen = load_config(config)
    configure_logs(chosen.operations.log)
    settings = chosen.connect.webhooks
    if not settings.hooks:
        raise ConfigError(
            "No webhook is configured. Add one under connect.webhooks.hooks; docs/operations.md shows how."
        )
    try:
        import uvicorn
    except ImportError as error:
        raise ConfigError("Webhooks need a web server. Run: pip install 'feedback-nlp[review]'") from error
    try:
        gathering = RollingInbox(inbox, roll_seconds=settings.roll_seconds, roll_rows=settings.roll_rows)
    except OSError as error:
        raise ConfigError(f"Inbox {inbox} cannot be written: {error.strerror}.") from error
    app = make_app(settings, gathering)
    typer.echo(f"Receiving on http://{host}:{port}/hooks/… into {inbox}", err=True)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)
