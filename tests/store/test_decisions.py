import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from decision_stores import MORNING, add_run, comments_table, rows_by_topic, topics_by_comment, topics_table

from feedback_nlp.core.errors import ConfigError, ConflictError, FeedbackError
from feedback_nlp.store import Store, open_store

SPLIT = 1_000_000


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url) as opened:
        add_run(opened)
        yield opened


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """Open a store for what does not hang on the database."""
    with open_store(f"sqlite:///{tmp_path}/s.db") as opened:
        add_run(opened)
        yield opened


def ids(*numbers: int) -> list[str]:
    return [f"c{number:08d}" for number in numbers]


def test_a_row_says_who_when_what_before_and_after(store: Store) -> None:
    tehran = MORNING.astimezone(timezone(timedelta(hours=3.5)))
    made = store.decide("rename", author=" سارا ", topic_id=1, after={"fa": "کیفیت غذا"}, at=tehran)
    assert made is not None
    assert made.as_dict() == {
        "decision": 1,
        "at": "2026-11-28T08:00:00Z",
        "author": "سارا",
        "act": "rename",
        "topic_id": 1,
        "comment_id": None,
        "before": {"fa": "غذا"},
        "after": {"fa": "کیفیت غذا"},
        "undoes": None,
        "stands": True,
    }
    assert store.history() == [made]
    assert rows_by_topic(store)[1]["label_fa"] == "کیفیت غذا"
    assert rows_by_topic(store)[1]["label_ar"] == "الطعام"
    assert store.topics(decided=False).equals(topics_table())


def test_a_name_may_be_given_back(store: Store) -> None:
    store.decide("rename", author="a", topic_id=1, after={"fa": "الف", "ar": "ب"})
    store.decide("rename", author="a", topic_id=1, after={"fa": None})
    row = rows_by_topic(store)[1]
    assert (row["label_fa"], row["label_ar"]) == ("غذا", "ب")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  دو\u200cهفته   تأخیر \n", "دو\u200cهفته تأخیر"),
        ("\u200f\u202bنام\u202c\u200f", "نام"),
        ("\u2067(VIP) خدمة\u2069", "(VIP) خدمة"),
        ("می\u200cخواهم\u200c", "می\u200cخواهم"),
        ("e\u0301te\u0301", "été"),
        ("a\x00b\ud800c", "a bc"),
        ("<b>\"';--", "<b>\"';--"),
    ],
)
def test_names_are_cleaned_and_keep_their_joiners(sqlite: Store, given: str, kept: str) -> None:
    made = sqlite.decide("rename", author="a", topic_id=0, after={"fa": given})
    assert made is not None
    assert made.after == {"fa": kept}
    assert rows_by_topic(sqlite)[0]["label_fa"] == kept


@pytest.mark.parametrize(
    ("act", "topic", "after", "message"),
    [
        ("rename", 0, {"fa": "\u200f \u2066"}, r"The name \(fa\) is empty"),
        ("rename", 0, {"fa": "ن" * 121}, "121 characters; at most 120"),
        ("rename", 0, {"fa": 3}, "must be a text, got int"),
        ("rename", 0, {"de": "Name"}, "Language 'de' is not known. Known: ar, fa, en"),
        ("rename", 0, {}, "A name is needed, by language"),
        ("rename", 99, {"fa": "x"}, "No topic 99 in the current run"),
        ("rename", -1, {"fa": "x"}, "No topic -1"),
        ("rename", None, {"fa": "x"}, "a topic's number is needed, got None"),
        ("merge", 0, {}, "into: a topic's number is needed"),
        ("merge", 0, {"into": 0}, "cannot be merged into itself"),
        ("merge", 0, {"into": 7}, "No topic 7"),
        ("split", 0, {}, "split: comments are needed, or words to search for"),
        ("split", 0, {"search": "هیچ‌جا نیست"}, "No comment of topic 0 holds these words"),
        ("split", 0, {"comment_ids": ["c00000001"]}, "1 of the comments are not in topic 0, c00000001 for one"),
        ("split", 0, {"comment_ids": ["nobody"]}, "No comment nobody in the current run"),
        ("split", 0, {"words": "a"}, "split: 'words' is not known"),
        ("split", 0, {"search": "a", "labels": {"fa": None}}, "must be a text, got NoneType"),
        ("move", 0, {}, "at least one comment"),
        ("move", 0, {"comment_ids": list("abcdefg")}, "No comment a, b, c, d, e and 2 more in the current run"),
        ("note", 0, {}, "The note must be a text"),
        ("assign", 0, {"who": "x"}, "assign: 'who' is not known. Known: to, due, state"),
        ("assign", 0, {"to": "x", "state": "later"}, "state 'later' is not known. Known: open, doing, done"),
        ("assign", 0, {"to": "x", "due": "soon"}, "due must be a date such as 2026-12-31, got 'soon'"),
        ("assign", 0, {"due": "2026-12-31"}, "assign: to must be a text"),
        ("note", None, {"text": "x"}, "note: one comment is needed, got 0"),
        ("explode", 0, {}, "'explode' is no act. Known: rename, merge"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_row(
    sqlite: Store, act: str, topic: int | None, after: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        sqlite.decide(act, author="a", topic_id=topic, after=after)
    assert sqlite.history() == []
    assert not sqlite.decided()


@pytest.mark.parametrize("author", ["", " \u200f", "x" * 201])
def test_an_act_has_an_author(sqlite: Store, author: str) -> None:
    with pytest.raises(ConfigError, match="The author"):
        sqlite.decide("lock", author=author, topic_id=0)


def test_a_time_needs_its_zone(sqlite: Store) -> None:
    with pytest.raises(ConfigError, match="time zone"):
        sqlite.decide("lock", author="a", topic_id=0, at=datetime(2026, 11, 28))


def test_merged_topics_are_one_for_every_reader(store: Store) -> None:
    before = topics_by_comment(store)
    store.decide("merge", author="a", topic_id=0, after={"into": 1})
    store.decide("merge", author="a", topic_id=1, after={"into": 2})
    after = topics_by_comment(store)
    assert after == {comment: 2 if topic in (0, 1) else topic for comment, topic in before.items()}
    rows = rows_by_topic(store)
    assert set(rows) == {2, 3}
    assert rows[2]["merged"] == [0, 1]
    assert rows[2]["size"] == sum(topic == 2 for topic in after.values()) == store.topic_counts()[2]
    assert store.comments(topic=2, columns=["comment_id"]).num_rows == rows[2]["size"]
    assert store.comments(topic=0).num_rows == 0
    assert store.comments(topic=0, decided=False).num_rows > 0
    with pytest.raises(ConfigError, match=r"Topic 0 was merged into 2. Name 2, or undo the merge first"):
        store.decide("rename", author="a", topic_id=0, after={"fa": "x"})
    store.undo(2, author="b")
    assert set(rows_by_topic(store)) == {1, 2, 3}
    store.undo(1, author="b")
    assert topics_by_comment(store) == before


def test_a_locked_topic_is_not_merged_away(store: Store) -> None:
    store.decide("lock", author="a", topic_id=0)
    assert rows_by_topic(store)[0]["locked"] is True
    with pytest.raises(ConfigError, match=r"Topic 0 is locked. Unlock it first, or merge 1 into it"):
        store.decide("merge", author="a", topic_id=0, after={"into": 1})
    assert store.decide("lock", author="b", topic_id=0) is None
    store.decide("unlock", author="a", topic_id=0)
    store.decide("merge", author="a", topic_id=0, after={"into": 1})
    assert [each.act for each in store.history()] == ["lock", "unlock", "merge"]


def test_a_split_makes_a_topic_of_its_own_beside_the_old(store: Store) -> None:
    before = topics_by_comment(store)
    made = store.decide("split", author="a", topic_id=0, after={"comment_ids": ids(0, 4), "labels": {"fa": "بسته"}})
    assert made is not None
    assert made.new_topic == SPLIT
    after = topics_by_comment(store)
    assert after == before | dict.fromkeys(ids(0, 4), SPLIT)
    rows = store.topics().to_pylist()
    assert [row["topic_id"] for row in rows] == [0, SPLIT, 1, 2, 3]
    new = rows[1]
    assert (new["label_fa"], new["label_ar"], new["size"], new["split_from"]) == ("بسته", "التوصيل (2)", 2, 0)
    assert (new["keywords_fa"], new["representatives_fa"]) == ([], [])
    second = store.decide("split", author="a", topic_id=0, after={"comment_ids": ids(8)})
    assert second is not None
    assert second.new_topic == SPLIT + 1
    assert rows_by_topic(store)[SPLIT + 1]["label_en"] == "delivery (3)"
    third = store.decide("split", author="a", topic_id=SPLIT, after={"comment_ids": ids(4)})
    assert third is not None
    assert rows_by_topic(store)[SPLIT + 2]["label_fa"] == "بسته (2)"
    with pytest.raises(ConfigError, match=r"every comment of topic 1000000. Rename it instead"):
        store.decide("split", author="a", topic_id=SPLIT, after={"comment_ids": ids(0)})


def test_a_split_by_words_reads_letters_as_readers_do(store: Store) -> None:
    made = store.decide("split", author="a", topic_id=1, after={"search": "كتاب من"})
    assert made is not None
    assert made.after["search"] == "كتاب من"
    assert made.after["comment_ids"] == ids(13, 29)
    made = store.decide("split", author="a", topic_id=2, after={"search": "COURIER came"})
    assert made is not None
    assert made.after["comment_ids"] == ids(10, 26)


def test_an_undone_split_gives_its_comments_back_also_those_a_night_gave_it(store: Store) -> None:
    before = topics_by_comment(store)
    made = store.decide("split", author="a", topic_id=0, after={"comment_ids": ids(0, 4)})
    assert made is not None
    comments = comments_table()
    at = comments.column_names.index("topic_id")
    night = [SPLIT if comment in ids(8, 16) else topic for comment, topic in before.items()]
    add_run(store, "r2", comments=comments.set_column(at, comments.schema.field(at), pa.array(night, pa.int32())))
    assert topics_by_comment(store) == before | dict.fromkeys(ids(0, 4, 8, 16), SPLIT)
    store.undo(author="a")
    assert topics_by_comment(store) == before
    assert SPLIT not in rows_by_topic(store)
    assert SPLIT not in store.topic_counts()
    with pytest.raises(ConfigError, match="was split off, and that was undone"):
        store.decide("rename", author="a", topic_id=SPLIT, after={"fa": "x"})
    store.redo(author="a")
    assert topics_by_comment(store) == before | dict.fromkeys(ids(0, 4, 8, 16), SPLIT)
    other = store.decide("split", author="a", topic_id=1, after={"comment_ids": ids(1)})
    assert other is not None
    assert other.new_topic == SPLIT + 1


def test_moved_comments_are_where_they_were_put(store: Store) -> None:
    before = topics_by_comment(store)
    made = store.decide("move", author="a", topic_id=3, comment_ids=ids(0, 1, 3, 12))
    assert made is not None
    assert made.before == {"topics": {"c00000000": 0, "c00000001": 1, "c00000012": -1}}
    assert made.comment_id is None
    assert topics_by_comment(store) == before | dict.fromkeys(ids(0, 1, 12), 3)
    one = store.decide("move", author="a", topic_id=-1, comment_id="c00000003")
    assert one is not None
    assert one.comment_id == "c00000003"
    table = store.comments(columns=["topic_score", "comment_id"], topic=-1)
    assert dict(zip(*(table.column(name).to_pylist() for name in ("comment_id", "topic_score")), strict=True)) == {
        "c00000003": 0.0,
        "c00000025": 0.0,
        "c00000038": 0.0,
    }
    assert store.comments(topic=3).column("topic_score").to_pylist().count(1.0) == 3
    counts = store.topic_counts()
    assert sum(counts.values()) == 40
    assert counts == {topic: list(topics_by_comment(store).values()).count(topic) for topic in counts}
    assert store.decide("move", author="a", topic_id=3, comment_ids=ids(0, 1)) is None


def test_a_comment_moved_into_a_topic_that_is_merged_later_goes_along(store: Store) -> None:
    store.decide("move", author="a", topic_id=1, comment_ids=ids(0))
    store.decide("merge", author="a", topic_id=1, after={"into": 2})
    assert topics_by_comment(store)["c00000000"] == 2
    assert "c00000000" in store.comments(topic=2).column("comment_id").to_pylist()
    store.decide("move", author="a", topic_id=0, comment_ids=ids(0))
    assert topics_by_comment(store)["c00000000"] == 0


def test_hidden_topics_say_so(store: Store) -> None:
    store.decide("hide", author="a", topic_id=2)
    assert rows_by_topic(store)[2]["hidden"] is True
    store.decide("show", author="a", topic_id=2)
    assert rows_by_topic(store)[2]["hidden"] is False
    assert not store.decided()


def test_notes_and_follow_up(store: Store) -> None:
    store.decide("note", author="a", topic_id=0, after={"text": "سطر اول\nسطر دوم"})
    store.decide("note", author="a", topic_id=0, after={"text": "سطر اول\nسطر دوم"})
    store.decide("note", author="b", comment_id="c00000001", after={"text": "تماس گرفتم"})
    assert [note.after["text"] for note in store.history(topic_id=0, act="note")] == ["سطر اول\nسطر دوم"] * 2
    assert len(store.history(comment_id="c00000001")) == 1
    assert store.decided().fingerprint() == ""
    store.decide("assign", author="a", topic_id=0, after={"to": "مدیر شعبه", "due": "2026-12-31"})
    store.decide("assign", author="a", comment_id="c00000001", after={"to": "x", "state": "done"})
    decided = store.decided()
    assert decided.topics[0].assigned == {"to": "مدیر شعبه", "due": "2026-12-31", "state": "open"}
    assert decided.comments["c00000001"].assigned == {"to": "x", "state": "done"}
    assert decided.fingerprint() == "", "who follows up changes no result"
    assert store.decide("assign", author="b", comment_id="c00000001", after={"to": "x", "state": "done"}) is None
    store.decide("assign", author="b", topic_id=0, after={})
    assert 0 not in store.decided().topics


def test_undo_and_redo_are_rows_too(store: Store) -> None:
    for name in ("یک", "دو"):
        store.decide("rename", author="a", topic_id=0, after={"fa": name})
    with pytest.raises(FeedbackError, match="Undo of decision 1 changes nothing: later decisions hide it"):
        store.undo(1, author="b")
    undo = store.undo(author="a")
    assert (undo.act, undo.undoes, undo.before, undo.after) == ("undo", 2, {"fa": "دو"}, {"fa": "یک"})
    assert rows_by_topic(store)[0]["label_fa"] == "یک"
    store.undo(author="a")
    assert rows_by_topic(store)[0]["label_fa"] == "تحویل"
    with pytest.raises(FeedbackError, match="a has nothing to undo"):
        store.undo(author="a")
    redo = store.redo(author="a")
    assert (redo.act, redo.undoes, redo.after) == ("redo", 4, {"fa": "یک"})
    assert rows_by_topic(store)[0]["label_fa"] == "یک"
    store.redo(author="a")
    store.undo(author="a")
    store.redo(author="a")
    assert rows_by_topic(store)[0]["label_fa"] == "دو"
    with pytest.raises(FeedbackError, match="a has nothing to redo"):
        store.redo(author="a")
    rows = store.history(topic_id=0)
    assert [row.act for row in rows] == ["rename", "rename", "undo", "undo", "redo", "redo", "undo", "redo"]
    assert all(row.stands for row in rows)


@pytest.mark.parametrize(
    ("act", "number", "message"),
    [
        ("undo", 9, "No decision 9"),
        ("redo", 1, "Decision 1 stands; there is nothing to redo"),
        ("undo", 2, "Decision 2 is undone already"),
        ("undo", 3, "Decision 3 is an undo itself. Name the act"),
        ("redo", 5, "Decision 5 is a redo itself. Name the act"),
    ],
)
def test_only_acts_are_undone_and_only_undone_ones_redone(sqlite: Store, act: str, number: int, message: str) -> None:
    sqlite.decide("lock", author="a", topic_id=0)
    sqlite.decide("hide", author="a", topic_id=0)
    sqlite.undo(2, author="a")
    sqlite.undo(1, author="a")
    sqlite.redo(1, author="a")
    with pytest.raises(ConfigError, match=message):
        getattr(sqlite, act)(number, author="a")
    assert len(sqlite.history()) == 5


def test_a_merge_done_again_closes_no_circle(store: Store) -> None:
    store.decide("merge", author="a", topic_id=0, after={"into": 1})
    store.undo(1, author="a")
    store.decide("merge", author="a", topic_id=1, after={"into": 0})
    # The first merge stands again at its old place, so it is the second that would close the circle.
    store.redo(1, author="a")
    assert set(rows_by_topic(store)) == {1, 2, 3}
    store.undo(1, author="a")
    assert set(rows_by_topic(store)) == {0, 2, 3}


def test_a_note_may_be_taken_back(store: Store) -> None:
    store.decide("note", author="a", topic_id=0, after={"text": "x"})
    store.undo(author="a")
    assert [row.stands for row in store.history(act="note")] == [False]


def test_somebody_elses_newer_decision_is_a_conflict(store: Store) -> None:
    store.decide("rename", author="sara", topic_id=0, after={"fa": "یک"}, expected=0)
    seen = store.last_decision(topic_id=0)
    store.decide("rename", author="ali", topic_id=0, after={"fa": "دو"}, expected=seen)
    with pytest.raises(
        ConflictError, match=r"ali decided on it meanwhile \(rename, decision 2\). Look again"
    ) as caught:
        store.decide("rename", author="sara", topic_id=0, after={"fa": "سه"}, expected=seen)
    assert caught.value.exit_code == 1
    assert caught.value.newer == store.history()[-1]
    for clash in ({"topic_id": 1, "after": {"into": 0}}, {"topic_id": 0, "after": {"into": 1}}):
        with pytest.raises(ConflictError):
            store.decide("merge", author="sara", expected=seen, **clash)  # type: ignore[arg-type]
    with pytest.raises(ConflictError):
        store.undo(1, author="sara", expected=seen)
    store.decide("rename", author="sara", topic_id=1, after={"fa": "چهار"}, expected=seen)
    store.decide("rename", author="sara", topic_id=0, after={"fa": "سه"}, expected=store.last_decision())
    store.decide("note", author="ali", topic_id=0, after={"text": "no conflict"})
    store.decide("rename", author="sara", topic_id=0, after={"fa": "پنج"}, expected=4)
    assert rows_by_topic(store)[0]["label_fa"] == "پنج"


def test_a_comment_moved_meanwhile_is_a_conflict(store: Store) -> None:
    store.decide("move", author="ali", topic_id=1, comment_ids=ids(0, 4))
    with pytest.raises(ConflictError):
        store.decide("move", author="sara", topic_id=2, comment_ids=ids(4, 8), expected=0)
    with pytest.raises(ConflictError):
        store.decide("rename", author="sara", topic_id=0, after={"fa": "x"}, expected=0)
    assert store.last_decision(comment_id="c00000004") == store.last_decision(topic_id=0) == 1
    assert store.last_decision(comment_id="c00000008") == store.last_decision(topic_id=3) == 0


def test_history_can_be_narrowed(store: Store) -> None:
    store.decide("lock", author="a", topic_id=0)
    store.decide("merge", author="b", topic_id=2, after={"into": 0})
    store.decide("move", author="a", topic_id=3, comment_ids=ids(0))
    store.undo(2, author="a")

    def numbers(**how: object) -> list[int]:
        return [row.decision for row in store.history(**how)]  # type: ignore[arg-type]

    assert numbers() == [1, 2, 3, 4]
    assert numbers(topic_id=0) == [1, 2, 3, 4]
    assert numbers(topic_id=2) == [2, 4]
    assert numbers(topic_id=3) == numbers(comment_id="c00000000") == [3]
    assert numbers(author="a") == [1, 3, 4]
    assert numbers(act="lock") == [1]
    assert numbers(after=2) == [3, 4]
    assert numbers(newest_first=True, limit=2) == [4, 3]
    assert numbers(topic_id=9) == []
    assert json.dumps([row.as_dict() for row in store.history()])


def test_a_store_without_a_run_has_nothing_to_decide_on(store_url: str) -> None:
    with open_store(store_url) as store:
        assert store.history() == []
        assert store.last_decision() == 0
        assert not store.decided()
        assert store.corrections().num_rows == 0
        assert store.rebuild_overlay() == 0
        with pytest.raises(FeedbackError, match="no published run yet"):
            store.decide("lock", author="a", topic_id=0)
        with pytest.raises(FeedbackError, match="a has nothing to undo"):
            store.undo(author="a")


def test_a_run_without_topics_takes_decisions_on_comments_alone(store_url: str) -> None:
    with open_store(store_url) as store:
        add_run(store, topics=pa.table({}))
        with pytest.raises(ConfigError, match="No topic 0"):
            store.decide("lock", author="a", topic_id=0)
        store.decide("correct_sentiment", author="a", comment_id="c00000000", after={"sentiment": "mixed"})
        assert store.topics().num_rows == 0
        assert store.comments(limit=1).column("sentiment").to_pylist() == ["mixed"]


def test_decisions_outlive_runs(store: Store) -> None:
    store.decide("rename", author="a", topic_id=0, after={"fa": "نام"}, at=datetime(2026, 11, 28, tzinfo=UTC))
    store.decide("move", author="a", topic_id=1, comment_ids=ids(0))
    add_run(store, "r2")
    assert store.prune(1) == ["r1"]
    assert rows_by_topic(store)[0]["label_fa"] == "نام"
    assert topics_by_comment(store)["c00000000"] == 1
