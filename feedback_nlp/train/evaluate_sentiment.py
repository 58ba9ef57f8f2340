"""Measures sentiment: sets kept back from training, evaluation-only sets, calibration, abstention, and a baseline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import POLARITIES, SENTIMENTS
from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.normalise.clauses import find_clauses
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.sentiment.backends import Clauses, Floats, Judgement
from feedback_nlp.sentiment.backends.linear import KIND, LinearJudge
from feedback_nlp.sentiment.stage import decide
from feedback_nlp.train.data import read_set, set_names
from feedback_nlp.train.figures import Figure, accuracy, bootstrap, card_table, expected_calibration_error, macro_f1
from feedback_nlp.train.fit_vectors import encode
from feedback_nlp.train.sentiment_data import ROOT_CAUSES, Labelled, read_labelled

SUITE = "sentiment"
_NEGATIVE, _NEUTRAL, _POSITIVE = range(3)
_MIXED = SENTIMENTS.index("mixed")
_STEPS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_ANCHORS = {
    "fa_snappfood": "88.1 F1 (ParsBERT, published)",
    "fa_deepsentipers": "92.4 binary F1 (published)",
    "en_twitter_us_airline": "84.6 accuracy (RoBERTa, published)",
    "ar_arsarcasm_v2": "74.8 F1-PN (published)",
    "ar_semeval16_hotels_sb1": "89.5 polarity accuracy (BERT, published; given the aspect)",
}

Labels = np.ndarray[Any, np.dtype[np.int64]]


def weighted_f1(truth: Labels, found: Labels) -> float:
    """Return the mean of the labels' F1 weighted by how often each occurs."""
    total = 0.0
    for label in np.unique(truth):
        hit = np.sum((truth == label) & (found == label))
        total += 2 * hit / max(np.sum(truth == label) + np.sum(found == label), 1) * np.sum(truth == label)
    return float(total / max(len(truth), 1))


def negative_positive_f1(truth: Labels, found: Labels) -> float:
    """Return the mean F1 of negative and positive, the measure of the ArSarcasm task."""
    scores = []
    for label in (_NEGATIVE, _POSITIVE):
        hit = np.sum((truth == label) & (found == label))
        scores.append(2 * hit / max(np.sum(truth == label) + np.sum(found == label), 1))
    return float(np.mean(scores))


@dataclass(frozen=True)
class _Measured:
    """Truth and finding side by side, with what the figures made of them are called."""

    data: str
    lang: str
    truth: Labels
    found: Labels
    anchor: str = ""

    def figure(self, metric: str, statistic: Callable[[Labels, Labels], float]) -> Figure:
        value, low, high = bootstrap(statistic, self.truth, self.found)
        return Figure(SUITE, self.data, self.lang, metric, value, low, high, len(self.truth), self.anchor)


def polarity_figures(data: str, lang: str, labels: Labels, probs: Floats, anchor: str = "") -> list[Figure]:
    """Measure three labels where neutral occurs, and negative against positive with neutral left out.

    :param labels: int array (n,), index into ``POLARITIES``.
    :param probs: array (n, 3).
    """
    figures = []
    if np.any(labels == _NEUTRAL):
        three = _Measured(data, lang, labels, probs.argmax(axis=1), anchor)
        figures.append(three.figure("accuracy, 3 labels", accuracy))
        figures.append(three.figure("macro-F1, 3 labels", macro_f1))
        figures.append(three.figure("F1-PN", negative_positive_f1))
    sided = labels != _NEUTRAL
    pair = np.where(probs[sided, _POSITIVE] > probs[sided, _NEGATIVE], _POSITIVE, _NEGATIVE)
    two = _Measured(data, lang, labels[sided], pair, anchor)
    figures.append(two.figure("weighted F1, 2 labels", weighted_f1))
    figures.append(two.figure("macro-F1, 2 labels", macro_f1))
    return figures


def calibration_figures(data: str, lang: str, labels: Labels, probs: Floats) -> list[Figure]:
    """Measure the expected calibration error of the label given."""
    correct = (probs.argmax(axis=1) == labels).astype(float)
    value = expected_calibration_error(correct, probs.max(axis=1))
    return [Figure(SUITE, data, lang, "ECE", value, n=len(labels))]


def abstention_figures(data: str, lang: str, labels: Labels, probs: Floats) -> list[Figure]:
    """Measure accuracy over the share of comments whose score reaches each of a few thresholds."""
    figures = []
    scores, found = probs.max(axis=1), probs.argmax(axis=1)
    for step in _STEPS:
        sure = scores >= step
        if sure.any():
            measured = _Measured(data, lang, labels[sure], found[sure], f"covers {sure.mean():.0%}")
            figures.append(measured.figure(f"accuracy where score ≥ {step}", accuracy))
    return figures


def judge_texts(judge: LinearJudge, cleans: Sequence[str], langs: Sequence[str]) -> Judgement:
    """Judge normalised texts with their clauses."""
    found = [
        (row, start, end)
        for row, (clean, lang) in enumerate(zip(cleans, langs, strict=True))
        for start, end in find_clauses(clean, [lang])
    ]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return judge.judge(cleans, langs, Clauses(table[:, 0], table[:, 1], table[:, 2]), encode(cleans))


def judge_kept_back(judge: LinearJudge, labelled: Labelled, cleans: Sequence[str]) -> list[Figure]:
    """Measure a judge on the comments kept back from training."""
    rows = np.flatnonzero(labelled.judged)
    langs = labelled.langs[rows]
    judged = judge_texts(judge, [cleans[row] for row in rows.tolist()], list(langs))
    labels, sets = labelled.labels[rows], labelled.sets[rows]
    figures: list[Figure] = []
    for name in np.unique(sets):
        here = (sets == name) & (labels != _MIXED)
        if name != ROOT_CAUSES:
            lang = str(langs[here][0])
            figures += polarity_figures(
                f"{name}, kept back", lang, labels[here], judged.probs[here], _ANCHORS.get(name, "")
            )
    return figures + _annotated_figures(judged, labels, langs, sets == ROOT_CAUSES)


def _annotated_figures(judged: Judgement, labels: Labels, langs: Any, annotated: Any) -> list[Figure]:  # noqa: ANN401
    found, _ = decide(judged)
    figures: list[Figure] = []
    for lang in (*sorted(np.unique(langs)), "all"):
        here = annotated & ((langs == lang) | (lang == "all"))
        sided = here & (labels != _MIXED)
        four = _Measured("rootcause dev", lang, labels[here], found[here])
        figures += [
            four.figure("accuracy, 4 labels", accuracy),
            four.figure("macro-F1, 4 labels", macro_f1),
            four.figure("F1 of mixed", _f1_of_mixed),
            *polarity_figures("rootcause dev", lang, labels[sided], judged.probs[sided]),
            *calibration_figures("rootcause dev", lang, labels[sided], judged.probs[sided]),
        ]
    return figures


def _f1_of_mixed(truth: Labels, found: Labels) -> float:
    hit = np.sum((truth == _MIXED) & (found == _MIXED))
    return float(2 * hit / max(np.sum(truth == _MIXED) + np.sum(found == _MIXED), 1))


def evaluation_only_figures(judge: LinearJudge, data: Path) -> list[Figure]:
    """Measure a judge on the evaluation-only sets."""
    figures: list[Figure] = []
    names = {name: position for position, name in enumerate(POLARITIES)}
    for name in set_names(data, folder="eval"):
        frame = read_set(data, name, folder="eval")
        if "sentiment" not in frame or not frame["sentiment"].notna().any():
            continue
        frame = frame[frame["sentiment"].notna()]
        langs = list(frame["lang"])
        cleans = [normalise(text, lang).clean for text, lang in zip(frame["text"], langs, strict=True)]
        labels = np.array([names[name] for name in frame["sentiment"]], dtype=np.int64)
        probs = judge_texts(judge, cleans, langs).probs
        figures += polarity_figures(f"{name}, evaluation only", langs[0], labels, probs)
    return figures


def baseline_figures(labelled: Labelled, *, seed: int = 17) -> list[Figure]:
    """Measure TF-IDF of words 1-2 with logistic regression, fitted on each set's own training part alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    figures: list[Figure] = []
    texts = np.array(labelled.texts, dtype=object)
    for name in np.unique(labelled.sets[labelled.judged]):
        here = (labelled.sets == name) & (labelled.labels != _MIXED)
        train, test = here & ~labelled.judged, here & labelled.judged
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\S+")
        fitted = vectorizer.fit_transform(texts[train])
        model = LogisticRegression(C=10, max_iter=300, random_state=seed).fit(fitted, labelled.labels[train])
        probs = np.zeros((int(test.sum()), len(POLARITIES)), dtype=np.float32)
        probs[:, model.classes_] = model.predict_proba(vectorizer.transform(texts[test]))
        lang = "all" if name == ROOT_CAUSES else str(labelled.langs[test][0])
        figures += polarity_figures(f"{name}, TF-IDF + LR", lang, labelled.labels[test], probs)
    return figures


def evaluate(data: Path, *, model: str = "sentiment", baseline: bool = True, seed: int = 17) -> list[Figure]:
    """Measure a sentiment model.

    :param data: the data folder.
    :param model: name or folder of the model.
    :param baseline: whether TF-IDF with logistic regression is fitted and measured beside it.
    :raises MissingInputError: when a data file is missing.
    :raises ModelError: when the model is missing, damaged or of another kind.
    """
    judge = LinearJudge.from_folder(open_model(resolve_model(model)).require(KIND))
    labelled = read_labelled(data, seed=seed)
    kept = zip(labelled.texts, labelled.langs, labelled.judged, strict=True)
    cleans = [normalise(text, lang).clean if judged else "" for text, lang, judged in kept]
    figures = judge_kept_back(judge, labelled, cleans) + evaluation_only_figures(judge, data)
    return figures + (baseline_figures(labelled, seed=seed) if baseline else [])


def sentiment_card(figures: Sequence[Figure], details: Mapping[str, Any]) -> str:
    """Write the model card."""
    sets = "\n".join(f"- {row['name']}: {row['rows']:,} comments, {row['licence']}" for row in details["training_data"])
    heats = ", ".join(f"{lang} {value}" for lang, value in details["calibration"]["temperatures"].items())
    return f"""# sentiment

Negative, neutral or positive, with calibrated probabilities, for comments and clauses in Arabic, Persian and English;
`mixed` where praise and complaint stand side by side.

## How it was made
One softmax layer over hashed n-grams (words 1-2, characters 3-5) of the normalised text and over the comment's vector
from `encoder-static`, the three languages together; clauses are judged by their n-grams alone.
Sets count by the root of their size, labels are half evened out within a set, noisy sets count less. A temperature for
each language ({heats}) was fitted on sources the scoring head never saw. `mixed` is a logistic decision over the
comment's probabilities, a linear score of its own, and the strongest praise and complaint among its clauses, fitted on
annotated comments.
Made by `feedback-nlp train sentiment`, seed {details["seed"]}.

## Figures
"Source never seen": a head fitted without the source and all that was held out with it. "Kept back": the shipped model.
{card_table(figures)}
The rows "accuracy where score ≥ t" give the trade of coverage against accuracy; the default `min_score` is 0.5.

## Limits
Irony, politics and news are judged poorly; neutral is the weakest label, since sets disagree about what it means.
Dialects far from the training sets, and comments in Latin letters, depend on what normalisation makes of them.

## Data
{sets}
"""
