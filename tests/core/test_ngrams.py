"""Hashed n-grams: the same wherever they stand, with true places in the text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_nlp.core import ngrams
from feedback_nlp.core.folding import fold
from feedback_nlp.core.ngrams import NgramSpec, extract, ngram_matrix, to_matrix

SPEC = NgramSpec()


def _features(text: str) -> set[int]:
    return set(extract([text], SPEC).features.tolist())


def test_a_word_has_the_same_features_wherever_it_stands() -> None:
    words = NgramSpec(words=(1,), chars=())
    alone = set(extract(["خدمات"], words).features.tolist())
    table = extract(["x", "سرعت خدمات خوب"], words)
    assert alone < set(table.features[table.rows == 1].tolist())


def test_spelling_variants_fold_together() -> None:
    assert _features("كتاب") == _features("کتاب")
    assert _features("مُمْتَازَة") == _features("ممتازه")
    assert _features("GREAT") == _features("great")
    assert _features("می‌خواهم") == _features("می خواهم")
    assert _features("عالییییی") == _features("عالیی")


def test_negation_joins_its_neighbour() -> None:
    spec = NgramSpec(words=(2,), chars=())
    assert set(extract(["not good"], spec).features) != set(extract(["good not"], spec).features)


def test_places_are_those_of_the_text_as_given() -> None:
    text = "  بَدٌّ 😡😡 جدا"
    table = extract([text], NgramSpec(words=(1,), chars=()))
    assert [text[a:b] for a, b in zip(table.starts, table.ends, strict=True)] == ["بَدٌّ", "😡", "😡", "جدا"]


@given(st.lists(st.text(max_size=40), max_size=6))
@settings(max_examples=60)
def test_rows_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    together = ngram_matrix(texts, SPEC)
    for row, text in enumerate(texts):
        alone = ngram_matrix([text], SPEC)
        assert (together[row] != alone).nnz == 0
    table = extract(texts, SPEC)
    for row, start, end in zip(table.rows, table.starts, table.ends, strict=True):
        assert 0 <= start <= end <= len(texts[row])


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=30))
def test_any_string_is_taken(text: str) -> None:
    matrix = ngram_matrix([text, "", text], SPEC)
    assert matrix.shape == (3, 1 << SPEC.bits)
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    assert np.all((np.abs(norms - 1) < 1e-5) | (norms == 0))


def test_long_inputs_are_cut_without_changing_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["یک دو سه", "four five", "", "ستة سبعة"]
    whole = to_matrix(extract(texts, SPEC), SPEC.bits)
    monkeypatch.setattr(ngrams, "_MAX_CODES", 10)
    assert (ngram_matrix(texts, SPEC) != whole).nnz == 0


def test_nothing_at_all() -> None:
    assert ngram_matrix([], SPEC).shape == (0, 1 << SPEC.bits)


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_ngrams_within_spans_are_those_of_the_spans_alone() -> None:
    texts = ["خدمات بد. ارسال سریع", "no spans", "good staff but slow"]
    spans = [(0, 0, 8), (0, 10, 20), (2, 0, 10), (2, 11, 19)]
    rows, starts, ends = (np.array(column, dtype=np.int64) for column in zip(*spans, strict=True))
    inside = ngrams.within_spans(extract(texts, SPEC), rows, starts, ends)
    assert inside.n_rows == len(spans)
    for at, (row, start, end) in enumerate(spans):
        alone = set(extract([texts[row][start:end]], NgramSpec(words=(1, 2), chars=())).features.tolist())
        assert alone <= set(inside.features[inside.rows == at].tolist())
        assert np.all(inside.starts[inside.rows == at] >= start - 1)
        assert np.all(inside.ends[inside.rows == at] <= end + 1)


def test_no_spans_no_ngrams() -> None:
    none = np.empty(0, dtype=np.int64)
    assert len(ngrams.within_spans(extract(["a b"], SPEC), none, none, none).rows) == 0


@given(st.lists(st.integers(0, 60_000), max_size=12))
def test_cuts_cover_every_text_once(lengths: list[int]) -> None:
    cuts = list(ngrams.cache_sized(["x" * length for length in lengths]))
    assert [at for first, end in cuts for at in range(first, end)] == list(range(len(lengths)))
