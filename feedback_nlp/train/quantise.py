"""Packs matrices into bytes; see :mod:`feedback_nlp.embed.quantised`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from feedback_nlp.embed.quantised import BOOK, CODES, MISSED, ROWS, SCALE, unpack

if TYPE_CHECKING:
    from torch import Tensor

_PIECES, _SAMPLE, _SEED = 256, 12_000, 0
_DAMP, _LEAST_DAMP = 0.01, 1e-6

Floats = np.ndarray[Any, np.dtype[np.float32]]


def _means(points: Floats, weights: Floats | None, rounds: int) -> Any:  # noqa: ANN401 - MiniBatchKMeans
    from sklearn.cluster import MiniBatchKMeans

    count = min(_PIECES, len(points))
    model = MiniBatchKMeans(count, n_init=1, max_iter=rounds, batch_size=4_096, random_state=_SEED)
    return model.fit(points, sample_weight=weights)


def _book(means: Any) -> Floats:  # noqa: ANN401 - MiniBatchKMeans
    """Return the pieces of a book, rows of zeros where there were fewer points."""
    found = np.asarray(means.cluster_centers_, dtype=np.float32)
    return np.pad(found, ((0, _PIECES - len(found)), (0, 0)))


def pack_table(name: str, table: "Tensor", uses: Floats, length: int, *, twice: int = 0) -> "dict[str, Tensor]":
    """Quantise a table with a book for each place in the row.

    :param uses: how often each row is used; often used ones are kept nearer, by the root of it.
    :param length: values a byte; divides the row.
    :param twice: rows used most whose rest is quantised, too, twice as many values a byte (residual quantisation,
        Chen et al. 2010, doi:10.3390/s101211259).
    """
    import torch

    weights = (np.sqrt(uses) + 0.5).astype(np.float32)
    packed = _pieces_of(name, table.detach().float().numpy(), weights, length)
    if not twice:
        return packed
    rows = torch.from_numpy(np.sort(np.argsort(-uses, kind="stable")[:twice]))
    missed = (table.detach().float() - unpack(packed)[name].float())[rows]
    found = _pieces_of(name + MISSED, missed.numpy(), weights[rows.numpy()], 2 * length)
    return packed | found | {name + ROWS: rows.int()}


def _pieces_of(name: str, values: Floats, weights: Floats, length: int) -> "dict[str, Tensor]":
    """Return the codes of a table and a book for each place in its rows."""
    import torch

    codes, book = [], []
    for first in range(0, values.shape[1], length):
        found = _means(np.ascontiguousarray(values[:, first : first + length]), weights, 30)
        codes.append(found.labels_.astype(np.uint8))
        book.append(_book(found))
    return {
        name + CODES: torch.from_numpy(np.stack(codes, axis=1)),
        name + BOOK: torch.from_numpy(np.stack(book)).half(),
    }


def pack_matrices(
    matrices: "Mapping[str, Tensor]", moments: "Mapping[str, Tensor]", length: int
) -> "dict[str, Tensor]":
    """Quantise matrices with one book for all of them, each row divided by its spread first.

    :param matrices: float tensors (outputs, inputs) by name.
    :param moments: second moments of what each is multiplied with; see :class:`InputMoments`.
    :param length: values a byte; divides every row.
    """
    import torch

    scales = {name: value.detach().float().std(1, keepdim=True).half() for name, value in matrices.items()}
    rows = {name: value.detach().float() / scales[name].float() for name, value in matrices.items()}
    rng = np.random.default_rng(_SEED)
    points = [np.ascontiguousarray(found.reshape(-1, length).numpy()) for found in rows.values()]
    sample = np.concatenate([found[rng.integers(0, len(found), _SAMPLE)] for found in points])
    book = torch.from_numpy(_book(_means(sample, None, 60))).half()
    packed = {BOOK[1:]: book[None]}
    for name, found in rows.items():
        packed[name + CODES] = _compensated(found, moments[name], book)
        packed[name + SCALE] = scales[name]
    return packed


def _compensated(rows: "Tensor", moments: "Tensor", book: "Tensor") -> "Tensor":
    """Return the codes of a matrix, uint8 tensor (outputs, pieces): what a piece misses, later ones make up for.

    The pieces are those of least error in what the matrix makes of its inputs, given that all later values follow
    (GPTQ, Frantar et al. 2022, https://arxiv.org/abs/2210.17323; for books of pieces van Baalen et al. 2024,
    https://arxiv.org/abs/2402.15319).
    """
    import torch

    left, pieces, length = rows.double(), book.double(), book.shape[1]
    inner = moments.double()
    inner = inner + torch.eye(len(inner), dtype=torch.float64) * (_DAMP * inner.diagonal().mean() + _LEAST_DAMP)
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(inner)), upper=True)
    codes = []
    for first in range(0, left.shape[1], length):
        now, later = slice(first, first + length), slice(first + length, None)
        metric = torch.linalg.inv(inverse[now, now])
        chosen = torch.cdist(left[:, now] @ metric, pieces @ metric).argmin(1)
        missed = (left[:, now] - pieces[chosen]) @ metric
        left[:, later] -= missed @ inverse[now, later]
        codes.append(chosen.to(torch.uint8))
    return torch.stack(codes, dim=1)
