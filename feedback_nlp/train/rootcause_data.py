"""Comments annotated for root causes, with the guide's codes in the names that results use."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import EFFORTS, EMOTIONS, INTENTS, OTHER_CAUSES, RESOLUTIONS, SENTIMENTS, STAGES
from feedback_nlp.normalise.clauses import find_clauses
from feedback_nlp.normalise.normaliser import normalise
from feedback_nlp.rootcause.taxonomy import Taxonomy, open_taxonomy
from feedback_nlp.train import written
from feedback_nlp.train.annotations import SENTIMENT_CODES, read_annotations
from feedback_nlp.train.data import read_jsonl, read_set, set_names

DRIVER_OF = {"P": "policy", "E": "employee"}
CAUSES = (
    "policy.outdated",
    "policy.process",
    "policy.returns",
    "policy.authority",
    "policy.handoff",
    "policy.tools",
    "policy.pricing",
    "policy.operations",
    "employee.knowledge",
    "employee.attitude",
    "employee.support",
)
DRIVER_LABELS = ("policy-", "policy+", "employee-", "employee+")
CAUSE_LABELS = tuple(f"{cause}{sign}" for cause in CAUSES for sign in "-+")
READING_CODES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "emotion": ("em", EMOTIONS),
    "effort": ("ef", EFFORTS),
    "resolved": ("rs", RESOLUTIONS),
    "intent": ("ch", INTENTS),
    "stage": ("j", STAGES),
    "pyramid": ("g", tuple(map(str, range(6)))),
}
SYNTHETIC = "synthetic"
LANGS = ("ar", "fa", "en")
_KEPT = 4

# Sources held out together, one fold at a time; every language loses a kind of business at once.
SOURCE_FOLDS: tuple[tuple[str, ...], ...] = (
    ("en_twitter_us_airline", "ar_elsahar_res1_qaym", "fa_bank_apps_cafebazaar"),
    (
        "en_zomato_hyderabad",
        "en_mcdonalds_policies_violated",
        "ar_semeval16_hotels_sb1",
        "ar_semeval16_hotels_sb2",
        "fa_digikala_comments_20k",
    ),
    (
        "en_skytrax_british_airways",
        "en_skytrax_lounge_seat",
        "en_skytrax_singapore_airlines",
        "ar_marsa",
        "ar_algerian_telecom",
        "fa_snappfood",
    ),
    (
        "en_complaints_social_media",
        "en_indian_bank_reviews",
        "ar_elsahar_res2_tripadvisor",
        "ar_saudi_tourism_gmaps",
        "ar_app_reviews_categories",
        "fa_digikala_mixed_3k",
    ),
)


@dataclass(frozen=True)
class Evidence:
    """Where a cause shows in a normalised text.

    :param row: the comment.
    :param label: index into ``CAUSE_LABELS``.
    :param start: first code point in the normalised text.
    :param end: end, exclusive.
    """

    row: int
    label: int
    start: int
    end: int


@dataclass(frozen=True)
class Annotated:
    """Comments with their root causes.

    :param texts: as given.
    :param cleans: normalised texts.
    :param langs: language of each.
    :param sources: data set each was drawn from; ``synthetic`` for written ones.
    :param chosen: True where a model had chosen the comment for annotation: it is learnt from and never judged on.
    :param causes: bool array (n, causes × signs) in the order of ``CAUSE_LABELS``.
    :param others: bool array (n, 2) in the order of ``OTHER_CAUSES``.
    :param sentiment: int array (n,), index into ``SENTIMENTS``; -1 where not annotated.
    :param readings: int array (n,) by reading, index into its values; -1 where not annotated.
    :param evidence: annotated stretches.
    :param clauses: int array (m, 3) of row, start, end in the normalised text.
    """

    texts: Sequence[str]
    cleans: Sequence[str]
    langs: np.ndarray[Any, Any]
    sources: np.ndarray[Any, Any]
    chosen: np.ndarray[Any, np.dtype[np.bool_]]
    causes: np.ndarray[Any, np.dtype[np.bool_]]
    others: np.ndarray[Any, np.dtype[np.bool_]]
    sentiment: np.ndarray[Any, np.dtype[np.int64]]
    readings: Mapping[str, np.ndarray[Any, np.dtype[np.int64]]]
    evidence: Sequence[Evidence]
    clauses: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.texts)

    def drivers(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return bool array (n, 4) in the order of ``DRIVER_LABELS``."""
        return driver_flags(self.causes)

    def clause_causes(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return bool array (clauses, causes × signs): whether a cause's evidence touches the clause."""
        found = np.zeros((len(self.clauses), len(CAUSE_LABELS)), dtype=bool)
        rows = self.clauses[:, 0]
        for piece in self.evidence:
            low, high = np.searchsorted(rows, (piece.row, piece.row + 1))
            spans = self.clauses[low:high]
            touched = (spans[:, 1] < piece.end) & (spans[:, 2] > piece.start)
            found[low:high][touched, piece.label] = True
        return found


def driver_flags(causes: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Reduce an array (n, causes × signs) to (n, 4) in the order of ``DRIVER_LABELS``."""
    return np.stack(
        [
            causes[
                :, [k for k, label in enumerate(CAUSE_LABELS) if label.startswith(name[:-1]) and label[-1] == name[-1]]
            ]
            .astype(bool)
            .any(axis=1)
            for name in DRIVER_LABELS
        ],
        axis=1,
    )


def cause_label(code: str, sign: str) -> str:
    """Return the label of a guide code: ``P.tools`` with ``-`` is ``policy.tools-``."""
    family, cause = code.split(".")
    return f"{DRIVER_OF[family]}.{cause}{sign}"


def _reading(row: Mapping[str, Any], key: str, values: Sequence[str]) -> int:
    return values.index(str(row[key])) if key in row else -1


def _sentiment(row: Mapping[str, Any]) -> int:
    return SENTIMENTS.index(SENTIMENT_CODES[row["s"]]) if "s" in row else -1


def build(rows: Sequence[Mapping[str, Any]]) -> Annotated:
    """Arrange annotated comments, normalised and cut into clauses."""
    cleans, evidence, clauses = [], [], []
    causes = np.zeros((len(rows), len(CAUSE_LABELS)), dtype=bool)
    others = np.zeros((len(rows), len(OTHER_CAUSES)), dtype=bool)
    for number, row in enumerate(rows):
        done = normalise(row["text"], row["lang"])
        cleans.append(done.clean)
        clauses += [(number, start, end) for start, end in find_clauses(done.clean, [row["lang"]])]
        others[number] = [name in row["o"] for name in OTHER_CAUSES]
        for code, sign, words in row["d"]:
            label = CAUSE_LABELS.index(cause_label(code, sign))
            causes[number, label] = True
            at = row["text"].find(words)
            start, end = done.offsets.to_clean(at, at + len(words))
            if at >= 0 and end > start:
                evidence.append(Evidence(number, label, start, end))
    return Annotated(
        [row["text"] for row in rows],
        cleans,
        np.array([row["lang"] for row in rows], dtype=object),
        np.array([row.get("source", SYNTHETIC) for row in rows], dtype=object),
        np.array([bool(row.get("chosen")) for row in rows], dtype=bool),
        causes,
        others,
        np.array([_sentiment(row) for row in rows], dtype=np.int64),
        {
            name: np.array([_reading(row, key, values) for row in rows], dtype=np.int64)
            for name, (key, values) in READING_CODES.items()
        },
        evidence,
        np.array(clauses, dtype=np.int64).reshape(-1, 3),
    )


def read_training(data: Path) -> Annotated:
    """Read the annotated comments for training, those of evaluation-only sets left out, and the written ones.

    A comment that was translated for other purposes stands in its translations, too. Written are whole comments, many
    of them for rare causes, the taxonomy's cue phrases, comments that say nothing of a cause, and who did what.
    """
    shut = frozenset(set_names(data, folder="eval"))
    rows = [row for row in read_jsonl(data, "rootcause/train.jsonl") if row["ok"] and row["source"] not in shut]
    rows += read_annotations(data)
    composed = [
        *read_jsonl(data, "rootcause/synthetic.jsonl"),
        *_cue_phrases(open_taxonomy()),
        *_generic(),
        *people_and_deeds(),
        *(row for three in written.read_written() for row in three.values()),
    ]
    return build([*rows, *_translations(data, rows), *composed])


def _cue_phrases(taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    """Yield each cue phrase of the taxonomy as a comment that carries its cause."""
    codes = {driver: code for code, driver in DRIVER_OF.items()}
    for cause in taxonomy.causes:
        for sign, cues in (("-", cause.cues), ("+", cause.praise_cues)):
            for lang, phrases in cues.items():
                for phrase in phrases:
                    driver = [f"{codes[cause.driver]}.{cause.id}", sign, phrase]
                    yield {"text": phrase, "lang": lang, "d": [driver], "o": []}


def _generic() -> Iterator[dict[str, Any]]:
    text = resources.files("feedback_nlp.train").joinpath("generic_comments.toml").read_text(encoding="utf-8")
    for lang, comments in tomllib.loads(text).items():
        for comment in comments:
            yield {"text": comment, "lang": lang, "d": [], "o": []}


def people_and_deeds(persons: int = 3, seed: int = 17) -> Iterator[dict[str, Any]]:
    """Yield written comments that put together people of many kinds of business and what they do well or badly.

    :param persons: how many people do each deed.
    :param seed: draws the people and the frames.
    """
    text = resources.files("feedback_nlp.train").joinpath("written_causes.toml").read_text(encoding="utf-8")
    rng = np.random.default_rng(seed)
    for lang, parts in tomllib.loads(text).items():
        told = [(parts["who"], parts["deeds"]), (parts["manager"]["who"], parts["manager"]["deeds"])]
        for who, deeds in told:
            for code, phrases in deeds.items():
                for deed in phrases:
                    for person in rng.permutation(who)[:persons].tolist():
                        frame = parts["frames"][int(rng.integers(len(parts["frames"])))]
                        drivers = [[code[:-1], code[-1], deed]] if code else []
                        comment = frame.replace("{who}", person).replace("{what}", deed)
                        yield {"text": comment, "lang": lang, "d": drivers, "o": []}


def _translations(data: Path, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return annotated comments in the two other languages, where a translation is known; without evidence."""
    frame = read_set(data, "feedback_trilingual", folder="parallel")
    known = {row["text"]: row for row in rows}
    found = []
    for line in frame.to_dict("records"):
        row = known.get(line[line["src_lang"]])
        for lang in ("en", "ar", "fa"):
            if row is not None and lang != line["src_lang"]:
                bare = [[code, sign, "\0"] for code, sign, _ in row["d"]]
                found.append({**row, "lang": lang, "text": line[lang], "d": bare})
    return found


def read_triples(data: Path, *, kept: bool = False) -> list[dict[str, Any]]:
    """Read comments with their translations whose originals are not annotated in the data folder.

    :param kept: whether those are read that are kept for measuring, a quarter; else those to learn from.
    """
    frame = read_set(data, "feedback_trilingual", folder="parallel")
    known = {row["text"] for part in ("train", "dev") for row in read_jsonl(data, f"rootcause/{part}.jsonl")}
    every: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    ]
    rows = [row for row in every if row[row["src_lang"]] not in known]
    return [row for row in rows if (int(sha256(str(row["id"]).encode()).hexdigest()[:8], 16) % _KEPT == 0) == kept]


def read_dev(data: Path, *, second: bool = False) -> Annotated:
    """Read the annotated comments kept for development.

    :param second: whether the second, independent annotation is read in place of the first.
    """
    rows = [row for row in read_jsonl(data, "rootcause/dev.jsonl") if row["ok"]]
    return build([{**row, **row.get("second", {}), "text": row["text"]} for row in rows] if second else rows)
