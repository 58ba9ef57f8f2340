"""Pictures of the map: the same bytes for the same view, names without overlap, words shaped, nothing of a comment."""

import io
import json
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from review_samples import SAID, add_run

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.review import mapping, tones
from feedback_nlp.review.filters import Filter, matching, read_filter
from feedback_nlp.review.hub import Hub
from feedback_nlp.review.picturing import WHOLE, View, _meet, _Picture, picture, read_box
from feedback_nlp.review.words import open_words_in
from feedback_nlp.store import Store

SCRIPT = Path(mapping.__file__).parent / "assets" / "map.js"
LANGS = ("en", "ar", "fa")


def _draw(store: Store, tmp_path: Path, lang: str = "en", colour: str = "topic", **wanted: str) -> _Picture:
    """Draw a picture and return it with everything that stands on it."""
    snapshot, conditions = Hub(store).refresh(), read_filter(wanted)
    drawing = _Picture(open_words_in(lang))
    kept = matching(snapshot, conditions)
    view = View(conditions, colour, WHOLE)
    assert drawing.drawn(snapshot, mapping.open_map(tmp_path, snapshot), kept, view, "png").startswith(b"\x89PNG")
    return drawing


def _said(drawing: _Picture) -> list[str]:
    return [text.get_text() for text in drawing._figure.texts]


def test_the_browser_and_the_picture_use_the_same_colours() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    (block,) = re.findall(r"const TONES = (\{.*?\n\});?\n", source, re.DOTALL)
    told = json.loads(re.sub(r",(\s*})", r"\1", re.sub(r"(\w+):", r'"\1":', block)))
    assert {of: {code: tuple(tone) for code, tone in each.items()} for of, each in told.items()} == tones.TONES
    # As the browser's own function gives them.
    assert [tones.topic_tone(at) for at in (0, 1, 2, 7, 31)] == HUES


HUES = [(182, 53, 53), (53, 182, 90), (128, 53, 182), (58, 53, 182), (182, 53, 176)]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("colour", tones.COLOURS)
def test_names_and_legend_are_in_the_language_and_never_overlap(
    store: Store, tmp_path: Path, lang: str, colour: str
) -> None:
    drawing = _draw(store, tmp_path, lang, colour)
    names = {"en": {"books", "late delivery", "staff"}, "ar": {"كتب", "تأخير", "الموظفون"}}
    assert names.get(lang, {"کتاب", "تأخیر", "کارکنان"}) <= set(_said(drawing))
    boxes = [drawing._width(text) for text in drawing._figure.texts]
    assert not any(_meet(one, other) for one, other in combinations(boxes, 2))
    assert all(min(x0, y0) >= 0 and x1 <= 1800 and y1 <= 1200 for x0, y0, x1, y1 in boxes)


def test_two_hundred_topics_leave_room_for_each_other(store: Store, tmp_path: Path) -> None:
    said = [
        {"id": f"m{at}", "text": "text", "lang": "en", "sentiment": "mixed", "topic": 1 + at % 200} for at in range(900)
    ]
    add_run(store, "many", said, 3)
    snapshot = Hub(store).refresh()
    assert len(snapshot.topics) == 3
    for topic in range(4, 201):
        snapshot.topics[topic] = {**snapshot.topics[1], "topic_id": topic, "label_en": f"a longish name {topic}"}  # type: ignore[index]
    drawing = _Picture(open_words_in("en"))
    drawing.drawn(snapshot, mapping.open_map(tmp_path, snapshot), None, View(Filter(), "lang", WHOLE), "png")
    boxes = [drawing._width(text) for text in drawing._figure.texts]
    assert len(boxes) > 30
    assert not any(_meet(one, other) for one, other in combinations(boxes, 2))


def test_right_to_left_words_are_joined_and_the_legend_starts_at_the_right(store: Store, tmp_path: Path) -> None:
    drawing = _draw(store, tmp_path, "ar", "sentiment")

    def width(text: str) -> float:
        x0, _, x1, _ = drawing._width(drawing._text(100, 100, text, 40, "black"))
        return x1 - x0

    # Unjoined letters, apart by non-joiners, take more room than joined ones.
    assert width("سلام") < 0.9 * width("س\u200cل\u200cا\u200cم")
    corners = [patch.get_x() for patch in drawing._figure.get_children() if type(patch).__name__ == "Rectangle"][1:]
    assert len(corners) == 4
    assert corners == sorted(corners, reverse=True)


def test_nothing_of_a_comment_is_on_a_picture(store: Store, tmp_path: Path) -> None:
    said = " ".join(_said(_draw(store, tmp_path, q="delivery")))
    assert "Search: delivery" in said
    for each in SAID:
        assert each["text"] not in said
        assert each["id"] not in said.split()


def test_personal_data_in_a_name_is_covered(store: Store, tmp_path: Path) -> None:
    store.decide("rename", author="analyst", topic_id=1, after={"en": "ring me on +98 912 345 6789", "ar": "a@b.com"})
    assert "ring me on ‹phone›" in _said(_draw(store, tmp_path))
    assert not any("b.com" in text for text in _said(_draw(store, tmp_path, "ar")))


def test_strange_names_are_drawn_as_words(store: Store, tmp_path: Path) -> None:
    store.decide("rename", author="analyst", topic_id=1, after={"en": r"$\frac{1}{2}$ 😀 <b>漢"})
    assert r"$\frac{1}{2}$  <b>" in _said(_draw(store, tmp_path))
    store.decide("rename", author="analyst", topic_id=2, after={"en": "x" * 120})
    assert "x" * 39 + "…" in _said(_draw(store, tmp_path))


def test_an_empty_view_is_a_picture_too(store: Store, tmp_path: Path) -> None:
    for colour in tones.COLOURS:
        assert "0 comments" in _said(_draw(store, tmp_path, colour=colour, q="nothingholdsthis"))


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_same_view_has_the_same_bytes(viewer: TestClient, store: Store, tmp_path: Path, form: str) -> None:
    address = f"/export/map.{form}?ui=fa&lang=en&colour=day"
    first = viewer.get(address)
    assert first.status_code == 200
    assert first.headers["content-type"] == {"png": "image/png", "svg": "image/svg+xml"}[form]
    assert f'filename="map.{form}"' in first.headers["content-disposition"]
    others = [viewer.get(f"/export/map.{form}?{more}&colour=day").content for more in ("ui=en&lang=en", "ui=fa")]
    assert first.content not in others
    snapshot, wanted = Hub(store).refresh(), read_filter({"lang": "en"})
    drawn = mapping.open_map(tmp_path, snapshot)
    view = View(wanted, "day", WHOLE)
    again = picture(snapshot, drawn, matching(snapshot, wanted), view, ui=open_words_in("fa"), form=form)
    assert again == first.content


@pytest.mark.slow
def test_another_process_with_other_settings_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 30\ntext.hinting: none\nsavefig.facecolor: red\n")
    program = f"""
import sys
from pathlib import Path
from feedback_nlp.review import mapping
from feedback_nlp.review.filters import Filter
from feedback_nlp.review.hub import Hub
from feedback_nlp.review.picturing import WHOLE, View, picture
from feedback_nlp.review.words import open_words_in
from feedback_nlp.store import open_store
with open_store("sqlite:///{tmp_path}/store.db") as store:
    snapshot = Hub(store).refresh()
    drawn = mapping.open_map(Path("{tmp_path}"), snapshot)
    made = picture(snapshot, drawn, None, View(Filter(), "topic", WHOLE), ui=open_words_in("ar"), form="svg")
sys.stdout.buffer.write(made)
"""
    found = [
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env={**os.environ, **more})
        for more in ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "MPLCONFIGDIR": str(tmp_path)})
    ]
    assert found[0].stdout == found[1].stdout
    assert found[0].stdout.startswith(b"<?xml")


def test_an_svg_holds_its_words_as_shapes_and_nothing_that_runs(viewer: TestClient) -> None:
    text = viewer.get("/export/map.svg").text
    assert "<script" not in text
    assert "<text" not in text
    assert not re.search(r'href="(?!#|data:image/png)', text)


@pytest.mark.parametrize(
    "query", ["colour=price", "box=1", "box=0,0,0,1", "box=0,0,nan,1", "box=0,0,1e9,1", "box=a,b,c,d", "since=x"]
)
def test_what_cannot_be_drawn_is_refused(viewer: TestClient, query: str) -> None:
    assert viewer.get(f"/export/map.png?{query}").status_code == 422
    assert viewer.get(f"/api/map.png?{query}").status_code == 422


def test_programs_get_the_same_picture(viewer: TestClient) -> None:
    here = viewer.get("/export/map.png?ui=ar&colour=lang&box=0.1,0.1,0.9,0.9&lang=fa")
    there = viewer.get("/api/map.png?ui=ar&colour=lang&box=0.1,0.1,0.9,0.9&lang=fa")
    assert (here.status_code, there.content) == (200, here.content)
    assert viewer.get("/export/map.gif").status_code == 422
    assert viewer.get("/api/map.png?strange=1").status_code == 422


def test_a_part_of_the_map_holds_its_points_alone(store: Store, tmp_path: Path) -> None:
    snapshot = Hub(store).refresh()
    drawn = mapping.open_map(tmp_path, snapshot)
    x, y = drawn.places[0]
    drawing = _Picture(open_words_in("en"))
    drawing.drawn(snapshot, drawn, None, View(Filter(), "topic", (x - 0.001, y - 0.001, x + 0.001, y + 0.001)), "png")
    assert "1 comment" in _said(drawing)


@given(st.text(max_size=30))
def test_a_box_is_four_numbers_or_refused(text: str) -> None:
    try:
        left, top, right, bottom = read_box(text)
    except ConfigError:
        return
    assert left < right
    assert top < bottom


def test_days_run_from_the_first_colour_to_the_last(store: Store) -> None:
    snapshot = Hub(store).refresh()
    rows = np.argsort(snapshot.corpus.days, kind="stable").astype(np.int32)
    found = tones.paint(snapshot, rows, "day", {})
    assert tuple(found[0]) == tones.FIRST
    assert tuple(found[-1]) == tones.LAST
    assert io.BytesIO(found.tobytes()).read(3) == bytes(tones.FIRST)


@pytest.mark.parametrize("lang", LANGS)
def test_the_map_page_offers_pictures_and_files_of_its_view(viewer: TestClient, lang: str) -> None:
    text = viewer.get(f"/map?ui={lang}&sentiment=negative").text
    assert f'href="/export/map.png?sentiment=negative&amp;ui={lang}"' in text
    assert 'href="/export/comments.xlsx?sentiment=negative"' in text
    assert '<option value="negative" selected>' in text
