"""The page in a real browser: an empty console, and nothing refused by the page's own policy."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample import large_input

from feedback_nlp.report import write_report

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--enable-logging=stderr",
    "--window-size=1280,3000",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _needs_chromium() -> None:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must bring Chromium: apt-get install chromium")
        pytest.skip("chromium is not installed: apt-get install chromium")


def open_page(path: Path, profile: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *extra, path.as_uri()],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("lang", ["en", "ar", "fa"])
def test_the_page_opens_without_a_complaint(tmp_path: Path, lang: str) -> None:
    page = write_report(large_input(), tmp_path / "report.html", lang=lang)
    shot = tmp_path / "page.png"
    result = open_page(page, tmp_path / "profile", f"--screenshot={shot}")
    complaints = re.findall(r"CONSOLE.*|Refused to.*|ERR_[A-Z_]+", result.stderr)
    assert not complaints
    assert shot.stat().st_size > 50_000
