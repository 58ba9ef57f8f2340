"""``feedback-nlp review users`` on a store of its own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from feedback_nlp.cli.app import app

RUNNER = CliRunner()


def _run(folder: Path, *words: str, sent: str = "") -> tuple[int, str]:
    result = RUNNER.invoke(app, ["review", "users", *words, "--out", str(folder)], input=sent)
    return result.exit_code, result.output


def test_users_are_added_listed_changed_and_disabled(tmp_path: Path) -> None:
    assert _run(tmp_path, "add", "amal", "--role", "admin", "--password-stdin", sent="a long password\n")[0] == 0
    assert _run(tmp_path, "add", "sara", "--no-password")[0] == 0
    code, text = _run(tmp_path, "list", "--json")
    assert code == 0
    assert [(row["name"], row["role"], row["disabled"]) for row in json.loads(text)] == [
        ("amal", "admin", False),
        ("sara", "analyst", False),
    ]
    assert _run(tmp_path, "role", "sara", "viewer")[0] == 0
    assert _run(tmp_path, "disable", "sara")[0] == 0
    assert "sara\tviewer\tdisabled" in _run(tmp_path, "list")[1]
    assert _run(tmp_path, "enable", "sara")[0] == 0
    assert _run(tmp_path, "password", "sara", "--password-stdin", sent="another long one\n")[0] == 0


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("add", "amal", "--password-stdin"), "short\n"),
        (("add", "amal", "--no-password", "--role", "king"), ""),
        (("add", " amal", "--no-password"), ""),
        (("disable", "nobody"), ""),
    ],
)
def test_what_cannot_be_is_told_in_a_line(tmp_path: Path, words: tuple[str, ...], sent: str) -> None:
    code, text = _run(tmp_path, *words, sent=sent)
    assert code == 2
    assert "Traceback" not in text


def test_the_page_does_not_start_without_users(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["review", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "users add" in result.output
