"""What watchers see of real nights: logs, metrics, drift; and that no customer's word is in any of it."""

import csv
import json
import os
import subprocess
import sys

import pyarrow as pa
import pytest

import feedback_nlp as fn
from feedback_nlp import nightly, pipeline
from feedback_nlp.config import load_config
from feedback_nlp.core.errors import FeedbackError
from feedback_nlp.operations import render_metrics, watch, write_metrics

PLANTED = ("zebrafish", "زرافه‌بنفش", "تمساحأزرق", "0912345678", "sara.planted@example.com", "planted-branch")


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """One run of a messy dump through the command line, with logs and metrics."""
    folder = tmp_path_factory.mktemp("night")
    dump = folder / "dump.csv"
    rows = [
        ("1", "the zebrafish refund took weeks, write to sara.planted@example.com", "planted-branch"),
        ("2", "قوانین مرجوعی زرافه‌بنفش خیلی سخت است 09123456789", "planted-branch"),
        ("3", "الموظف تمساحأزرق كان وقحا", ""),
        ("3", "another zebrafish with the same id", ""),
        ("4", "", "planted-branch"),
        ("5", "zebrafish " * 20_000, ""),
    ]
    with dump.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("id", "comment", "branch"), *rows])
    config = folder / "c.yaml"
    config.write_text(
        "operations:\n"
        f"  log: {{format: json, file: {folder / 'run.log'}, level: debug}}\n"
        f"  metrics_file: {folder / 'metrics.prom'}\n"
        "run: {threads: 1}\n"
    )
    command = [sys.executable, "-m", "feedback_nlp", "run", str(dump), "--config", str(config), "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 3, done.stderr
    return folder


def events(folder):
    return [json.loads(line) for line in (folder / "run.log").read_text(encoding="utf-8").splitlines()]


def test_logs_are_json_lines_with_counts(night):
    assert [one["event"] for one in events(night)] == ["run_begins", "run_finished"]
    last = events(night)[-1]
    assert (last["rows_in"], last["rejected"], last["comments"]) == (6, 3, 3)
    assert last["level"] == "info"
    assert last["timestamp"].endswith("Z")


def test_no_planted_word_is_in_logs_metrics_or_summary(night):
    told = [(night / "run.log").read_text(), (night / "metrics.prom").read_text()]
    told += [path.read_text() for path in night.glob("*/run.json")]
    assert len(told) == 3
    for text in told:
        for word in PLANTED:
            assert word not in text
            assert json.dumps(word)[1:-1] not in text


def test_metrics_hold_counts_and_our_names_only(night):
    text = (night / "metrics.prom").read_text()
    assert "feedback_nlp_comments 3.0" in text
    assert 'feedback_nlp_rejects{reason="text_too_long"} 1.0' in text
    assert 'feedback_nlp_comments_by_value{column="lang",value="fa"} 1.0' in text
    assert "feedback_nlp_last_run_success 1.0" in text


def test_a_failed_run_is_seen(tmp_path, monkeypatch):
    dump = tmp_path / "d.csv"
    dump.write_text("text\ngood\n")
    config = load_config(operations__metrics_file=tmp_path / "m" / "x.prom", run__threads=1, run__stages=("langid",))

    def fails(*_args, **_more):
        raise FeedbackError("worker died")

    monkeypatch.setattr(pipeline, "analyse_rows", fails)
    with pytest.raises(FeedbackError):
        fn.run(dump, config, tmp_path)
    assert "feedback_nlp_last_run_success 0.0" in (tmp_path / "m" / "x.prom").read_text()


def test_metrics_that_cannot_be_written_do_not_fail_a_run(tmp_path):
    (tmp_path / "file").write_text("")
    dump = tmp_path / "d.csv"
    dump.write_text("text\ngood\n")
    config = load_config(operations__metrics_file=tmp_path / "file" / "x", run__threads=1, run__stages=("langid",))
    assert fn.run(dump, config, tmp_path).recomputed


def test_a_night_is_compared_with_the_ones_before(tmp_path):
    config = load_config(run__threads=1, run__stages=("langid",))
    for night, word in enumerate(["خیلی خوب است"] * 2 + ["the service was good"]):
        dump = tmp_path / f"{night}.csv"
        dump.write_text("id,text\n" + "".join(f"{night}-{i},{word} {i}\n" for i in range(400)), encoding="utf-8")
        summary = fn.run(dump, config, tmp_path).summary
    assert summary["drift"]["nights"] == 2
    levels = {one["column"]: one["level"] for one in summary["drift"]["columns"]}
    assert levels["lang"] == "major"
    assert any("lang: the mix changed" in warning for warning in summary["warnings"])


def test_warnings_name_what_is_odd():
    summary = {"counts": {"comments": 0}, "files": [{"dates_unread": 4}]}
    found = watch(summary, pa.table({"lang": pa.array([], pa.string())}), [{}])
    assert found["warnings"] == [
        "no comment was read",
        "4 dates could not be read; their comments have no created_at",
    ]


def test_an_empty_store_has_metrics(tmp_path):
    assert b"feedback_nlp_info" in render_metrics([])
    write_metrics([], tmp_path / "x.prom")
    assert (tmp_path / "x.prom").read_bytes() == render_metrics([])


def test_a_library_writes_no_event_to_stderr_by_itself():
    code = "import feedback_nlp, logging; logging.getLogger('feedback_nlp.nightly').error('run_failed')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_plan_estimates_time_and_memory(examples):
    few, many = (nightly.plan([examples], load_config(run__threads=count), limit=20) for count in (1, 3))
    assert few.summary["estimated_memory_mb"] > 500
    assert many.summary["estimated_memory_mb"] > few.summary["estimated_memory_mb"]
    assert "MiB of memory" in few.as_text()
