"""The examples that operators copy: they parse, name commands and settings that exist, and hold no secret."""

import configparser
import re
import shlex
from pathlib import Path

from ruamel.yaml import YAML
from typer.main import get_command

from feedback_nlp.cli.app import app
from feedback_nlp.config import load_config

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"


def unit(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string((DEPLOY / name).read_text())
    return parser


def run_options():
    return {name for one in get_command(app).commands["run"].params for name in one.opts}


def assert_runs(words):
    at = next(i for i, word in enumerate(words) if word.endswith("feedback-nlp"))
    assert words[at + 1] == "run"
    assert {word for word in words[at:] if word.startswith("--")} <= run_options()


def test_the_service_runs_a_command_that_exists():
    assert_runs(shlex.split(unit("feedback-nlp.service")["Service"]["ExecStart"]))


def test_the_timer_belongs_to_the_service():
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", unit("feedback-nlp.timer")["Timer"]["OnCalendar"])


def test_the_crontab_runs_a_command_that_exists():
    (line,) = [one for one in (DEPLOY / "crontab").read_text().splitlines() if re.match(r"\d", one)]
    assert_runs(shlex.split(line))


def test_the_cronjob_is_whole():
    job = YAML(typ="safe", pure=True).load(DEPLOY / "cronjob.yaml")
    assert (job["kind"], job["spec"]["concurrencyPolicy"]) == ("CronJob", "Forbid")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert_runs([*container["command"], *container["args"]])


def test_the_configuration_loads():
    config = load_config(DEPLOY / "nightly.yaml")
    assert set(config.connect.sources) == {"crm", "lake"}
