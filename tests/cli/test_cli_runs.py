"""``runs`` and ``delete`` on a small store, in this process."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from feedback_nlp import erasure, nightly, pipeline
from feedback_nlp.cli.app import app
from feedback_nlp.config import load_config
from feedback_nlp.store import open_store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with three small runs once."""
    folder = tmp_path_factory.mktemp("runs")
    config = load_config(run__threads=1, run__stages=["langid"])
    stages = pipeline.build_row_stages(config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nightly, "write_report", lambda result: result.report_path)
        patch.setattr(pipeline, "build_row_stages", lambda _: stages)
        for count in (3, 4, 5):
            with (folder / "a.csv").open("w", newline="") as stream:
                rows = [(f"K-{place}", f"great staff {place}") for place in range(count)]
                csv.writer(stream).writerows([("comment_id", "text"), *rows])
            nightly.run([folder / "a.csv"], config, folder / "out")
    return folder / "out"


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it, which a test may change."""
    return shutil.copytree(made, tmp_path / "out")


def ids(out: Path) -> list[str]:
    with open_store(f"sqlite:///{out}/store.db") as store:
        return list(store.runs()["run_id"])


def feedback_nlp(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_runs_are_compared(out: Path) -> None:
    new, _, old = ids(out)
    code, text, _ = feedback_nlp("runs", "compare", old, new, "--out", out)
    assert code == 0
    assert "3 in both, 2 new, 0 gone" in text
    assert "  en" in text
    assert "new topics: 0" in text
    code, text, _ = feedback_nlp("runs", "compare", old, new, "--out", out, "--json")
    assert json.loads(text)["comments"] == [3, 5]
    code, _, error = feedback_nlp("runs", "compare", old, "ghost", "--out", out)
    assert (code, "No run 'ghost'" in error) == (2, True)


def test_days_are_counted(out: Path) -> None:
    assert feedback_nlp("runs", "days", "--by", "lang", "--out", out)[1].split() == ["no", "date", "en", "5"]
    assert json.loads(feedback_nlp("runs", "days", "--by", "lang", "--json", "--out", out)[1])[0]["comments"] == 5


def test_an_older_run_is_published(out: Path) -> None:
    new, middle, _ = ids(out)
    assert feedback_nlp("runs", "publish", middle, "--out", out)[:2] == (0, f"Readers now see run {middle}.\n")
    code, text, _ = feedback_nlp("runs", "list", "--out", out, "--json")
    assert [row["run_id"] for row in json.loads(text) if row["current"]] == [middle]
    assert feedback_nlp("runs", "publish", new, "--out", out)[0] == code == 0


def test_a_comment_is_deleted_only_when_it_is_meant(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "write_report", lambda result: result.report_path)
    code, _, error = feedback_nlp("delete", "--comment-id", "K-1", "--out", out)
    assert (code, "Say --yes" in error) == (2, True)
    code, text, _ = feedback_nlp(
        "delete", "--comment-id", "K-1", "--comment-id", "K-2", "--yes", "--out", out, "--json"
    )
    assert code == 0
    assert [one["rows"]["comments"] for one in json.loads(text)] == [3, 3]
    code, text, _ = feedback_nlp("delete", "--comment-id", "K-1", "--yes", "--out", out)
    assert "K-1 is erased" in text
    assert "Backups of disks" in text


def test_old_runs_go_with_their_files(out: Path) -> None:
    new, *old = ids(out)
    code, text, _ = feedback_nlp("runs", "prune", "--keep", 1, "--out", out)
    assert (code, text) == (0, f"Deleted 2 run(s) {old[0]} {old[1]}.\n")
    assert [path.parent.name for path in out.glob("*/run.json")] == [new]
    assert feedback_nlp("runs", "prune", "--out", out, "--json")[1] == "[]\n"
