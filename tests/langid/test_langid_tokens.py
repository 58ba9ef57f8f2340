"""Words and their places: exact offsets, script cuts, and what is no word."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.ngrams import NgramSpec
from feedback_nlp.langid.features import width, word_features
from feedback_nlp.langid.tokens import ARABIC, FOREIGN, LATIN, tokenise

ALPHABET = st.sampled_from([*"abزعپةـً  \n\u200c\u00a0-،.!3'@#_😀0é中", "خوب ", "3ala ", "https://x.y ", "a@b.co "])
TEXTS = st.lists(st.lists(ALPHABET, max_size=25).map("".join), max_size=6)


def words_of(text: str) -> list[str]:
    table = tokenise([text])
    return [text[start:end] for start, end in zip(table.starts, table.ends, strict=True)]


@given(TEXTS)
def test_places_point_at_the_words_in_order(texts: list[str]) -> None:
    table = tokenise(texts)
    assert table.n_rows == len(texts)
    for row, start, end, unit in zip(table.rows, table.starts, table.ends, table.units, strict=True):
        assert texts[row][start:end] == table.words[unit]
        assert not re.search(r"\s", texts[row][start:end])
    same = table.rows[1:] == table.rows[:-1]
    assert np.all(table.starts[1:][same] >= table.ends[:-1][same])
    assert np.all(np.diff(table.rows) >= 0)


@given(TEXTS)
def test_a_text_is_cut_the_same_alone_and_in_company(texts: list[str]) -> None:
    together = tokenise(texts)
    for row, text in enumerate(texts):
        alone, here = tokenise([text]), together.rows == row
        assert alone.starts.tolist() == together.starts[here].tolist()
        assert [alone.words[unit] for unit in alone.units] == [together.words[unit] for unit in together.units[here]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("سلام، خوبین؟", ["سلام", "خوبین"]),
        ("(great!) «عالی»", ["great", "عالی"]),
        ("الapp خراب", ["ال", "app", "خراب"]),
        ("خوبه.very good", ["خوبه", "very", "good"]),
        ("ma3 '3ali 3ala 7elw", ["ma3", "'3ali", "3ala", "7elw"]),
        ("می\u200cخواهم برم", ["می\u200cخواهم", "برم"]),
        ("#خدمات_عالية @bank_support see https://x.com/سلام www.a.ir me@x.com", ["خدمات_عالية", "see"]),
        ("  two   blanks\tand\nlines ", ["two", "blanks", "and", "lines"]),
        ("👍 123 ٤٥٦ ۷۸ !!! ... [url]", []),
        ("", []),
        ("مُمْتَازٌ", ["مُمْتَازٌ"]),
        ("ــحلوــ ـ", ["حلو"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_scripts_are_told_by_letters() -> None:
    table = tokenise(["خوب good хорошо 好吃 naïve ٹھیک"])
    assert table.scripts.tolist() == [ARABIC, LATIN, FOREIGN, FOREIGN, LATIN, ARABIC]


def test_a_text_without_words_leaves_its_neighbours_in_place() -> None:
    table = tokenise(["", "a b", "👍", " c"])
    assert table.rows.tolist() == [1, 1, 3]
    assert table.starts.tolist() == [0, 2, 1]


@given(TEXTS)
def test_features_of_a_word_do_not_depend_on_its_neighbours(texts: list[str]) -> None:
    spec = NgramSpec(words=(1,), chars=(1, 2, 3), bits=12)
    words = tokenise(texts).words
    owners, features = word_features(words, spec)
    assert len(features) == 0 or (features.min() >= 0 and features.max() < width(spec))
    for place, word in enumerate(words):
        assert features[owners == place].tolist() == word_features([word], spec)[1].tolist()


def test_letters_that_folding_makes_alike_stay_apart() -> None:
    spec = NgramSpec(words=(1,), chars=(2,), bits=12)
    arabic, persian = (set(word_features([word], spec)[1].tolist()) for word in ("كيف", "کیف"))
    assert arabic != persian
    assert arabic & persian


def test_no_words_have_no_features() -> None:
    owners, features = word_features([], NgramSpec(bits=10))
    assert len(owners) == len(features) == 0
