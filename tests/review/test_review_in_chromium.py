"""The pages in a real browser: each act, two browsers, right to left, keyboard alone, the map, nothing from outside."""

import base64
import time
from pathlib import Path
from typing import Any

import pytest
from review_browser import CHROMIUM, Enter, serving
from review_samples import add_run

from feedback_nlp.config import ReviewSettings
from feedback_nlp.review.app import create_app
from feedback_nlp.store import Store

pytestmark = pytest.mark.slow

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGES = ("/", "/topics/3", "/comments", "/comments/e4", "/map", "/queue", "/compare", "/history", "/account", "/admin")

if not CHROMIUM.exists():
    pytest.skip("needs Debian's Chromium", allow_module_level=True)


COLOURED = """async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const probe = new OffscreenCanvas(image.width, image.height), context = probe.getContext('2d');
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, image.width, image.height).data;
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) {
        coloured += Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 40;
    }
    return coloured / (data.length / 4);
}"""
"""Share of the pixels of an image that are neither white, black nor grey."""


def _done(page: Any) -> None:
    page.wait_for_selector("#messages .good")


def test_rename_undo_and_redo(enter: Enter) -> None:
    page = enter()
    page.click("text=books")
    page.fill("#rename [name=label_en]", "paper books")
    page.click("#rename button")
    page.wait_for_selector("#head h1:has-text('paper books')")
    page.wait_for_selector("#log >> text=renamed")
    page.click("#messages .good button")
    page.wait_for_selector("#head h1 bdi:text-is('books')")
    page.click("#redo")
    page.wait_for_selector("#head h1:has-text('paper books')")
    # The form comes again by itself, a moment after the head.
    page.wait_for_selector("#rename [name=label_en][value='paper books']")


def test_merge_split_move_lock_hide_note_and_follow_up(enter: Enter, store: Store) -> None:
    page = enter()
    page.goto("/topics/3")
    page.click("#lock button")
    page.wait_for_selector("#head .flag:has-text('locked')")
    page.wait_for_selector("#unlock")
    page.click("#unlock button")
    page.wait_for_selector("#lock")
    page.click("#hide button")
    page.wait_for_selector("#head .flag:has-text('hidden')")
    page.click("#show button")
    page.wait_for_selector("#hide")
    page.click("summary:has-text('Add note')")
    page.fill("#note textarea", "speak to the desk")
    page.click("#note button")
    page.wait_for_selector("#log >> text=speak to the desk")
    page.click("summary:has-text('Follow up')")
    page.fill("#assign [name=to]", "Nadia")
    page.fill("#assign [name=due]", "2026-12-24")
    page.click("#assign button")
    page.wait_for_selector("#head >> text=Nadia")
    page.click("summary:has-text('Split off')")
    page.fill("#split [name=search]", "minutes at the desk")
    page.fill("#split [name=label_en]", "waiting")
    page.click("#split button")
    page.click("#messages a:has-text('Open the new topic')")
    page.wait_for_selector("#head h1:has-text('waiting')")
    page.click(".pick >> nth=0")
    page.click(".pick >> nth=1")
    page.select_option("#move [name=topic_id]", "1")
    page.click("#move button")
    _done(page)
    page.goto("/topics/2")
    page.click("summary:has-text('Merge')")
    page.select_option("#merge [name=into]", "1")
    page.click("#merge button")
    _done(page)
    assert store.topic_counts()[1] == 2 + 2 + 4
    acts = [each.act for each in store.history()]
    assert acts == ["lock", "unlock", "hide", "show", "note", "assign", "split", "move", "merge"]


def test_correct_sentiment_cause_and_evidence(enter: Enter, store: Store) -> None:
    page = enter()
    page.goto("/comments/e4")

    def edit() -> None:
        page.click(".edit")
        page.wait_for_selector(".corrections")

    edit()
    page.select_option(".sentiment select", "mixed")
    page.click(".sentiment button")
    page.wait_for_selector(".tone:has-text('mixed')")
    edit()
    page.click(".driver:has-text('policy') button:has-text('Wrong'), .driver:has(.policy) button:has-text('Wrong')")
    page.wait_for_selector("mark.policy", state="detached")
    edit()
    page.evaluate(
        """() => {
        const words = document.querySelector('mark.employee span').firstChild, range = document.createRange();
        range.setStart(words, 0); range.setEnd(words, 5);
        getSelection().removeAllRanges(); getSelection().addRange(range);
        }"""
    )
    page.click(".driver .marked button:enabled")
    page.wait_for_selector("mark.employee span:text-is('agent')")
    acts = [each.act for each in store.history()]
    assert acts == ["correct_sentiment", "wrong_driver", "correct_evidence"]


def test_two_browsers_see_each_other_and_never_override(enter: Enter) -> None:
    mine, other = enter("analyst"), enter("admin")
    mine.goto("/topics/1")
    other.goto("/topics/1")
    mine.fill("#rename [name=label_en]", "tomes")
    other.fill("#rename [name=label_en]", "volumes")
    other.click("#rename button")
    begun = time.monotonic()
    mine.wait_for_selector("#head h1:has-text('volumes')", timeout=4000)
    assert time.monotonic() - begun < 2.5
    assert mine.input_value("#rename [name=label_en]") == "tomes"
    mine.click("#rename button")
    mine.wait_for_selector("#conflict")
    told = mine.inner_text("#conflict")
    assert "admin" in told
    assert "volumes" in told
    mine.click("#conflict .reload")
    mine.wait_for_selector("#rename")
    assert mine.input_value("#rename [name=label_en]") == "volumes"


@pytest.mark.parametrize("lang", ["ar", "fa"])
def test_right_to_left_pages_are_mirrored(enter: Enter, lang: str) -> None:
    page = enter("viewer", lang)
    assert page.get_attribute("html", "dir") == "rtl"
    heads = page.locator("table.topics thead th")
    assert heads.nth(0).bounding_box()["x"] > heads.nth(1).bounding_box()["x"]
    assert page.locator(".brand").bounding_box()["x"] > page.locator(".tools").bounding_box()["x"]
    page.goto("/comments?q=kind")
    card = page.locator(".card .text").first
    assert card.evaluate("element => getComputedStyle(element).direction") == "ltr"
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0


def test_search_as_you_type_keeps_the_address(enter: Enter) -> None:
    page = enter("viewer")
    page.fill("input[type=search]", "كتاب")
    page.wait_for_selector("table.topics:not(:has(tbody tr + tr))")
    assert "q=" in page.url
    page.reload()
    assert page.locator("table.topics tbody tr").count() == 1


def test_a_long_list_loads_while_scrolling(enter: Enter) -> None:
    page = enter("viewer")
    page.goto("/topics/3")
    for _ in range(40):
        page.mouse.wheel(0, 3000)
        if page.locator("#list .card").count() == 52:
            break
        page.wait_for_timeout(100)
    assert page.locator("#list .card").count() == 52


def test_ten_comments_checked_by_keyboard_alone(enter: Enter, store: Store) -> None:
    page = enter()
    page.goto("/queue")
    page.wait_for_selector("#queue .card")
    for _ in range(10):
        waiting = page.get_attribute(".waiting.now", "data-comment")
        page.keyboard.press("Enter")
        page.wait_for_selector(f".waiting.now:not([data-comment='{waiting}'])")
    deadline = time.monotonic() + 10
    while len(store.history()) < 10 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(store.history()) >= 10


def test_a_hundred_thousand_points_are_drawn_and_caught(enter: Enter, store: Store, tmp_path: Path) -> None:
    said = [
        {"id": f"m{at:06d}", "text": f"comment {at % 977}", "lang": "en", "sentiment": "negative", "topic": 1 + at % 3}
        for at in range(100_000)
    ]
    add_run(store, "many", said, 2)
    app = create_app(store, ReviewSettings(), tmp_path)
    app.state.site.hub.refresh()
    for base in serving(app):
        page = enter("analyst", at=base)
        page.goto("/map")
        page.wait_for_selector("#map[data-ready='100000']", timeout=30_000)
        coloured, until = 0.0, time.monotonic() + 20
        while coloured < 0.05 and time.monotonic() < until:
            shot = base64.b64encode(page.locator("#map").screenshot()).decode()
            coloured = page.evaluate(COLOURED, f"data:image/png;base64,{shot}")
        assert coloured > 0.05
        names = page.locator(".map-names a").evaluate_all("all => all.filter(each => !each.hidden).length")
        assert names == 3
        box = page.locator(".map-names a").first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.click("#lasso")
        page.mouse.move(x - 12, y - 12)
        page.mouse.down()
        for right, down in ((12, -12), (12, 12), (-12, 12), (-12, -10)):
            page.mouse.move(x + right, y + down, steps=4)
        page.mouse.up()
        page.wait_for_selector("#caught .card", timeout=15_000)
        assert "caught" in page.inner_text("#caught h2")
        assert page.locator("#move-caught").count() == 1


@pytest.mark.parametrize("lang", ["en", "ar", "fa"])
def test_no_serious_fault_for_readers_with_disabilities(enter: Enter, lang: str) -> None:
    page = enter("admin", lang)
    found = []
    for path in PAGES:
        page.goto(path)
        page.wait_for_timeout(300)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for fault in result["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append(
                    (path, fault["id"], fault["nodes"][0]["html"][:160], fault["nodes"][0]["failureSummary"][:300])
                )
    assert found == []
