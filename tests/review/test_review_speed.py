"""How quickly a reader gets on, in a real browser over 100,000 comments: first act, others' acts, map, queue."""

import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from review_browser import CHROMIUM, Enter, serving
from review_samples import HASHED, ROLES, START, table, topics

from feedback_nlp.config import ReviewSettings
from feedback_nlp.review.app import create_app
from feedback_nlp.store import open_store

pytestmark = pytest.mark.slow

if not CHROMIUM.exists():
    pytest.skip("needs Debian's Chromium", allow_module_level=True)

COMMENTS, POINTS, TOPICS = 100_000, 200_000, 120
INTERACTIVE, HEARD, DRAWN = 2.0, 2.0, 5.0
WORDS = ("late", "driver", "refund", "queue", "price", "app", "login", "rude", "polite", "order", "cold", "box")
TONES = ("negative", "neutral", "positive", "mixed")
DRIVER = {"driver": "policy", "cause": "operations", "sign": "-", "score": 0.55, "start": 0, "end": 4}


def many(count: int) -> list[dict[str, Any]]:
    """Return plausible comments of many topics, half of them with a cause."""
    return [
        {
            "id": f"m{at:06d}",
            "text": " ".join(WORDS[(at * step + step) % len(WORDS)] for step in range(3, 11)) + f" {at}",
            "lang": ("ar", "fa", "en")[at % 3],
            "sentiment": TONES[at % 4],
            "topic": at * at % TOPICS,
            "drivers": [DRIVER] if at % 2 else [],
        }
        for at in range(count)
    ]


def fill(folder: Path, count: int) -> None:
    """Make a store of one night with many comments."""
    comments = many(count)
    with open_store(f"sqlite:///{folder / 'store.db'}") as store:
        named = {"fingerprint": "many", "input_fingerprint": "many", "config": {}, "models": {}, "inputs": ["n.csv"]}
        store.begin_run("many", code_version="0", started_at=START, **named)
        store.write_chunk("many", 0, table(comments))
        store.write_topics("many", topics(comments, range(TOPICS)))
        store.finish_run("many", {"counts": {}}, START)
        for role in ROLES:
            store.user_book().add(role, role, HASHED, START)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the store once."""
    folder = tmp_path_factory.mktemp("full")
    fill(folder, COMMENTS)
    return folder / "store.db"


@pytest.fixture
def base(full: Path, tmp_path: Path) -> Iterator[str]:
    """Serve a copy of it, read into memory as the server does when it starts."""
    shutil.copyfile(full, tmp_path / "store.db")
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        app = create_app(store, ReviewSettings(), tmp_path)
        app.state.site.hub.refresh()
        yield from serving(app)


def _allowed(seconds: float) -> float:
    """Return the limit on this machine now: other programs that wait for its processors make everything slower."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _tell(what: str, figures: Any) -> None:
    """Tell figures to whoever runs the tests with ``-s``."""
    sys.stdout.write(f"\n{what}: {figures}\n")


def _timed(page: Any, path: str, act: Any) -> float:
    begun = time.monotonic()
    page.goto(path, wait_until="commit")
    act()
    return time.monotonic() - begun


def test_a_page_is_ready_for_the_first_act_within_two_seconds(enter: Enter, base: str) -> None:
    page = enter("analyst", at=base)

    def filter_table() -> None:
        with page.expect_response(lambda answer: "q=refund" in answer.url):
            page.fill("input[type=search]", "refund")

    def lock() -> None:
        page.click("#lock button, #unlock button")
        page.wait_for_selector("#messages .good")

    def colour() -> None:
        page.wait_for_selector(f"#map[data-ready='{COMMENTS}']")
        page.select_option("#colour", "sentiment")
        page.wait_for_selector("#map-legend .key")

    def check() -> None:
        waiting = page.wait_for_selector(".waiting.now").get_attribute("data-comment")
        page.keyboard.press("Enter")
        page.wait_for_selector(f".waiting.now:not([data-comment='{waiting}'])")

    took = {}
    for path, act in (
        ("/", filter_table),
        ("/topics/4", lock),
        ("/comments", filter_table),
        ("/map", colour),
        ("/queue", check),
    ):
        _timed(page, path, act)  # fills the browser's cache
        took[path] = round(statistics.median(_timed(page, path, act) for _ in range(3)), 2)
    _tell("seconds to the first act", took)
    assert max(took.values()) < _allowed(INTERACTIVE), took


def test_others_see_an_act_within_two_seconds(enter: Enter, base: str) -> None:
    mine, other, list_ = enter("analyst", at=base), enter("admin", at=base), enter("viewer", at=base)
    mine.goto("/topics/16")
    other.goto("/topics/16")
    list_.goto("/?q=refund")
    list_.wait_for_timeout(1500)
    took = []
    for name in ("first name", "second name", "third name"):
        mine.fill("#rename [name=label_en]", name)
        begun = time.monotonic()
        mine.click("#rename button")
        other.wait_for_selector(f"#head h1:has-text('{name}')")
        list_.wait_for_selector(f"tr[data-topic='16'] a:has-text('{name}')")
        took.append(round(time.monotonic() - begun, 2))
        mine.wait_for_selector(f"#rename [name=label_en][value='{name}']")
    _tell("seconds until others see it", took)
    assert statistics.median(took) < _allowed(HEARD), took


def test_fifty_comments_by_keyboard_leave_time_to_read(enter: Enter, base: str) -> None:
    page = enter("analyst", at=base)
    page.goto("/queue")
    page.wait_for_selector(".waiting.now")
    # One key a comment; now and then another verdict, a wrong cause, a look back.
    keys = [("Enter",), ("1",), ("3",), ("x",), ("Enter",), ("k", "j", "Enter"), ("4",), ("Enter",), ("2",), ("Enter",)]
    pressed, took = 0, []
    for at in range(50):
        waiting = page.get_attribute(".waiting.now", "data-comment")
        begun = time.monotonic()
        wanted = keys[at % len(keys)]
        usable = [key for key in wanted if _has(page, key)] or ["Enter"]
        for key in usable:
            page.keyboard.press(key)
            pressed += 1
        page.wait_for_selector(f"[data-comment='{waiting}'].waiting.checked")
        took.append(time.monotonic() - begun)
    assert page.locator(".waiting.checked").count() == 50
    assert page.is_visible("#finished")
    told = {"machine_s_a_comment": round(statistics.mean(took), 3), "slowest_s": round(max(took), 3)}
    told["keys_a_comment"] = pressed / 50
    _tell("queue", told)
    # The promise is the whole: 50 comments in 300 s. A machine's single pause is told above, not judged.
    assert sum(took) < _allowed(50.0), told
    assert statistics.median(took) < _allowed(0.5), told
    assert told["keys_a_comment"] < 2


def _has(page: Any, key: str) -> bool:
    form = {"x": "form.wrong", "1": ".tone-negative", "2": ".tone-neutral", "3": ".tone-positive", "4": ".tone-mixed"}
    if key not in form:
        return True
    return page.locator(f".waiting.now {form[key]} button:enabled").count() > 0


def test_two_hundred_thousand_points_are_drawn(enter: Enter, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("points")
    fill(folder, POINTS)
    with open_store(f"sqlite:///{folder / 'store.db'}") as store:
        app = create_app(store, ReviewSettings(), folder)
        app.state.site.hub.refresh()
        for base in serving(app):
            page = enter("viewer", at=base)
            page.set_default_timeout(60_000)
            took = [round(_timed(page, "/map", partial(_drawn, page)), 2) for _ in range(2)]
    _tell("seconds until 200,000 points are drawn", took)
    assert max(took) < _allowed(DRAWN)


def _drawn(page: Any) -> None:
    page.wait_for_selector(f"#map[data-ready='{POINTS}']")
