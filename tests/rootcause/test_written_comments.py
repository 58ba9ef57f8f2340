"""Written comments: each stands in three languages with the same causes, whose words are in the text."""

import pytest

from feedback_nlp.core.columns import OTHER_CAUSES
from feedback_nlp.train.annotations import SENTIMENT_CODES
from feedback_nlp.train.rootcause_data import CAUSE_LABELS, LANGS, cause_label
from feedback_nlp.train.written import read_written


def test_every_written_comment_says_the_same_in_three_languages() -> None:
    every = list(read_written())
    assert every
    for three in every:
        assert set(three) == set(LANGS)
        causes = {lang: {cause_label(code, sign) for code, sign, _ in row["d"]} for lang, row in three.items()}
        assert causes["ar"] == causes["fa"] == causes["en"] <= set(CAUSE_LABELS)
        assert all(len(row["d"]) == len(causes[lang]) for lang, row in three.items())
        assert all(words in row["text"] for row in three.values() for _, _, words in row["d"])
        assert {row["s"] for row in three.values()} <= set(SENTIMENT_CODES)
        assert all(set(row["o"]) <= set(OTHER_CAUSES) for row in three.values())


def test_no_comment_is_written_twice_in_a_language() -> None:
    for lang in LANGS:
        texts = [three[lang]["text"] for three in read_written()]
        assert len(set(texts)) == len(texts)


def test_marks_become_causes_and_leave_the_text() -> None:
    block = (
        "mix|product\nen: Fine tea, {E.attitude-:rude boy}\n"
        "ar: شاي جيد، {E.attitude-:ولد وقح}\nfa: چای خوب، {E.attitude-:پسر بی ادب}\n"
    )
    (three,) = read_written(block)
    assert three["en"] == {
        "lang": "en",
        "text": "Fine tea, rude boy",
        "s": "mix",
        "d": [["E.attitude", "-", "rude boy"]],
        "o": ["product"],
    }
    assert three["fa"]["text"] == "چای خوب، پسر بی ادب"


@pytest.mark.parametrize(
    ("block", "said"), [("neg|-\nen: a\nar: b", "3"), ("neg|-\nen: a {P.tools:b}\nar: b\nfa: c", "P.tools:b")]
)
def test_a_broken_block_is_named(block: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(read_written(block))
