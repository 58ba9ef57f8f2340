import numpy as np
import pytest

from feedback_nlp.core.errors import ModelError

torch = pytest.importorskip("torch")

from feedback_nlp.embed.quantised import unpack  # noqa: E402 - needs torch
from feedback_nlp.train import quantise  # noqa: E402
from feedback_nlp.train.input_moments import InputMoments  # noqa: E402
from feedback_nlp.train.quantise import pack_matrices, pack_table  # noqa: E402


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(quantise, "_SAMPLE", 2_000)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def lost(value, again):
    return float(((again.float() - value) ** 2).sum() / (value**2).sum())


def test_a_table_comes_back_nearly():
    table = drawn(900, 12)
    stored = pack_table("words", table, np.ones(900, dtype=np.float32), 3)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in stored.items()} == {
        "words.codes": (torch.uint8, (900, 4)),
        "words.book": (torch.float16, (4, 256, 3)),
    }
    found = unpack(stored)
    assert list(found) == ["words"]
    assert found["words"].dtype == torch.float16
    assert lost(table, found["words"]) < 0.06


def test_rows_that_are_used_often_are_kept_nearer():
    table, uses = drawn(4_000, 6), np.zeros(4_000, dtype=np.float32)
    uses[:200] = 10_000
    plain, weighted = (unpack(pack_table("w", table, one, 3))["w"] for one in (np.ones_like(uses), uses))
    assert lost(table[:200], weighted[:200]) < 0.5 * lost(table[:200], plain[:200])


def test_what_rows_used_most_miss_is_stored_too():
    table, uses = drawn(900, 12), np.arange(900, dtype=np.float32)[::-1].copy()
    once, twice = (pack_table("words", table, uses, 3, twice=rows) for rows in (0, 300))
    assert all(torch.equal(value, twice[name]) for name, value in once.items())
    assert torch.equal(twice["words.rows"], torch.arange(300, dtype=torch.int32))
    assert twice["words.missed.codes"].shape == (300, 2)
    found, before = unpack(twice), unpack(once)["words"]
    assert list(found) == ["words"]
    assert lost(table[:300], found["words"][:300]) < 0.1 * lost(table[:300], before[:300])
    assert torch.equal(found["words"][300:], before[300:])


@pytest.mark.parametrize("gone", ["words.codes", "words.missed.codes", "words.rows"])
def test_rows_that_miss_what_is_not_there_are_named(gone):
    stored = pack_table("words", drawn(600, 6), np.ones(600, dtype=np.float32), 3, twice=280)
    stored |= {gone: stored[gone][:-2]} if gone == "words.rows" else {}
    stored = {name: value for name, value in stored.items() if name != gone or gone == "words.rows"}
    with pytest.raises(ModelError, match=r"words: (280|278) rows of it miss something, but"):
        unpack(stored)


def unlike(matrices):
    """Moments of inputs that have nothing to do with one another."""
    return {name: torch.eye(value.shape[1]) for name, value in matrices.items()}


def test_what_a_matrix_makes_of_its_inputs_is_kept_nearer_than_the_matrix():
    inputs = drawn(500, 8) @ drawn(8, 64) + 0.1 * drawn(500, 64)
    matrices = {"a": drawn(128, 64)}
    with InputMoments(matrices) as seen:
        made = torch.nn.functional.linear(inputs.view(5, 100, 64), matrices["a"]).view(500, -1)
        torch.nn.functional.linear(inputs, matrices["a"].clone())
    torch.testing.assert_close(seen.found["a"], inputs.T @ inputs)

    def missed(moments):
        return lost(made, inputs @ unpack(pack_matrices(matrices, moments, 2))["a"].float().T)

    assert missed(seen.found) < 0.4 * missed(unlike(matrices))


def test_a_matrix_whose_inputs_were_never_seen_is_packed_all_the_same():
    stored = pack_matrices({"a": drawn(128, 64)}, {"a": torch.zeros(64, 64)}, 2)
    assert lost(drawn(128, 64), unpack(stored)["a"]) < 0.02


def test_matrices_share_a_book_and_keep_their_scale():
    matrices = {"a": drawn(256, 64), "b": drawn(256, 128) * 7}
    stored = pack_matrices(matrices, unlike(matrices), 2)
    assert stored["book"].shape == (1, 256, 2)
    found = unpack(stored | {"c": torch.ones(3)})
    assert set(found) == {"a", "b", "c"}
    assert torch.equal(found["c"], torch.ones(3))
    assert all(lost(value, found[name]) < 0.02 for name, value in matrices.items())


def test_packing_is_the_same_every_time():
    one, two = (pack_matrices({"a": drawn(128, 64)}, {"a": torch.eye(64)}, 2) for _ in range(2))
    assert all(torch.equal(value, two[name]) for name, value in one.items())


@pytest.mark.parametrize("book", [None, (3, 256, 2), (4, 200, 2)])
def test_a_book_that_does_not_fit_is_named(book):
    stored = {"w.codes": torch.zeros(5, 4, dtype=torch.uint8)}
    if book is not None:
        stored["w.book"] = torch.zeros(book).half()
    with pytest.raises(ModelError, match=r"w: the book of its codes is .* \(1 or 4, 256, length\) is needed"):
        unpack(stored)
