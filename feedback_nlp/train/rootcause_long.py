"""Whether a long comment's causes are found beyond the window that the encoder reads at once.

The annotated comments are short, so several of one language are joined to one; its causes are those of all of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from feedback_nlp.core.modelfolder import open_model, resolve_model
from feedback_nlp.embed.backends.reader import KIND
from feedback_nlp.embed.backends.static import TOKENIZER, open_tokenizer, tokenize
from feedback_nlp.embed.settings import ShippedBackend
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.rootcause_consistency import judge
from feedback_nlp.train.rootcause_data import LANGS, Annotated, driver_flags
from feedback_nlp.train.rootcause_figures import DEV, Flags, f1, figure, mean_f1

JOINED = f"{DEV}, joined to long comments"
_WINDOWS = 1.5
_MEASURES = (("macro-F1, driver × sign", mean_f1), ("micro-F1, driver × sign", f1))


def joined(dev: Annotated, sizes: np.ndarray[Any, Any], longest: float, *, seed: int = 17) -> Iterator[list[int]]:
    """Yield the rows of comments of one language that together have more than so many pieces, each row once at most.

    :param sizes: pieces of each comment.
    :param seed: shuffles the comments.
    """
    order = np.random.default_rng(seed).permutation(len(dev))
    for lang in LANGS:
        rows: list[int] = []
        for row in order[dev.langs[order] == lang].tolist():
            rows.append(row)
            if sizes[rows].sum() > longest:
                yield rows
                rows = []


def long_figures(dev: Annotated, settings: Mapping[str, Any], backend: ShippedBackend) -> list[Figure]:
    """Measure the drivers found in joined comments, beside those found where the encoder reads one window.

    :param settings: configuration to judge with; its embed backend is put in place.
    :param backend: the encoder.
    :raises ModelError: when a model is missing, damaged or of another kind.
    """
    tokenizer = open_tokenizer(open_model(resolve_model(backend.model)).require(KIND).path / TOKENIZER)
    sizes = np.array([len(ids) for ids in tokenize(tokenizer, dev.cleans)])
    groups = list(joined(dev, sizes, _WINDOWS * backend.max_tokens))
    if not groups:
        return []
    texts = ["\n".join(dev.texts[row] for row in rows) for rows in groups]
    truth = driver_flags(np.stack([dev.causes[rows].any(axis=0) for rows in groups]))
    whole, first = (
        _found(texts, settings, backend.model_copy(update={"max_windows": windows}))
        for windows in (backend.max_windows, 1)
    )
    figures = []
    for metric, measure in _MEASURES:
        anchors = {metric: f"first window: {measure(truth, first):.3f}"}
        figures.append(figure(JOINED, "all", metric, measure, (truth, whole), anchors=anchors))
    return figures


def _found(texts: list[str], settings: Mapping[str, Any], backend: ShippedBackend) -> Flags:
    return judge(texts, {**settings, "embed": {"backend": backend.model_dump()}}).flags
