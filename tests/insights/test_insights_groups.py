import numpy as np
import pytest
from made_comments import comment, table

from feedback_nlp import insights


def branch(name: str, complaints: int, of: int, start: int) -> list[dict[str, object]]:
    return [
        comment(start + at, *(["employee.attitude-"] if at < complaints else []), meta={"branch": name})
        for at in range(of)
    ]


def test_a_large_difference_is_flagged_and_a_small_sample_is_not() -> None:
    rows = branch("bad", 60, 100, 0) + branch("usual", 20, 200, 100) + branch("tiny", 2, 2, 300)
    frame = insights.breakdown(table(*rows), "branch").set_index("group")
    assert list(frame.index) == ["usual", "bad", "tiny"]
    assert frame["employee_complaint_flag"].to_dict() == {"usual": "below", "bad": "above", "tiny": ""}
    assert frame.loc["tiny", "employee_complaint_share"] == 1
    assert frame["employee_complaint_overall"].nunique() == 1


def test_equal_groups_are_hardly_ever_flagged() -> None:
    flagged = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rows = [
            comment(
                at,
                *(["policy.tools-"] if rng.random() < 0.3 else []),
                meta={"branch": f"B{int(rng.integers(40))}"},
            )
            for at in range(800)
        ]
        flagged += int((insights.breakdown(table(*rows), "branch")["policy_complaint_flag"] != "").any())
    assert flagged <= 2


def test_comments_without_a_value_are_left_out_of_the_overall_rate() -> None:
    rows = [
        *branch("a", 1, 2, 0),
        comment(5, "employee.attitude-"),
        comment(6, "employee.attitude-", meta={"branch": None}),
    ]
    frame = insights.breakdown(table(*rows), "branch")
    assert list(frame["group"]) == ["a"]
    assert frame["employee_complaint_overall"][0] == 0.5


def test_breakdown_gives_the_mean_answer() -> None:
    rows = [comment(at, meta={"branch": "a", "nps": nps}) for at, nps in enumerate([2, 4, None])]
    frame = insights.breakdown(table(*rows, comment(9, meta={"branch": "b"})), "branch").set_index("group")
    assert (frame.loc["a", "nps_n"], frame.loc["a", "nps_mean"]) == (2, 3)
    assert np.isnan(frame.loc["b", "nps_mean"])


def test_breakdown_by_a_column_of_the_table() -> None:
    frame = insights.breakdown(
        table(comment(0, source="x.csv"), comment(1, source="y.csv"), comment(2, source="y.csv")), "source"
    )
    assert list(frame["group"]) == ["y.csv", "x.csv"]


def test_the_gap_between_the_ends_stands_beside_what_chance_gives() -> None:
    rng = np.random.default_rng(17)
    rows = []
    for at in range(40):
        rows += branch(f"E{at:02d}", int(rng.binomial(25, 0.3)), 25, at * 25)
    same = insights.tail_gap(insights.breakdown(table(*rows), "branch"), "employee_complaint").iloc[0]
    assert same["gap"] == pytest.approx(same["chance"], abs=0.15)
    rows = []
    for at in range(40):
        rows += branch(f"E{at:02d}", 24 if at < 4 else 1, 25, at * 25)
    apart = insights.tail_gap(insights.breakdown(table(*rows), "branch"), "employee_complaint").iloc[0]
    assert apart["gap"] > 0.8 > 2 * apart["chance"]


def test_few_groups_have_no_tail() -> None:
    frame = insights.breakdown(table(*branch("a", 3, 30, 0), *branch("b", 3, 30, 30)), "branch")
    assert insights.tail_gap(frame).empty
