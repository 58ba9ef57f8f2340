"""The right to erasure: nothing of an erased comment is left, it never comes back, and what holds it still is named."""

import csv
import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedback_nlp import erasure, nightly, pipeline
from feedback_nlp.config import Config, load_config
from feedback_nlp.core.columns import COMMENT_ID, INPUT_COLUMNS
from feedback_nlp.core.errors import LeaseError
from feedback_nlp.core.modelfolder import open_model, write_model
from feedback_nlp.ingest import IngestSettings, spool
from feedback_nlp.ingest.withhold import withhold
from feedback_nlp.outcome import COMMENTS, REJECTS, REPORT, SUMMARY, TOPIC_MODEL, TOPICS, WORKBOOK
from feedback_nlp.store import Store

NIGHT = datetime(2026, 11, 28, tzinfo=UTC)
GONE = "K-17"
SECRET = "Zarathustra-9317"


def rows(count: int = 30) -> list[tuple[str, str]]:
    return [(f"K-{place}", f"{SECRET} waited" if place == 17 else f"great staff {place}") for place in range(count)]


def write_csv(path: Path, content: list[tuple[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("comment_id", "text"), *content])
    return path


@pytest.fixture
def config(store_url: str) -> Config:
    return load_config(run__threads=1, run__chunk_size=8, run__stages=["langid"], store__url=store_url)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(result: nightly.RunResult, name: str = REPORT) -> Path:
        (result.folder / name).write_text("\n".join(result.comments()["text"]), encoding="utf-8")
        return result.folder / name

    monkeypatch.setattr(nightly, "write_report", page)
    monkeypatch.setattr(erasure, "write_report", page)
    stages = pipeline.build_row_stages(load_config(run__stages=["langid"]))
    monkeypatch.setattr(pipeline, "build_row_stages", lambda _: stages)


@pytest.fixture
def two_nights(tmp_path: Path, config: Config) -> tuple[Path, Path]:
    """Run two nights; a dump with the comment, a duplicate of its id, and the folder of the runs."""
    out = tmp_path / "out"
    nightly.run([write_csv(tmp_path / "dump.csv", rows())], config, out)
    dump = write_csv(tmp_path / "dump.csv", [*rows(40), (GONE, f"{SECRET} again")])
    nightly.run([dump], config, out)
    return dump, out


def everything(out: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file below a folder with its content as text, Parquet decoded."""
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        content = (
            str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_bytes().decode("latin-1")
        )
        yield path, content


def dump_of(store: Store) -> str:
    """Return every value of every table but the marks."""
    with store._database.reading() as connection:
        from sqlalchemy import inspect

        names = [name for name in inspect(connection).get_table_names() if name not in ("erased", "secrets")]
        return "".join(str(connection.exec_driver_sql(f'SELECT * FROM "{name}"').fetchall()) for name in names)


def test_nothing_is_left_anywhere(two_nights: tuple[Path, Path], config: Config) -> None:
    _, out = two_nights
    with nightly.store_of(config, out) as store:
        assert SECRET in dump_of(store)
        store.decide("note", author="sara", comment_id=GONE, after={"text": f"call {SECRET} back"})
        store.decide("correct_sentiment", author="sara", comment_id=GONE, after={"sentiment": "negative"})
        store.decide("note", author="sara", comment_id="K-3", after={"text": "another one"})
    assert SECRET in nightly.report(None, config, out, WORKBOOK).read_text(encoding="utf-8")
    [statement] = erasure.delete([GONE], config, out, at=NIGHT)
    assert statement.rows["comments"] == 2
    assert {path.name for path in statement.files} >= {REPORT, WORKBOOK}
    assert not list(out.glob(f"*/{WORKBOOK}"))
    assert statement.rows["rejects"] == 1
    assert statement.rows["decisions"] == 2
    for path, content in everything(out):
        assert SECRET not in content, path
        assert f"'{GONE}'" not in content, path
    with nightly.store_of(config, out) as store:
        left = dump_of(store)
        assert SECRET not in left
        assert f"'{GONE}'" not in left
        assert f'"{GONE}"' not in left
        assert "another one" in left
        assert [len(store.comments(run)) for run in store.runs()["run_id"]] == [39, 29]
        assert store.runs()["comments"].tolist() == [39, 29]
        assert store.rebuild_overlay() == 0
        assert len(store.history(author="sara")) == 3
    assert statement.holders == []
    assert statement.dumps == ["dump.csv"]
    assert f"{GONE} is erased" in statement.as_text()


@pytest.mark.parametrize("name", [REPORT, WORKBOOK])
def test_reports_that_a_killed_erasure_left_are_found_the_next_time(
    two_nights: tuple[Path, Path], config: Config, name: str
) -> None:
    _, out = two_nights
    erasure.delete([GONE], config, out, at=NIGHT)
    left = next(out.glob(f"*/{REPORT}")).with_name(name)
    left.write_text(f"{SECRET} ({GONE})", encoding="utf-8")
    [statement] = erasure.delete([GONE], config, out, at=NIGHT)
    assert left in statement.files
    assert not left.is_file() or SECRET not in left.read_text(encoding="utf-8")
    assert left.is_file() == (name == REPORT)


def test_the_runs_it_leaves_are_whole(two_nights: tuple[Path, Path], config: Config) -> None:
    dump, out = two_nights
    before = {path.parent: pq.read_table(path) for path in out.glob(f"*/{COMMENTS}")}
    erasure.delete([GONE], config, out, at=NIGHT)
    for folder, table in before.items():
        left = pq.read_table(folder / COMMENTS)
        ids = table.column(COMMENT_ID.name).to_pylist()
        assert left.equals(table.filter(pa.array([one != GONE for one in ids])))
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        assert summary["counts"]["comments"] == left.num_rows
        assert summary["erased_at"] == "2026-11-28T00:00:00Z"
    with nightly.store_of(config, out) as store:
        current = store.current_run()
    # A run's seals follow, so that it is still recognised as whole.
    assert nightly.report(current, config, out).is_file()
    assert nightly.run([write_csv(dump, [row for row in rows(40) if row[0] != GONE])], config, out).recomputed


def test_it_never_comes_back(two_nights: tuple[Path, Path], config: Config) -> None:
    dump, out = two_nights
    erasure.delete([GONE], config, out, at=NIGHT)
    result = nightly.run([dump], config, out)
    assert result.recomputed
    assert result.summary["counts"] | {"topics": 0} == {
        "rows_in": 39, "rejected": 0, "analysed": 0, "comments": 39, "topics": 0, "without_topic": 0,
    }  # fmt: skip
    again = nightly.run([dump], config, out)
    assert (again.run_id, again.recomputed) == (result.run_id, False)
    anew = nightly.run([dump], config, out, resume=False)
    for path, content in everything(out):
        assert SECRET not in content, path
    assert (anew.folder / COMMENTS).read_bytes() == (result.folder / COMMENTS).read_bytes()
    without = write_csv(dump.with_name("other") / "dump.csv", [row for row in rows(40) if row[0] != GONE])
    assert nightly.run([without], config, out).run_id == result.run_id


def test_the_mark_tells_nothing(two_nights: tuple[Path, Path], config: Config) -> None:
    _, out = two_nights
    for _ in range(2):
        erasure.delete([GONE], config, out, at=NIGHT)
    with nightly.store_of(config, out) as store:
        erased = store.erased()
        assert GONE in erased
        assert "K-18" not in erased
        assert 17 not in erased
        assert len(erased) == 1
        with store._database.reading() as connection:
            [mark] = connection.exec_driver_sql("SELECT mark FROM erased").scalars()
    assert len(mark) == 64
    assert GONE not in mark


def test_an_id_nobody_knows_is_kept_out_from_now_on(tmp_path: Path, config: Config) -> None:
    out = tmp_path / "out"
    [statement] = erasure.delete(["K-2"], config, out, at=NIGHT)
    assert (statement.rows, statement.files) == ({}, [])
    result = nightly.run([write_csv(tmp_path / "a.csv", rows(5))], config, out)
    assert "K-2" not in result.comments()["comment_id"].tolist()


def test_a_run_under_way_is_not_disturbed(two_nights: tuple[Path, Path], config: Config) -> None:
    _, out = two_nights
    with nightly.store_of(config, out) as store, store.lease(), pytest.raises(LeaseError):
        erasure.delete([GONE], config, out, at=NIGHT)


def _xlsx(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{GONE}</t>")


COPIES: dict[str, Callable[[Path], Any]] = {
    "store.db.bak": lambda path: path.write_bytes(b"x" * 3_000_000 + GONE.encode() + b"\0"),
    "export.csv": lambda path: path.write_text(GONE, encoding="utf-16"),
    "export.xlsx": _xlsx,
    "export.parquet": lambda path: pq.write_table(pa.table({"a": ["x", f"see {GONE}"], "b": [1, 2]}), path),
    "old.csv.gz": lambda path: path.write_bytes(gzip.compress(GONE.encode())),
    "broken.csv.gz": lambda path: path.write_bytes(gzip.compress(b"other" * 999)[:-9]),
}


def test_copies_are_named_and_left_alone(two_nights: tuple[Path, Path], config: Config, tmp_path: Path) -> None:
    _, out = two_nights
    others = tmp_path / "backups"
    others.mkdir()
    for name, make in COPIES.items():
        make(others / name if "old" in name else out / name)
    (out / "innocent.csv").write_text("K-1,K-2", encoding="utf-8")
    (others / "innocent.gz").write_bytes(gzip.compress(b"K-1"))
    [statement] = erasure.delete([GONE], config, out, at=NIGHT, search=[others])
    assert sorted(path.name for path in statement.holders) == sorted(COPIES)
    assert "STILL HOLDS IT" in statement.as_text()
    assert json.loads(json.dumps(statement.as_dict()))["comment_id"] == GONE


def test_a_topics_examples_lose_it_and_its_folder_is_sealed_anew(tmp_path: Path, config: Config) -> None:
    out = tmp_path / "out"
    result = nightly.run([write_csv(tmp_path / "a.csv", rows())], config, out)
    example = {"comment_id": GONE, "text": SECRET}
    other = {"comment_id": "K-1", "text": "fine"}
    folder = result.folder / TOPIC_MODEL
    folder.mkdir()
    (folder / "topics.json").write_text(json.dumps({"topics": [{"representatives": {"en": [example, other]}}]}))
    write_model(folder, kind="topics", name="t", version="1", details={})
    table = pa.table({"topic_id": pa.array([0], pa.int32()), "representatives_en": [[example, other]]})
    pq.write_table(table, result.folder / TOPICS)
    with nightly.store_of(config, out) as store, store._database.writing() as connection:
        from feedback_nlp.store.records import write_records
        from feedback_nlp.store.schema import TOPICS as TABLE

        write_records(connection, TABLE, 1, table)
    [statement] = erasure.delete([GONE], config, out, at=NIGHT)
    assert statement.rows["topics"] == 1
    assert json.loads((folder / "topics.json").read_text())["topics"][0]["representatives"]["en"] == [other]
    open_model(folder)
    assert pq.read_table(result.folder / TOPICS).to_pylist() == [{"topic_id": 0, "representatives_en": [other]}]
    with nightly.store_of(config, out) as store:
        assert store.topics(decided=False).to_pylist() == [{"topic_id": 0, "representatives_en": [other]}]


def test_withholding_is_reading_dumps_without_the_rows(tmp_path: Path) -> None:
    dump = [*rows(12), ("K-3", "a second one"), ("K-4", " "), ("K-5", "great staff 5")]
    erased = {"K-3", "K-4", "K-11"}
    read = spool([write_csv(tmp_path / "a" / "x.csv", dump)], IngestSettings(), tmp_path / "one")
    found, withheld = withhold(read, erased)
    left = [row for row in dump if row[0] not in erased]
    expected = spool([write_csv(tmp_path / "b" / "x.csv", left)], IngestSettings(), tmp_path / "two")
    assert withheld == len(dump) - len(left)
    assert (found.fingerprint, found.rows, found.rejected, found.rows_in) == (
        expected.fingerprint, expected.rows, expected.rejected, expected.rows_in,
    )  # fmt: skip
    assert found.reject_reasons == expected.reject_reasons
    assert [vars(file) for file in found.files] == [vars(file) for file in expected.files]
    names = [column.name for column in INPUT_COLUMNS]
    got, wanted = (pa.concat_tables([b.table.select(names) for b in one.chunks(5)]) for one in (found, expected))
    assert got.equals(wanted)
    assert "a second one" not in str(pq.read_table(found.rejects_path).to_pylist())
    assert withhold(found, erased) == (found, 0)


def test_a_table_that_cannot_be_read_is_told(two_nights: tuple[Path, Path], config: Config) -> None:
    _, out = two_nights
    path = sorted(out.glob(f"*/{REJECTS}"))[0]
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(erasure.FeedbackError, match=r"rejects\.parquet is damaged"):
        erasure.delete([GONE], config, out, at=NIGHT)
