"""The command line as its users meet it: a real process, its output, its exit code."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from feedback_nlp.cli.app import app

COMMANDS = (
    "run",
    "receive",
    "review",
    "classify",
    "delete",
    "report",
    "evaluate",
    "doctor",
    "runs",
    "topics",
    "models",
    "train",
)


def feedback_nlp(*args: object, given: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "feedback_nlp", *map(str, args)],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


def test_every_command_has_help_and_a_place_in_the_documentation() -> None:
    group = get_command(app)
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    assert set(group.commands) == set(COMMANDS)  # type: ignore[attr-defined]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert command.help, name
        assert f"## {name}" in page, name


@pytest.mark.parametrize("args", [["--help"], *[[name, "--help"] for name in COMMANDS]])
def test_help_is_quick(args: list[str]) -> None:
    spent = []
    for _ in range(3):
        # Processor time of the child: what other programs do on the machine does not count.
        began = os.times()
        result = feedback_nlp(*args)
        ended = os.times()
        spent.append(ended.children_user + ended.children_system - began.children_user - began.children_system)
        assert result.returncode == 0
        assert "Usage" in result.stdout
        if spent[-1] < 0.5:
            return
    assert min(spent) < 0.5 * float(os.environ.get("SLOW_MACHINE", "3")), spent


def test_classify_prints_json_lines() -> None:
    result = feedback_nlp("classify", "الموظف كان وقحا", "great staff", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["lang"] for row in rows] == ["ar", "en"]
    evidence = rows[0]["drivers"][0]
    assert rows[0]["text"][evidence["start"] : evidence["end"]]
    assert result.stderr == ""


@pytest.mark.slow
def test_classify_covers_personal_data_when_asked() -> None:
    text = "call 09121234567, the driver was rude"
    for shape in ("jsonl", "csv", "table"):
        covered = feedback_nlp("classify", text, "--redact", "--format", shape, COLUMNS="160").stdout
        assert "09121234567" not in covered
        assert "the driver was rude" in covered
        assert "09121234567" in feedback_nlp("classify", text, "--format", shape, COLUMNS="160").stdout


def test_classify_reads_lines_from_stdin_and_files(tmp_path: Path) -> None:
    piped = feedback_nlp("classify", "--json", given="great staff\n\nawful app\n")
    assert [row["sentiment"] for row in json.loads(piped.stdout)] == ["positive", "negative"]
    path = tmp_path / "a.csv"
    path.write_text("comment_id,comment\n7,great staff\n", encoding="utf-8")
    filed = feedback_nlp("classify", "--input", path, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(filed.stdout))
    assert (row["comment_id"], row["lang"]) == ("7", "en")


def test_classify_shows_a_table_with_evidence() -> None:
    result = feedback_nlp("classify", "the cashier was rude to me", COLUMNS="160")
    assert "employee" in result.stdout
    assert "rude" in result.stdout


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["run", "no-such.csv"], 66, "no-such.csv"),
        (["classify", "a", "--config", "no-such.yaml"], 66, "no-such.yaml does not exist"),
        (["classify", "--no-such-option"], 2, "No such option"),
        (["models", "verify", "no-such"], 5, "No model 'no-such'"),
        (["evaluate", "--data", "no-such"], 66, "no-such"),
    ],
)
def test_errors_are_one_clear_line(tmp_path: Path, args: list[str], code: int, message: str) -> None:
    extra = ["--out", tmp_path] if args[0] == "run" else []
    result = feedback_nlp(*args, *extra)
    assert result.returncode == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = feedback_nlp("run", "no-such.csv", "--out", tmp_path, "--debug")
    assert "Traceback" in result.stderr


def test_configuration_faults_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("sentiment: {min_scor: 1}\n", encoding="utf-8")
    result = feedback_nlp("classify", "a", "--config", path)
    assert result.returncode == 2
    assert "Did you mean 'min_score'?" in result.stderr


def test_run_then_report_then_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = ["comment_id,text", "1,great staff", "2,", "3,الموظف كان وقحا"]
    path.write_text("\n".join(rows), encoding="utf-8")
    out = tmp_path / "out"
    done = feedback_nlp("run", path, "--out", out)
    assert done.returncode == 3, "a third of the rows is rejected"
    assert "2 comments, 1 rejected" in done.stdout
    assert "1 of 3 rows" in done.stderr
    listed = json.loads(feedback_nlp("runs", "list", "--out", out, "--json").stdout)
    assert [run["comments"] for run in listed] == [2]
    shown = json.loads(feedback_nlp("runs", "show", listed[0]["run_id"], "--out", out).stdout)
    assert shown["counts"]["rejected"] == 1
    assert Path(feedback_nlp("report", "--out", out).stdout.strip()).is_file()
    book = Path(feedback_nlp("report", "--out", out, "--format", "xlsx").stdout.strip())
    assert book.name == "report.xlsx"
    assert book.read_bytes().startswith(b"PK")
    refused = feedback_nlp("report", "--out", out, "--format", "pdf")
    assert refused.returncode == 2
    assert "xlsx" in refused.stderr
    plan = feedback_nlp("run", path, "--out", out, "--dry-run", "--json")
    assert json.loads(plan.stdout)["comments"] == 2


def test_models_are_listed_verified_and_added(tmp_path: Path) -> None:
    listed = json.loads(feedback_nlp("models", "list", "--json").stdout)
    assert {"langid", "sentiment", "rootcause", "encoder-static"} <= {model["name"] for model in listed}
    assert feedback_nlp("models", "verify").returncode == 0
    folder = next(model["path"] for model in listed if model["name"] == "langid")
    added = feedback_nlp("models", "add", folder, "--into", tmp_path)
    assert added.returncode == 0
    again = feedback_nlp("models", "add", folder, "--into", tmp_path)
    assert again.returncode == 5
    assert "exists already" in again.stderr


def test_doctor_finds_a_sound_installation(tmp_path: Path) -> None:
    result = feedback_nlp("doctor", "--out", tmp_path)
    assert result.returncode == 0, result.stdout
    assert "sample: three comments read as ar, fa, en" in result.stdout
    assert re.search(
        r"ok +processor: the transformer computes in (bfloat16$|float32, several times slower)", result.stdout, re.M
    )


def test_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    backend = {"FEEDBACK_NLP__LANGID__BACKEND__KIND": "shipped", "FEEDBACK_NLP__LANGID__BACKEND__MODEL": "no-such"}
    result = feedback_nlp("doctor", "--out", tmp_path, **backend)
    assert result.returncode == 1
    assert "FAIL models: No model 'no-such'" in result.stdout
