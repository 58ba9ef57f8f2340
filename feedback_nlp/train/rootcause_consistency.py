"""Whether the same comment gets the same root cause: in its three languages, and typed in Latin letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.config import Config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import DRIVER_SPANS, ROOT_CAUSE
from feedback_nlp.core.stage import run_stages
from feedback_nlp.pipeline import build_row_stages, with_problems
from feedback_nlp.rootcause.stage import whole_cause
from feedback_nlp.train.data import read_jsonl
from feedback_nlp.train.figures import Figure, bootstrap
from feedback_nlp.train.rootcause_data import DRIVER_LABELS, DRIVER_OF, LANGS, read_triples
from feedback_nlp.train.rootcause_figures import SUITE, Flags
from feedback_nlp.train.sentiment_data import text_key

TRIPLES = "comments in three languages"
TAUGHT_TRIPLES = "comments in three languages, learnt from"
ROMANISED = "romanised comments"
_STAGES = ["langid", "normalise", "embed", "rootcause"]


@dataclass(frozen=True)
class Verdicts:
    """What was found in comments.

    :param causes: root cause of each as a whole; None where there was nothing to judge.
    :param flags: bool array (n, 4) in the order of ``DRIVER_LABELS``.
    """

    causes: Sequence[str | None]
    flags: Flags


def judge(texts: Sequence[str], settings: Mapping[str, Any] | None = None) -> Verdicts:
    """Run language, normalisation, vectors and root causes over texts.

    :param settings: configuration; the defaults where not given.
    """
    config = Config.model_validate({**(settings or {}), "run": {"stages": _STAGES}})
    batch = with_problems(CommentBatch.from_texts(texts))
    done, _ = run_stages(build_row_stages(config), batch)
    return Verdicts(done.values(ROOT_CAUSE), flags_of(done.values(DRIVER_SPANS)))


def flags_of(drivers: Sequence[Sequence[Mapping[str, Any]]]) -> Flags:
    """Return rows of ``drivers`` as bool array (n, 4) in the order of ``DRIVER_LABELS``."""
    flags = np.zeros((len(drivers), len(DRIVER_LABELS)), dtype=bool)
    for row, found in enumerate(drivers):
        for one in found:
            flags[row, DRIVER_LABELS.index(f"{one['driver']}{one['sign']}")] = True
    return flags


def annotated_verdicts(data: Path) -> dict[str, tuple[str, list[bool]]]:
    """Return the annotated root cause as a whole and the four flags of comments, by the key of their text."""
    found = {}
    for part in ("train", "dev"):
        for row in read_jsonl(data, f"rootcause/{part}.jsonl"):
            if row["ok"]:
                drivers = [{"driver": DRIVER_OF[code[0]], "sign": sign} for code, sign, _ in row["d"]]
                found[text_key(row["text"])] = whole_cause(drivers, row["o"]), flags_of([drivers])[0].tolist()
    return found


def _share(name: str, lang: str, metric: str, right: Any, anchor: str = "") -> Figure:  # noqa: ANN401 - array
    values = np.asarray(right, dtype=float)
    return Figure(
        SUITE,
        name,
        lang,
        metric,
        *bootstrap(lambda one, _: float(one.mean()), values, values),
        n=len(values),
        anchor=anchor,
    )


def triple_figures(data: Path, settings: Mapping[str, Any] | None = None) -> list[Figure]:
    """Measure how often a comment and its translations get the same root cause.

    The quarter kept from training stands first, then those that heads were taught to agree on.
    """
    figures = []
    for name, kept in ((TRIPLES, True), (TAUGHT_TRIPLES, False)):
        rows = read_triples(data, kept=kept)
        if rows:
            figures += _agreement(name, {lang: judge([str(row[lang]) for row in rows], settings) for lang in LANGS})
    return figures


def _agreement(name: str, by_lang: Mapping[str, Verdicts]) -> list[Figure]:
    count = len(by_lang[LANGS[0]].causes)
    same = [len({by_lang[lang].causes[k] for lang in LANGS}) == 1 for k in range(count)]
    figures = [_share(name, "all", "same root cause in all three", same, "goal: at least .85")]
    for one, other in combinations(LANGS, 2):
        pair = zip(by_lang[one].causes, by_lang[other].causes, strict=True)
        figures.append(_share(name, f"{one}-{other}", "same root cause", [a == b for a, b in pair]))
    alike = [(by_lang[LANGS[0]].flags == by_lang[lang].flags).all(axis=1) for lang in LANGS[1:]]
    figures.append(_share(name, "all", "same drivers and signs in all three", alike[0] & alike[1]))
    return figures


def romanised_rows(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the comments that stand in native and in Latin letters, by language."""
    return {
        lang: [
            row
            for part in ("roman", "roman_more")
            for row in read_jsonl(data, f"romanised/{lang}_{part}.jsonl")
            if row["roman"] != row["text"]
        ]
        for lang in ("ar", "fa")
    }


def romanised_loss(
    data: Path,
    rows: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    name: str = ROMANISED,
) -> list[Figure]:
    """Measure what root causes lose where a comment is typed in Latin letters.

    Right is what the annotator says of the native original. Few are annotated, so agreement of the two verdicts is
    given over all of them.

    :param rows: by language, mappings with ``text`` (native) and ``roman``; those of the data folder where not given.
    :param settings: configuration to judge with; the defaults where not given.
    :param name: what the comments are, in words.
    """
    known = annotated_verdicts(data)
    figures = []
    for lang, some in (romanised_rows(data) if rows is None else rows).items():
        if not some:
            continue
        native, latin = (judge([str(row[key]) for row in some], settings) for key in ("text", "roman"))
        figures += _losses(name, lang, [known.get(text_key(str(row["text"]))) for row in some], native, latin)
        same = [one == other for one, other in zip(native.causes, latin.causes, strict=True)]
        figures.append(_share(name, lang, "same root cause as the native original", same))
    return figures


def _losses(
    name: str, lang: str, wanted: Sequence[tuple[str, list[bool]] | None], native: Verdicts, latin: Verdicts
) -> list[Figure]:
    places = [(k, verdict) for k, verdict in enumerate(wanted) if verdict is not None]
    if not places:
        return []
    verdicts = (native, latin)
    rights: dict[str, list[list[float]]] = {
        "root cause of the comment": [[float(one.causes[k] == v[0]) for k, v in places] for one in verdicts],
        "driver × sign": [[float(np.mean(one.flags[k] == v[1])) for k, v in places] for one in verdicts],
    }
    figures = []
    for what, (left, right) in rights.items():
        before, after = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
        figures.append(_share(name, lang, f"accuracy, {what}", after, f"native originals: {before.mean():.3f}"))
        lost = bootstrap(lambda one, other: 100 * float(one.mean() - other.mean()), before, after)
        figures.append(
            Figure(SUITE, name, lang, f"points lost, {what}", *lost, n=len(places), anchor="goal: at most 8")
        )
    return figures
