"""Measures sentiment: sets kept back from training, evaluation-only sets, folds, sources never seen, and a baseline."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import POLARITIES
from feedback_nlp.core.modelfolder import open_model, resolve_model, shipped_root
from feedback_nlp.embed.backends.reader import ReaderEncoder
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.sentiment.backends import Given, Judgement
from feedback_nlp.sentiment.backends.linear import KIND, LinearJudge
from feedback_nlp.sentiment.stage import decide, weighed
from feedback_nlp.train.data import read_set, set_names
from feedback_nlp.train.figures import Figure, accuracy, card_table, macro_f1
from feedback_nlp.train.fit_vectors import encode
from feedback_nlp.train.sentiment_data import ROOT_CAUSES, Labelled, read_labelled
from feedback_nlp.train.sentiment_figures import (
    MIXED,
    NEUTRAL,
    Labels,
    Measured,
    calibration_figures,
    f1_of_mixed,
    polarity_figures,
)
from feedback_nlp.train.sentiment_folds import cross_validated, sources_compared
from feedback_nlp.train.sentiment_material import clauses_of, prepare
from feedback_nlp.train.sentiment_phrases import with_phrases
from feedback_nlp.train.sentiment_reader import open_reader, read

_LANGS = ("ar", "fa", "en")
ENCODER = "encoder"
_WITH_READER = ", with reader"


def judge_texts(
    judge: LinearJudge, cleans: Sequence[str], langs: Sequence[str], reader: ReaderEncoder | None = None
) -> Judgement:
    """Judge normalised texts with their clauses, by vectors or, where one is given, with a reader."""
    clauses = clauses_of(cleans, langs, range(len(cleans)))
    if reader is None:
        return judge.judge(Given(cleans, langs, clauses, encode(cleans)))
    return judge.judge(Given(cleans, langs, clauses, readings=read(reader, cleans, clauses)))


def judge_kept_back(
    judge: LinearJudge, labelled: Labelled, cleans: Sequence[str], reader: ReaderEncoder | None = None
) -> list[Figure]:
    """Measure a judge on the comments kept back from training.

    :param reader: an encoder that reads them; the static vectors are used when None.
    """
    rows = np.flatnonzero(labelled.judged)
    langs = labelled.langs[rows]
    judged = judge_texts(judge, [cleans[row] for row in rows.tolist()], langs.tolist(), reader)
    suffix = "" if reader is None else _WITH_READER
    labels, sets, domains = labelled.labels[rows], labelled.sets[rows], labelled.domains[rows]
    figures: list[Figure] = []
    for name in np.unique(sets):
        here = (sets == name) & (labels != MIXED)
        if name != ROOT_CAUSES:
            told = f"{name}, kept back{suffix}", str(langs[here][0]), labels[here]
            figures += _whole(*told, judged.probs[here], str(name))
            if np.any(judged.neutral_times[here] != 1) and np.any(told[-1] == NEUTRAL):
                labelled_so = Measured(*told, weighed(judged)[here].argmax(axis=1))
                figures.append(labelled_so.figure("accuracy, 3 labels, as labelled", accuracy))
    figures += _annotated_figures(judged, labels, langs, sets == ROOT_CAUSES, suffix)
    for lang, domain in sorted(set(zip(langs.tolist(), domains.tolist(), strict=True))):
        here = (langs == lang) & (domains == domain) & (labels != MIXED)
        if here.any():
            figures += _whole(f"domain {domain}, kept back{suffix}", lang, labels[here], judged.probs[here])
    return figures


def _whole(data: str, lang: str, labels: Labels, probs: Any, name: str = "") -> list[Figure]:  # noqa: ANN401
    return [
        *polarity_figures(data, lang, labels, probs, name),
        *calibration_figures(data, lang, labels, probs),
    ]


def _annotated_figures(
    judged: Judgement,
    labels: Labels,
    langs: np.ndarray[Any, Any],
    annotated: np.ndarray[Any, np.dtype[np.bool_]],
    suffix: str,
) -> list[Figure]:
    found, _ = decide(judged)
    figures: list[Figure] = []
    for lang in (*sorted(np.unique(langs)), "all"):
        here = annotated & ((langs == lang) | (lang == "all"))
        sided = here & (labels != MIXED)
        if not sided.any():
            continue
        four = Measured(f"rootcause dev{suffix}", lang, labels[here], found[here])
        figures += [
            four.figure("accuracy, 4 labels", accuracy),
            four.figure("macro-F1, 4 labels", macro_f1),
            four.figure("F1 of mixed", f1_of_mixed),
            *_whole(f"rootcause dev{suffix}", lang, labels[sided], judged.probs[sided]),
        ]
    return figures


def evaluation_only_figures(judge: LinearJudge, data: Path, reader: ReaderEncoder | None = None) -> list[Figure]:
    """Measure a judge on the evaluation-only sets."""
    figures: list[Figure] = []
    suffix = "" if reader is None else _WITH_READER
    for name, cleans, langs, labels in _evaluation_sets(data):
        probs = judge_texts(judge, cleans, langs, reader).probs
        figures += _whole(f"{name}, evaluation only{suffix}", langs[0], labels, probs, name)
    return figures


def _evaluation_sets(data: Path) -> Iterator[tuple[str, list[str], list[str], Labels]]:
    places = {name: position for position, name in enumerate(POLARITIES)}
    for name in set_names(data, folder="eval"):
        frame = read_set(data, name, folder="eval")
        if "sentiment" not in frame or not frame["sentiment"].notna().any():
            continue
        frame = frame[frame["sentiment"].notna()]
        langs = list(frame["lang"])
        cleans = [normalise(text, lang).clean for text, lang in zip(frame["text"], langs, strict=True)]
        yield name, cleans, langs, np.array([places[label] for label in frame["sentiment"]], dtype=np.int64)


def baseline_figures(labelled: Labelled, *, seed: int = 17) -> list[Figure]:
    """Measure TF-IDF of words 1-2 with logistic regression, fitted on each set's own training part alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    figures: list[Figure] = []
    texts = np.array(labelled.texts, dtype=object)
    for name in np.unique(labelled.sets[labelled.judged]):
        here = (labelled.sets == name) & (labelled.labels != MIXED)
        train, test = here & ~labelled.judged, here & labelled.judged
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\S+")
        fitted = vectorizer.fit_transform(texts[train])
        model = LogisticRegression(C=10, max_iter=300, random_state=seed).fit(fitted, labelled.labels[train])
        probs = np.zeros((int(test.sum()), len(POLARITIES)), dtype=np.float32)
        probs[:, model.classes_] = model.predict_proba(vectorizer.transform(texts[test]))
        lang = "all" if name == ROOT_CAUSES else str(labelled.langs[test][0])
        figures += _whole(f"{name}, TF-IDF + LR", lang, labelled.labels[test], probs, str(name))
    return figures


def evaluate(
    data: Path,
    *,
    model: str = "sentiment",
    reader: str | None = None,
    baseline: bool = True,
    refit: bool = True,
    seed: int = 17,
) -> list[Figure]:
    """Measure a sentiment model.

    :param data: the data folder.
    :param model: name or folder of the model.
    :param reader: name or folder of the encoder that reads comments for it; when None, the shipped one where there is
        one and the model was fitted to it.
    :param baseline: whether TF-IDF with logistic regression is fitted and measured beside it.
    :param refit: whether heads are fitted again for cross-validation and for sources never seen, which takes minutes.
    :raises MissingInputError: when a data file is missing.
    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    judge = LinearJudge.from_folder(open_model(resolve_model(model)).require(KIND))
    labelled = read_labelled(data, seed=seed)
    if refit:
        material = prepare(with_phrases(labelled), judge.spec)
        cleans = material.cleans
    else:
        kept = zip(labelled.texts, labelled.langs, labelled.judged, strict=True)
        cleans = [normalise(text, lang).clean if judged else "" for text, lang, judged in kept]
    figures = judge_kept_back(judge, labelled, cleans) + evaluation_only_figures(judge, data)
    encoder = _reader_of(judge, reader)
    if encoder is not None:
        figures += judge_kept_back(judge, labelled, cleans, encoder) + evaluation_only_figures(judge, data, encoder)
    if refit:
        figures += cross_validated(material) + sources_compared(material, _LANGS)
    return figures + (baseline_figures(labelled, seed=seed) if baseline else [])


def _reader_of(judge: LinearJudge, reader: str | None) -> ReaderEncoder | None:
    if not judge.wants_readings or (reader is None and not (shipped_root("models") / ENCODER).is_dir()):
        return None
    return open_reader(reader or ENCODER)


def sentiment_card(figures: Sequence[Figure], details: Mapping[str, Any]) -> str:
    """Write the model card."""
    sets = "\n".join(f"- {row['name']}: {row['rows']:,} comments, {row['licence']}" for row in details["training_data"])
    heats = ", ".join(f"{lang} {value}" for lang, value in details["calibration"]["temperatures"].items())
    return f"""# sentiment

Negative, neutral or positive, with calibrated probabilities, for comments and clauses in Arabic, Persian and English;
`mixed` where praise and complaint stand side by side.

## How it was made
One softmax layer over hashed n-grams (words 1-2, characters 3-5) of the normalised text and over the comment's vector
from `encoder-static`, the three languages together; a second layer, fitted on n-grams alone, judges clauses and
comments without a vector.
Sets count by the root of their size, labels are half evened out within a set, noisy sets count less; written phrases
with negation, praise and complaint are one of the sets. A temperature for each language
({heats}) was fitted on sources the scoring head never saw.
`mixed` is a logistic decision over the comment's probabilities, a linear score of its own, and the strongest praise and
complaint among its clauses, fitted on annotated comments.
{_reader_words(details["calibration"].get("reader"))}
Made by `feedback-nlp train sentiment`, seed {details["seed"]}.

## Figures
"Source never seen": a head fitted without the source and all that was held out with it, calibrated on the sources of
the other folds; with a reader, that of the first round as it was when the weights were fitted. "Kept back": the shipped
model. ECE and coverage are of two labels where a set has no neutral ones; the
intervals of ECE lie high, since resampling adds noise to it.
{card_table(figures)}
The rows "accuracy where score ≥ t" give the trade of coverage against accuracy; the default `min_score` is 0.5.

## Limits
Words outweigh what negates them: "not bad at all", "no complaints" and their like in Arabic and Persian are mostly
judged negative. Irony, politics and news are judged poorly; neutral is the weakest label, since sets disagree about
what it means. Dialects far from the training sets, and comments in Latin letters, depend on what normalisation makes of
them.

## Data
{sets}
"""


def _reader_words(blend: Mapping[str, Any] | None) -> str:
    if blend is None:
        return ""
    own, polarity, sentiment = (round(value, 2) for value in blend["texts"]["*"])
    return f"""
Where the reading encoder has read a comment, its scores stand in for the vector: the n-gram scores count {own}, the
reader's polarity {polarity} and its sentiment {sentiment} times (mean over languages), with a temperature for each
language. These few numbers were fitted on sources that neither the n-gram heads nor the reader (as it was before its
last round) had seen; `mixed` gets a decision of its own. Figures "with reader" are of this way.
{_neutral_words(float(blend.get("neutral_times", 1)))}"""


def _neutral_words(times: float) -> str:
    if times == 1:
        return ""
    return f"""The label of a comment is the likeliest one after neutral's probability is multiplied by {times:g}, the
factor with the highest macro-F1 to be expected on annotated comments kept back (`feedback-nlp train decisions`);
probabilities stay as they are. Figures of 3 labels and of 2 are of the likeliest label without it, those "as labelled"
and of 4 labels with it.
"""
