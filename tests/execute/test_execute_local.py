import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Pipe
from pathlib import Path

import execute_stages
import pytest
from threadpoolctl import threadpool_info

from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.core.columns import CLEAN
from feedback_nlp.core.errors import ConfigError, FeedbackError, ModelError
from feedback_nlp.execute import run_chunks
from feedback_nlp.execute.wire import from_bytes, to_bytes
from feedback_nlp.execute.worker import serve

HERE = Path(__file__).resolve().parent


def chunks(count: int, rows: int = 40) -> Iterator[CommentBatch]:
    for index in range(count):
        yield CommentBatch.from_texts([f"{index}-{row} متن مختلط text" * (row % 3) for row in range(rows)])


def plain(**options: object) -> functools.partial[list[object]]:
    return functools.partial(execute_stages.build, **options)


def test_one_worker_yields_in_order_with_columns_and_seconds() -> None:
    results = list(run_chunks(chunks(3), plain(), workers=1))
    assert [result.index for result in results] == [0, 1, 2]
    assert results[1].batch.values(CLEAN)[1] == "1-1 متن مختلط TEXT"
    assert set(results[0].seconds) == {"upper", "project"}


@pytest.mark.parametrize("workers", [2, 3])
def test_many_workers_give_the_same_bytes_as_one(workers: int) -> None:
    given = [*chunks(9), CommentBatch.from_texts([]), *chunks(1, rows=700)]
    here = [bytes(to_bytes(result.batch)) for result in run_chunks(given, plain(), workers=1)]
    there = [bytes(to_bytes(result.batch)) for result in run_chunks(given, plain(), workers=workers)]
    assert here == there


def test_the_cut_into_chunks_does_not_change_a_row() -> None:
    texts = [f"comment {i} " * (i % 5) for i in range(300)]
    whole = CommentBatch.from_texts(texts)
    [one] = run_chunks([whole], plain(), workers=1)
    cut = [CommentBatch(whole.table.slice(first, 37)) for first in range(0, 300, 37)]
    parts = [result.batch.table for result in run_chunks(cut, plain(), workers=2)]
    assert sum(part.num_rows for part in parts) == 300
    for index, part in enumerate(parts):
        assert part.equals(one.batch.table.slice(index * 37, 37))


def test_chunks_are_pulled_only_as_needed() -> None:
    pulled = []

    def counted() -> Iterator[CommentBatch]:
        for index, chunk in enumerate(chunks(50)):
            pulled.append(index)
            yield chunk

    results = run_chunks(counted(), plain(), workers=2)
    assert not pulled
    next(results)
    assert len(pulled) == 4
    next(results)
    assert len(pulled) == 5
    results.close()
    assert len(pulled) == 5


def test_no_chunks_start_no_worker_and_one_chunk_starts_one(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(1) or real(*a, **k))
    assert list(run_chunks([], plain(), workers=2)) == []
    assert not started
    assert len(list(run_chunks(chunks(1), plain(), workers=2))) == 1
    assert len(started) == 1


def test_on_done_is_told_in_order() -> None:
    told: list[int] = []
    for result in run_chunks(chunks(4), plain(), workers=2, on_done=lambda done: told.append(done.index)):
        assert told[-1] == result.index
    assert told == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_ours_comes_back_as_it_is_after_the_chunks_before_it(workers: int) -> None:
    bad = [*chunks(2), CommentBatch.from_texts(["bad"]), *chunks(2)]
    results = run_chunks(bad, plain(on="bad", act="model"), workers=workers)
    assert [next(results).index, next(results).index] == [0, 1]
    with pytest.raises(ModelError, match="models/x: damaged") as caught:
        next(results)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stage_that_cannot_be_built_says_so(workers: int) -> None:
    with pytest.raises(ModelError, match="No model 'x'"):
        list(run_chunks(chunks(3), execute_stages.build_fails, workers=workers))


def test_a_bug_in_a_worker_is_told_without_its_message() -> None:
    bad = [CommentBatch.from_texts(["bad"])]
    with pytest.raises(FeedbackError, match=r"ZeroDivisionError at .*execute_stages.py:\d+") as caught:
        list(run_chunks(bad, plain(on="bad", act="bug"), workers=2))
    assert "SECRET" not in str(caught.value) + "".join(caught.value.__notes__)
    assert "_bug" in caught.value.__notes__[0]


@pytest.mark.parametrize(("act", "words"), [("die", "killed by SIGKILL.*memory"), ("exit", "exit code 9")])
def test_a_worker_that_dies_is_an_error_and_never_a_hang(act: str, words: str) -> None:
    bad = [*chunks(1), CommentBatch.from_texts(["bad"]), *chunks(6)]
    results = run_chunks(bad, plain(on="bad", act=act), workers=2)
    assert next(results).index == 0
    with pytest.raises(FeedbackError, match=words):
        list(results)


def test_what_a_stage_prints_does_not_reach_our_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    list(run_chunks([CommentBatch.from_texts(["bad"])], plain(on="bad", act="print"), workers=2))
    assert capfd.readouterr().out == ""


def test_a_failing_reader_ends_the_workers() -> None:
    def broken() -> Iterator[CommentBatch]:
        yield from chunks(2)
        raise ModelError("reader")

    with pytest.raises(ModelError, match="reader"):
        list(run_chunks(broken(), plain(), workers=2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("chunks")]


def test_workers_below_one_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        list(run_chunks([], plain(), workers=0))


def test_one_worker_uses_one_blas_thread() -> None:
    seen = []

    def build() -> list[object]:
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return execute_stages.build()

    list(run_chunks(chunks(1), build, workers=1))
    assert set(seen) <= {1}


def test_a_batch_survives_the_wire() -> None:
    [batch] = [result.batch for result in run_chunks(chunks(1), plain(), workers=1)]
    assert from_bytes(to_bytes(batch)).table.equals(batch.table)
    assert len(to_bytes(CommentBatch(batch.table.slice(3, 2)))) < len(to_bytes(batch)) / 4


SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent under nohup hands on that it is ignored
import functools, sys
sys.path.insert(0, {here!r})
import execute_stages
from feedback_nlp.core.batch import CommentBatch
from feedback_nlp.execute import run_chunks
chunks = [CommentBatch.from_texts(["a"])] * 4
build = functools.partial({build})
print(len(list(run_chunks(chunks, build, workers=2))))
"""


def _script(build: str, **options: object) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    script = SCRIPT.format(here=str(HERE), build=build)
    process = subprocess.Popen(
        [sys.executable, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )
    assert process.stdin is not None
    process.stdin.write(script)
    process.stdin.close()
    return process


def test_a_script_from_stdin_without_a_main_guard_can_use_workers() -> None:
    with _script("execute_stages.build") as process:
        assert process.stdout is not None
        assert process.stdout.read() == "4\n"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for(condition: "functools.partial[bool]", seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_caller(tmp_path: Path, end: signal.Signals) -> None:
    with _script(f"execute_stages.build_slowly, {str(tmp_path)!r}", start_new_session=True) as process:
        assert _wait_for(functools.partial(lambda: len(list(tmp_path.iterdir())) == 2))
        workers = [int(path.name) for path in tmp_path.iterdir()]
        began = time.monotonic()
        os.kill(process.pid, end)
        try:
            process.wait(10)
        finally:
            process.kill()
        assert time.monotonic() - began < 5
        if end == signal.SIGINT:
            assert not any(_alive(pid) for pid in workers)
        for pid in filter(_alive, workers):
            os.kill(pid, signal.SIGKILL)


def test_a_worker_answers_until_its_caller_hangs_up() -> None:
    ours, theirs = Pipe()
    ended: list[type[Exception]] = []

    def work() -> None:
        try:
            serve(theirs)
        except EOFError:
            ended.append(EOFError)

    thread = threading.Thread(target=work)
    thread.start()
    ours.send(plain(on="bad", act="model"))
    assert ours.recv() is None
    ours.send_bytes(to_bytes(CommentBatch.from_texts(["good"])))
    assert set(ours.recv()) == {"upper", "project"}
    assert from_bytes(ours.recv_bytes()).values(CLEAN) == ["GOOD"]
    ours.send_bytes(to_bytes(CommentBatch.from_texts(["bad"])))
    assert isinstance(ours.recv(), ModelError)
    ours.close()
    thread.join()
    theirs.close()
    assert ended == [EOFError]
