"""Nights after the first: only what is new or changed is analysed, and the result is that of a whole computation."""

import csv
import functools
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from feedback_nlp import nightly, pipeline
from feedback_nlp.config import Config, load_config
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import COMMENT_ID, INPUT_COLUMNS, TEXT
from feedback_nlp.core.stage import Stage
from feedback_nlp.execute import run_chunks
from feedback_nlp.outcome import COMMENTS, TOPIC_MODEL
from feedback_nlp.pipeline import build_row_stages
from feedback_nlp.reuse import CONTENT, EarlierRows
from feedback_nlp.store import write_part

Rows = list[tuple[str, str, str]]


@functools.lru_cache(maxsize=8)
def kept_stages(content: str) -> list[Stage]:
    return build_row_stages(Config(**json.loads(content)))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open models once and leave the report out: neither is what these tests are about."""
    monkeypatch.setattr(nightly, "write_report", lambda result: result.report_path)
    monkeypatch.setattr(pipeline, "build_row_stages", lambda config: kept_stages(config.model_dump_json()))


@pytest.fixture(scope="module")
def light() -> Config:
    return load_config(run__threads=1, run__chunk_size=16, run__stages=["langid"])


@pytest.fixture(scope="module")
def some_rows(examples: Path) -> Rows:
    with examples.open(encoding="utf-8", newline="") as stream:
        return [(row["comment_id"], row["text"], row["branch"]) for row in csv.DictReader(stream)][:80]


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("comment_id", "text", "branch"), *rows])
    return path


def next_night(rows: Rows) -> Rows:
    """Return a second dump: ten gone, five of another branch, three reworded, seven new here and there."""
    kept = [row for place, row in enumerate(rows) if place % 8 != 5]
    moved = [
        (key, text, "moved") if place < 5 else (key, text, branch) for place, (key, text, branch) in enumerate(kept)
    ]
    changed = [
        (key, f"{text} really", branch) if place % 25 == 9 else (key, text, branch)
        for place, (key, text, branch) in enumerate(moved)
    ]
    new = [(f"FB-00{place}0a", f"great staff number {place}", "B9") for place in range(7)]
    return [*changed, *new]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the ids of comments that are analysed."""
    ids: list[str] = []

    def watched(chunks: object, *arguments: object, **options: object) -> object:
        def told() -> object:
            for chunk in chunks:  # type: ignore[attr-defined]
                ids.extend(chunk.values(COMMENT_ID))
                yield chunk

        return run_chunks(told(), *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "run_chunks", watched)
    return ids


def test_only_what_is_new_or_changed_is_analysed_and_the_bytes_are_the_same(
    tmp_path: Path, some_rows: Rows, light: Config, seen: list[str]
) -> None:
    second = next_night(some_rows)
    source = write_csv(tmp_path / "two" / "night.csv", second)
    nightly.run([write_csv(tmp_path / "one" / "night.csv", some_rows)], light, tmp_path / "out")
    assert len(seen) == len(some_rows)
    seen.clear()
    result = nightly.run([source], light, tmp_path / "out")
    before = {key: text for key, text, _ in some_rows}
    assert sorted(seen) == sorted(key for key, text, _ in second if before.get(key) != text)
    assert result.summary["counts"]["analysed"] == len(seen) == 10
    whole = nightly.run([source], light, tmp_path / "scratch")
    assert (result.folder / COMMENTS).read_bytes() == (whole.folder / COMMENTS).read_bytes()
    assert result.run_id == whole.run_id


def test_parts_are_kept_for_the_published_run_only(tmp_path: Path, some_rows: Rows, light: Config) -> None:
    first = nightly.run([write_csv(tmp_path / "a.csv", some_rows[:20])], light, tmp_path / "out")
    assert len(list((first.folder / "parts").glob("*/part-*"))) == 2
    second = nightly.run([write_csv(tmp_path / "a.csv", some_rows[:40])], light, tmp_path / "out")
    assert not (first.folder / "parts").exists()
    assert len(list((second.folder / "parts").glob("*/part-*"))) == 3
    without = light.model_copy(update={"run": light.run.model_copy(update={"take_over": False})})
    third = nightly.run([write_csv(tmp_path / "a.csv", some_rows)], without, tmp_path / "out")
    assert third.summary["counts"]["analysed"] == 80
    assert list((tmp_path / "out").glob("*/parts")) == []


@pytest.mark.parametrize("change", [{"run__seed": 18}, {"run__stages": ["langid", "normalise"]}])
def test_other_settings_take_nothing_over(
    tmp_path: Path, some_rows: Rows, light: Config, seen: list[str], change: dict[str, object]
) -> None:
    source = write_csv(tmp_path / "a.csv", some_rows[:20])
    nightly.run([source], light, tmp_path / "out")
    seen.clear()
    options = {"run__threads": 1, "run__stages": ["langid"], **change}
    nightly.run([source], load_config(**options), tmp_path / "out")
    assert len(seen) == 20


def test_computing_anew_takes_nothing_over(tmp_path: Path, some_rows: Rows, light: Config, seen: list[str]) -> None:
    source = write_csv(tmp_path / "a.csv", some_rows[:20])
    nightly.run([source], light, tmp_path / "out")
    nightly.run([source], light, tmp_path / "out", resume=False)
    assert len(seen) == 40


def test_a_damaged_part_of_the_night_before_is_analysed_anew(
    tmp_path: Path, some_rows: Rows, light: Config, seen: list[str]
) -> None:
    first = nightly.run([write_csv(tmp_path / "a.csv", some_rows[:48])], light, tmp_path / "out")
    seen.clear()
    part = sorted((first.folder / "parts").glob("*/part-000001-*"))[0]
    part.write_bytes(part.read_bytes()[:-40])
    source = write_csv(tmp_path / "a.csv", some_rows)
    result = nightly.run([source], light, tmp_path / "out")
    assert len(seen) == 16 + 32
    whole = nightly.run([source], light, tmp_path / "scratch")
    assert (result.folder / COMMENTS).read_bytes() == (whole.folder / COMMENTS).read_bytes()


def test_other_chunks_take_over_as_well(tmp_path: Path, some_rows: Rows, light: Config, seen: list[str]) -> None:
    nightly.run([write_csv(tmp_path / "a.csv", some_rows)], light, tmp_path / "out")
    for size in (7, 100):
        other = light.model_copy(update={"run": light.run.model_copy(update={"chunk_size": size})})
        source = write_csv(tmp_path / "a.csv", some_rows[size // 10 : 80 - size // 5])
        seen.clear()
        result = nightly.run([source], other, tmp_path / "out")
        assert seen == []
        whole = nightly.run([source], light, tmp_path / f"scratch-{size}")
        assert (result.folder / COMMENTS).read_bytes() == (whole.folder / COMMENTS).read_bytes()


@pytest.mark.slow
def test_with_every_stage_and_fixed_topics_the_bytes_are_the_same(
    tmp_path: Path, some_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feedback_nlp.topics import TopicModel

    config = load_config(run__threads=1, run__chunk_size=32, topics__backend={"kind": "kmeans"})
    first = nightly.run([write_csv(tmp_path / "a.csv", some_rows)], config, tmp_path / "out")
    fixed = TopicModel.open(first.folder / TOPIC_MODEL)
    monkeypatch.setattr(pipeline, "find_topics", lambda *_, **__: fixed)
    source = write_csv(tmp_path / "a.csv", next_night(some_rows))
    result = nightly.run([source], config, tmp_path / "out")
    whole = nightly.run([source], config, tmp_path / "scratch")
    assert result.summary["counts"]["analysed"] == 10
    assert (result.folder / COMMENTS).read_bytes() == (whole.folder / COMMENTS).read_bytes()


def test_the_row_stages_read_no_other_column_of_the_input() -> None:
    stages = build_row_stages(load_config())
    assert {column for stage in stages for column in stage.requires} & set(INPUT_COLUMNS) == set(CONTENT)


def as_batch(rows: Sequence[tuple[str, str]]) -> CommentBatch:
    batch = CommentBatch.from_texts([text for _, text in rows])
    ids = pa.array([key for key, _ in rows], pa.string())
    return CommentBatch(batch.table.set_column(0, COMMENT_ID.name, ids))


def test_chunks_of_any_cut_meet_the_earlier_rows(tmp_path: Path) -> None:
    earlier = [(f"k{place:03d}", f"text {place}") for place in range(0, 60, 2)]
    for index, first in enumerate(range(0, 30, 7)):
        write_part(tmp_path, index, as_batch(earlier[first : first + 7]))
    tonight = [(f"k{place:03d}", f"text {place if place % 6 else 'new'}") for place in range(60)]
    for size in (1, 4, 13, 60, 100):
        rows = EarlierRows(tmp_path)
        known: list[str] = []
        for first in range(0, 60, size):
            batch = as_batch(tonight[first : first + size])
            split = rows.split(batch)
            known += [batch.values(COMMENT_ID)[place] for place in split.known]
            assert sorted([*split.fresh, *split.known]) == list(range(len(batch)))
            whole = split.joined(split.to_analyse() if len(split.fresh) else None)
            assert whole.values(COMMENT_ID) == batch.values(COMMENT_ID)
            assert whole.values(TEXT) == batch.values(TEXT)
        assert known == [key for key, text in tonight if (key, text) in earlier]


def test_nothing_earlier_means_everything_is_fresh(tmp_path: Path) -> None:
    batch = as_batch([("a", "x"), ("b", "y")])
    for parts in (None, tmp_path / "none"):
        split = EarlierRows(parts).split(batch)
        assert split.to_analyse() is batch
        assert split.joined(batch) is batch
    assert len(EarlierRows(None).split(as_batch([])).fresh) == 0
