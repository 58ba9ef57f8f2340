import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from decision_stores import add_run, rows_by_topic, topics_by_comment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from test_store_crash import start_writer

from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.store import Store, open_store
from feedback_nlp.store.database import open_database
from feedback_nlp.store.schema import COMMENT_STATES, TOPIC_STATES

TOPICS = st.sampled_from([0, 1, 2, 3, 1_000_000, 1_000_001])
COMMENTS = st.lists(st.sampled_from([f"c{at:08d}" for at in range(40)]), min_size=1, max_size=6)
WORDS = st.text("ابپ\u200cنم ab\u200f<", min_size=1, max_size=8)


def act(name: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(parts))


def about(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(parts)


ACTS = st.one_of(
    act("rename", topic_id=TOPICS, after=st.dictionaries(st.sampled_from(["ar", "fa", "en"]), st.none() | WORDS)),
    act("merge", topic_id=TOPICS, after=about(into=TOPICS)),
    act("split", topic_id=TOPICS, after=about(comment_ids=COMMENTS)),
    act("move", topic_id=TOPICS | st.just(-1), comment_ids=COMMENTS),
    *[act(name, topic_id=TOPICS) for name in ("lock", "unlock", "hide", "show")],
    act("note", topic_id=TOPICS, after=about(text=WORDS)),
    act("assign", topic_id=TOPICS, after=about(to=WORDS, state=st.sampled_from(["open", "done"]))),
    act(
        "correct_sentiment",
        comment_ids=COMMENTS.map(lambda ids: ids[:1]),
        after=about(sentiment=st.sampled_from(["negative", "mixed"])),
    ),
    act(
        "correct_driver",
        comment_ids=COMMENTS.map(lambda ids: ids[:1]),
        after=about(
            driver=st.sampled_from(["policy", "employee"]),
            cause=st.just("x"),
            sign=st.just("-"),
            start=st.integers(0, 3),
            end=st.integers(2, 6),
        ),
    ),
    st.tuples(st.sampled_from(["undo", "redo"]), st.fixed_dictionaries({"decision": st.integers(1, 40)})),
)


def carry_out(store: Store, name: str, how: dict[str, Any]) -> None:
    # Many of the acts made up cannot be; then nothing may change, which is what is checked after each.
    with suppress(FeedbackError):
        if name in ("undo", "redo"):
            getattr(store, name)(how["decision"], author="a")
        else:
            store.decide(name, author="a", **how)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=25))
@pytest.mark.slow
def test_the_overlay_is_what_the_decisions_say_after_every_act(tmp_path_factory: Any, acts: list[Any]) -> None:
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('overlay')}/s.db") as store:
        add_run(store)
        for name, how in acts:
            rows, before = len(store.history()), store.decided()
            carry_out(store, name, how)
            added = len(store.history()) - rows
            assert added == 1 or store.decided() == before
            assert store.rebuild_overlay() == 0
        topics = list(topics_by_comment(store).values())
        assert store.topic_counts() == {topic: topics.count(topic) for topic in sorted(set(topics))}
        assert set(topics) - {-1} <= set(rows_by_topic(store))
        assert [row.decision for row in store.history()] == list(range(1, len(store.history()) + 1))


def test_a_damaged_overlay_is_made_anew(store_url: str) -> None:
    with open_store(store_url) as store:
        add_run(store)
        store.decide("merge", author="a", topic_id=0, after={"into": 1})
        store.decide("move", author="a", topic_id=2, comment_ids=["c00000003"])
        store.decide("hide", author="a", topic_id=3)
        good = store.decided()
        database = open_database(store_url)
        with database.writing() as connection:
            connection.execute(update(TOPIC_STATES).where(TOPIC_STATES.c.topic_id == 0).values(into=3, root=3))
            connection.execute(delete(COMMENT_STATES))
        database.close()
        assert store.decided() != good
        assert store.rebuild_overlay() == 2
        assert store.decided() == good
        assert store.rebuild_overlay() == 0


@pytest.mark.slow
def test_decisions_wait_little_for_a_writer_and_readers_see_whole_ones(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    faults: list[str] = []
    stop = threading.Event()
    with open_store(url) as store:
        add_run(store, "standing")

        def read() -> None:
            with open_store(url) as own:
                while not stop.is_set():
                    try:
                        sizes = [row["size"] for row in own.topics().to_pylist()]
                        counts = own.topic_counts()
                        if sum(counts.values()) != 40 or sum(sizes) not in (37, 38, 39, 40):
                            faults.append(f"{sizes} {counts}")
                        own.history(limit=5, newest_first=True)
                        time.sleep(0.05)
                    except FeedbackError as error:
                        faults.append(str(error))

        readers = [threading.Thread(target=read) for _ in range(10)]
        with start_writer(url, 400) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            for reader in readers:
                reader.start()
            waits = []
            while writer.poll() is None and len(waits) < 120:
                began = time.perf_counter()
                store.decide("rename", author="a", topic_id=0, after={"fa": f"نام {len(waits)}"})
                waits.append(time.perf_counter() - began)
                time.sleep(0.02)
            writer.kill()
            writer.communicate()
        stop.set()
        for reader in readers:
            reader.join()
        assert not faults
        assert len(waits) > 20
        # On a machine that has more to do than it has processors, everything takes that much longer.
        crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        assert sorted(waits)[int(0.95 * len(waits))] < 1.0 * crowded
        assert store.rebuild_overlay() == 0


DECIDER = """
import sys
from feedback_nlp.store import open_store
with open_store(sys.argv[1]) as store:
    for at in range(int(sys.argv[3])):
        store.decide("rename", author=sys.argv[2], topic_id=0, after={"fa": f"{sys.argv[2]} {at}"})
"""


@pytest.mark.slow
def test_several_analysts_at_once_lose_no_decision(store_url: str) -> None:
    with open_store(store_url) as store:
        add_run(store)
        names = ["a", "b", "c"]
        deciders = [subprocess.Popen([sys.executable, "-c", DECIDER, store_url, name, "15"]) for name in names]
        assert [decider.wait() for decider in deciders] == [0, 0, 0]
        rows = store.history()
        assert [row.decision for row in rows] == list(range(1, 46))
        assert [rows[at + 1].before == rows[at].after for at in range(44)] == [True] * 44
        assert rows_by_topic(store)[0]["label_fa"] == rows[-1].after["fa"]
        assert store.rebuild_overlay() == 0
