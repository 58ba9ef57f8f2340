"""The page of quality, written by the command itself, section by section."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from feedback_nlp.cli.app import app
from feedback_nlp.core.errors import BadDataError, ConfigError
from feedback_nlp.train import evaluate, quality
from feedback_nlp.train.figures import Figure
from feedback_nlp.train.quality import default_page, write_quality


def figure(suite: str, value: float) -> Figure:
    return Figure(suite, "set", "fa", "accuracy", value, value - 0.1, value + 0.1, 50, "published .9")


def test_a_new_page_has_a_section_for_each_suite(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "quality.md"
    write_quality(page, [figure("sentiment", 0.8), figure("embedding", 0.7)])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Quality")
    assert text.index("## sentiment") < text.index("| set | fa | accuracy | 0.800 | 0.700-0.900 | 50 | published .9 |")
    assert text.index("## embedding") > text.index("## sentiment")


def test_a_section_is_replaced_in_place_and_others_stay(tmp_path: Path) -> None:
    page = tmp_path / "quality.md"
    write_quality(page, [figure("sentiment", 0.8), figure("embedding", 0.7)])
    before = page.read_text(encoding="utf-8").replace("# Quality", "# Quality, with a word of my own")
    page.write_text(before, encoding="utf-8")
    write_quality(page, [figure("sentiment", 0.6)], {"sentiment": "A note."})
    after = page.read_text(encoding="utf-8")
    assert after == before.replace("0.800 | 0.700-0.900", "0.600 | 0.500-0.700").replace(
        "## sentiment\n\n", "## sentiment\n\nA note.\n\n"
    )
    write_quality(page, [figure("sentiment", 0.6)], {"sentiment": "A note."})
    assert page.read_text(encoding="utf-8") == after


def test_a_broken_page_is_refused_and_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "quality.md"
    page.write_text("<!-- suite sentiment -->\nhalf", encoding="utf-8")
    with pytest.raises(BadDataError, match="never ends"):
        write_quality(page, [figure("sentiment", 0.8)])
    assert page.read_text(encoding="utf-8") == "<!-- suite sentiment -->\nhalf"


def test_the_page_of_a_checkout_is_its_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "shipped_root", lambda name: tmp_path / name)
    assert default_page() is None
    (tmp_path / "docs").mkdir()
    assert default_page() == tmp_path / "docs" / "quality.md"


class Suite:
    """A suite that tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def evaluate(self, data: Path, **options: object) -> list[Figure]:
        self.asked.append(options)
        return [figure("sentiment", 0.8)]


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> Suite:
    found = Suite()
    monkeypatch.setattr(evaluate, "import_module", lambda name: found)
    return found


def run(*args: object) -> str:
    done = CliRunner().invoke(app, ["evaluate", "--data", "x", "--suite", "sentiment", *map(str, args)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.usefixtures("suite")
def test_the_command_prints_and_writes(tmp_path: Path) -> None:
    page = tmp_path / "quality.md"
    assert "0.700-0.900" in run("--page", page)
    assert "0.800" in page.read_text(encoding="utf-8")
    (row,) = json.loads(run("--page", tmp_path / "b.md", "--format", "json"))
    assert row["value"] == 0.8


@pytest.mark.usefixtures("suite")
def test_it_writes_nothing_when_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "shipped_root", lambda name: tmp_path)
    assert "| set | fa |" in run("--no-write", "--format", "markdown")
    assert not list(tmp_path.iterdir())


def test_quick_leaves_refits_out(suite: Suite) -> None:
    run("--no-write", "--quick")
    run("--no-write")
    assert suite.asked == [{"refit": False}, {}]


def test_an_unknown_suite_is_named() -> None:
    with pytest.raises(ConfigError, match=r"No suite 'mood'\. There are: language"):
        evaluate.measure(Path(), ["mood"])
