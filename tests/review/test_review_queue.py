import numpy as np
import pytest

from feedback_nlp.review.hub import Hub
from feedback_nlp.review.queueing import DOUBTS, doubts_of, next_to_check


def snapshot(store):
    return Hub(store).refresh()


def ids(view, chosen):
    names = view.corpus.comments.column("comment_id").to_pylist()
    return [names[each.row] for each in chosen]


def test_doubts_lie_between_sure_and_unsure(store):
    view = snapshot(store)
    for kind, values in doubts_of(view.corpus).items():
        assert kind in DOUBTS
        assert values.shape == (len(view.corpus),)
        assert np.all((values >= 0) & (values <= 1))


def test_the_queue_is_the_same_each_time_and_has_no_comment_twice(store):
    view = snapshot(store)
    first, second = next_to_check(view, set()), next_to_check(view, set())
    assert first == second
    assert len({each.row for each in first}) == len(first) > 0


def test_what_was_checked_or_corrected_does_not_come_again(store):
    view = snapshot(store)
    before = ids(view, next_to_check(view, set()))
    assert before[0] not in ids(view, next_to_check(view, {before[0]}))
    store.decide("correct_sentiment", author="analyst", comment_id=before[1], after={"sentiment": "mixed"})
    assert before[1] not in ids(snapshot(store), next_to_check(snapshot(store), set()))


def test_the_queue_spreads_over_topics(store):
    view = snapshot(store)
    chosen = next_to_check(view, set(), 8)
    assert len({int(view.topic[each.row]) for each in chosen}) > 1


def test_no_more_than_asked_for(store):
    assert len(next_to_check(snapshot(store), set(), 3)) == 3


@pytest.mark.parametrize("ui", ["en", "ar", "fa"])
def test_the_page_shows_verdicts_to_analysts_only(analyst, viewer, ui):
    page = analyst.get(f"/queue?ui={ui}").text
    assert page.count('class="waiting"') > 3
    assert 'hx-post="/acts/confirm"' in page
    assert 'hx-post="/acts/confirm"' not in viewer.get("/queue").text


def test_a_comment_found_right_leaves_the_queue(analyst, store):
    view = snapshot(store)
    first = ids(view, next_to_check(view, set()))[0]
    assert f'data-comment="{first}"' in analyst.get("/queue").text
    assert analyst.post("/acts/confirm", data={"comment_id": first}).status_code == 200
    assert f'class="waiting" tabindex="-1" data-comment="{first}"' not in analyst.get("/queue").text
    (row,) = store.history(act="confirm")
    assert (row.comment_id, row.author, row.stands) == (first, "analyst", True)
    store.undo(row.decision, author="analyst")
    assert f'class="waiting" tabindex="-1" data-comment="{first}"' in analyst.get("/queue").text
