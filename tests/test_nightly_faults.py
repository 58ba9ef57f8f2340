"""What a night says when something is wrong with its disk, its inputs or its own files."""

import csv
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from feedback_nlp import nightly, outcome, pipeline
from feedback_nlp.config import Config, load_config
from feedback_nlp.core.errors import BadDataError, ConfigError, FeedbackError, LeaseError
from feedback_nlp.ingest import IngestSettings, spool, spooling
from feedback_nlp.store import StoreSettings


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(run__threads=1, run__chunk_size=8, run__stages=["langid"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    stages = pipeline.build_row_stages(config)
    monkeypatch.setattr(pipeline, "build_row_stages", lambda _: stages)
    monkeypatch.setattr(nightly, "write_report", lambda result: result.report_path)


def write_csv(path: Path, count: int = 20) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [("comment_id", "text"), *((f"K-{at}", f"great staff {at}") for at in range(count))]
        )
    return path


def grow(path: Path) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write("K-99,late\n")


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [grow, replace, lambda path: os.truncate(path, 30), Path.unlink])
def test_an_input_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    path = write_csv(tmp_path / "a.csv")
    read = spooling._read_file

    def read_and_change(*arguments: object) -> object:
        found = read(*arguments)  # type: ignore[arg-type]
        change(path)
        return found

    monkeypatch.setattr(spooling, "_read_file", read_and_change)
    with pytest.raises(BadDataError, match=r"a\.csv was changed while it was read\. Let it be written to its end"):
        spool([path], IngestSettings(), tmp_path / "spool")


@pytest.mark.parametrize("step", ["spool", "find", "finish"])
def test_a_full_disk_is_told_in_one_line_wherever_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config, step: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    places = {"spool": (nightly, "spool"), "find": (pipeline, "analyse_rows"), "finish": (nightly, "write_report")}
    monkeypatch.setattr(*places[step], full)
    with pytest.raises(FeedbackError, match=r"the disk is full\. Make room and run again"):
        nightly.run([write_csv(tmp_path / "a.csv")], config, tmp_path / "out")
    monkeypatch.undo()
    with outcome.store_of(config, tmp_path / "out") as store:
        states = store.runs(unfinished=True)["state"].tolist()
    assert states == {"spool": [], "find": ["failed"], "finish": ["finished"]}[step]


def test_another_fault_of_the_system_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(nightly, "spool", broken)
    with pytest.raises(OSError, match="broken"):
        nightly.run([write_csv(tmp_path / "a.csv")], config, tmp_path / "out")


def test_files_that_vanish_under_a_run_that_was_taken_over_are_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    def vanished(*_: object, **__: object) -> None:
        with outcome.store_of(config, tmp_path / "out") as other, other._database.writing() as connection:
            connection.exec_driver_sql("UPDATE lease SET token = 'another'")
        raise FileNotFoundError("part-000001")

    monkeypatch.setattr(pipeline, "analyse_rows", vanished)
    with pytest.raises(LeaseError, match="took over"):
        nightly.run([write_csv(tmp_path / "a.csv")], config, tmp_path / "out")


@pytest.mark.parametrize("name", [outcome.COMMENTS, outcome.TOPICS, outcome.REJECTS])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_damaged_table_never_passes_for_the_run_that_stood(
    tmp_path: Path, config: Config, name: str, how: str
) -> None:
    source = write_csv(tmp_path / "a.csv")
    done = nightly.run([source], config, tmp_path / "out")
    path = done.folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?") if how == "changed" else path.unlink()
    with pytest.raises(FeedbackError, match=rf"{name} is damaged or gone\..*--no-resume"):
        nightly.run([source], config, tmp_path / "out")
    path.write_bytes(whole)
    assert not nightly.run([source], config, tmp_path / "out").recomputed


def test_a_damaged_summary_is_told(tmp_path: Path, config: Config) -> None:
    source = write_csv(tmp_path / "a.csv")
    done = nightly.run([source], config, tmp_path / "out")
    (done.folder / outcome.SUMMARY).write_text("{", encoding="utf-8")
    with pytest.raises(FeedbackError, match=r"run\.json is damaged"):
        nightly.run([source], config, tmp_path / "out")


def test_leftovers_of_killed_runs_are_cleared_and_those_of_the_living_are_not(tmp_path: Path, config: Config) -> None:
    out = tmp_path / "out"
    (out / ".spool-dead").mkdir(parents=True)
    (out / ".spool-dead" / "rows.arrow").write_bytes(b"texts")
    (out / "run").mkdir()
    dead, mine = out / "run" / ".a.parquet.999999999.part", out / "run" / f".b.parquet.{os.getpid()}.part"
    for half in (dead, mine):
        half.write_bytes(b"half")
    nightly.run([write_csv(tmp_path / "a.csv")], config, out)
    assert not list(out.glob(".spool-*"))
    assert (dead.exists(), mine.exists()) == (False, True)


def test_a_taxonomy_file_that_changed_makes_another_run(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    prints = []
    for content in ("a: 1", "a: 2"):
        file.write_text(content, encoding="utf-8")
        other = load_config(rootcause__own__file=str(file))
        prints.append((pipeline.run_id_of("x", other, []), pipeline.rows_fingerprint(other, [])))
    assert prints[0][0] != prints[1][0]
    assert prints[0][1] != prints[1][1]


@pytest.mark.parametrize("field", ["take_over", "threads", "chunk_size"])
def test_what_changes_no_result_changes_no_identity(field: str) -> None:
    one, other = load_config(), load_config(**{f"run__{field}": {"take_over": False}.get(field, 3)})
    assert one.fingerprint() == other.fingerprint()
    assert pipeline.rows_fingerprint(one, []) == pipeline.rows_fingerprint(other, [])


@pytest.mark.parametrize(
    "url",
    ["postgresql://nina:secret@host/db", "postgresql+psycopg://nina:@host/db", "postgresql://h/db?password=secret"],
)
def test_a_password_in_the_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="PGPASSWORD") as caught:
        load_config(store__url=url)
    assert "secret" not in str(caught.value)
    for good in ("postgresql://nina@host:5432/db", "sqlite:///a:b@c.db", "sqlite:////x/store.db"):
        assert StoreSettings(url=good).url == good


def test_the_summary_holds_the_seals_of_its_tables(tmp_path: Path, config: Config) -> None:
    done = nightly.run([write_csv(tmp_path / "a.csv")], config, tmp_path / "out")
    summary = json.loads((done.folder / outcome.SUMMARY).read_text(encoding="utf-8"))
    assert summary["sha256"] == outcome.seals(done.folder)
    assert set(summary["sha256"]) == set(outcome.SEALED)
