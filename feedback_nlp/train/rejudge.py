"""Measures the shipped models anew where another encoder reads for them; nothing is fitted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.modelfolder import ModelFolder, open_model, resolve_model, write_model
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.backends.linear import KIND as ROOT_CAUSE
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.sentiment.backends.linear import KIND as SENTIMENT
from feedback_nlp.sentiment.backends.linear import LinearJudge
from feedback_nlp.train.data import details_of
from feedback_nlp.train.evaluate_sentiment import judge_kept_back, sentiment_card
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.rootcause_card import rootcause_card
from feedback_nlp.train.rootcause_data import read_dev
from feedback_nlp.train.rootcause_figures import DEV, dev_figures
from feedback_nlp.train.rootcause_reader import named, read_comments
from feedback_nlp.train.sentiment_data import read_labelled
from feedback_nlp.train.sentiment_reader import open_reader


def judge_rootcause(data: Path, model: Path, reader: str | Path) -> ModelFolder:
    """Measure development comments as an encoder reads them, and write figures and card of a root-cause model anew.

    :param data: the data folder.
    :param model: folder of the model, which stays as it is otherwise.
    :param reader: name or folder of the encoder that reads.
    :raises ModelError: when a model is missing, damaged or of another kind.
    """
    folder = open_model(model).require(ROOT_CAUSE)
    dev = read_dev(data)
    comments = read_comments(Comments(dev.cleans, None, dev.clauses), reader)
    tagger, second = LinearTagger.from_folder(folder), read_dev(data, second=True)
    figures = dev_figures(tagger, dev, second, comments=comments, data=named(DEV))
    details = details_of(folder) | {"reader": open_model(resolve_model(reader)).fingerprint}
    figures = _in_place(folder, figures)
    return _written(folder, details, figures, rootcause_card(figures, details))


def judge_sentiment(data: Path, model: Path, reader: str | Path, *, seed: int = 17) -> ModelFolder:
    """Measure the comments kept back as an encoder reads them, and write figures and card of a sentiment model anew.

    :param data: the data folder.
    :param model: folder of the model, which stays as it is otherwise.
    :param reader: name or folder of the encoder that reads.
    :param seed: draws the comments kept back, as when the model was made.
    :raises ModelError: when a model is missing, damaged or of another kind.
    """
    folder = open_model(model).require(SENTIMENT)
    labelled = read_labelled(data, seed=seed)
    cleans = [""] * len(labelled)
    for row in np.flatnonzero(labelled.judged).tolist():
        cleans[row] = normalise(labelled.texts[row], str(labelled.langs[row])).clean
    judge = LinearJudge.from_folder(folder)
    figures = _in_place(folder, judge_kept_back(judge, labelled, cleans, open_reader(resolve_model(reader))))
    details = details_of(folder)
    return _written(folder, details, figures, sentiment_card(figures, details))


def _in_place(folder: ModelFolder, figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures of a folder's manifest, those measured again in the place of the old ones."""
    new = {(one.data, one.lang, one.metric): one for one in figures}
    standing = [Figure(**row) for row in folder.manifest["metrics"]]
    found = [new.pop((one.data, one.lang, one.metric), one) for one in standing]
    return [*found, *new.values()]


def _written(folder: ModelFolder, details: dict[str, Any], figures: Sequence[Figure], card: str) -> ModelFolder:
    details["metrics"] = [figure.as_dict() for figure in figures]
    name, version = str(folder.manifest["name"]), str(folder.manifest["version"])
    return write_model(folder.path, kind=folder.kind, name=name, version=version, details=details, card=card)
