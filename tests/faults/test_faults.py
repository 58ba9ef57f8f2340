"""The faults in their short form, and what the harness itself must be able to see."""

import functools
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fault_cases import Scene, judged
from fault_child import Outcome, Points, die, in_child, pause, start
from fault_harness import all_cases, opened_scene, short_cases, summary, try_cases
from fault_night import Place, examine

from feedback_nlp.core.errors import BadDataError
from feedback_nlp.store import open_results


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("faults")
    ours = takewhile(lambda one: one != Path(tempfile.gettempdir()), (folder, *folder.parents))
    # The database's user is another one than ours: every folder on the way must let it through.
    for parent in ours:
        parent.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            ("feedback_nlp.pipeline", "build_row_stages"),
            ("feedback_nlp.nightly", "write_report"),
            ("feedback_nlp.outcome", "write_report"),
            ("feedback_nlp.store.database", "BUSY_SECONDS"),
            ("feedback_nlp.store.database", "RECONNECT_SECONDS"),
        ):
            # The harness replaces these for good; the patch puts them back.
            patch.setattr(f"{module}.{name}", __import__(module, fromlist=[name]).__dict__[name])
        with opened_scene(folder) as opened:
            yield opened


@pytest.mark.slow
def test_every_case_of_the_short_form_survives(scene: Scene) -> None:
    results = try_cases(scene, short_cases(scene))
    assert len(results) >= 20
    assert [result for result in results if not result.survived] == []
    assert "rows lost: 0, rows doubled: 0" in summary(results)
    assert {result.database for result in results} == set(scene.bench.databases)


@pytest.mark.slow
def test_the_long_form_has_two_hundred_cases_over_both_databases(scene: Scene) -> None:
    cases = all_cases(scene)
    assert len(cases) >= (200 if len(scene.bench.databases) == 2 else 100)
    assert len({(name, database) for name, database, _ in cases}) == len(cases)


@pytest.mark.slow
def test_the_harness_sees_loss_doubles_and_other_bytes(scene: Scene) -> None:
    with scene.place("sqlite") as place:
        done = place.night(scene.first)
        assert examine(place, scene.want_first).fault == ""
        in_child(functools.partial(_spoil_store, place))
        state = examine(place, scene.want_first)
        assert (state.lost, state.doubled) == (1, 1)
        assert "the store differs" in state.fault
        path = place.out / done.value["run_id"] / "comments.parquet"
        table = pq.read_table(path).select(["comment_id", "text", "created_at", "source", "meta"]).slice(1)
        with open_results(path) as results:
            results.write(table)
        assert "differs from the undisturbed" in examine(place, scene.want_first).fault
        assert not judged("x", place, scene.want_first, Outcome("hung"), scene.first).survived
        assert not judged("x", place, scene.want_first, Outcome("killed"), scene.first, seen=(0,)).survived


def _spoil_store(place: Place) -> None:
    with place.store() as store, store._database.writing() as connection:
        ids = connection.exec_driver_sql("SELECT comment_id FROM comments ORDER BY comment_id LIMIT 2").scalars().all()
        connection.exec_driver_sql("UPDATE comments SET comment_id = ? WHERE comment_id = ?", (ids[0], ids[1]))


def test_children_tell_how_they_ended(tmp_path: Path) -> None:
    def fails() -> None:
        raise BadDataError("no such thing")

    assert in_child(lambda: {"a": 1}).value == {"a": 1}
    told = in_child(fails)
    assert (told.kind, told.code, told.message) == ("error", 65, "no such thing")
    assert in_child(lambda: 1 / 0).kind == "crash"
    assert in_child(die).kind == "killed"
    child = start(pause)
    assert child.wait_until_stopped()
    child.wake()
    assert child.wait().kind == "finished"
    assert start(pause).wait(0.1).kind == "hung"

    def writes() -> None:
        for number in range(5):
            (tmp_path / f"{number}").write_text("x", encoding="utf-8")

    assert in_child(writes, Points(tmp_path)).points == 5
    assert in_child(writes, Points(tmp_path / "elsewhere")).points == 0
    assert in_child(writes, Points(tmp_path, {3: die})).kind == "killed"
