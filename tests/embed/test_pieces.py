import pytest
from embed_samples import SENTENCES
from hypothesis import given
from hypothesis import strategies as st

from feedback_nlp.core.folding import fold
from feedback_nlp.embed.backends.static import open_tokenizer, tokenize
from feedback_nlp.embed.pieces import PieceCutter


@pytest.fixture(scope="module")
def tokenizer(tokenizer_file):
    return open_tokenizer(tokenizer_file)


@pytest.fixture(scope="module")
def cutter(tokenizer):
    return PieceCutter(tokenizer)


def spelled(cutter, text):
    _, bounds = cutter.cut([text])[0]
    return [text[start:end] for start, end in bounds]


@pytest.mark.parametrize(
    "text",
    [
        *SENTENCES,
        "  Staff   LATE",
        "المـــوظفون",
        "😀 late 𒀀𒀀 staff",
        "",
        " ",
        "😀",
        "ﷺ late",
        "soooo late",
        "a\u200cb",
    ],
)
def test_pieces_are_those_of_the_tokenizer(cutter, tokenizer, text):
    assert [ids for ids, _ in cutter.cut([text])] == tokenize(tokenizer, [text])


@pytest.mark.parametrize("text", [*SENTENCES, "  Staff   LATE", "المـــوظفون", "late 𒀀𒀀 staff", "𒀀"])
def test_bounds_spell_the_pieces(cutter, tokenizer, text):
    (ids, bounds), *_ = cutter.cut([text])
    for number, (start, end) in zip(ids, bounds.tolist(), strict=True):
        piece = tokenizer.id_to_piece(number).replace("▁", "")
        if number != tokenizer.unk_id():
            assert fold(text[start:end]) == piece


def test_bounds_of_a_spread_text(cutter):
    assert "".join(spelled(cutter, "  Staff   LATE")) == "StaffLATE"
    assert "".join(spelled(cutter, "late 𒀀𒀀 staff")) == "late𒀀𒀀staff"


@given(st.text(max_size=40))
def test_bounds_never_cross(tokenizer_file, text):
    (ids, bounds), *_ = PieceCutter(open_tokenizer(tokenizer_file)).cut([text])
    flat = bounds.reshape(-1).tolist()
    assert len(bounds) == len(ids)
    assert flat == sorted(flat)
    assert not flat or (flat[0] >= 0 and flat[-1] <= len(text))
