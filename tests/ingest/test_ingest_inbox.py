import os
import time

import pytest

from feedback_nlp.core.errors import FeedbackError, MissingInputError
from feedback_nlp.ingest import inbox
from feedback_nlp.ingest.inbox import archive_files, need_local, waiting_files


@pytest.fixture
def box(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name in ("b.csv", "a.csv"):
        old(folder / name)
    return folder


def old(path, seconds=60.0):
    path.write_text("text\ngood\n", encoding="utf-8")
    before = time.time() - seconds
    os.utime(path, (before, before))
    return path


def test_settled_files_are_read_and_fresh_ones_wait(box):
    (box / "fresh.csv").write_text("text\nhalf")
    (box / ".hidden.csv").write_text("x")
    (box / "notes.pdf").write_text("x")
    assert [one.path.name for one in waiting_files([box], 10)] == ["a.csv", "b.csv"]
    assert len(waiting_files([box], 0)) == 3


def test_a_file_given_twice_is_read_once(box):
    assert len(waiting_files([box, box / "a.csv", str(box / "*.csv")], 10)) == 2


def test_an_empty_inbox_is_no_error_but_a_missing_one_is(tmp_path):
    (tmp_path / "empty").mkdir()
    assert waiting_files([tmp_path / "empty"], 10) == []
    with pytest.raises(MissingInputError):
        waiting_files([tmp_path / "none"], 10)


def test_files_move_to_the_runs_folder(box, tmp_path):
    moved = archive_files(waiting_files([box], 10), tmp_path / "done", "run1")
    assert [path.relative_to(tmp_path).as_posix() for path in moved] == ["done/run1/a.csv", "done/run1/b.csv"]
    assert list(box.iterdir()) == []


def test_a_file_of_the_same_name_is_never_overwritten(box, tmp_path):
    target = tmp_path / "done" / "run1"
    target.mkdir(parents=True)
    (target / "a.csv").write_text("older")
    archive_files(waiting_files([box], 10), tmp_path / "done", "run1")
    assert sorted(path.name for path in target.iterdir()) == ["a-2.csv", "a.csv", "b.csv"]
    assert (target / "a.csv").read_text() == "older"


def test_what_changed_since_it_was_read_stays(box, tmp_path):
    files = waiting_files([box], 10)
    with (box / "a.csv").open("a") as stream:
        stream.write("late\n")
    (box / "b.csv").unlink()
    assert archive_files(files, tmp_path / "done", "run1") == []
    assert (box / "a.csv").exists()


def test_moving_to_another_file_system_copies_whole(box, tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(inbox.errno.EXDEV, "other device")

    monkeypatch.setattr(inbox.Path, "rename", refuse)
    (moved, _) = archive_files(waiting_files([box], 10), tmp_path / "done", "run1")
    assert moved.read_text() == "text\ngood\n"
    assert not (box / "a.csv").exists()


def test_an_archive_that_cannot_be_written_is_named(box, tmp_path):
    (tmp_path / "done").write_text("a file")
    with pytest.raises(FeedbackError, match="cannot be moved"):
        archive_files(waiting_files([box], 10), tmp_path / "done", "run1")
    assert (box / "a.csv").exists()


@pytest.mark.parametrize("given", ["s3://bucket/x.csv", "@crm"])
def test_only_files_of_this_machine_are_archived(given):
    with pytest.raises(MissingInputError, match="this machine only"):
        need_local([given])
