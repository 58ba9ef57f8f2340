"""The configuration: strict, told at once, the shipped files equal to the code's defaults."""

from pathlib import Path

import pytest

from feedback_nlp.config import Config, load_config, render_config
from feedback_nlp.core.errors import ConfigError, MissingInputError
from feedback_nlp.core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.usefixtures("default_profile")
def test_the_shipped_default_spells_out_every_setting() -> None:
    assert (ROOT / "configs/default.yaml").read_text(encoding="utf-8") == render_config(Config()), (
        "configs/default.yaml is behind: python -m feedback_nlp.config > configs/default.yaml"
    )
    assert load_config("default") == Config()


def test_shipped_files_are_found_by_name() -> None:
    assert isinstance(load_config("nightly"), Config)


def test_every_setting_says_what_it_means() -> None:
    bare = []

    def walk(model: type[Settings] | type[Config], where: str) -> None:
        for name, field in model.model_fields.items():
            if not field.description:
                bare.append(f"{where}{name}")
            if isinstance(field.default, Settings):
                walk(type(field.default), f"{where}{name}.")

    walk(Config, "")
    assert not bare, f"settings without a meaning: {bare}"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("run: {threads: 0}\nsentiment: {min_scor: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    text = str(caught.value)
    assert text.startswith(f"{path} has 2 problem(s):")
    assert "run.threads: Input should be greater than or equal to 1, got 0" in text
    assert "sentiment.min_scor: unknown key. Did you mean 'min_score'?" in text


@pytest.mark.parametrize(("content", "message"), [("[1, 2]", "must hold a mapping"), ("a: [", "not readable as YAML")])
def test_a_file_that_is_no_configuration(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(MissingInputError, match="no-such"):
        load_config("no-such.yaml")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("run: {threads: 3, seed: 5}\n", encoding="utf-8")
    monkeypatch.setenv("FEEDBACK_NLP_CONFIG", str(path))
    monkeypatch.setenv("FEEDBACK_NLP__RUN__THREADS", "1")
    config = load_config()
    assert (config.run.threads, config.run.seed) == (1, 5)


def test_an_unknown_environment_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_NLP__RUNN__THREADS", "1")
    with pytest.raises(ConfigError, match="RUNN"):
        load_config()


def test_yaml_keeps_language_codes_and_times(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("report: {language: fa}\ningest: {sheet: no}\n", encoding="utf-8")
    assert load_config(path).ingest.sheet == "no"


def test_the_fingerprint_leaves_out_what_changes_no_result() -> None:
    base = Config().fingerprint()
    assert load_config(run__threads=7, run__chunk_size=3, report__language="fa").fingerprint() == base
    assert load_config(run__seed=18).fingerprint() != base
