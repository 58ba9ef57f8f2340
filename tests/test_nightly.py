"""A whole run: nothing lost, the same bytes each time, taken up where it stopped, recognised when it stood already."""

import csv
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from feedback_nlp import nightly, pipeline
from feedback_nlp.config import Config, load_config
from feedback_nlp.core.columns import RESULT_COLUMNS
from feedback_nlp.core.errors import FeedbackError, MissingInputError, RejectShareError
from feedback_nlp.outcome import COMMENTS, CONFIG, REJECTS, SUMMARY, TOPICS
from feedback_nlp.store import parts_done

HEADER = ("comment_id", "text", "branch")


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(run__threads=1, run__chunk_size=64)


@pytest.fixture(scope="module")
def some_rows(examples: Path) -> list[tuple[str, ...]]:
    with examples.open(encoding="utf-8", newline="") as stream:
        return [(row["comment_id"], row["text"], row["branch"]) for row in csv.DictReader(stream)][:160]


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    return path


def parts_of(folder: Path) -> Path:
    [parts] = (folder / "parts").glob("*-64")
    return parts


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, some_rows: list[tuple[str, ...]], config: Config
) -> nightly.RunResult:
    folder = tmp_path_factory.mktemp("finished")
    rows = [*some_rows, ("blank", "  ", "B1")]
    return nightly.run([write_csv(folder / "night.csv", rows)], config, folder / "out")


def test_nothing_is_lost(finished: nightly.RunResult, some_rows: list[tuple[str, ...]]) -> None:
    comments, rejects = finished.comments(), finished.rejects()
    assert set(comments["comment_id"]) == {row[0] for row in some_rows}
    assert rejects["reason"].tolist() == ["blank_text"]
    assert finished.summary["counts"]["rows_in"] == len(comments) + len(rejects)
    assert list(comments.columns) == [column.name for column in RESULT_COLUMNS]


def test_the_folder_holds_what_was_promised(finished: nightly.RunResult) -> None:
    for name in (COMMENTS, TOPICS, REJECTS, SUMMARY, CONFIG, "report.html", "topic-model/manifest.json"):
        assert (finished.folder / name).is_file(), name
    assert parts_done(parts_of(finished.folder)) == {0, 1, 2}
    assert not list(finished.folder.parent.glob(".spool-*"))
    summary = json.loads((finished.folder / SUMMARY).read_text(encoding="utf-8"))
    assert summary["run_id"] == finished.run_id
    assert {"ingest", "langid", "sentiment", "topics", "store"} <= set(summary["stages"])


def test_the_store_agrees_with_the_files(finished: nightly.RunResult, config: Config) -> None:
    with nightly.store_of(config, finished.folder.parent) as store:
        assert store.current_run() == finished.run_id
        assert store.comments().equals(pq.read_table(finished.folder / COMMENTS))
        assert store.topics().num_rows == len(finished.topics())
        assert store.root_causes().equals(finished.root_causes())


def test_every_driver_has_its_words(finished: nightly.RunResult) -> None:
    texts = finished.comments().set_index("comment_id")["text"]
    causes = finished.root_causes()
    assert len(causes) > 20
    assert all(row.evidence and row.evidence in texts[row.comment_id] for row in causes.itertuples())


def test_the_same_run_is_recognised(finished: nightly.RunResult, config: Config) -> None:
    again = nightly.run([finished.folder.parent.parent / "night.csv"], config, finished.folder.parent)
    assert not again.recomputed
    assert again.run_id == finished.run_id
    assert "nothing recomputed" in again.as_text()


def test_shuffled_rows_other_chunks_and_workers_give_the_same_bytes(
    finished: nightly.RunResult, tmp_path: Path, some_rows: list[tuple[str, ...]]
) -> None:
    rows = [*some_rows, ("blank", "  ", "B1")]
    random.Random(3).shuffle(rows)
    other = load_config(run__threads=2, run__chunk_size=37)
    result = nightly.run([write_csv(tmp_path / "night.csv", rows)], other, tmp_path / "out")
    assert result.run_id == finished.run_id
    for name in (COMMENTS, TOPICS):
        assert (result.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_a_killed_run_is_taken_up(
    finished: nightly.RunResult, tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = finished.folder.parent.parent / "night.csv"

    def fail(*_: object, **__: object) -> None:
        raise FeedbackError("power cut")

    monkeypatch.setattr(pipeline, "find_topics", fail)
    with pytest.raises(FeedbackError, match="power cut"):
        nightly.run([source], config, tmp_path)
    assert parts_done(parts_of(tmp_path / finished.run_id)) == {0, 1, 2}
    with nightly.store_of(config, tmp_path) as store:
        assert store.current_run() is None
        assert store.run(finished.run_id).state == "failed"
    monkeypatch.undo()
    monkeypatch.setattr(pipeline, "build_row_stages", fail)
    result = nightly.run([source], config, tmp_path)
    assert (result.folder / COMMENTS).read_bytes() == (finished.folder / COMMENTS).read_bytes()


def test_a_run_can_be_made_anew_beside_the_old_one(tmp_path: Path, config: Config) -> None:
    path = write_csv(tmp_path / "a.csv", [("1", "great staff", "B1"), ("2", "الموظف كان وقحا", "B2")])
    first = nightly.run([path], config, tmp_path / "out")
    second = nightly.run([path], config, tmp_path / "out", resume=False)
    assert second.run_id == f"{first.run_id}-2"
    assert (second.folder / COMMENTS).read_bytes() == (first.folder / COMMENTS).read_bytes()


def test_a_first_night_without_comments_does_not_stand_in_the_way_of_the_next(
    tmp_path: Path, config: Config, some_rows: list[tuple[str, ...]]
) -> None:
    nightly.run([write_csv(tmp_path / "none.csv", [])], config, tmp_path / "out")
    path = write_csv(tmp_path / "some.csv", some_rows[:40])
    assert len(nightly.run([path], config, tmp_path / "out").comments()) == 40


def test_no_comment_at_all_is_a_run_too(tmp_path: Path, config: Config) -> None:
    result = nightly.run([write_csv(tmp_path / "a.csv", [("1", " ", "B1")])], config, tmp_path / "out")
    assert result.comments().empty
    assert result.report_path.is_file()
    with pytest.raises(RejectShareError, match=r"1 of 1 rows \(100\.0%\) were rejected, allowed are 5\.0%.*1 x "):
        result.raise_if_too_many_rejects()


def test_the_report_can_be_written_again(finished: nightly.RunResult, config: Config) -> None:
    before = finished.report_path.read_bytes()
    finished.report_path.unlink()
    assert nightly.report(None, config, finished.folder.parent).read_bytes() == before
    with pytest.raises(FeedbackError, match="no-such"):
        nightly.report("no-such", config, finished.folder.parent)


def test_no_run_yet(tmp_path: Path, config: Config) -> None:
    with pytest.raises(MissingInputError, match="No run has been published"):
        nightly.report(None, config, tmp_path)


def test_a_plan_reads_but_analyses_nothing(finished: nightly.RunResult, config: Config) -> None:
    plan = nightly.plan([finished.folder.parent.parent / "night.csv"], config)
    assert plan.summary["run_id"] == finished.run_id
    assert plan.summary["comments"] == 160
    assert plan.summary["chunks"] == 3
    assert "langid -> normalise" in plan.as_text()


KILLED = """
import os, signal, sys
from feedback_nlp import nightly, pipeline
from feedback_nlp.config import load_config
write, seen = pipeline.write_part, []
def write_and_die(*args):
    write(*args)
    seen.append(1)
    if len(seen) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
pipeline.write_part = write_and_die
nightly.run([sys.argv[1]], load_config(run__threads=1, run__chunk_size=64), sys.argv[2])
"""


@pytest.mark.slow
def test_a_process_killed_for_real_loses_nothing(finished: nightly.RunResult, tmp_path: Path, config: Config) -> None:
    source = finished.folder.parent.parent / "night.csv"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(source), str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert parts_done(parts_of(tmp_path / finished.run_id)) == {0, 1}
    result = nightly.run([source], config, tmp_path)
    assert (result.folder / COMMENTS).read_bytes() == (finished.folder / COMMENTS).read_bytes()


def test_topics_keep_no_personal_data(tmp_path: Path, config: Config, some_rows: list[tuple[str, ...]]) -> None:
    rows = [(key, f"{text} 09121234567 sara@example.com", branch) for key, text, branch in some_rows]
    result = nightly.run([write_csv(tmp_path / "a.csv", rows)], config, tmp_path / "out")
    assert len(result.topics()) > 0
    for path in (result.folder / TOPICS, *sorted((result.folder / "topic-model").iterdir())):
        content = pq.read_table(path).to_pylist() if path.suffix == ".parquet" else path.read_bytes()
        assert "sara@" not in str(content), path.name
        assert "09121234567" not in str(content), path.name
    page = result.report_path.read_text(encoding="utf-8")
    assert "sara@" not in page
    assert "9121234567" not in page
