import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from store_tables import results

from feedback_nlp.core.columns import DRIVER_SPANS, RESULT_COLUMNS
from feedback_nlp.core.errors import ConfigError, FeedbackError, StageContractError
from feedback_nlp.store import Store, driver_frame, open_store

NIGHT = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened


def begin(store: Store, run_id: str = "r1", *, day: int = 0, chunk_size: int = 3, **changes: str) -> None:
    prints = {"fingerprint": "f", "input_fingerprint": "i", **changes}
    store.begin_run(
        run_id,
        **prints,
        config={"run": {"seed": 17, "chunk_size": chunk_size}},
        models={"m": "abc"},
        code_version="0.1.0",
        inputs=["a.csv"],
        started_at=NIGHT + timedelta(days=day),
    )


def finished(store: Store, run_id: str, *, day: int = 0, rows: int = 5, publish: bool = True) -> None:
    begin(store, run_id, day=day)
    store.write_chunk(run_id, 0, results(rows, seed=abs(day)))
    store.finish_run(run_id, {"comments": rows}, NIGHT + timedelta(days=day, hours=1), publish=publish)


def test_a_run_from_begin_to_end(store: Store) -> None:
    begin(store)
    assert store.run("r1").state == "running"
    assert store.write_chunk("r1", 0, results(7))
    assert store.write_chunk("r1", 1, results(4, first=7))
    assert store.chunks_done("r1") == {0, 1}
    assert store.current_run() is None
    store.finish_run("r1", {"comments": 11}, NIGHT.astimezone(timezone(timedelta(hours=3.5))))
    record = store.run("r1")
    assert (record.state, record.current, record.comments) == ("finished", True, 11)
    assert (record.started_at, record.finished_at) == ("2026-11-28T02:30:00Z", "2026-11-28T02:30:00Z")
    assert record.config == {"run": {"seed": 17, "chunk_size": 3}}
    assert (record.models, record.inputs) == ({"m": "abc"}, ["a.csv"])
    assert (record.summary, record.error) == ({"comments": 11}, None)
    assert store.current_run() == "r1"
    assert store.comments().equals(pa.concat_tables([results(7), results(4, first=7)]))


def test_the_same_chunk_twice_leaves_no_doubles(store: Store) -> None:
    begin(store)
    store.write_chunk("r1", 0, results(2))
    assert store.write_chunk("r1", 3, results(9, first=2))
    assert store.write_chunk("r1", 3, results(5, first=2))
    store.finish_run("r1", {}, NIGHT)
    assert store.comments().equals(pa.concat_tables([results(2), results(5, first=2)]))
    assert store.root_causes().equals(driver_frame(store.comments()))


def test_a_run_taken_up_with_other_chunks_begins_them_anew(store: Store) -> None:
    begin(store)
    store.write_chunk("r1", 0, results(3))
    store.write_chunk("r1", 1, results(3, first=3))
    begin(store, chunk_size=6)
    assert store.chunks_done("r1") == set()
    assert store.comments("r1", unfinished=True).num_rows == 0
    assert store.run("r1").config == {"run": {"seed": 17, "chunk_size": 6}}


def test_chunks_written_out_of_order_are_read_in_order(store: Store) -> None:
    begin(store)
    for index in (2, 0, 1):
        store.write_chunk("r1", index, results(3, first=3 * index))
    ids = store.comments("r1", columns=["comment_id"], unfinished=True).column(0).to_pylist()
    assert ids == [f"c{i:08d}" for i in range(9)]


def test_an_empty_chunk_counts_as_done(store: Store) -> None:
    begin(store)
    assert store.write_chunk("r1", 0, results(0))
    store.finish_run("r1", {}, NIGHT)
    assert store.chunks_done("r1") == {0}
    assert store.comments().num_rows == 0
    assert store.comments().schema.names == [column.name for column in RESULT_COLUMNS]
    assert next(iter(store.root_causes().columns)) == "comment_id"


def test_a_run_is_taken_up_again_with_its_chunks_and_first_start(store: Store) -> None:
    begin(store)
    store.write_chunk("r1", 0, results(3))
    store.fail_run("r1", "disk full", NIGHT)
    assert (store.run("r1").state, store.run("r1").error) == ("failed", "disk full")
    begin(store, day=1)
    record = store.run("r1")
    assert (record.state, record.error, record.finished_at) == ("running", None, None)
    assert record.started_at == "2026-11-28T02:30:00Z"
    assert store.chunks_done("r1") == {0}


def test_a_finished_run_stays_finished_and_takes_no_more(store: Store) -> None:
    finished(store, "r1")
    begin(store)
    store.fail_run("r1", "late", NIGHT)
    assert store.run("r1").state == "finished"
    assert not store.write_chunk("r1", 0, results(5))
    with pytest.raises(FeedbackError, match="'r1' is finished; only a running one"):
        store.write_chunk("r1", 1, results(5))


@pytest.mark.parametrize("name", ["fingerprint", "input_fingerprint"])
def test_a_run_of_the_same_id_but_other_prints_is_refused(store: Store, name: str) -> None:
    begin(store)
    with pytest.raises(ConfigError, match=f"another {name}"):
        begin(store, **{name: "x"})


def test_readers_never_see_a_run_before_it_is_published(store: Store) -> None:
    with pytest.raises(FeedbackError, match="no published run yet"):
        store.comments()
    finished(store, "r1")
    begin(store, "r2", day=1)
    store.write_chunk("r2", 0, results(9))
    assert store.current_run() == "r1"
    assert store.comments().num_rows == 5
    for read in (store.comments, store.topics, store.rejects, store.root_causes):
        with pytest.raises(FeedbackError, match=r"'r2' is not finished \(running\)"):
            read("r2")
    with pytest.raises(FeedbackError, match="not finished"):
        store.publish("r2", NIGHT)
    store.finish_run("r2", {}, NIGHT, publish=False)
    assert store.current_run() == "r1"
    assert store.comments("r2").num_rows == 9
    store.publish("r2", NIGHT)
    assert store.comments().num_rows == 9


def test_runs_are_listed_newest_first_and_unfinished_only_on_demand(store: Store) -> None:
    finished(store, "r1")
    finished(store, "r2", day=1)
    begin(store, "r3", day=2)
    frame = store.runs()
    assert list(frame["run_id"]) == ["r2", "r1"]
    assert list(frame["current"]) == [True, False]
    assert list(frame["comments"]) == [5, 5]
    assert list(store.runs(unfinished=True)["run_id"]) == ["r3", "r2", "r1"]


def test_root_causes_are_one_row_a_driver_with_verbatim_evidence(store: Store) -> None:
    finished(store, "r1", rows=60)
    frame = store.root_causes()
    table = results(60)
    assert frame.equals(driver_frame(table))
    spans = table.column(DRIVER_SPANS.name).to_pylist()
    assert len(frame) == sum(map(len, spans))
    assert list(frame.columns) == ["comment_id", "driver", "cause", "sign", "score", "start", "end", "evidence"]
    texts = dict(zip(table.column("comment_id").to_pylist(), table.column("text").to_pylist(), strict=True))
    for row in frame.itertuples():
        assert row.evidence == texts[row.comment_id][row.start : row.end]
    assert frame["score"].dtype == "float32"


def test_filters_columns_and_pages(store: Store) -> None:
    finished(store, "r1", rows=200)
    whole = results(200).to_pylist()
    for column, key, value in (
        ("lang", "lang", "fa"),
        ("topic_id", "topic", 3),
        ("root_cause", "root_cause", "both"),
        ("sentiment", "sentiment", "mixed"),
    ):
        found = store.comments(**{key: value}).to_pylist()
        assert found == [row for row in whole if row[column] == value] != []
    page = store.comments(columns=["text", "comment_id"], limit=10, offset=20)
    assert page.column_names == ["text", "comment_id"]
    assert page.column("comment_id").to_pylist() == [row["comment_id"] for row in whole[20:30]]
    assert store.comments(offset=195).num_rows == 5
    assert store.comments(lang="fa", sentiment="mixed", topic=-2).num_rows == 0


@pytest.mark.parametrize("columns", [["text", "nonsense"], []])
def test_unknown_columns_are_refused(store: Store, columns: list[str]) -> None:
    finished(store, "r1")
    with pytest.raises(ConfigError, match="There are: comment_id, text"):
        store.comments(columns=columns)


def test_topics_and_rejects_come_back_with_their_types(store: Store) -> None:
    topics = pa.table(
        {
            "topic_id": pa.array([0, 1], pa.int32()),
            "parent_id": pa.array([None, 0], pa.int32()),
            "label_fa": ["مرجوعی", None],
            "keywords_ar": pa.array([["سعر", "غالي"], []], pa.list_(pa.string())),
            "shares": pa.array([{"ar": 0.1, "fa": 0.9}, None], pa.struct([("ar", pa.float32()), ("fa", pa.float32())])),
        }
    )
    rejects = pa.Table.from_pandas(topics.select(["topic_id", "label_fa"]).to_pandas())
    begin(store)
    store.write_topics("r1", pa.table({"earlier": [1, 2, 3]}))
    store.write_topics("r1", topics)
    store.write_rejects("r1", rejects)
    store.finish_run("r1", {}, NIGHT)
    assert store.topics(decided=False).equals(topics)
    assert store.rejects("r1").equals(rejects.replace_schema_metadata(None))


def test_tables_never_written_are_empty(store: Store) -> None:
    finished(store, "r1")
    assert store.topics(decided=False).num_rows == store.rejects().num_rows == 0


def test_a_type_json_has_no_word_for_is_refused_whole(store: Store) -> None:
    begin(store)
    store.write_rejects("r1", pa.table({"row": [1]}))
    for array in (pa.array([NIGHT]), pa.array([float("nan")])):
        with pytest.raises(StageContractError, match="cannot be stored as JSON"):
            store.write_rejects("r1", pa.table({"row": array}))
    store.finish_run("r1", {}, NIGHT)
    assert store.rejects().num_rows == 1


def test_prune_keeps_the_newest_and_the_current(store: Store) -> None:
    begin(store, "old-failed")
    store.fail_run("old-failed", "x", NIGHT)
    begin(store, "running")
    for day in range(6):
        # The clock may be put back: what counts is which was begun last.
        finished(store, f"r{day}", day=-day)
    store.publish("r1", NIGHT)
    assert store.prune(2) == ["r3", "r2", "r0", "old-failed"]
    assert list(store.runs(unfinished=True)["run_id"]) == ["r5", "r4", "r1", "running"]
    assert store.comments("r5").num_rows == 5
    with store._database.reading() as connection:
        for name in ("comments", "chunks"):
            runs = connection.exec_driver_sql(f"SELECT count(DISTINCT run) FROM {name}").scalar_one()
            assert runs == 3
    assert store.prune(2) == []
    assert store.prune(9) == []
    with pytest.raises(ConfigError, match="keep must be at least 1"):
        store.prune(0)


def test_the_current_run_cannot_be_dropped_and_others_can(store: Store) -> None:
    finished(store, "r1")
    with pytest.raises(FeedbackError, match="'r1' is the one readers see"):
        store.drop_run("r1")
    finished(store, "r2", day=1)
    store.drop_run("r1")
    with pytest.raises(ConfigError, match="No run 'r1'"):
        store.run("r1")


def test_unknown_runs_are_named(store: Store) -> None:
    for act in (
        store.run,
        store.comments,
        store.chunks_done,
        lambda name: store.write_chunk(name, 0, results(1)),
        lambda name: store.finish_run(name, {}, NIGHT),
    ):
        with pytest.raises(ConfigError, match="No run 'ghost' in the store"):
            act("ghost")


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    begin(store)
    with pytest.raises(ConfigError, match="without a time zone"):
        store.finish_run("r1", {}, datetime(2026, 1, 1))
    assert store.run("r1").state == "running"


def test_a_broken_column_leaves_nothing_behind(store: Store) -> None:
    begin(store)
    table = results(3)
    broken = table.set_column(table.column_names.index("lang"), "lang", pa.array(["xx"] * 3))
    with pytest.raises(StageContractError, match="results: 'lang' has 3 values outside"):
        store.write_chunk("r1", 0, broken)
    with pytest.raises(StageContractError, match="input columns missing: comment_id, source"):
        store.write_chunk("r1", 0, table.drop_columns(["comment_id", "source"]))
    assert store.chunks_done("r1") == set()


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_a_failure_in_the_middle_of_a_chunk_leaves_nothing_behind(
    where: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bare = where == "postgresql"
    store = open_store(request.getfixturevalue("bare_postgresql_url") if bare else f"sqlite:///{tmp_path}/s.db")
    begin(store)
    fails = "SELECT RAISE(FAIL, 'database or disk is full')"
    sqlite = f"CREATE TRIGGER full_disk BEFORE INSERT ON drivers BEGIN {fails}; END"
    function = (
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'could not extend file: No space left on device'; END $$"
    )
    trigger = "CREATE TRIGGER full_disk BEFORE INSERT ON drivers FOR EACH ROW EXECUTE FUNCTION fail()"
    with store._database.writing() as connection:
        for words in (function, trigger) if connection.dialect.name == "postgresql" else (sqlite,):
            connection.exec_driver_sql(words)
    with pytest.raises(FeedbackError, match=r"the disk is full. Make room and run again") as caught:
        store.write_chunk("r1", 0, results(30))
    assert "السعر" not in str(caught.value) + str(caught.value.__cause__)
    assert store.chunks_done("r1") == set()
    assert store.comments("r1", unfinished=True).num_rows == 0
    store.close()


def test_stages_left_out_leave_nulls(store: Store) -> None:
    begin(store)
    store.write_chunk("r1", 0, results(5).drop_columns(["sentiment", "clauses", "drivers", "topic_id"]))
    store.finish_run("r1", {}, NIGHT)
    got = store.comments()
    assert got.schema == results(1).schema
    assert got.column("clauses").null_count == got.column("topic_id").null_count == 5
    assert len(store.root_causes()) == 0


def test_config_is_stored_as_sorted_json_with_its_letters(store: Store) -> None:
    store.begin_run(
        "r1",
        fingerprint="f",
        input_fingerprint="i",
        config={"z": 1, "a": "سیاست"},
        models={},
        code_version="0",
        inputs=[],
        started_at=NIGHT,
    )
    with store._database.reading() as connection:
        [text] = connection.exec_driver_sql("SELECT config FROM runs").scalars()
    assert text == '{"a":"سیاست","z":1}'
    assert json.loads(text) == store.run("r1").config
