"""What ``train`` refuses before it reads any data."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from feedback_nlp.cli.app import app


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "--data"),
        (["--blend-only"], "--reader"),
    ],
)
def test_root_causes_say_what_they_need(given: list[str], told: str, tmp_path: Path) -> None:
    args = ["train", "rootcause", "--out", str(tmp_path / "model"), *given]
    result = CliRunner().invoke(app, [*args, "--data", str(tmp_path)] if given else args)
    assert result.exit_code == 2
    assert told in result.output
    assert not (tmp_path / "model").exists()


def test_an_unknown_kind_of_encoder_is_named(tmp_path: Path) -> None:
    args = ["--data", str(tmp_path), "--out", str(tmp_path / "model"), "--kind", "third"]
    result = CliRunner().invoke(app, ["train", "encoder", *args])
    assert result.exit_code == 2
    assert "reading" in result.output


def test_figures_are_measured_of_a_model_that_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "figures", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "--sentiment" in result.output
