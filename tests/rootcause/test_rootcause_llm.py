import json

import numpy as np
import pytest
from fake_chat import fake_chat

from feedback_nlp.core.chat import ChatClient, ChatSettings
from feedback_nlp.rootcause.backends import Comments
from feedback_nlp.rootcause.backends.linear import LinearTagger
from feedback_nlp.rootcause.backends.llm import LlmTagger, locate
from feedback_nlp.rootcause.taxonomy import open_taxonomy

TEXTS = ["she did her best but the system does not allow refunds", "الموظف كان وقحا", "قوانین مرجوعی سخت است"]


@pytest.fixture(scope="module")
def base():
    return LinearTagger.open("rootcause", evidence_words=12)


def comments():
    clauses = np.array([(row, 0, len(text)) for row, text in enumerate(TEXTS)], dtype=np.int64)
    return Comments(TEXTS, np.zeros((len(TEXTS), 256), dtype=np.float32), clauses)


def tag(base, answer, **more):
    with fake_chat(answer) as fake:
        client = ChatClient(ChatSettings(url=fake.url, model="m", wait_seconds=0, **more))
        return LlmTagger(client, open_taxonomy(), base).tag(comments()), fake


def cause(name, sign="-", evidence="", score=0.9):
    return {"cause": name, "sign": sign, "evidence": evidence, "score": score}


def test_causes_with_verbatim_evidence(base):
    def answer(body):
        text = json.loads(body["messages"][1]["content"])["comment"]
        if "system" in text:
            return {
                "causes": [
                    cause("authority", evidence="the system does not allow"),
                    cause("support", "+", "she did her best", 0.95),
                ],
                "other_causes": ["product"],
            }
        return {"causes": [], "other_causes": []}

    tags, fake = tag(base, answer)
    assert [(one.row, one.cause, one.sign, TEXTS[one.row][one.start : one.end]) for one in tags.found] == [
        (0, "support", "+", "she did her best"),
        (0, "authority", "-", "the system does not allow"),
    ]
    assert list(tags.others) == [["product"], [], []]
    task = fake.asked[0]["messages"][0]["content"]
    assert all(one.id in task for one in open_taxonomy().causes)


def test_without_an_answer_the_base_stands(base):
    expected = base.tag(comments())
    tags, fake = tag(base, lambda _: 503, attempts=1)
    assert list(tags.found) == list(expected.found)
    assert list(tags.others) == list(expected.others)
    assert len(fake.asked) == 3


def test_what_is_not_of_the_asked_shape_is_left_out(base):
    wrong = [cause("nonsense"), cause("tools", "?"), "text", None, {"cause": "tools"}]
    right = [cause("tools", score=7), cause("tools", score=0.2), cause("pricing", score="high")]
    tags, _ = tag(base, lambda _: {"causes": [*wrong, *right], "other_causes": "product"})
    assert [(one.cause, one.score) for one in tags.found if one.row == 0] == [
        ("tools", 1.0),
        ("pricing", 0.5),
    ]
    assert list(tags.others) == [[], [], []]
    empty, _ = tag(base, lambda _: {"causes": None})
    assert list(empty.found) == []


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("كان وقحا", "كان وقحا"),
        ("  كان وقحا ", "كان وقحا"),
        ("کان وقحا", "كان وقحا"),
        ("not there", "الموظف كان وقحا"),
        ("", "الموظف كان وقحا"),
    ],
)
def test_evidence_is_located_however_it_is_spelt(words, given):
    start, end = locate(TEXTS[1], words)
    assert TEXTS[1][start:end] == given
