import json
import os
import sqlite3
from datetime import datetime
from pathlib import Path

import fsspec
import pytest

from feedback_nlp.config import load_config
from feedback_nlp.core.errors import BadDataError, ConfigError, MissingInputError
from feedback_nlp.ingest import IngestSettings, spool
from feedback_nlp.ingest.remote import ConnectSettings, SqlSource, StorageSource, fetch
from feedback_nlp.ingest.remote.retry import retrying
from feedback_nlp.ingest.remote.secrets import check_secrets, from_file
from feedback_nlp.ingest.remote.sql import _value

COMMENTS = [("a", "الخدمة سيئة", 3), ("b", "پشتیبانی عالی بود", None), ("c", "refund took weeks", 7)]


@pytest.fixture
def crm(tmp_path):
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE survey (id TEXT, answer TEXT, nps INTEGER, picture BLOB)")
        connection.executemany("INSERT INTO survey VALUES (?, ?, ?, x'00')", COMMENTS)
    connection.close()
    return path


def of_sql(crm, query="SELECT id, answer AS text, nps FROM survey", **more):
    source = SqlSource(url=f"sqlite:///{crm}", query=query, **more)
    return ConnectSettings(sources={"crm": source}, attempts=2, wait_seconds=0)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestSql:
    def test_rows_become_json_lines_that_ingest_reads(self, crm, tmp_path):
        (file,) = fetch(["@crm"], of_sql(crm, batch_rows=1), tmp_path / "got")
        assert file.name == "crm.jsonl"
        assert lines(file) == [{"id": i, "text": t, "nps": n} for i, t, n in COMMENTS]
        found = spool([file], IngestSettings(), tmp_path / "spool")
        assert (found.rows, found.rejected) == (3, 0)

    @pytest.mark.parametrize(
        ("query", "kind", "part"),
        [
            ("SELECT * FROM nowhere", MissingInputError, "no such table"),
            ("SELECT answer FROM survey WHERE nps > 100", MissingInputError, "gave no row"),
            ("SELECT picture FROM survey", BadDataError, "column 'picture' holds bytes"),
        ],
    )
    def test_a_wrong_query_names_source_and_reason(self, crm, tmp_path, query, kind, part):
        with pytest.raises(kind, match=part) as caught:
            fetch(["@crm"], of_sql(crm, query), tmp_path / "got")
        assert "connect.sources.crm" in str(caught.value)

    def test_the_query_changes_nothing(self, crm, tmp_path):
        settings = of_sql(crm, "DELETE FROM survey RETURNING id, answer")
        fetch(["@crm"], settings, tmp_path / "got")
        connection = sqlite3.connect(crm)
        assert connection.execute("SELECT count(*) FROM survey").fetchone() == (3,)
        connection.close()

    def test_an_unknown_driver_is_a_configuration_error(self, tmp_path):
        settings = ConnectSettings(sources={"x": SqlSource(url="nosuch://host/db", query="SELECT 1")})
        with pytest.raises(ConfigError, match=r"connect\.sources\.x\.url"):
            fetch(["@x"], settings, tmp_path)

    @pytest.mark.parametrize(
        ("value", "given"),
        [(float("nan"), None), (datetime(2026, 11, 28, 1, 2), "2026-11-28T01:02:00"), (True, True), (2**70, 2**70)],
    )
    def test_values_json_can_hold(self, value, given):
        assert _value(value, "here") == given


class TestSecrets:
    def test_an_address_with_a_password_is_refused(self):
        with pytest.raises(ValueError, match="password_env"):
            SqlSource(url="postgresql://u:secret@host/db", query="SELECT 1")
        with pytest.raises(ValueError, match="password_env"):
            StorageSource(url="sftp://u:secret@host/dumps")

    def test_a_missing_variable_is_named(self, crm, tmp_path, monkeypatch):
        monkeypatch.delenv("CRM_PASSWORD", raising=False)
        with pytest.raises(ConfigError, match="CRM_PASSWORD, which is not set"):
            fetch(["@crm"], of_sql(crm, password_env="CRM_PASSWORD"), tmp_path / "got")

    def test_a_file_others_can_read_is_refused(self, tmp_path):
        file = tmp_path / "password"
        file.write_text("geheim\n")
        file.chmod(0o644)
        with pytest.raises(ConfigError, match=r"chmod 600"):
            from_file(file, "here")
        file.chmod(0o600)
        assert from_file(file, "here") == "geheim"
        file.write_text("\n")
        with pytest.raises(ConfigError, match="empty"):
            from_file(file, "here")
        with pytest.raises(ConfigError, match="No such file"):
            from_file(tmp_path / "none", "here")

    def test_no_secret_reaches_a_configuration_dump(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CRM_PASSWORD", "geheim")
        file = tmp_path / "c.yaml"
        file.write_text(
            "connect: {sources: {crm: {kind: sql, url: 'postgresql://u@h/d', query: SELECT 1, "
            "password_env: CRM_PASSWORD}}}"
        )
        assert "geheim" not in json.dumps(load_config(file).model_dump(mode="json"))

    def test_all_secrets_are_checked(self, monkeypatch, tmp_path):
        file = tmp_path / "hook"
        file.write_text("geheim\n")
        file.chmod(0o600)
        lake = StorageSource(url="s3://x/y.csv", options_env={"key": "LAKE_KEY"})
        settings = ConnectSettings.model_validate(
            {"sources": {"lake": lake}, "webhooks": {"hooks": {"shop": {"kind": "generic", "secret_file": file}}}}
        )
        monkeypatch.setenv("LAKE_KEY", "x")
        assert check_secrets(settings) == 2
        monkeypatch.delenv("LAKE_KEY")
        with pytest.raises(ConfigError, match=r"connect\.sources\.lake\.options_env\.key"):
            check_secrets(settings)
        assert check_secrets(ConnectSettings()) == 0

    def test_both_passwords_are_one_too_many(self):
        with pytest.raises(ValueError, match="not both"):
            SqlSource(url="sqlite://", query="SELECT 1", password_env="A", password_file=Path("b"))


@pytest.fixture
def bucket():
    system = fsspec.filesystem("memory")
    for name, text in {
        "night/1.csv": "id,text\n1,good\n",
        "night/2.csv": "id,text\n2,bad\n",
        "night/.hidden.csv": "x",
        "night/notes.pdf": "x",
    }.items():
        system.pipe_file(f"/dumps/{name}", text.encode())
    yield "memory://dumps"
    system.store.clear()
    system.pseudo_dirs[:] = [""]


class TestStorage:
    @pytest.mark.parametrize("end", ["night", "night/*", "night/*.csv"])
    def test_folders_and_globs_give_their_readable_files(self, bucket, tmp_path, end):
        got = fetch([f"{bucket}/{end}"], ConnectSettings(), tmp_path)
        assert [Path(path).name for path in got] == ["1.csv", "2.csv"]
        assert spool(got, IngestSettings(), tmp_path / "spool").rows == 2

    def test_a_single_file(self, bucket, tmp_path):
        (got,) = fetch([f"{bucket}/night/2.csv"], ConnectSettings(), tmp_path)
        assert got.read_text() == "id,text\n2,bad\n"

    @pytest.mark.parametrize("end", ["none.csv", "none/*.csv"])
    def test_what_is_missing_is_named(self, bucket, tmp_path, end):
        with pytest.raises(MissingInputError, match="none"):
            fetch([f"{bucket}/{end}"], ConnectSettings(), tmp_path)

    def test_an_unknown_protocol_is_a_configuration_error(self, tmp_path):
        with pytest.raises(ConfigError, match="nosuch"):
            fetch(["nosuch://bucket/x.csv"], ConnectSettings(), tmp_path)

    def test_a_passing_failure_is_tried_again(self, bucket, tmp_path, monkeypatch):
        system = fsspec.filesystem("memory")
        calls = []

        def flaky(name, local):
            calls.append(name)
            if len(calls) < 3:
                raise OSError(110, "timed out")
            Path(local).write_bytes(system.cat_file(name))

        monkeypatch.setattr(system, "get_file", flaky)
        settings = ConnectSettings(attempts=3, wait_seconds=0)
        assert len(fetch([f"{bucket}/night/1.csv"], settings, tmp_path)) == 1
        calls.clear()
        with pytest.raises(MissingInputError, match="2 attempt"):
            fetch([f"{bucket}/night/1.csv"], ConnectSettings(attempts=2, wait_seconds=0), tmp_path)

    def test_secret_options_come_from_the_environment(self, tmp_path, monkeypatch):
        monkeypatch.delenv("NO_SUCH_KEY", raising=False)
        source = StorageSource(url="memory://dumps/x.csv", options_env={"key": "NO_SUCH_KEY"})
        with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
            fetch(["@lake"], ConnectSettings(sources={"lake": source}), tmp_path)


def test_local_inputs_stay_as_they_are(tmp_path):
    assert fetch(["a.csv", tmp_path, "*.csv"], ConnectSettings(), tmp_path) == ["a.csv", tmp_path, "*.csv"]
    assert os.listdir(tmp_path) == []


def test_an_unknown_source_is_named_with_a_near_one(crm, tmp_path):
    with pytest.raises(ConfigError, match="Did you mean @crm"):
        fetch(["@cmr"], of_sql(crm), tmp_path)


@pytest.mark.parametrize("name", ["a b", "../x", "ü"])
def test_names_of_sources_are_plain(name):
    with pytest.raises(ValueError, match="may hold"):
        ConnectSettings(sources={name: SqlSource(url="sqlite://", query="SELECT 1")})


def test_waits_double_and_other_errors_are_not_tried_again():
    waits = []

    def fails():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        retrying(fails, name="x", passing=(OSError,), attempts=4, wait_seconds=0.5, sleep=waits.append)
    assert waits == [0.5, 1.0, 2.0]
    with pytest.raises(TimeoutError):
        retrying(fails, name="x", passing=(KeyError,), attempts=4, wait_seconds=0.5, sleep=waits.append)
    assert len(waits) == 3
