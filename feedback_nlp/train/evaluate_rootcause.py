"""Measures root causes: drivers, causes, evidence, readings, calibration, consistency, and a baseline beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.config import load_config
from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.backends.linear import KIND, LinearTagger
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.rootcause import held_out_figures
from feedback_nlp.train.rootcause_consistency import romanised_loss, triple_figures
from feedback_nlp.train.rootcause_data import (
    DRIVER_LABELS,
    SOURCE_FOLDS,
    SYNTHETIC,
    Annotated,
    driver_flags,
    read_dev,
    read_training,
)
from feedback_nlp.train.rootcause_figures import (
    CROSS,
    DEV,
    KEPT,
    UNSEEN,
    Flags,
    dev_figures,
    f1,
    figure,
    mean_f1,
)
from feedback_nlp.train.rootcause_long import long_figures
from feedback_nlp.train.rootcause_own import few_example_figures, left_out_figures
from feedback_nlp.train.rootcause_reader import WITH_READER, named, read_comments

__all__ = ["baseline_figures", "evaluate", "romanised_loss", "triple_figures"]


def baseline_figures(training: Annotated, dev: Annotated, *, seed: int = 17) -> list[Figure]:
    """Measure TF-IDF of words 1-2 with logistic regression, on the development comments and on sources never seen."""
    real = training.sources != SYNTHETIC
    truth = driver_flags(training.causes)
    found = _baseline(training, np.flatnonzero(real), dev.cleans, seed)
    pairs = [(f"{DEV}, TF-IDF + LR", driver_flags(dev.causes), found)]
    unseen, rows = [], []
    for sources in SOURCE_FOLDS:
        held = np.isin(training.sources, sources)
        rows.append(np.flatnonzero(held & ~training.chosen))
        texts = [training.cleans[row] for row in rows[-1].tolist()]
        unseen.append(_baseline(training, np.flatnonzero(real & ~held), texts, seed))
    pairs.append((f"{UNSEEN}, TF-IDF + LR", truth[np.concatenate(rows)], np.concatenate(unseen)))
    figures: list[Figure] = []
    for data, wanted, given in pairs:
        for k, name in enumerate(DRIVER_LABELS):
            figures.append(figure(data, "all", f"F1, {name}", f1, (wanted[:, k], given[:, k])))
        figures.append(figure(data, "all", "macro-F1, driver × sign", mean_f1, (wanted, given)))
    return figures


def _baseline(training: Annotated, rows: Any, texts: Sequence[str], seed: int) -> Flags:  # noqa: ANN401 - int array
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
    fitted = vectorizer.fit_transform([training.cleans[row] for row in rows])
    wanted = driver_flags(training.causes)[rows]
    seen = vectorizer.transform(texts)
    found = [
        LogisticRegression(C=10, class_weight="balanced", max_iter=300, random_state=seed)
        .fit(fitted, wanted[:, k])
        .predict(seen)
        for k in range(len(DRIVER_LABELS))
    ]
    return np.stack(found, axis=1)


def evaluate(
    data: Path,
    *,
    model: str = "rootcause",
    own: str | Path | None = None,
    baseline: bool = True,
    held_out: bool = True,
    seed: int = 17,
) -> list[Figure]:
    """Measure a root-cause model.

    :param data: the data folder.
    :param model: name or folder of the model.
    :param own: file of a user's own causes, shown by how they do on examples left out; the configuration's where not
        given.
    :param baseline: whether TF-IDF with logistic regression is fitted and measured beside it.
    :param held_out: whether heads are fitted again without each group of sources and on parts of the comments, to
        measure them on what they never saw, which takes minutes; else the figures of when the model was made stand.
    :param seed: deals comments into parts.
    :raises MissingInputError: when a data file is missing.
    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    folder = open_model(resolve_model(model)).require(KIND)
    tagger = LinearTagger.from_folder(folder)
    dev, training = read_dev(data), read_training(data)
    figures = dev_figures(tagger, dev, read_dev(data, second=True))
    figures += _reader_figures(tagger, dev, read_dev(data, second=True), folder)
    if held_out:
        figures += held_out_figures(data, tagger, training, dev, seed=seed)
    else:
        figures += [one for one in _of_making(folder, (UNSEEN, CROSS)) if WITH_READER not in one.data]
    settings = {
        "rootcause": {"backend": {"kind": "linear", "model": str(folder.path)}},
        "embed": load_config(None).embed.model_dump(),
    }
    figures += triple_figures(data, settings) + romanised_loss(data, settings=settings)
    backend = load_config(None).embed.backend
    if isinstance(backend, ShippedBackend):
        figures += long_figures(dev, settings, backend)
    figures += few_example_figures(training, dev, seed=seed) + left_out_figures(
        own or load_config(None).rootcause.own.file
    )
    return figures + (baseline_figures(training, dev, seed=seed) if baseline else [])


def _reader_figures(tagger: LinearTagger, dev: Annotated, second: Annotated, folder: ModelFolder) -> list[Figure]:
    """Measure development comments as read by the configured encoder; nothing where it does not read.

    Sources never seen cannot be measured again, since the encoder that ships has seen them, and comments kept back
    only by heads fitted without them; the figures of when the model was made stand for both.
    """
    backend = load_config(None).embed.backend
    if tagger.blend is None or not isinstance(backend, ShippedBackend):
        return []
    comments = read_comments(Comments(dev.cleans, None, dev.clauses), backend.model)
    standing = _of_making(folder, tuple(named(data) for one in (UNSEEN, KEPT) for data in (one, f"dev and {one}")))
    return dev_figures(tagger, dev, second, comments=comments, data=named(DEV)) + standing


def _of_making(folder: ModelFolder, names: tuple[str, ...]) -> list[Figure]:
    """Return figures that were measured when a model was made."""
    return [Figure(**row) for row in folder.manifest["metrics"] if row["data"].startswith(names)]
