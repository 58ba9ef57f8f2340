"""What analysts decide after one night holds through two further nights' refits, and undoing it does so too."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedback_nlp import nightly
from feedback_nlp.api import open_classifier
from feedback_nlp.config import Config, load_config
from feedback_nlp.outcome import COMMENTS, TOPIC_MODEL, TOPICS
from feedback_nlp.store import Store

pytestmark = pytest.mark.slow

Row = tuple[str, ...]


@dataclass
class Nights:
    """Nights on one store.

    :param rows: the dump's rows.
    :param done: runs, in order.
    :param seen: comments and topics as the store showed them after three nights, and rows of its overlay that differed.
    """

    folder: Path
    config: Config
    rows: Sequence[Row]
    done: list[nightly.RunResult] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    seen: tuple[pa.Table, pa.Table, int] | None = None

    def run(self, first: int, last: int) -> nightly.RunResult:
        """Analyse some of the rows as the next night's dump."""
        path = self.folder / f"night-{len(self.done)}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([("comment_id", "text", "branch"), *self.rows[first:last]])
        self.done.append(nightly.run([path], self.config, self.folder / "out"))
        return self.done[-1]

    def store(self) -> Store:
        """Open the store."""
        return nightly.store_of(self.config, self.folder / "out")


def members(result: nightly.RunResult, topic: int) -> list[str]:
    frame = result.comments()
    return list(frame.loc[frame["topic_id"] == topic, "comment_id"])


def topic_of(result: nightly.RunResult) -> dict[str, int]:
    frame = result.comments()
    return dict(zip(frame["comment_id"], frame["topic_id"].tolist(), strict=True))


def decide_all(nights: Nights, store: Store) -> None:
    """Rename 3, merge 7 into 0, split 4, move comments of 5 to 2, lock 1, hide 9, correct two comments."""
    first = nights.done[0]
    told = nights.told
    told["split"], told["moved"] = members(first, 4)[:8], members(first, 5)[-3:]
    told["locked"], told["before"] = members(first, 1), topic_of(first)
    store.decide("rename", author="سارا", topic_id=3, after={"fa": "اتاق\u200cهای کثیف", "ar": "غرف غير نظيفة"})
    store.decide("merge", author="سارا", topic_id=7, after={"into": 0})
    split = store.decide(
        "split", author="علی", topic_id=4, after={"comment_ids": told["split"], "labels": {"fa": "پیک"}}
    )
    assert split is not None
    told["new"] = split.new_topic
    store.decide("move", author="علی", topic_id=2, comment_ids=told["moved"])
    store.decide("lock", author="علی", topic_id=1)
    store.decide("hide", author="علی", topic_id=9)
    told["corrected"] = members(first, 6)[-1]
    store.decide("correct_sentiment", author="علی", comment_id=told["corrected"], after={"sentiment": "mixed"})


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Nights:
    with examples.open(encoding="utf-8", newline="") as stream:
        rows = [(row["comment_id"], row["text"], row["branch"]) for row in csv.DictReader(stream)]
    made = Nights(tmp_path_factory.mktemp("nights"), load_config(run__threads=1, run__chunk_size=128), rows)
    made.run(0, 300)
    with made.store() as store:
        decide_all(made, store)
    made.run(60, 360)
    made.run(0, len(rows))
    with made.store() as store:
        # As seen now: other tests undo everything and let further nights run.
        made.seen = (store.comments(), store.topics(), store.rebuild_overlay())
    return made


@pytest.fixture(params=[1, 2], ids=["next night", "the night after"])
def later(nights: Nights, request: pytest.FixtureRequest) -> nightly.RunResult:
    return nights.done[request.param]


def rows_of(result: nightly.RunResult) -> dict[int, dict[str, Any]]:
    return {row["topic_id"]: row for row in pq.read_table(result.folder / TOPICS).to_pylist()}


def test_decisions_make_another_run_of_the_same_input(nights: Nights) -> None:
    assert len({result.run_id for result in nights.done[:3]}) == 3
    first = nights.done[0]
    with nights.store() as store:
        plain = nightly.pipeline.run_id_of(
            store.run(first.run_id).input_fingerprint, nights.config, nightly.pipeline.open_models(nights.config)
        )
        assert plain == first.run_id
        assert store.decided().fingerprint()


def test_a_name_stays(later: nightly.RunResult) -> None:
    row = rows_of(later)[3]
    assert (row["label_fa"], row["label_ar"]) == ("اتاق\u200cهای کثیف", "غرف غير نظيفة")
    assert "اتاق\u200cهای کثیف" in later.report_path.read_text(encoding="utf-8")


def test_merged_topics_stay_merged(nights: Nights, later: nightly.RunResult) -> None:
    assert 7 not in rows_of(later)
    assert rows_of(later)[0]["merged"] == [7]
    assert members(later, 7) == []
    assert rows_of(later)[0]["size"] == len(members(later, 0))


def test_a_split_stays_split_and_its_like_follow(nights: Nights, later: nightly.RunResult) -> None:
    here = topic_of(later)
    placed = [comment for comment in nights.told["split"] if comment in here]
    assert placed
    assert {here[comment] for comment in placed} == {nights.told["new"]}
    row = rows_of(later)[nights.told["new"]]
    assert (row["label_fa"], row["split_from"]) == ("پیک", 4)
    assert row["size"] == len(members(later, nights.told["new"])) >= len(placed)
    assert row["size"] == pytest.approx(sum(row[f"share_{lang}"] for lang in ("ar", "fa", "en")) * row["size"], abs=1)


def test_moved_comments_stay_where_they_were_put(nights: Nights, later: nightly.RunResult) -> None:
    here = topic_of(later)
    moved = [comment for comment in nights.told["moved"] if comment in here]
    assert moved
    assert {here[comment] for comment in moved} == {2}


def test_a_locked_topic_keeps_its_core_number_and_place(nights: Nights, later: nightly.RunResult) -> None:
    """Without the lock, the next night's discovery does not find this topic at all."""
    row = rows_of(later)[1]
    assert row["status"] == "standing"
    assert row["locked"]
    assert row["label_en"] == rows_of(nights.done[0])[1]["label_en"]
    here = topic_of(later)
    stayed = [here[comment] == 1 for comment in nights.told["locked"] if comment in here]
    assert sum(stayed) / len(stayed) >= 0.5


def test_a_hidden_topic_is_in_the_table_and_not_in_the_report(later: nightly.RunResult) -> None:
    row = rows_of(later)[9]
    assert row["hidden"]
    page = later.report_path.read_text(encoding="utf-8")
    assert row["label_en"] == "" or row["label_en"] not in page


def test_a_corrected_comment_stays_corrected(nights: Nights, later: nightly.RunResult) -> None:
    frame = later.comments().set_index("comment_id")
    if nights.told["corrected"] in frame.index:
        assert frame.loc[nights.told["corrected"], "sentiment"] == "mixed"


def test_the_store_shows_what_the_files_hold(nights: Nights) -> None:
    last = nights.done[2]
    assert nights.seen is not None
    comments, topics, differed = nights.seen
    assert comments.equals(pq.read_table(last.folder / COMMENTS))
    assert rows_of(last) == {row["topic_id"]: row for row in topics.to_pylist()}
    assert differed == 0


def test_the_topic_model_gives_decided_topics(nights: Nights) -> None:
    last = nights.done[2]
    manifest = json.loads((last.folder / TOPIC_MODEL / "manifest.json").read_text(encoding="utf-8"))
    assert {"decisions.json", "decisions.safetensors"} <= set(manifest["files"])
    classifier = open_classifier(load_config(run__threads=1, run__topic_model=str(last.folder / TOPIC_MODEL)))
    texts = last.comments()["text"].tolist()
    found = classifier.texts(texts).column("topic_id").to_pylist()
    assert 7 not in found
    same = [mine == theirs for mine, theirs in zip(found, last.comments()["topic_id"].tolist(), strict=True)]
    assert sum(same) / len(same) > 0.9


def test_undone_acts_stay_undone(nights: Nights) -> None:
    """Runs last, as it adds nights."""
    with nights.store() as store:
        while any(row.stands and row.act not in ("undo", "redo") for row in store.history()):
            latest = next(row for row in store.history(newest_first=True) if row.stands and row.undoes is None)
            store.undo(latest.decision, author="مدیر")
        assert not [topic for topic, state in store.decided().topics.items() if not state.gone]
        at_once = {row["topic_id"]: row for row in store.topics().to_pylist()}
        assert 7 in at_once
        assert nights.told["new"] not in at_once
    for first, last in ((30, 380), (0, 350)):
        result = nights.run(first, last)
        rows = rows_of(result)
        assert nights.told["new"] not in rows
        assert nights.told["new"] not in topic_of(result).values()
        assert rows[3]["label_fa"] != "اتاق\u200cهای کثیف"
        assert 7 in rows
        assert rows[0]["merged"] == []
        assert not any(row["locked"] or row["hidden"] for row in rows.values())
        frame = result.comments().set_index("comment_id")
        assert frame.loc[nights.told["corrected"], "sentiment"] != "mixed"
