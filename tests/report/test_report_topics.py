"""Topics in the report: at any level, with what they fall into and how they came about."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sample

from feedback_nlp.config import Config
from feedback_nlp.report import ReportInput, render_report
from feedback_nlp.report.content import Content, gather
from feedback_nlp.report.interface import open_interfaces
from feedback_nlp.report.levels import LEVELS, at_level
from feedback_nlp.report.view import View

PART = [("subtopic_id", pa.int32()), ("share", pa.float32())] + [
    (f"label_{x}", pa.string()) for x in ("ar", "fa", "en")
]
EVENT = [("change", pa.string()), ("topic_id", pa.int32()), ("day", pa.string())]


def _names(word: str) -> dict[str, str]:
    return {f"label_{lang}": f"{word} {lang}" for lang in ("ar", "fa", "en")}


def _given(level: str = "topic", hidden: int = -5) -> ReportInput:
    """Return comments of nine topics: 0 to 2 make theme 0, 3 to 8 none; topic 1 has two sub-topics, 4 is new."""
    comments = sample.sample_comments(200)
    ids = comments.column("topic_id").to_pylist()
    parts = [100 + at % 2 if topic == 1 else None for at, topic in enumerate(ids)]
    also = [[1] if topic == 0 else [] for topic in ids]
    for name, values in (("subtopic_id", parts), ("topics_also", also)):
        at = comments.column_names.index(name)
        comments = comments.set_column(at, comments.schema.field(at), pa.array(values, comments.schema.field(at).type))
    rows = sample.sample_topics(comments).to_pylist()
    for row in rows:
        topic = row["topic_id"]
        row |= {"parent_id": 0 if topic < 3 else None, "hidden": topic == hidden, "subtopics": [], "lineage": []}
        row |= {f"parent_{key}": value if topic < 3 else None for key, value in _names("theme").items()}
        row |= {"first_seen": "2026-11-20", "growth": 4.25}
    rows[1]["subtopics"] = [{"subtopic_id": 100 + at, "share": 0.5, **_names(f"part{at}")} for at in range(2)]
    rows[4]["lineage"] = [{"change": "split_from", "topic_id": 5, "day": "2026-11-27"}]
    rows[5]["lineage"] = [{"change": "merged_from", "topic_id": 77, "day": None}]
    schema = pa.Table.from_pylist(rows).schema
    for name, kind in (("subtopics", PART), ("lineage", EVENT)):
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.list_(pa.struct(kind))))
    return ReportInput(comments, {}, pa.Table.from_pylist(rows, schema=schema), topic_level=level)


def _rows(content: Content) -> dict[int, dict[str, Any]]:
    return {row["topic_id"]: row for row in content.topics}


def test_topics_are_what_a_report_lists_by_default() -> None:
    assert Config().report.topic_level == "topic"
    content = gather(_given())
    assert sorted(_rows(content)) == list(range(9))


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_holds_every_comment_with_a_topic(level: str) -> None:
    content = gather(_given(level))
    ids = np.array(_given().comments.column("topic_id").to_pylist())
    assert sum(row["comments"] for row in content.topics) == (ids >= 0).sum()
    assert content.without_topic == (ids < 0).sum()


def test_a_theme_gathers_its_topics_and_others_stand_alone() -> None:
    given = _given("theme")
    content = gather(given)
    ids = np.array(given.comments.column("topic_id").to_pylist())
    rows = _rows(content)
    assert len(rows) == 1 + 6
    assert rows[0]["comments"] == np.isin(ids, [0, 1, 2]).sum()
    assert rows[0]["about"]["label_fa"] == "theme fa"
    shares = [part["share"] for part in rows[0]["about"]["parts"]]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(1)
    alone = next(row for row in rows.values() if row["about"]["label_en"] == "Product quality")
    assert alone["comments"] == (ids == 8).sum()
    assert alone["about"]["parts"] == ()


def test_sub_topics_stand_beside_topics_that_have_none() -> None:
    given = _given("subtopic")
    rows = _rows(gather(given))
    named = {row["about"]["label_en"]: row for row in rows.values()}
    assert len(rows) == 8 + 2
    assert named["part0 en"]["comments"] == given.comments.column("subtopic_id").to_pylist().count(100)
    assert named["part0 en"]["about"]["above"]["label_en"] == "Delivery time"
    assert named["Product quality"]["about"]["above"] == {}


def test_hidden_topics_are_nowhere() -> None:
    for level in LEVELS:
        given = _given(level, hidden=1)
        groups, _ = at_level(given.comments, given.topics, level)
        ids = np.array(given.comments.column("topic_id").to_pylist())
        assert (groups[ids == 1] == -1).all()
        assert (groups[(ids != 1) & (ids >= 0)] >= 0).all()


def test_a_table_without_levels_shows_topics() -> None:
    comments = sample.sample_comments(60)
    bare = sample.sample_topics(comments)
    for level in LEVELS:
        content = gather(ReportInput(comments, {}, bare, topic_level=level))
        assert {row["about"]["label_en"] for row in content.topics} <= {topic[3] for topic in sample.TOPICS}
    assert gather(ReportInput(comments.drop_columns(["subtopic_id", "topics_also"]), {}, None)).topics


@pytest.mark.parametrize("ui", open_interfaces(), ids=lambda ui: ui.lang)
def test_a_reader_sees_where_a_topic_stands_and_how_it_came_about(ui: Any) -> None:
    content = gather(_given())
    view, rows = View(content, ui), _rows(content)
    assert f"theme {ui.lang}" in view.topic_above(rows[1])
    assert [label for label, _ in view.topic_parts(rows[1])] == [f"<bdi>part{at} {ui.lang}</bdi>" for at in range(2)]
    assert view.topic_above(rows[8]) == ""
    since, growth, left = view.topic_evidence(rows[4])
    assert "2026-11-20" in since
    assert ui.digitised("4.2") in growth
    assert "2026-11-27" in left
    assert view.topic_label(rows[5]) in left
    assert "77" in view.topic_evidence(rows[5])[0] or ui.digitised("77") in view.topic_evidence(rows[5])[0]
    assert view.topic_evidence(rows[8]) == []
    also = _given().comments.column("topic_id").to_pylist().count(0)
    assert ui.number(also) in view.topic_evidence(rows[1])[0]


def test_the_page_shows_them_in_all_languages() -> None:
    for level in LEVELS:
        html = render_report(replace(_given(level)))
        for lang in ("ar", "fa", "en"):
            assert f"theme {lang}" in html or level == "subtopic"
            assert f"part0 {lang}" in html or level == "theme"
