"""``feedback-nlp review``: the analysts' review page and its users."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import guarded
from feedback_nlp.core.errors import ConfigError

app = typer.Typer(help="The analysts' review page.", invoke_without_command=True)
users = typer.Typer(help="Users of the review page.", no_args_is_help=True)
app.add_typer(users, name="users")

Out = Annotated[Path, typer.Option(help="Folder of runs and the store.")]
ConfigName = Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")]
Name = Annotated[str, typer.Argument(help="The user's name.")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")]
DEFAULT_OUT = Path("feedback-nlp-out")


@app.callback()
@guarded
def review(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless the settings say.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    out: Out = DEFAULT_OUT,
    config: ConfigName = None,
) -> None:
    """Serve the review page until interrupted."""
    if context.invoked_subcommand is not None:
        return
    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    try:
        from feedback_nlp.review.serving import serve
    except ModuleNotFoundError as error:
        raise ConfigError(f"The review page needs '{error.name}': pip install 'feedback-nlp[review]'") from error
    given = {"review__host": host, "review__port": port}
    settings = load_config(config, **{key: value for key, value in given.items() if value is not None})
    with outcome.store_of(settings, out) as store:
        serve(store, settings, out, told=lambda line: typer.echo(line, err=True))


@users.command("add")
@guarded
def add_user(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer, analyst or admin.")] = "analyst",
    password_stdin: Stdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For users whom a provider or a proxy logs in.")
    ] = False,
    out: Out = DEFAULT_OUT,
    config: ConfigName = None,
) -> None:
    """Add a user; the password is asked for."""
    from datetime import UTC, datetime

    from feedback_nlp import outcome
    from feedback_nlp.config import load_config
    from feedback_nlp.review.passwords import hash_password

    hashed = None if no_password else hash_password(_password(password_stdin))
    with outcome.store_of(load_config(config), out) as store:
        user = store.user_book().add(name, role, hashed, datetime.now(UTC))  # type: ignore[arg-type]
    typer.echo(f"{user.name} may log in as {user.role}.")


@users.command("list")
@guarded
def list_users(
    out: Out = DEFAULT_OUT,
    config: ConfigName = None,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the users."""
    from feedback_nlp import outcome
    from feedback_nlp.cli.guard import as_text
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store:
        found = store.user_book().users()
    rows = [{"name": u.name, "role": u.role, "disabled": u.disabled, "created_at": u.created_at} for u in found]
    if json_:
        typer.echo(as_text(rows))
        return
    for row in rows:
        typer.echo(f"{row['name']}\t{row['role']}\t{'disabled' if row['disabled'] else 'active'}\t{row['created_at']}")


@users.command("disable")
@guarded
def disable_user(name: Name, out: Out = DEFAULT_OUT, config: ConfigName = None) -> None:
    """Refuse every log-in of a user; open sessions and tokens end at once."""
    _change(name, out, config, disabled=True)


@users.command("enable")
@guarded
def enable_user(name: Name, out: Out = DEFAULT_OUT, config: ConfigName = None) -> None:
    """Let a disabled user log in again."""
    _change(name, out, config, disabled=False)


@users.command("role")
@guarded
def change_role(
    name: Name,
    role: Annotated[str, typer.Argument(help="viewer, analyst or admin.")],
    out: Out = DEFAULT_OUT,
    config: ConfigName = None,
) -> None:
    """Change a user's role."""
    _change(name, out, config, role=role)


@users.command("password")
@guarded
def change_password(
    name: Name, password_stdin: Stdin = False, out: Out = DEFAULT_OUT, config: ConfigName = None
) -> None:
    """Give a user a new password; open sessions end at once."""
    from feedback_nlp.review.passwords import hash_password

    _change(name, out, config, password=hash_password(_password(password_stdin)))


def _change(name: str, out: Path, config: str | None, **changes: str | bool) -> None:
    from feedback_nlp import outcome
    from feedback_nlp.config import load_config

    with outcome.store_of(load_config(config), out) as store:
        user = store.user_book().change(name, **changes)  # type: ignore[arg-type]
    typer.echo(f"{user.name}: {user.role}, {'disabled' if user.disabled else 'active'}.")


def _password(stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
