"""Labelled comments for sentiment: which sets, how far each is trusted, and what is kept for judging."""

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.core.folding import fold
from feedback_nlp.train.annotations import SENTIMENT_CODES, read_annotations
from feedback_nlp.train.data import read_jsonl, read_set, set_names

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

ROOT_CAUSES = "rootcause"
PHRASES = "phrases"
LONGEST = 1_000
PER_SET = 12_000
_NEUTRAL = SENTIMENTS.index("neutral")
_MIXED = SENTIMENTS.index("mixed")

# How far a set is trusted, 1 where not named: emoji and machine labels, odd star scales, dialects far from service.
TRUST: Mapping[str, float] = {
    ROOT_CAUSES: 2.0,
    "ar_algerian_telecom": 0.5,
    "ar_atsad_emoji": 0.3,
    "ar_mac_moroccan": 0.7,
    "ar_tsac_tunisian": 0.5,
    "fa_bank_apps_cafebazaar": 0.7,
    "fa_taaghche_books_6k": 0.7,
}

# Sources held out together, one fold of sources at a time, to calibrate and to judge on sources never seen.
FOLDS: tuple[tuple[str, ...], ...] = (
    ("en_twitter_us_airline", "ar_elsahar_res1_qaym", "fa_snappfood"),
    ("en_zomato_hyderabad", "ar_semeval16_hotels_sb1", "ar_semeval16_hotels_sb2", "fa_bank_apps_cafebazaar"),
    (
        "en_skytrax_british_airways",
        "en_skytrax_lounge_seat",
        "en_skytrax_singapore_airlines",
        "ar_elsahar_res2_tripadvisor",
        "ar_saudi_tourism_gmaps",
        "fa_digikala_mixed_3k",
        "fa_digikala_fan_2k",
    ),
    (
        "en_indian_bank_reviews",
        "en_mcdonalds_policies_violated",
        "en_complaints_social_media",
        "ar_algerian_telecom",
        "ar_egy_amazon_aste",
        "ar_elsahar_prod_souq",
        "ar_marsa",
        "ar_app_reviews_categories",
        "fa_digikala_comments_20k",
    ),
)

# Published test splits that the shipped model never sees; None: a fifth of the texts, picked by their hash.
KEPT_BACK: Mapping[str, str | None] = {
    "ar_arsarcasm_v2": "test",
    "ar_semeval16_hotels_sb1": None,
    "ar_semeval16_hotels_sb2": None,
    "en_twitter_us_airline": None,
    "fa_deepsentipers": "test",
    "fa_snappfood": "dev",
}


@dataclass(frozen=True)
class Labelled:
    """Comments with a sentiment.

    :param texts: as published, cut at ``LONGEST`` code points.
    :param langs: language of each.
    :param labels: int array, index into ``SENTIMENTS``.
    :param sources: data set each comes from; for an annotated comment the set it was drawn from.
    :param sets: data set it was read from.
    :param judged: True where it is kept for judging.
    :param rated: True where the label was made from stars.
    :param domains: domain of each, that of its source where the comment has none.
    :param splits: published split of each, or empty.
    :param chosen: True where a model had chosen the comment for annotation: it is learnt from and never judged on.
    :param identities: what must stay on one side of any split: the review a sentence belongs to, else the text.
    """

    texts: Sequence[str]
    langs: np.ndarray[Any, Any]
    labels: np.ndarray[Any, np.dtype[np.int64]]
    sources: np.ndarray[Any, Any]
    sets: np.ndarray[Any, Any]
    judged: Mask
    rated: Mask
    domains: np.ndarray[Any, Any]
    splits: np.ndarray[Any, Any]
    chosen: Mask
    identities: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.texts)

    def row_weights(self, training: Mask) -> Floats:
        """Return weights so that a set counts by the root of its size and its labels are half evened out.

        :param training: the rows to weigh; others get 0.
        """
        weights = np.zeros(len(self))
        for name in np.unique(self.sets[training]):
            rows = training & (self.sets == name)
            total = float(rows.sum())
            counts = np.bincount(self.labels[rows], minlength=len(SENTIMENTS))
            weights[rows] = (counts[self.labels[rows]] / total) ** -0.5
            weights[rows] *= TRUST.get(str(name), 1.0) * np.sqrt(total) / weights[rows].sum()
        # Three stars out of five are as often "good and bad" as they are neutral.
        weights[self.rated & (self.labels == _NEUTRAL)] *= 0.5
        return weights


def text_key(text: str) -> str:
    """Return what two texts share when they are the same: their folded letters and digits, hashed."""
    letters = "".join(char for char in fold(text) if char.isalnum())
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def is_kept_back(name: str, split: str | None, identity: str) -> bool:
    """Tell whether a comment of a set is kept for judging.

    :param split: the split as published.
    :param identity: what the comment is picked by where the set has no published test split.
    """
    if name not in KEPT_BACK:
        return False
    wanted = KEPT_BACK[name]
    if wanted is not None:
        return split == wanted
    return int(hashlib.sha256(identity.encode()).hexdigest(), 16) % 5 == 0


def _identity(name: str, row: Mapping[Hashable, Any]) -> str:
    """Sentences and whole texts of one hotel review stay on one side."""
    if name.startswith("ar_semeval16_hotels"):
        return str(json.loads(str(row["extra"]))["review_id"])
    return text_key(str(row["text"]))


def _one_set(data: Path, name: str, seed: int) -> pd.DataFrame:
    frame = read_set(data, name)
    frame = frame[frame["sentiment"].notna()]
    identities = [_identity(name, row) for row in frame.to_dict("records")]
    kept = [is_kept_back(name, *pair) for pair in zip(frame["split"], identities, strict=True)]
    frame = frame.assign(judged=kept, set=name, source=name, rated=frame["rating"].notna(), identity=identities)
    surplus = np.flatnonzero(~frame["judged"])
    picked = np.random.default_rng(seed).permutation(surplus)[PER_SET:]
    return frame.drop(frame.index[picked])


def _annotated(data: Path, shut: frozenset[str]) -> pd.DataFrame:
    rows = [row | {"judged": False} for row in read_jsonl(data, "rootcause/train.jsonl")]
    rows += [row | {"judged": True} for row in read_jsonl(data, "rootcause/dev.jsonl")]
    return _as_set([row for row in rows if row["ok"] and row["source"] not in shut])


def _as_set(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["text", "lang", "source", "s", "judged", "chosen"])
    return frame.assign(sentiment=frame["s"].map(SENTIMENT_CODES), set=ROOT_CAUSES, rated=False)


def read_labelled(data: Path, *, seed: int = 17) -> Labelled:
    """Read every labelled feedback set; a text that several sets have stands once, on the judging side if on any.

    Where a model had chosen a text for annotation, it stands with its published label and with the annotated one.

    :param data: the data folder.
    :raises MissingInputError: when a file is missing.
    """
    shut = frozenset(set_names(data, folder="eval"))
    frames = [_annotated(data, shut)]
    frames += [_one_set(data, name, seed) for name in set_names(data) if _has_sentiment(data, name)]
    frames.append(_as_set([row | {"judged": False} for row in read_annotations(data)]))
    columns = ["text", "lang", "sentiment", "source", "set", "judged", "rated", "domain", "split", "chosen", "identity"]
    frame = pd.concat([part.reindex(columns=columns) for part in frames], ignore_index=True)
    frame = frame.assign(text=frame["text"].str.slice(0, LONGEST))
    first = frame.dropna(subset=["domain"]).drop_duplicates("source").set_index("source")["domain"]
    frame["domain"] = frame["domain"].fillna(frame["source"].map(first)).fillna("")
    frame["chosen"] = frame["chosen"].eq(True)
    frame["key"] = frame["text"].map(text_key)
    identity = frame.dropna(subset=["identity"]).drop_duplicates("key").set_index("key")["identity"]
    frame["identity"] = frame["identity"].fillna(frame["key"].map(identity)).fillna(frame["key"])
    outside = {text_key(text) for name in sorted(shut) for text in _evaluated_texts(data, name)}
    frame = frame[~frame["key"].isin(outside)]
    tested = set(frame["key"][frame["judged"]])
    frame = frame[frame["judged"] | ~frame["key"].isin(tested)]
    kept = frame["judged"] | frame["chosen"] | ~frame.duplicated("key")
    frame = frame[kept].reset_index(drop=True)
    names = {name: position for position, name in enumerate(SENTIMENTS)}
    return Labelled(
        list(frame["text"]),
        frame["lang"].to_numpy(str),
        np.asarray(frame["sentiment"].map(names), dtype=np.int64),
        frame["source"].to_numpy(str),
        frame["set"].to_numpy(str),
        frame["judged"].to_numpy(bool),
        frame["rated"].to_numpy(bool),
        frame["domain"].to_numpy(str),
        frame["split"].fillna("").to_numpy(str),
        frame["chosen"].to_numpy(bool),
        frame["identity"].to_numpy(str),
    )


def _evaluated_texts(data: Path, name: str) -> Sequence[str]:
    frame = read_set(data, name, folder="eval")
    return list(frame["text"]) if "text" in frame else []


def _has_sentiment(data: Path, name: str) -> bool:
    import pyarrow.parquet as pq

    column = pq.read_table(data / "feedback" / f"{name}.parquet", columns=["sentiment"]).column(0)
    return bool(column.null_count < len(column))
