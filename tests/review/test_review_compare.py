import numpy as np
import pytest

from feedback_nlp.review.comparing import compare
from feedback_nlp.review.hub import Hub


def nights(store):
    hub = Hub(store)
    runs = store.runs()["run_id"].tolist()
    return hub.of_run(runs[1]), hub.of_run(runs[0])


def test_both_nights_add_up(store):
    earlier, later = nights(store)
    found = compare(earlier, later)
    assert found.comments == (len(earlier.corpus), len(later.corpus))
    for pairs in found.mixes.values():
        assert sum(pair.before for pair in pairs) == found.comments[0]
        assert sum(pair.after for pair in pairs) == found.comments[1]
        assert sum(pair.change for pair in pairs) == pytest.approx(0, abs=1e-9)
    assert 0 < found.shared <= min(found.comments)
    changes = [abs(each.pair.change) for each in found.topics]
    assert changes == sorted(changes, reverse=True)


def test_a_night_compared_with_itself_shows_no_change(store):
    _, later = nights(store)
    found = compare(later, later)
    assert all(pair.change == 0 for pairs in found.mixes.values() for pair in pairs)
    assert {each.fate for each in found.topics} == {"both"}
    assert all(one.psi == 0 for one in found.drifts.values())


def test_topics_that_one_night_lacks_are_new_or_gone(store):
    earlier, later = nights(store)
    del later.topics[3]
    found = compare(later, earlier)
    assert {each.id: each.fate for each in found.topics}[3] == "new"
    again = compare(earlier, later)
    assert {each.id: each.fate for each in again.topics}[3] == "gone"


def test_decisions_count_on_both_nights(store):
    store.decide("merge", author="analyst", topic_id=2, after={"into": 1})
    found = compare(*nights(store))
    assert 2 not in {each.id for each in found.topics}
    assert not np.isnan(found.drifts["topic_id"].psi)


@pytest.mark.parametrize("ui", ["en", "ar", "fa"])
def test_the_page_compares_the_last_two_nights(viewer, ui):
    page = viewer.get(f"/compare?ui={ui}")
    assert page.status_code == 200
    assert page.text.count("<table>") == 4
    assert f'lang="{ui}"' in page.text


def test_a_run_that_does_not_exist_is_told(viewer):
    assert viewer.get("/compare?before=nosuchrun").status_code in (404, 422)
