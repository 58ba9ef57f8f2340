"""``feedback-nlp topics``: the topics of the current run, and what analysts decide about them."""

import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from feedback_nlp.cli.guard import as_text, guarded
from feedback_nlp.cli.topics_text import comment_line, decision_line, topic_details, topic_lines

if TYPE_CHECKING:
    from feedback_nlp.store import Store

AUTHOR = "FEEDBACK_NLP_AUTHOR"
_BESIDE = 5

app = typer.Typer(
    help="Topics of the current run, and what analysts decide about them: at once, and for every night after.",
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Option(help="Folder of runs and the store.")]
ConfigName = Annotated[str | None, typer.Option(help="Configuration file, or the name of a shipped one.")]
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Topic = Annotated[int, typer.Argument(help="Number of the topic; `topics list` shows them.", metavar="TOPIC")]
Author = Annotated[
    str | None, typer.Option(envvar=AUTHOR, help="Who decides; the name you are logged in with where not given.")
]
Expected = Annotated[
    int | None, typer.Option(min=0, help="The last decision you have seen; refused where somebody decided on it since.")
]
Lang = Annotated[str, typer.Option(help="Language of the name: ar, fa or en.")]

OUT = Path("feedback-nlp-out")


@contextmanager
def _store(out: Path, config: str | None) -> "Iterator[Store]":
    from feedback_nlp.config import load_config
    from feedback_nlp.core.errors import MissingInputError
    from feedback_nlp.outcome import store_of

    settings = load_config(config)
    if settings.store.url is None and not (out / "store.db").is_file():
        raise MissingInputError(f"There is no store under {out}. Make one with `feedback-nlp run INPUT --out {out}`.")
    with store_of(settings, out) as store:
        yield store


class _Told(NamedTuple):
    """Where a decision goes, whose it is, and how it is told."""

    out: Path
    config: str | None
    author: str | None
    json: bool


def _decide(told: _Told, act: str, **how: Any) -> None:  # noqa: ANN401 - arguments of Store.decide, undo or redo
    """Carry out an act and tell what was recorded."""
    with _store(told.out, told.config) as store:
        author = told.author or getpass.getuser()
        if act in ("undo", "redo"):
            decision = getattr(store, act)(author=author, **how)
        else:
            decision = store.decide(act, author=author, **how)
    if told.json:
        typer.echo(as_text(None if decision is None else decision.as_dict()))
    else:
        typer.echo("Nothing changes; nothing was recorded." if decision is None else decision_line(decision))


@app.command("list")
@guarded
def list_topics(
    all_: Annotated[bool, typer.Option("--all", help="Also hidden topics and those without comments now.")] = False,
    lang: Annotated[str | None, typer.Option(help="Show names in this language alone.")] = None,
    out: Out = OUT,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """List topics: number, comments, marks and names in three languages."""
    with _store(out, config) as store:
        rows = store.topics().to_pylist()
        without = store.topic_counts().get(-1, 0)
    shown = [row for row in rows if all_ or not (row["hidden"] or row["status"] == "dormant")]
    if json_:
        typer.echo(as_text(shown))
        return
    for line in topic_lines(shown, lang):
        typer.echo(line)
    typer.echo(f"{without} comments have no topic.", err=True)
    if len(shown) < len(rows):
        typer.echo(f"Hidden or without comments: {len(rows) - len(shown)} more; --all lists them.", err=True)


@app.command("show")
@guarded
def show_topic(
    topic: Topic,
    comments: Annotated[int, typer.Option(min=0, help="Comments to print, personal data covered.")] = 10,
    out: Out = OUT,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Show one topic: names, keywords, size, languages, latest decisions and comments."""
    with _store(out, config) as store:
        row = _found(store.topics().to_pylist(), topic, store)
        rows = store.comments(topic=topic, limit=comments, columns=["comment_id", "text", "redactions", "sentiment"])
        history = store.history(topic_id=topic, newest_first=True, limit=_BESIDE)
    if json_:
        told = {"topic": row, "decisions": [decision.as_dict() for decision in history]}
        typer.echo(as_text({**told, "comments": [comment_line(each, plain=True) for each in rows.to_pylist()]}))
        return
    for line in topic_details(row):
        typer.echo(line)
    for decision in history:
        typer.echo(f"decided    {decision_line(decision)}")
    for each in rows.to_pylist():
        typer.echo(comment_line(each))


def _found(rows: Sequence[Mapping[str, Any]], topic: int, store: "Store") -> Mapping[str, Any]:
    """Return a topic's row.

    :raises ConfigError: when there is none, telling where it went.
    """
    from feedback_nlp.core.errors import ConfigError

    for row in rows:
        if row["topic_id"] == topic:
            return row
    root = store.decided().root(topic)
    if root != topic:
        raise ConfigError(f"Topic {topic} was merged into {root}: `feedback-nlp topics show {root}`.")
    raise ConfigError(f"No topic {topic} in the current run. `feedback-nlp topics list --all` shows them.")


@app.command("rename")
@guarded
def rename(
    topic: Topic,
    name: Annotated[str, typer.Argument(help="Its new name; an empty one takes the found name again.")],
    lang: Lang,
    out: Out = OUT,
    author: Author = None,
    expected: Expected = None,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Give a topic a name in one language."""
    after = {lang: name or None}
    _decide(_Told(out, config, author, json_), "rename", topic_id=topic, after=after, expected=expected)


@app.command("merge")
@guarded
def merge(
    topic: Topic,
    into: Annotated[int, typer.Argument(help="Number of the topic that takes its comments.", metavar="INTO")],
    out: Out = OUT,
    author: Author = None,
    expected: Expected = None,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Put a topic into another one."""
    after = {"into": into}
    _decide(_Told(out, config, author, json_), "merge", topic_id=topic, after=after, expected=expected)


@app.command("split")
@guarded
def split(
    topic: Topic,
    search: Annotated[
        str | None, typer.Option(help="Words; the topic's comments that hold them are split off.")
    ] = None,
    comment: Annotated[list[str] | None, typer.Option(help="A comment to split off; may be given again.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new topic.")] = None,
    lang: Lang = "en",
    out: Out = OUT,
    author: Author = None,
    expected: Expected = None,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Make a topic of its own of some of a topic's comments."""
    after: dict[str, Any] = {"search": search, "comment_ids": comment or []}
    after["labels"] = {lang: name} if name else {}
    _decide(_Told(out, config, author, json_), "split", topic_id=topic, after=after, expected=expected)


@app.command("move")
@guarded
def move(
    comments: Annotated[list[str], typer.Argument(help="Comment ids.", metavar="COMMENT…")],
    to: Annotated[int, typer.Option(help="Number of the topic they belong to; -1 for none.")],
    out: Out = OUT,
    author: Author = None,
    expected: Expected = None,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Put comments into a topic; from the next night on their like follow."""
    _decide(_Told(out, config, author, json_), "move", topic_id=to, comment_ids=comments, expected=expected)


def _flag(act: str, help_: str) -> None:
    @app.command(act, help=help_)
    @guarded
    def flag(
        topic: Topic,
        out: Out = OUT,
        author: Author = None,
        expected: Expected = None,
        json_: Json = False,
        config: ConfigName = None,
    ) -> None:
        name = {"unhide": "show"}.get(act, act)
        _decide(_Told(out, config, author, json_), name, topic_id=topic, expected=expected)


_flag("lock", "Keep a topic as it is: its core, its name and its number, whatever the coming nights find.")
_flag("unlock", "Let the coming nights change a topic again.")
_flag("hide", "Leave a topic out of reports and lists.")
_flag("unhide", "Show a hidden topic again.")


Act = Annotated[
    int | None,
    typer.Argument(help="Number of the decision; your latest one where not given.", metavar="[DECISION]"),
]


@app.command("undo")
@guarded
def undo(
    decision: Act = None,
    out: Out = OUT,
    author: Author = None,
    expected: Expected = None,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Take a decision back."""
    _decide(_Told(out, config, author, json_), "undo", decision=decision, expected=expected)


@app.command("redo")
@guarded
def redo(
    decision: Act = None,
    out: Out = OUT,
    author: Author = None,
    expected: Expected = None,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """Let a decision that was taken back stand again."""
    _decide(_Told(out, config, author, json_), "redo", decision=decision, expected=expected)


@app.command("history")
@guarded
def history(
    topic: Annotated[int | None, typer.Option(help="Only decisions that touch this topic.")] = None,
    comment: Annotated[str | None, typer.Option(help="Only decisions that touch this comment.")] = None,
    by: Annotated[str | None, typer.Option(help="Only decisions of this person.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The latest so many.")] = None,
    out: Out = OUT,
    json_: Json = False,
    config: ConfigName = None,
) -> None:
    """List decisions, the latest last: who, when, what, before and after."""
    with _store(out, config) as store:
        rows = store.history(topic_id=topic, comment_id=comment, author=by, limit=limit, newest_first=True)[::-1]
    if json_:
        typer.echo(as_text([row.as_dict() for row in rows]))
        return
    for row in rows:
        typer.echo(decision_line(row))
    if not rows:
        typer.echo("Nothing has been decided.", err=True)
