"""Readers while a night is written, published or dropped: they never see an error, and wait for nobody."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from review_samples import START, add_run, said, table

from feedback_nlp.review import hub as hub_module
from feedback_nlp.review.corpus import open_corpus
from feedback_nlp.review.hub import Hub
from feedback_nlp.review.lineage import lineage_of
from feedback_nlp.store import Store, open_store

PAGES = (
    "/",
    "/rows",
    "/topics/3",
    "/comments",
    "/comments/e4",
    "/map",
    "/map/points",
    "/queue",
    "/compare",
    "/history",
)


def _begin(store: Store, run_id: str) -> None:
    named = {"fingerprint": run_id, "input_fingerprint": run_id, "config": {}, "models": {}, "inputs": ["night.csv"]}
    store.begin_run(run_id, code_version="0", started_at=START + timedelta(days=2), **named)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_while_a_night_is_written(viewer: TestClient, store: Store, path: str) -> None:
    _begin(store, "night3")
    store.write_chunk("night3", 0, table(said(5)))
    assert viewer.get(path).status_code == 200


def test_an_unfinished_or_failed_night_is_no_part_of_the_lineage(store: Store) -> None:
    _begin(store, "night3")
    store.fail_run("night3", "stopped", START + timedelta(days=2))
    _begin(store, "night4")
    hub = Hub(store)
    assert [night.run_id for night in lineage_of(store, hub, hub.refresh(), 3)] == ["night1", "night2"]


def test_a_night_dropped_meanwhile_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, records = Hub(store), store.records()
    snapshot = hub.refresh()
    store.drop_run("night1")
    monkeypatch.setattr(store, "records", lambda limit=None: records)
    assert [night.run_id for night in lineage_of(store, hub, snapshot, 3)] == ["night2"]


def test_who_asks_while_a_new_night_is_read_sees_the_night_before_with_all_decisions(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(store)
    assert hub.refresh().corpus.run_id == "night2"
    begun, may_end = threading.Event(), threading.Event()

    def slowly(from_store: Store, run_id: str) -> object:
        begun.set()
        assert may_end.wait(20)
        return open_corpus(from_store, run_id)

    monkeypatch.setattr(hub_module, "open_corpus", slowly)
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as other:
        add_run(other, "night3", said(5), 2)
    first = threading.Thread(target=hub.refresh)
    first.start()
    assert begun.wait(20)
    store.decide("rename", author="analyst", topic_id=1, after={"en": "tomes"})
    meanwhile = hub.refresh()
    assert (meanwhile.corpus.run_id, meanwhile.topics[1]["label_en"]) == ("night2", "tomes")
    may_end.set()
    first.join(20)
    assert hub.refresh().corpus.run_id == "night3"
    assert hub.refresh().topics[1]["label_en"] == "tomes"
