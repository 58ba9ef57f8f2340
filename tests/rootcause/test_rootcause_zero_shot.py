import numpy as np
import pytest

from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.rootcause.backends.zero_shot import ZeroShotTagger
from feedback_nlp.rootcause.taxonomy import open_taxonomy

TEXTS = ["the app is slow but she was kind", "nothing", ""]
CLAUSES = [(0, 0, 15), (0, 16, 32), (1, 0, 7)]


class WordsJudge:
    """Entails what shares the word that stands for the hypothesis."""

    def __init__(self):
        self.asked = 0

    def entailed(self, premises, hypotheses):
        self.asked += len(premises)
        marks = {"-": ("slow", "tools"), "+": ("kind", "attitude")}
        scores = []
        for premise, hypothesis in zip(premises, hypotheses, strict=True):
            word, _ = marks["+" if "praises" in hypothesis else "-"]
            named = ("Tools" in hypothesis or "tools" in hypothesis) if word == "slow" else "ttitude" in hypothesis
            scores.append(0.9 if named and word in premise else 0.1)
        return np.array(scores, dtype=np.float32)


@pytest.fixture(scope="module")
def base():
    return LinearTagger.open("rootcause", evidence_words=12)


def comments(texts=TEXTS, clauses=CLAUSES):
    return Comments(texts, np.zeros((len(texts), 256), np.float32), np.array(clauses, dtype=np.int64).reshape(-1, 3))


def test_causes_stand_in_the_clause_that_entails_them_most(base):
    judge = WordsJudge()
    tags = ZeroShotTagger(judge, open_taxonomy(), base, threshold=0.5).tag(comments())
    found = {(one.row, one.sign, TEXTS[one.row][one.start : one.end]) for one in tags.found}
    assert (0, "-", "the app is slow") in found
    assert (0, "+", "but she was kind") in found
    assert {row for row, _, _ in found} == {0}
    assert judge.asked >= len(TEXTS) * 2 * len(open_taxonomy().causes)


def test_the_other_readings_are_the_bases(base):
    tags = ZeroShotTagger(WordsJudge(), open_taxonomy(), base, threshold=0.5).tag(comments())
    expected = base.tag(comments())
    assert list(tags.others) == list(expected.others)
    assert all(np.array_equal(tags.readings[name].labels, one.labels) for name, one in expected.readings.items())


def test_no_comment_at_all(base):
    tags = ZeroShotTagger(WordsJudge(), open_taxonomy(), base, threshold=0.5).tag(comments([], []))
    assert list(tags.found) == []


def test_it_knows_every_cause_of_the_taxonomy(base):
    tagger = ZeroShotTagger(WordsJudge(), open_taxonomy(), base, threshold=0.5)
    assert tagger.causes == {cause.id for cause in open_taxonomy().causes}
