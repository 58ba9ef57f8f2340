import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from made_comments import comment, driver, table

from feedback_nlp import insights
from feedback_nlp.core.columns import EMOTIONS, LANGS, ROOT_CAUSES, STAGES
from feedback_nlp.core.errors import BadDataError, ConfigError

MIXED = table(
    comment(0, "policy.returns-", "policy.returns-", sentiment="negative", lang="ar", intent="churn", stage="return"),
    comment(1, "policy.returns-", "employee.attitude-", sentiment="negative", lang="fa", stage="return", pyramid=2),
    comment(2, "employee.attitude+", sentiment="positive", intent="loyal", stage="use", emotion="joy"),
    comment(3, "employee.attitude+", "policy.authority-", sentiment="mixed", lang="fa", lang_script="latin"),
    comment(4, other_causes=["product"], sentiment="positive", sentiment_abstained=True),
    comment(5, lang="und", sentiment=None, sentiment_score=None, problems=["langid: no words"]),
)


def row_of(frame: pd.DataFrame, **where: object) -> dict[str, object]:
    keep = np.logical_and.reduce([frame[name] == value for name, value in where.items()])
    assert keep.sum() == 1
    return frame[keep].iloc[0].to_dict()


def counts(frame: pd.DataFrame) -> dict[str, int]:
    return dict(zip(frame.iloc[:, 0], frame["comments"], strict=True))


def test_overview_counts_comments_not_mentions() -> None:
    found = counts(insights.overview(MIXED))
    assert found["all"] == 6
    assert found["judged"] == 5
    assert found["complaint"] == 3
    assert (found["policy_only"], found["both"], found["employee_only"]) == (2, 1, 0)
    assert (found["policy_only_praise"], found["both_praise"], found["employee_only_praise"]) == (0, 0, 2)
    assert (found["other_only"], found["no_cause"]) == (1, 1)
    assert (found["churn"], found["loyal"], found["abstained"], found["problems"]) == (1, 1, 1, 1)


def test_overview_shares_sentiment_among_the_judged() -> None:
    negative = row_of(insights.overview(MIXED), measure="negative")
    assert (negative["of"], negative["share"]) == (5, 0.4)
    assert negative["low"] < 0.4 < negative["high"]


def test_split_of_complaints_adds_up() -> None:
    found = counts(insights.overview(MIXED))
    assert found["policy_only"] + found["employee_only"] + found["both"] == found["complaint"]


def test_language_mix_keeps_scripts_apart() -> None:
    frame = insights.language_mix(MIXED)
    assert list(zip(frame["lang"], frame["script"], frame["comments"], strict=True)) == [
        ("ar", "native", 1),
        ("fa", "native", 1),
        ("fa", "latin", 1),
        ("en", "native", 2),
        ("und", "native", 1),
    ]
    assert frame["share"].sum() == pytest.approx(1)


def test_sentiment_by_language_and_by_a_key_of_meta() -> None:
    frame = insights.sentiment_by(MIXED)
    assert row_of(frame, group="und")["judged"] == 0
    assert np.isnan(row_of(frame, group="und")["share"])
    assert row_of(frame, group="en")["abstained"] == 1
    branches = table(
        comment(0, meta={"branch": "B1"}, sentiment="negative"), comment(1, meta={"branch": " "}), comment(2)
    )
    assert list(insights.sentiment_by(branches, "branch")["group"]) == ["B1"]


def test_drivers_table_counts_a_comment_once_and_gives_languages() -> None:
    frame = insights.drivers_table(MIXED)
    assert list(frame["sign"]) == ["-", "-", "-", "+"]
    returns = row_of(frame, cause="returns")
    assert (returns["comments"], returns["ar"], returns["fa"], returns["en"], returns["churn"]) == (2, 1, 1, 0, 1)
    assert returns["share"] == pytest.approx(2 / 6)
    assert sorted(returns["example_ids"]) == ["c000", "c001"]
    assert [MIXED["comment_id"][row].as_py() for row in returns["example_rows"]] == returns["example_ids"]


def test_driver_rows_keep_the_surer_mention() -> None:
    twice = table(comment(0, driver("policy.tools-", score=0.4, start=7, end=9), driver("policy.tools-", score=0.8)))
    frame = insights.driver_rows(twice)
    assert frame[["start", "end"]].to_numpy().tolist() == [[0, 4]]


def test_affected_and_root_cause_split() -> None:
    assert list(insights.affected(MIXED)["comments"]) == [3, 1, 0, 2]
    frame = insights.root_cause_split(MIXED)
    assert list(frame["root_cause"]) == list(ROOT_CAUSES)
    assert frame["comments"].sum() == 6


def test_co_occurrence_compares_with_chance() -> None:
    rows = [comment(at, "policy.tools-", "employee.knowledge-") for at in range(2)]
    rows += [comment(at, "policy.tools-") for at in range(2, 4)] + [comment(at) for at in range(4, 10)]
    found = insights.co_occurrence(table(*rows))
    assert found.to_dict("records") == [
        {"policy": "tools", "employee": "knowledge", "comments": 2, "expected": 0.8, "lift": 2.5}
    ]
    assert insights.co_occurrence(table(*rows), sign="+").empty


def test_attach_actions_leaves_unknown_causes_named_by_their_code() -> None:
    actions = {"returns": {"name": {"fa": "مرجوعی"}, "owner": {"fa": "مالی"}, "action": {"fa": "آسان کنید"}}}
    frame = insights.attach_actions(insights.drivers_table(MIXED), actions, "fa")
    assert row_of(frame, cause="returns")["name"] == "مرجوعی"
    assert row_of(frame, cause="authority")["name"] == "authority"
    assert row_of(frame, cause="authority")["action"] == ""


def test_nps_by_cause_and_overall() -> None:
    answers = [("policy.tools-", 2), ("policy.tools-", 4), ("employee.attitude+", 10), ("policy.pricing-", None)]
    rows = [comment(at, code, meta={"nps": nps}) for at, (code, nps) in enumerate(answers)]
    frame = insights.nps_by_cause(table(*rows))
    assert list(frame["cause"]) == ["tools", "attitude"]
    assert list(frame["gap"]) == pytest.approx([3 - 16 / 3, 10 - 16 / 3])
    figures = insights.nps_by(insights.nps_values(table(*rows)))
    assert figures["score"] == pytest.approx(100 * (1 / 3 - 2 / 3))


@pytest.mark.parametrize(
    "meta", ["", "no json", "[1]", '{"nps": "eleven"}', '{"nps": 11}', '{"nps": -1}', '{"nps": {}}']
)
def test_what_is_no_nps_answer_is_left_out(meta: str) -> None:
    assert np.isnan(insights.nps_values(table(comment(0) | {"meta": meta}))).all()


def test_meta_values_read_numbers_as_text() -> None:
    frame = insights.meta_values(table(comment(0, meta={"branch": 7}), comment(1)), ["branch"])
    assert frame["branch"][0] == "7"
    assert pd.isna(frame["branch"][1])


def test_readings_list_every_value() -> None:
    frame = insights.readings(MIXED, "emotion")
    assert list(frame["value"]) == list(EMOTIONS)
    assert counts(frame)["joy"] == 1
    with pytest.raises(ConfigError, match="'mood' is no reading"):
        insights.readings(MIXED, "mood")


def test_journey_and_heat_follow_the_declared_order() -> None:
    frame = insights.journey(MIXED)
    assert list(frame["stage"]) == list(STAGES)
    back = row_of(frame, stage="return")
    assert (back["comments"], back["negative"], back["policy_complaint"], back["churn"]) == (2, 2, 2, 1)
    heat = insights.stage_by_pyramid(MIXED)
    assert len(heat) == len(STAGES) * 6
    assert row_of(heat, stage="return", pyramid=2)["negative"] == 1


def test_topic_table_puts_comments_without_a_topic_last() -> None:
    rows = [comment(at, topic_id=-1) for at in range(5)] + [
        comment(5, topic_id=3, sentiment="negative", topic_score=0.9)
    ]
    frame = insights.topic_table(table(*rows))
    assert list(frame["topic_id"]) == [3, -1]
    assert frame["example_ids"].tolist() == [["c005"], []]
    assert frame["negative_share"][0] == 1


FUNCTIONS = [
    insights.overview,
    insights.language_mix,
    insights.sentiment_by,
    insights.affected,
    insights.root_cause_split,
    insights.drivers_table,
    insights.co_occurrence,
    insights.nps_by_cause,
    insights.journey,
    insights.stage_by_pyramid,
    insights.topic_table,
    lambda comments: insights.breakdown(comments, "branch"),
    lambda comments: insights.breakdown(comments, "source"),
    lambda comments: insights.readings(comments, "intent"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_comments_give_the_same_columns(function: object) -> None:
    full, empty = function(MIXED), function(MIXED.slice(0, 0))  # type: ignore[operator]
    assert list(full.columns) == list(empty.columns)
    assert empty.get("comments", pd.Series(dtype=int)).sum() == 0


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_dataframe_gives_what_its_arrow_table_gives(function: object) -> None:
    chunked = pa.concat_tables([MIXED.slice(0, 2), MIXED.slice(2)])
    expected = function(MIXED)  # type: ignore[operator]
    pd.testing.assert_frame_equal(function(MIXED.to_pandas()), expected)  # type: ignore[operator]
    pd.testing.assert_frame_equal(function(chunked), expected)  # type: ignore[operator]


def test_a_table_of_something_else_is_refused() -> None:
    with pytest.raises(BadDataError, match="no column 'drivers'"):
        insights.drivers_table(pa.table({"text": ["a"]}))
    with pytest.raises(BadDataError, match="no table of comments"):
        insights.overview(pd.DataFrame({"comment_id": ["a"], "topic_id": ["one"]}))


def test_every_language_has_a_column() -> None:
    assert set(LANGS) <= set(insights.drivers_table(MIXED).columns)
    assert json.loads(insights.language_mix(MIXED).to_json(orient="records"))
