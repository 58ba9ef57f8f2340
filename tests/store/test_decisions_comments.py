import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from decision_stores import MORNING, add_run, comments_table

from feedback_nlp.core.decisions import corrected_drivers, whole_cause
from feedback_nlp.core.errors import ConfigError
from feedback_nlp.store import Store, open_store

COMMENT = "c00000001"
TEXT = "کارمند بی‌ادب بود ولی قیمت خوب است"
RUDE = {"driver": "employee", "cause": "attitude", "sign": "-", "start": 0, "end": 17}
PRICE = {"driver": "policy", "cause": "pricing", "sign": "+", "start": 21, "end": 34}


def with_values(table: pa.Table, row: int, **values: Any) -> pa.Table:
    for name, value in values.items():
        at = table.column_names.index(name)
        column = table.column(name).to_pylist()
        column[row] = value
        table = table.set_column(at, table.schema.field(at), pa.array(column, table.schema.field(at).type))
    return table


def one_known(text: str = TEXT) -> pa.Table:
    """Return comments, the second of which has a driver we know."""
    drivers = [{**RUDE, "score": 0.75}]
    known = {"text": text, "lang": "fa", "drivers": drivers, "root_cause": "employee", "sentiment": "negative"}
    table = with_values(comments_table(), 1, other_causes=[], sentiment_score=0.5, **known)
    return with_values(table, 1, sentiment_abstained=True)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url) as opened:
        add_run(opened, comments=one_known())
        yield opened


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """Open a store for what does not hang on the database."""
    with open_store(f"sqlite:///{tmp_path}/s.db") as opened:
        add_run(opened, comments=one_known())
        yield opened


def seen(store: Store) -> dict[str, Any]:
    (row,) = store.comments(limit=1, offset=1).to_pylist()
    assert row["comment_id"] == COMMENT
    return dict(row)


def test_a_wrong_driver_goes_and_the_root_cause_follows(store: Store) -> None:
    made = store.decide("wrong_driver", author="a", comment_id=COMMENT, before=RUDE)
    assert made is not None
    assert (made.before["driver"], made.after["driver"]) == (RUDE, None)
    assert (seen(store)["drivers"], seen(store)["root_cause"]) == ([], "none")
    assert store.decided().comments[COMMENT].drivers == ({"before": RUDE, "after": None},)
    store.undo(author="a")
    assert (len(seen(store)["drivers"]), seen(store)["root_cause"]) == (1, "employee")


def test_a_driver_is_corrected_another_added_and_evidence_moved(store: Store) -> None:
    right = RUDE | {"cause": "support"}
    store.decide("correct_driver", author="a", comment_id=COMMENT, before=RUDE, after=right)
    store.decide("correct_driver", author="a", comment_id=COMMENT, after=PRICE | {"sign": "-"})
    store.decide("correct_evidence", author="a", comment_id=COMMENT, before=right, after={"start": 7, "end": 17})
    row = seen(store)
    assert [(d["cause"], d["start"], d["end"], d["score"]) for d in row["drivers"]] == [
        ("support", 7, 17, 1.0),
        ("pricing", 21, 34, 1.0),
    ]
    assert row["root_cause"] == "both"
    assert row["text"][7:17] == "بی‌ادب بود"
    store.undo(1, author="b")
    # The moved evidence was that of a driver that is no longer there; it stands as added.
    assert [(d["cause"], d["start"]) for d in seen(store)["drivers"]] == [
        ("attitude", 0),
        ("support", 7),
        ("pricing", 21),
    ]


def test_a_sentiment_is_corrected(store: Store) -> None:
    store.decide("correct_sentiment", author="a", comment_id=COMMENT, after={"sentiment": "mixed"})
    row = seen(store)
    assert (row["sentiment"], row["sentiment_score"], row["sentiment_abstained"]) == ("mixed", 1.0, False)
    assert store.comments(columns=["sentiment_score"]).column(0).to_pylist()[1] == 1.0
    assert store.decide("correct_sentiment", author="b", comment_id=COMMENT, after={"sentiment": "mixed"}) is None


def test_filters_go_by_what_was_decided(store: Store) -> None:
    def ids(**how: Any) -> list[str]:
        return list(store.comments(columns=["comment_id"], **how).column(0).to_pylist())

    negative, employee = ids(sentiment="negative"), ids(root_cause="employee")
    assert COMMENT in negative
    assert COMMENT in employee
    store.decide("correct_sentiment", author="a", comment_id=COMMENT, after={"sentiment": "positive"})
    store.decide("correct_driver", author="a", comment_id=COMMENT, after=PRICE | {"sign": "-"})
    assert ids(sentiment="negative") == [comment for comment in negative if comment != COMMENT]
    assert COMMENT in ids(sentiment="positive")
    assert COMMENT in ids(root_cause="both")
    assert ids(root_cause="employee") == [comment for comment in employee if comment != COMMENT]
    assert ids(sentiment="negative", decided=False) == negative


@pytest.mark.parametrize(
    ("act", "before", "after", "message"),
    [
        ("wrong_driver", PRICE, {}, r"has no such driver. It has: employee.attitude- \[0:17\]"),
        ("wrong_driver", None, {}, "has no such driver"),
        (
            "correct_driver",
            RUDE,
            RUDE | {"driver": "weather"},
            "Driver 'weather' is not known. Known: policy, employee",
        ),
        ("correct_driver", RUDE, RUDE | {"sign": "?"}, r"Sign '\?' is not known. Known: -, \+"),
        ("correct_driver", RUDE, RUDE | {"cause": " "}, "The driver's cause is empty"),
        ("correct_evidence", RUDE, {"start": 0, "end": 99}, "Evidence from 0 to 99 does not lie in the comment's 34"),
        ("correct_evidence", RUDE, {"start": 5, "end": 5}, "does not lie"),
        ("correct_evidence", RUDE, {"start": "0", "end": 5}, "does not lie"),
        ("correct_evidence", RUDE, {"start": 6, "end": 7}, "The evidence is blank"),
        ("correct_sentiment", None, {"sentiment": "angry"}, "Sentiment 'angry' is not known. Known: negative, neutral"),
    ],
)
def test_corrections_that_cannot_be(
    sqlite: Store, act: str, before: dict[str, Any] | None, after: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        sqlite.decide(act, author="a", comment_id=COMMENT, before=before, after=after)
    assert TEXT not in str(caught.value)
    with pytest.raises(ConfigError, match="one comment is needed, got 2"):
        sqlite.decide(act, author="a", comment_ids=[COMMENT, "c00000002"], before=before, after=after)
    assert sqlite.history() == []


def test_a_comment_without_drivers_says_so(store: Store) -> None:
    store.decide("wrong_driver", author="a", comment_id=COMMENT, before=RUDE)
    with pytest.raises(ConfigError, match="It has: none"):
        store.decide("wrong_driver", author="a", comment_id=COMMENT, before=RUDE)


def test_corrections_hold_for_the_text_they_were_made_for(store: Store) -> None:
    store.decide("correct_sentiment", author="a", comment_id=COMMENT, after={"sentiment": "positive"})
    store.decide("wrong_driver", author="a", comment_id=COMMENT, before=RUDE)
    add_run(store, "r2", comments=one_known())
    assert (seen(store)["sentiment"], seen(store)["drivers"]) == ("positive", [])
    add_run(store, "r3", comments=one_known(TEXT + " هنوز"))
    assert (seen(store)["sentiment"], len(seen(store)["drivers"])) == ("negative", 1)
    assert store.corrections().num_rows == 0
    store.decide("correct_sentiment", author="a", comment_id=COMMENT, after={"sentiment": "neutral"})
    assert (seen(store)["sentiment"], len(seen(store)["drivers"])) == ("neutral", 1)


def test_corrections_are_listed_for_training(store: Store) -> None:
    store.decide("correct_driver", author="sara", comment_id=COMMENT, before=RUDE, after=RUDE | {"cause": "support"})
    store.decide("correct_sentiment", author="ali", comment_id=COMMENT, after={"sentiment": "mixed"}, at=MORNING)
    store.decide("correct_sentiment", author="ali", comment_id="c00000003", after={"sentiment": "mixed"})
    store.undo(author="ali")
    store.decide("move", author="ali", topic_id=3, comment_ids=["c00000000", COMMENT])
    store.decide("note", author="ali", comment_id=COMMENT, after={"text": "x"})
    rows = store.corrections().to_pylist()
    assert [(row["comment_id"], row["field"], row["author"]) for row in rows] == [
        (COMMENT, "driver", "sara"),
        (COMMENT, "sentiment", "ali"),
        ("c00000000", "topic", "ali"),
        (COMMENT, "topic", "ali"),
    ]
    assert (rows[0]["text"], rows[0]["lang"]) == (TEXT, "fa")
    assert (json.loads(rows[0]["before"]), json.loads(rows[0]["after"])["cause"]) == (RUDE, "support")
    assert (rows[1]["before"], rows[1]["after"], rows[1]["at"]) == ('"negative"', '"mixed"', "2026-11-28T08:00:00Z")
    assert (rows[2]["before"], rows[2]["after"]) == ("0", "3")


def test_a_driver_that_is_gone_is_not_removed_twice_nor_added_twice() -> None:
    steps = [{"before": RUDE, "after": PRICE}, {"before": RUDE, "after": None}, {"before": None, "after": PRICE}]
    assert corrected_drivers([{**RUDE, "score": 0.5}], steps) == [{**PRICE, "score": 1.0}]
    assert corrected_drivers(None, []) == []


@pytest.mark.parametrize(
    ("drivers", "others", "cause"),
    [
        ([RUDE, PRICE], ["product"], "employee"),
        ([PRICE], ["product"], "policy"),
        ([RUDE, PRICE | {"sign": "-"}], [], "both"),
        ([], ["external"], "other"),
        ([], [], "none"),
    ],
)
def test_the_whole_cause(drivers: list[dict[str, Any]], others: list[str], cause: str) -> None:
    from feedback_nlp.rootcause.stage import whole_cause as of_the_stage

    assert whole_cause(drivers, others) == cause == of_the_stage(drivers, others)
