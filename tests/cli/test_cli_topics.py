import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from feedback_nlp.cli import topics_text
from feedback_nlp.cli.app import app
from feedback_nlp.store import open_store

sys.path.append(str(Path(__file__).parents[1] / "store"))

from decision_stores import add_run

Call = Callable[..., Result]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    with open_store(f"sqlite:///{tmp_path}/out/store.db") as store:
        add_run(store)
    return tmp_path / "out"


@pytest.fixture
def topics(out: Path) -> Call:
    def call(*args: object, code: int = 0, author: str | None = "سارا") -> Result:
        named = {} if author is None else {"FEEDBACK_NLP_AUTHOR": author}
        found = CliRunner().invoke(app, ["topics", *map(str, args), "--out", str(out)], env=named)
        assert found.exit_code == code, found.output
        return found

    return call


def test_list_puts_numbers_first_and_names_in_three_scripts_last(topics: Call) -> None:
    found = topics("list")
    lines = found.stdout.splitlines()
    assert lines[0].split() == ["topic", "comments", "marks", "name"]
    assert lines[1].endswith("delivery · التوصيل · تحویل")
    assert found.stderr == "3 comments have no topic.\n"
    assert topics("list", "--lang", "fa").stdout.splitlines()[2].endswith("  غذا")


def test_every_act_and_what_the_list_says_after(topics: Call) -> None:
    told = topics("rename", 0, "تأخیر در\u200cتحویل\u200f", "--lang", "fa").stdout
    assert "سارا  rename topic 0: fa «تحویل» → «تأخیر در\u200cتحویل»" in told
    assert "merge topic 1 into 2" in topics("merge", 1, 2).stdout
    told = topics("split", 0, "--search", "مندوب", "--name", "المندوب", "--lang", "ar").stdout
    assert "split 3 comments (c00000000, c00000016, c00000032) off topic 0: new topic 1000000 المندوب" in told
    assert "move 1 comment (c00000004) to topic 3" in topics("move", "c00000004", "--to", 3).stdout
    assert "move 1 comment (c00000008) to no topic" in topics("move", "c00000008", "--to", -1).stdout
    assert "lock topic 2" in topics("lock", 2).stdout
    assert "hide topic 3" in topics("hide", 3).stdout
    found = topics("list")
    assert "Hidden or without comments: 1 more; --all lists them." in found.stderr
    lines = {line.split()[0]: line for line in found.stdout.splitlines()}
    assert set(lines) == {"topic", "0", "1000000", "2"}
    assert "locked, with 1" in lines["2"]
    assert lines["1000000"].endswith("delivery (2) · المندوب · تأخیر در\u200cتحویل (2)")
    assert "hidden" in topics("list", "--all").stdout
    topics("unhide", 3)
    topics("unlock", 2)
    assert topics("lock", 0, author="علی").stdout.split()[2] == "علی"
    assert topics("unhide", 3).stdout == "Nothing changes; nothing was recorded.\n"
    history = topics("history", "--limit", 3).stdout.splitlines()
    assert [line.split("  ")[-1] for line in history] == ["show topic 3", "unlock topic 2", "lock topic 0"]


def test_show_tells_all_of_a_topic(topics: Call) -> None:
    topics("rename", 0, "پیک", "--lang", "fa")
    shown = topics("show", 0, "--comments", 2).stdout.splitlines()
    assert shown[0] == "topic      0"
    assert shown[1].startswith("comments   9 (22.5% of all")
    assert "ar         التوصيل" in shown
    assert "fa         پیک: تحویل" in shown
    assert any(line.startswith("decided ") and "rename topic 0" in line for line in shown)
    assert [line.split()[0] for line in shown[-2:]] == ["c00000000", "c00000004"]
    told = json.loads(topics("show", 0, "--json").stdout)
    assert told["topic"]["label_fa"] == "پیک"
    assert len(told["comments"]) == 9
    assert told["decisions"][0]["act"] == "rename"


def test_personal_data_is_covered(topics: Call) -> None:
    # The first comment's first four characters are marked as personal data.
    shown = topics("show", 0, "--comments", 1)
    assert "‹phone›" in shown.stdout
    assert "المندوب" not in shown.stdout.splitlines()[-1]
    assert "‹phone›" in topics("show", 0, "--comments", 1, "--json").stdout


def test_undo_redo_and_history(topics: Call) -> None:
    topics("rename", 0, "یک", "--lang", "fa")
    topics("rename", 0, "دو", "--lang", "fa", author="علی")
    assert "undo of 1" not in topics("undo", 1, code=1).output
    assert "undo of 2 (topic 0)" in topics("undo", 2).stdout
    assert "redo against 3 (topic 0)" in topics("redo").stdout
    rows = json.loads(topics("history", "--topic", 0, "--json").stdout)
    assert [row["act"] for row in rows] == ["rename", "rename", "undo", "redo"]
    assert [row["decision"] for row in json.loads(topics("history", "--by", "علی", "--json").stdout)] == [2]
    topics("undo", 2)
    assert "(undone)" in topics("history").stdout.splitlines()[1]
    assert json.loads(topics("lock", 1, "--json").stdout)["act"] == "lock"
    assert json.loads(topics("lock", 1, "--json").stdout) is None


def test_nothing_decided_yet(topics: Call) -> None:
    found = topics("history")
    assert (found.stdout, found.stderr) == ("", "Nothing has been decided.\n")
    assert "سارا has nothing to undo" in topics("undo", code=1).stderr


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["show", 9], 2, "No topic 9 in the current run. `feedback-nlp topics list --all` shows them"),
        (["rename", 9, "x", "--lang", "fa"], 2, "No topic 9"),
        (["rename", 0, "x", "--lang", "de"], 2, "Language 'de' is not known. Known: ar, fa, en"),
        (["rename", 0, "\u200f", "--lang", "fa"], 2, "is empty"),
        (["rename", 0, "x"], 2, "--lang"),
        (["merge", 0, 9], 2, "No topic 9"),
        (["split", 0], 2, "comments are needed, or words to search for"),
        (["move", "nobody", "--to", 0], 2, "No comment nobody in the current run"),
        (["undo", 7], 2, "No decision 7. `feedback-nlp topics history` shows them"),
    ],
)
def test_errors_say_what_to_do(topics: Call, args: list[object], code: int, message: str) -> None:
    found = topics(*args, code=code)
    assert message in found.stderr
    assert found.stdout == ""


def test_a_merged_topic_says_where_it_went(topics: Call) -> None:
    topics("merge", 0, 1)
    assert "Topic 0 was merged into 1: `feedback-nlp topics show 1`" in topics("show", 0, code=2).stderr


def test_a_stale_decision_is_refused(topics: Call) -> None:
    topics("rename", 0, "یک", "--lang", "fa", author="علی")
    found = topics("rename", 0, "دو", "--lang", "fa", "--expected", 0, code=1)
    assert "علی decided on it meanwhile (rename, decision 1). Look again." in found.stderr
    topics("rename", 0, "دو", "--lang", "fa", "--expected", 1)


def test_the_author_is_who_is_logged_in(topics: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "maryam")
    assert topics("lock", 0, author=None).stdout.split()[2] == "maryam"
    assert topics("lock", 1, "--author", "x y", author=None).stdout.split("  ")[-2] == "x y"


def test_a_folder_without_a_store_is_left_alone(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["topics", "list", "--out", str(tmp_path / "no")])
    assert found.exit_code == 66
    assert "There is no store under" in found.stderr
    assert not (tmp_path / "no").exists()


def test_a_store_without_a_run(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/store.db").close()
    found = CliRunner().invoke(app, ["topics", "list", "--out", str(tmp_path)])
    assert found.exit_code == 1
    assert "no published run yet" in found.stderr


def test_a_terminal_is_given_isolates(monkeypatch: pytest.MonkeyPatch) -> None:
    assert topics_text.isolated("نام") == "نام"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert topics_text.isolated("نام") == "\u2068نام\u2069"
