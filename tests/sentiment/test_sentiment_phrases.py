"""The written phrases: whole, unambiguous, and never among what is judged."""

import numpy as np

from feedback_nlp.core.columns import SENTIMENTS
from feedback_nlp.train.sentiment_data import PHRASES, Labelled
from feedback_nlp.train.sentiment_phrases import with_phrases


def one(text: str, *, judged: bool) -> Labelled:
    names = np.array(["en_set"])
    return Labelled(
        [text],
        np.array(["en"]),
        np.array([2]),
        names,
        names,
        np.array([judged]),
        np.array([False]),
        np.array(["x"]),
        np.array([""]),
        np.array([False]),
        np.array(["id"]),
    )


def test_phrases_stand_behind_and_every_field_has_their_length() -> None:
    found = with_phrases(one("lovely", judged=False))
    assert found.texts[0] == "lovely"
    for values in (found.langs, found.labels, found.sources, found.sets, found.judged, found.rated):
        assert len(values) == len(found)
    assert len(found.domains) == len(found.splits) == len(found.identities) == len(found)
    assert found.sets[1:].tolist() == [PHRASES] * (len(found) - 1)
    assert not found.judged.any()
    assert set(found.langs.tolist()) == {"ar", "fa", "en"}


def test_negation_turns_a_word_round() -> None:
    found = with_phrases(one("lovely", judged=False))
    labels = {text: SENTIMENTS[label] for text, label in zip(found.texts, found.labels.tolist(), strict=True)}
    assert labels["not bad at all"] == "positive"
    assert labels["it is not great"] == "negative"
    assert labels["no complaints"] == "positive"
    assert labels["اصلا افتضاح نیست"] == "positive"
    assert labels["الخدمة مش كويس أبدا"] == "negative"
    assert {"negative", "neutral", "positive"} == set(labels.values())


def test_no_phrase_has_two_labels_and_none_is_cut_wrong() -> None:
    found = with_phrases(one("lovely", judged=False))
    assert len(set(zip(found.texts, found.langs.tolist(), strict=True))) == len(found)
    assert not any("{" in text or "  " in text or text != text.strip() for text in found.texts)


def test_a_judged_text_is_no_phrase() -> None:
    assert "never again" in with_phrases(one("x", judged=True)).texts
    assert with_phrases(one("Never again!", judged=True)).texts.count("never again") == 0
