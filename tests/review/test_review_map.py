"""The map: its points as the browser unpacks them, what a lasso catches, and a layout where none was drawn."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi.testclient import TestClient
from review_samples import said

from feedback_nlp.review.mapping import MAP


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read points as the browser does."""
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    n, at, found = header["points"], 4 + length, {}
    parts = (("xy", "<u2", 2), ("row", "<u4", 1), ("topic", "<i4", 1), ("day", "<i4", 1))
    for name, kind, width in (*parts, ("sentiment", "i1", 1), ("lang", "i1", 1), ("root", "i1", 1)):
        found[name] = np.frombuffer(content, kind, n * width, at)
        at += found[name].nbytes
    assert at == len(content)
    return header, found


def _points(client: TestClient, **params: str) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = client.get("/map/points", params=params)
    assert answer.headers["content-type"] == "application/octet-stream"
    return unpack(answer.content)


def test_every_comment_is_a_point_with_its_readings(viewer: TestClient) -> None:
    header, points = _points(viewer)
    assert (header["run"], header["points"], header["drawn"]) == ("night2", 60, False)
    assert points["row"].tolist() == list(range(60))
    langs = [header["langs"][code] for code in points["lang"]]
    assert langs == [each["lang"] for each in said()]
    roots = {header["roots"][code] for code in points["root"]}
    assert roots == {"policy", "employee", "both", "none"}
    assert points["xy"].max() <= 65_535


def test_names_come_in_the_language_of_the_page_and_hidden_topics_have_none(analyst: TestClient) -> None:
    header, _ = _points(analyst, ui="ar")
    assert {each["id"]: each["name"] for each in header["topics"]} == {1: "كتب", 2: "تأخير", 3: "الموظفون"}
    analyst.post("/acts/hide", data={"topic_id": "1"})
    header, _ = _points(analyst)
    assert [each["id"] for each in header["topics"]] == [3, 2]


def test_a_filter_leaves_points_out(viewer: TestClient) -> None:
    _, points = _points(viewer, lang="fa")
    assert points["row"].tolist() == [2, 3]


def test_a_stored_map_is_used_and_comments_without_a_place_are_left_out(viewer: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "night2"
    folder.mkdir()
    table = pa.table({"comment_id": ["e4", "a1", "gone"], "x": [2.0, 4.0, 9.0], "y": [1.0, 1.5, 9.0]})
    pq.write_table(table, folder / MAP)
    header, points = _points(viewer)
    assert (header["points"], header["drawn"]) == (2, True)
    assert points["row"].tolist() == [0, 7]
    assert points["xy"].tolist() == [65_535, 65_535, 0, 0]
    assert "has no map of its own" not in viewer.get("/map").text


def test_the_page_says_when_there_is_no_map_and_leads_to_the_table(viewer: TestClient) -> None:
    text = viewer.get("/map?lang=fa").text
    assert "has no map of its own" in text
    assert 'href="/?lang=fa"' in text


def test_the_comment_under_the_pointer_is_covered_like_everywhere(viewer: TestClient) -> None:
    text = viewer.get("/map/peek", params={"run": "night2", "row": 6}).text
    assert "‹<bdi>phone</bdi>›" in text
    assert "345" not in text
    assert viewer.get("/map/peek", params={"run": "night2", "row": 60}).status_code == 404
    assert viewer.get("/map/peek", params={"run": "night1", "row": 1}).status_code == 409


def test_a_lasso_becomes_a_list_with_acts(analyst: TestClient, viewer: TestClient) -> None:
    sent = {"run": "night2", "rows": "7,8,0,8"}
    text = analyst.post("/map/list", data=sent).text
    assert text.count('class="card"') == 3
    assert "a1\ne4\ne5</textarea>" in text
    assert "e4\ne5</textarea>" in text
    assert "<textarea" not in viewer.post("/map/list", data=sent).text


def test_strange_lassos_are_refused(analyst: TestClient) -> None:
    for rows in ("1;2", "-1", "60", "99999999", "x" * 10, ""):
        assert analyst.post("/map/list", data={"run": "night2", "rows": rows}).status_code == 422, rows
    assert analyst.post("/map/list", data={"run": "night1", "rows": "1"}).status_code == 409
