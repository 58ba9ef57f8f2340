"""The shipped model: a linear layer over hashed n-grams and letters of words, and a decoder over the words.

A word has a score for each of the six span languages: the sum of its features' weights. The score of a comment's words
in one script is the sum over them divided by the root of their number of features, so one pass over the distinct words
serves words and comments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_nlp.core.columns import SPAN_LANGS
from feedback_nlp.core.linear import LinearHead, softmax
from feedback_nlp.core.modelfolder import ModelFolder
from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.langid.decode import best_path
from feedback_nlp.langid.features import width, word_features
from feedback_nlp.langid.judge import Judgement
from feedback_nlp.langid.tokens import ARABIC, FOREIGN, LATIN, Ints, TokenTable, tokenise

Floats = np.ndarray[Any, np.dtype[np.float32]]

KIND = "langid"
_SCRIPTS = 3
_PART_WEIGHTS = np.array([1.5, 1.0, 1.0])  # by script: Latin words in a comment in Arabic letters are often names
_BARRED = np.float32(-50)
_AR, _FA, _EN, _AR_LATN, _FA_LATN, _OTHER = range(len(SPAN_LANGS))
_ALLOWED = {ARABIC: (_AR, _FA, _OTHER), LATIN: (_EN, _AR_LATN, _FA_LATN, _OTHER), FOREIGN: (_OTHER,)}
FOLDED = ((_AR, _AR_LATN), (_FA, _FA_LATN), (_EN,), (_OTHER,))


@dataclass(frozen=True)
class Decoding:
    """How words are labelled within a comment.

    :param word: weight of the word's own score.
    :param comment: weight of the score of all the comment's words in its script.
    :param switch: cost of changing the language from one word to the next.
    :param romanised: cost of a romanised word in a comment with Arabic letters.
    """

    word: float
    comment: float
    switch: float
    romanised: float


@dataclass(frozen=True)
class LangModel:
    """An opened model.

    :param spec: the n-grams taken.
    :param places: int32 array over hashed features and letters; row in ``head``, or -1 for features left out.
    :param head: weights of the kept features for each span language.
    :param sharpness: logarithmic intercept and slope of the calibrated scale over log(1 + number of features).
    :param decoding: how words are labelled.
    """

    spec: NgramSpec
    places: np.ndarray[Any, np.dtype[np.int32]]
    head: LinearHead
    sharpness: tuple[float, float]
    decoding: Decoding

    def judge(self, texts: Sequence[str]) -> Judgement:
        """Judge each text by itself."""
        tokens = tokenise(texts)
        scores, counts = self.word_scores(tokens.words)
        parts = tokens.rows * _SCRIPTS + tokens.scripts[tokens.units]
        by_part = self.group_scores(scores, counts, tokens, parts, tokens.n_rows * _SCRIPTS)
        return Judgement(
            tokens,
            self._mixture(by_part, parts, tokens.ends - tokens.starts),
            self._token_langs(scores, counts, tokens, by_part[parts]),
        )

    def _mixture(self, by_part: Floats, parts: Ints, lengths: Ints) -> Floats:
        """Mix the answers of a comment's parts in Arabic, Latin and other letters, each by its squared letters.

        The sum of evidence would be as sure of a comment half in one language, half in another as of a pure one.
        """
        sizes = np.bincount(parts, lengths, len(by_part)).reshape(-1, _SCRIPTS) * _PART_WEIGHTS
        shares = sizes**2 / np.maximum((sizes**2).sum(axis=1, keepdims=True), 1)
        answers = fold_langs(softmax(by_part)).reshape(len(shares), _SCRIPTS, len(FOLDED))
        return np.asarray((answers * shares[:, :, None]).sum(axis=1), dtype=np.float32)

    def word_scores(self, words: Sequence[str]) -> tuple[Floats, Ints]:
        """Return summed weights of shape (words, 6) and the number of known features of each word."""
        rows, features = word_features(words, self.spec)
        places = self.places[features]
        known = places >= 0
        rows, places = rows[known], places[known]
        weights = self.head.weights[places]
        sums = [np.bincount(rows, weights[:, label], len(words)) for label in range(len(SPAN_LANGS))]
        counts = np.bincount(rows, minlength=len(words)).astype(np.int64)
        return np.stack(sums, axis=1).astype(np.float32), counts

    def group_scores(self, scores: Floats, counts: Ints, tokens: TokenTable, groups: Ints, n_groups: int) -> Floats:
        """Return calibrated scores of groups of words, shape (groups, 6)."""
        own, sizes = scores[tokens.units], np.bincount(groups, counts[tokens.units], n_groups)
        sums = np.stack([np.bincount(groups, own[:, label], n_groups) for label in range(len(SPAN_LANGS))], axis=1)
        raw = sums / np.sqrt(np.maximum(sizes, 1))[:, None] + self.head.bias
        return np.asarray(raw * self._sharp(sizes)[:, None], dtype=np.float32)

    def _sharp(self, sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        start, slope = self.sharpness
        return np.asarray(np.exp(start + slope * np.log1p(sizes)))

    def _token_langs(self, scores: Floats, counts: Ints, tokens: TokenTable, context: Floats) -> Ints:
        scripts = tokens.scripts[tokens.units]
        own = scores / np.sqrt(np.maximum(counts, 1))[:, None] + self.head.bias
        set_ = self.decoding
        emissions = np.float32(set_.word) * own[tokens.units] + np.float32(set_.comment) * context
        native = np.bincount(tokens.rows, scripts == ARABIC, tokens.n_rows) > 0
        emissions[:, (_AR_LATN, _FA_LATN)] -= np.where(native[tokens.rows], np.float32(set_.romanised), 0)[:, None]
        emissions = np.where(_mask()[scripts], emissions, _BARRED).astype(np.float32)
        transitions = np.full((len(SPAN_LANGS),) * 2, -set_.switch, dtype=np.float32)
        np.fill_diagonal(transitions, 0)
        return best_path(emissions, tokens.rows, transitions)


def _mask() -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.zeros((3, len(SPAN_LANGS)), dtype=bool)
    for script, labels in _ALLOWED.items():
        mask[script, labels] = True
    return mask


def fold_langs(probabilities: Floats) -> Floats:
    """Add the romanised forms to their languages: (rows, 6) over SPAN_LANGS to (rows, 4) over JUDGED."""
    parts = [probabilities[:, 0] + probabilities[:, 3], probabilities[:, 1] + probabilities[:, 4]]
    return np.stack([*parts, probabilities[:, 2], probabilities[:, 5]], axis=1)


def open_lang_model(folder: ModelFolder) -> LangModel:
    """Read a model from its folder.

    :raises ModelError: when the folder holds a model of another kind.
    """
    manifest, arrays = folder.require(KIND).manifest, folder.arrays()
    raw = manifest["ngrams"]
    spec = NgramSpec(words=tuple(raw["words"]), chars=tuple(raw["chars"]), bits=raw["bits"])
    places = np.full(width(spec), -1, dtype=np.int32)
    places[arrays["features"]] = np.arange(len(arrays["features"]), dtype=np.int32)
    start, slope = manifest["calibration"]["sharpness"]
    return LangModel(spec, places, LinearHead.from_arrays(arrays), (start, slope), Decoding(**manifest["decoding"]))
