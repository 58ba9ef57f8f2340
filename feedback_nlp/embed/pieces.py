"""Word pieces of a text, and where each of them stands in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.core.folding import SPACE, codes_of, fold_codes

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

Ints = np.ndarray[Any, np.dtype[np.int64]]


class PieceCutter:
    """Folds and cuts texts.

    :param tokenizer: SentencePiece processor trained on folded texts, whose pieces spell the text letter by letter.
    """

    def __init__(self, tokenizer: "SentencePieceProcessor") -> None:
        self._tokenizer = tokenizer
        self._unknown = tokenizer.unk_id()
        self._lengths = np.array([len(tokenizer.id_to_piece(i)) for i in range(len(tokenizer))], dtype=np.int64)

    def cut(self, texts: Sequence[str]) -> list[tuple[list[int], Ints]]:
        """Return for each text its piece numbers and an int64 array (pieces, 2) of where they start and end in it."""
        folded, places = [], []
        for text in texts:
            codes, kept = fold_codes(codes_of(text))
            first = 1 if len(codes) and codes[0] == SPACE else 0
            last = len(codes) - 1 if len(codes) > first and codes[-1] == SPACE else len(codes)
            folded.append(codes[first:last].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass"))
            places.append(kept[first:last])
        ids: list[list[int]] = self._tokenizer.encode(folded, out_type=int, num_threads=1)
        return [
            (found, self._bounds(found, text, place)) for found, text, place in zip(ids, folded, places, strict=True)
        ]

    def _bounds(self, ids: list[int], folded: str, places: Ints) -> Ints:
        if not ids or not len(places):
            return np.zeros((len(ids), 2), dtype=np.int64)
        lengths = self._lengths[ids]
        if self._unknown in ids:
            # The unknown piece stands for as many letters as it replaced, which only the spelling tells.
            lengths = np.array([len(piece) for piece in self._tokenizer.encode(folded, out_type=str)], dtype=np.int64)
        # The first piece begins with a blank that the text has not.
        ends = np.clip(np.cumsum(lengths) - 1, 0, len(places))
        starts = np.concatenate([[0], ends[:-1]])
        blank = np.array([folded[min(start, len(folded) - 1)] == " " for start in starts.tolist()])
        starts = starts + ((starts < ends) & blank)
        first = places[np.minimum(starts, len(places) - 1)]
        last = np.where(starts < ends, places[np.maximum(ends - 1, 0)] + 1, first)
        return np.stack([first, last], axis=1).astype(np.int64)
